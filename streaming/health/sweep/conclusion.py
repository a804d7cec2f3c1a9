"""The end of a check: accept or withhold its failures, write what counts, pause hosts, remove movies.

See decision 0003 in docs/decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from streaming.health.judging import guard
from streaming.health.judging.guard import WENT_OFFLINE_MESSAGE, RunDecision
from streaming.health.judging.results import CheckResult
from streaming.health.permanent_redirects import count_permanently_redirected, follow_permanent_redirects
from streaming.health.probing.prober import never_stop
from streaming.health.prune import prune_after_check, would_remove
from streaming.health.sweep.checker import LinkChecker
from streaming.health.sweep.report import CheckReport
from streaming.health.sweep.writer import mark_private_links
from streaming.models import HostPause, StreamingLink
from streaming.retry_after import PauseKind

BREAKER_PAUSE = timedelta(hours=1)
INTERRUPTED_MESSAGE = "interrupted; failures do not count yet, the next check starts with those links"
NO_CANARY_MESSAGE = "no canary responds: this machine seems to be offline"

Batches = Iterable[list[CheckResult]]


class Conclusion:
    """What follows from the results of one check. `stop`: whether somebody interrupted it."""

    def __init__(self, checker: LinkChecker, report: CheckReport, *, stop: Callable[[], bool] = never_stop) -> None:
        self.checker, self.report, self.stop = checker, report, stop
        self.options, self.tally, self.now = checker.options, checker.tally, checker.now

    def conclude(self, failures: Batches, *, successes: Batches = (), error: str = "") -> None:
        """Judge the check as a whole and act on it; nothing if it was withheld before.

        `failures`: all of them, not written yet. `successes`: those that workers left unwritten. `error`: why the check
        ended early; empty if it did not. After an interruption only successes count.
        """
        if self.report.withheld:
            return
        if self._needs_canaries() and not self._interruption(error) and self.checker.is_offline(stop=self.stop):
            self.report.withhold(WENT_OFFLINE_MESSAGE)
        elif reason := self._interruption(error):
            self.report.interrupt(reason)
            self.write(RunDecision(), failures=(), successes=successes)
        else:
            self._decide_and_act(failures, successes)

    def write(self, decision: RunDecision, *, failures: Batches, successes: Batches = ()) -> None:
        """Write the results that count under this decision, then pauses and private links."""
        writer = self.checker.writer
        self.checker.write_successes(decision)
        for batch in successes:
            writer.write(batch, decision)
        for batch in failures:
            writer.write([result for result in batch if _counts(result, decision)], decision)
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

    def _decide_and_act(self, failures: Batches, successes: Batches) -> None:
        decision = self._decide()
        self.report.withheld, self.report.reason = decision.withheld, decision.reason
        if decision.withheld:
            return
        self.report.hosts_down = sorted(decision.hosts_down)
        self.write(decision, failures=failures, successes=successes)
        self._handle_redirects()
        self._prune()

    def _decide(self) -> RunDecision:
        return guard.decide_run(
            self.tally.hosts,
            active_links=StreamingLink.objects.filter(is_active=True).count(),
            force=self.options.force,
            redirect_targets={netloc: len(hosts) for netloc, hosts in self.tally.redirect_targets.items()},
        )

    def _handle_redirects(self) -> None:
        """Follow permanent redirects if the options say so, and count those that are left."""
        if self.options.follow_moves and not self.options.dry_run:
            self.report.redirects = follow_permanent_redirects(now=self.now)
        self.report.moved = count_permanently_redirected()

    def _prune(self) -> None:
        if not self.options.prune:
            return
        if self.options.dry_run:
            self.report.removed = would_remove(self.checker.writer.planned_updates, now=self.now)
        else:
            self.report.removed = prune_after_check(now=self.now)


def _counts(result: CheckResult, decision: RunDecision) -> bool:
    """Whether a failure is written.

    A working link is not turned off for what the other links of its host did: one that was not probed itself waits for
    a later run, unless the links of the host keep their state anyway.
    """
    link = result.require_link()
    if link.netloc in decision.unrouted_hosts:
        return False
    return not (result.not_sent and link.is_active) or link.netloc in decision.hosts_down
