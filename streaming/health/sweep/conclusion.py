"""The end of a check: accept or withhold its failures, write what counts, pause hosts, remove movies.

See decisions 0003 and 0013 in docs/decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import chain

from streaming.health.judging import guard
from streaming.health.judging.causes import Exemptions
from streaming.health.judging.guard import WENT_OFFLINE_MESSAGE, History, RunDecision
from streaming.health.judging.results import CheckResult
from streaming.health.judging.verdict import Verdict
from streaming.health.permanent_redirects import count_permanently_redirected, follow_permanent_redirects
from streaming.health.probing.prober import never_stop
from streaming.health.prune import prune_after_check, would_remove
from streaming.health.sweep.checker import LinkChecker, wrong_clock_reason
from streaming.health.sweep.outages import load_history, record_outages
from streaming.health.sweep.report import CheckReport
from streaming.health.sweep.writer import mark_private_links
from streaming.models import HostPause
from streaming.retry_after import PauseKind

BREAKER_PAUSE = timedelta(hours=1)
INTERRUPTED_MESSAGE = "interrupted; failures do not count yet, the next check starts with those links"
NO_CANARY_MESSAGE = "no canary responds: this machine seems to be offline"

Batches = Iterable[list[CheckResult]]
ReadBatches = Callable[[], Batches]
"""Returns all results from the first one on, each time it is called."""


def no_batches() -> Batches:
    """Return no results."""
    return ()


class Conclusion:
    """What follows from the results of one check. `stop`: whether somebody interrupted it."""

    def __init__(self, checker: LinkChecker, report: CheckReport, *, stop: Callable[[], bool] = never_stop) -> None:
        self.checker, self.report, self.stop = checker, report, stop
        self.options, self.tally, self.now = checker.options, checker.tally, checker.now
        self._exemptions = Exemptions()
        self._hosts_of_causes: set[str] = set()

    def conclude(self, failures: ReadBatches, *, successes: Batches = (), error: str = "") -> None:
        """Judge the check as a whole and act on it; nothing if it was withheld before.

        `failures`: all of them, not written yet. `successes`: those that workers left unwritten. `error`: why the check
        ended early; empty if it did not. After an interruption only successes count.
        """
        if self.report.withheld:
            return
        if reason := wrong_clock_reason(self.tally):
            self.report.withhold(reason)
        elif self._needs_canaries() and not self._interruption(error) and self.checker.is_offline(stop=self.stop):
            self.report.withhold(WENT_OFFLINE_MESSAGE)
        elif reason := self._interruption(error):
            self.report.interrupt(reason)
            self.write(RunDecision(), failures=no_batches, successes=successes)
        else:
            self._decide_and_act(failures, successes)

    def write(self, decision: RunDecision, *, failures: ReadBatches, successes: Batches = ()) -> None:
        """Write the results that count under this decision, then pauses and private links."""
        writer = self.checker.writer
        self.checker.write_successes(decision)
        for batch in successes:
            writer.write([self._exemptions.apply(result) for result in batch], decision)
        for batch in failures():
            counted = [self._exemptions.apply(result) for result in batch if _counts(result, decision)]
            writer.write(counted, decision)
        if not self.options.dry_run:
            pauses = self.tally.pauses
            pauses.add_all(decision.hosts_down, self.now + BREAKER_PAUSE, kind=PauseKind.BREAKER)
            for kind in PauseKind:
                HostPause.objects.extend(pauses.of_kind(kind), HostPause.Kind(kind))
            mark_private_links(self.tally.private)

    def _interruption(self, error: str) -> str:
        return error or (INTERRUPTED_MESSAGE if self.stop() else "")

    def _needs_canaries(self) -> bool:
        """Whether an active link would turn off although nothing came on HTTP's level."""
        return any(tally.active_failed and tally.transport_failures for tally in self.tally.hosts.values())

    def _decide_and_act(self, failures: ReadBatches, successes: Batches) -> None:
        history = load_history(now=self.now)
        self._exempt_failures(failures, accepted=frozenset(history.long_outages()))
        decision = self._decide(history)
        self.report.withheld, self.report.reason = decision.withheld, decision.reason
        if decision.withheld:
            self.report.is_braked = decision.is_braked
            if decision.is_braked:
                self._write_revivals(failures)
            return
        self.report.hosts_down = sorted(decision.hosts_down)
        self.write(decision, failures=failures, successes=successes)
        if not self.options.dry_run:
            self._record_outages(decision, history)
        self._handle_redirects()
        self._prune()

    def _write_revivals(self, failures: ReadBatches) -> None:
        """Write the links that work again, which is true however many others fail.

        Else a link that failed in two accepted runs would seem to have failed in all those between them.
        """
        for batch in failures():
            counted = [self._exemptions.apply(result) for result in batch if result.is_revival]
            self.checker.writer.write([result for result in counted if result.is_revival], RunDecision())
        self.tally.successes = []

    def _exempt_failures(self, failures: ReadBatches, *, accepted: frozenset[str]) -> None:
        """Take failures with one cause, and refusals half-way, out of the counts before the run is judged."""
        refused = self.tally.refusals.by_host()
        for netloc in refused:
            self.tally.pauses.add_requested(netloc, "", now=self.now)
        ids = frozenset(link_id for ids in refused.values() for link_id in ids)
        self._exemptions = Exemptions(self.tally.causes.common, ids, accepted)
        if not (self._exemptions.causes or ids):
            return
        for result in chain(self.tally.successes, chain.from_iterable(failures())):
            verdict = self._exemptions.verdict(result)
            if verdict is not None:
                self.tally.discount(result, verdict)
            if verdict is Verdict.NOT_CHECKED:
                self._hosts_of_causes.add(result.require_link().netloc)
        self.tally.successes = [self._exemptions.apply(result) for result in self.tally.successes]

    def _decide(self, history: History) -> RunDecision:
        return guard.decide_run(
            self.tally.hosts,
            history,
            force=self.options.force,
            redirect_targets={netloc: len(hosts) for netloc, hosts in self.tally.redirect_targets.items()},
        )

    def _record_outages(self, decision: RunDecision, history: History) -> None:
        """Remember which hosts failed as a whole, or by a cause outside their links, and which respond again."""
        failing = decision.hosts_down | self._hosts_of_causes
        recovered = [
            netloc
            for netloc in history.outages.keys() - failing
            if (tally := self.tally.hosts.get(netloc)) and tally.alive and not tally.is_down
        ]
        record_outages(failing, recovered=recovered, now=self.now)

    def _handle_redirects(self) -> None:
        """Follow permanent redirects if the options say so, and count those that are left."""
        if self.options.follow_moves and not self.options.dry_run:
            self.report.redirects = follow_permanent_redirects(now=self.now)
        self.report.moved = count_permanently_redirected()

    def _prune(self) -> None:
        if not self.options.prune:
            return
        force = self.options.force
        if self.options.dry_run:
            removal = would_remove(self.checker.writer.planned_updates, now=self.now, force=force)
        else:
            removal = prune_after_check(now=self.now, force=force)
        self.report.removed, self.report.waiting = removal.removed, removal.waiting


def _counts(result: CheckResult, decision: RunDecision) -> bool:
    """Whether a failure is written.

    A working link is not turned off for what the other links of its host did: one that was not probed itself waits for
    a later run, unless the links of the host keep their state anyway.
    """
    link = result.require_link()
    if link.netloc in decision.unrouted_hosts:
        return False
    return not (result.not_sent and link.is_active) or link.netloc in decision.hosts_down
