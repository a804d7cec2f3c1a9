"""One round over the links that are due: asked, judged, believed or not, written, pruned.

Good news is written at once, in batches; bad news (anything that turns a link off or counts against it) is held back
until the whole run is believed. See docs/decisions/0003-how-a-run-is-believed.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.utils import timezone

from streaming.health.distributed.coordinator import Coordinator
from streaming.health.judging import guard
from streaming.health.judging.guard import WENT_OFFLINE_MESSAGE, RunDecision
from streaming.health.judging.results import Finding
from streaming.health.locks import single_run_lock
from streaming.health.permanent_redirects import count_permanently_redirected, follow_permanent_redirects
from streaming.health.probing.prober import never_stop
from streaming.health.probing.prober_process import ProberProcessDied
from streaming.health.prune import prune_after_check, would_remove
from streaming.health.selection import DueLink, count_due, due_links, has_public_host, links_by_id
from streaming.health.sweep import canaries
from streaming.health.sweep.checker import LinkChecker
from streaming.health.sweep.options import CheckOptions, CheckProgress, ProgressCallback
from streaming.health.sweep.report import CheckReport
from streaming.health.sweep.resume import load_resume_state
from streaming.health.sweep.spool import ResultSpool
from streaming.health.sweep.writer import mark_private_links
from streaming.models import HealthRun, HostPause, LinkFlip, StreamingLink
from streaming.reason_codes import Reason

MIN_LINKS_FOR_GUARD = 5
HEARTBEAT_SECONDS = 5.0
BREAKER_PAUSE = timedelta(hours=1)
INTERRUPTED = "interrupted; bad answers were not believed yet, those links are asked again next time"
ALREADY_RUNNING = "another check is running; this one did nothing"
NO_CANARY_RESPONDS = "no canary answers: this machine seems to have no way to the internet"


def run_check(
    options: CheckOptions,
    *,
    now: datetime,
    on_progress: ProgressCallback | None = None,
    stop: Callable[[], bool] = never_stop,
) -> CheckReport | None:
    """Check what is due. None: another run is at work, nothing was done.

    `told` hears of the progress several times a second; `stop` ends the run early.
    """
    with single_run_lock() as alone:
        return CheckRun(options, now=now, on_progress=on_progress, stop=stop).run() if alone else None


def check_now(link_ids: Sequence[int]) -> dict[int, str]:
    """Check these links right now with the same judgement and write what came; the reason a link.

    Nothing is removed. Fewer than five links are believed without breaker and brake, unless no canary answers.
    """
    reasons: dict[int, str] = {}
    sweep = CheckRun(CheckOptions(prune=False), now=timezone.now(), noted=reasons)
    sweep.run_links(list(link_ids))
    return reasons


class CheckRun:
    """The state of one run: what came, what waits, what is believed."""

    def __init__(
        self, options: CheckOptions, *, now: datetime, on_progress: ProgressCallback | None = None, stop: Callable[[], bool] = never_stop,
        noted: dict[int, str] | None = None,
    ) -> None:  # fmt: skip
        self.options, self.now, self.on_progress, self.interrupted, self.reasons_out = (
            options,
            now,
            on_progress,
            stop,
            noted,
        )
        self.held = ResultSpool()
        self.shared: Coordinator | None = None
        self.hearing = LinkChecker(options, now=now, sink=self.held, noted=noted)
        self.heard, self.written, self.manners = self.hearing.tally, self.hearing.written, self.hearing.manners
        self.report = CheckReport(dry_run=options.dry_run)
        self.report.verdicts = self.heard.verdicts
        self.run_row: HealthRun | None = None
        self.broken = ""
        self.total = 0
        self.began = self.beat = self.spoke = time.monotonic()

    # --- the two ways to run
    def run(self) -> CheckReport:
        """The story of a run."""
        since = HealthRun.objects.interrupted_since()
        self.report.previous_hosts_down = HealthRun.objects.previous_hosts_down()
        self._open()
        try:
            self._check(since)
            self._close()
        except Exception as error:
            self._fail(error)
            raise
        return self.report

    def _check(self, since: datetime | None) -> None:
        if self._canaries_silent():
            self._withhold(NO_CANARY_RESPONDS)
            return
        if self.run_row is not None and self.options.is_distributed:
            self._distribute(self.run_row, since)
        else:
            self.hearing.resume_state = load_resume_state(self.options.selection, since=since, now=self.now)
            self._check_links(due_links(self.options.selection, now=self.now))
            if not (self.report.withheld or self.broken or self._is_over()):
                self._check_links(self.hearing.extra_links(), beyond=True)
        self.conclude()

    def run_links(self, ids: list[int]) -> None:
        self.hearing.canaries = canaries.choose_canaries(now=self.now, allowed=self.manners.allowed)
        self._check_links(links_by_id(ids), few=True)
        if len(ids) >= MIN_LINKS_FOR_GUARD:
            self.conclude()
        elif self.hearing.is_offline():
            self._withhold(NO_CANARY_RESPONDS)
        else:
            self._write_all(RunDecision(), self.held.batches())
        if self.report.withheld and self.reasons_out is not None:
            self.reasons_out.update({finding.link_state.id: Reason.LOCAL for finding in self.held})

    # --- before and after
    def _open(self) -> None:
        if self.on_progress is not None:
            self.total = count_due(self.options.selection, now=self.now)
            self.total = min(self.total, self.options.limit) if self.options.limit is not None else self.total
            self._report_progress()
        if not self.options.dry_run:
            self.run_row = HealthRun.objects.create(started_at=self.now, heartbeat_at=timezone.now())

    def _close(self) -> None:
        self.report.died, self.report.revived = self.written.died, self.written.revived
        self.report.died_of = self.written.died_of
        self.report.seconds = time.monotonic() - self.began
        self._report_progress()
        if self.run_row is not None:
            HealthRun.objects.filter(pk=self.run_row.pk).update(
                finished_at=timezone.now(),
                heartbeat_at=timezone.now(),
                withheld=self.report.withheld,
                outcome=self.report.outcome,
                reason=self.report.reason[:500],
                hosts_down=self.report.hosts_down,
                moved=self.report.moved,
                died_of=self.report.died_of,
                **self.report.counts(),
            )
        if self.shared is not None:
            self.shared.clear()

    def _fail(self, error: Exception) -> None:
        """Close the row of a run that an error ends. When the database is the error, the row stays like a killed
        run's, and the next run resumes all the same. The sentence is public: no details of ours."""
        if self.run_row is None:
            return
        with suppress(DatabaseError):
            HealthRun.objects.filter(pk=self.run_row.pk, finished_at=None).update(
                finished_at=timezone.now(),
                outcome=HealthRun.Outcome.FAILED,
                reason=f"ended by an error of ours ({type(error).__name__})",
            )

    def _withhold(self, reason: str) -> None:
        self.report.withheld, self.report.reason = True, reason

    def _canaries_silent(self) -> bool:
        """Ask the canaries before the run; with links on private hosts alone they are not asked."""
        if not has_public_host(self.options.selection, self.manners.allowed):
            return False
        self.hearing.canaries = canaries.choose_canaries(now=self.now, allowed=self.manners.allowed)
        return canaries.all_canaries_fail(self.hearing.canaries, self.manners, stop=self.interrupted)

    # --- asking
    def _check_links(self, links: Iterator[DueLink], *, few: bool = False, beyond: bool = False) -> None:
        try:
            for _ in self.hearing.check(links, stop=self._is_over, few=few, beyond=beyond):
                self._periodic()
                if self.report.withheld:
                    return
        except ProberProcessDied as broke:
            self.broken = str(broke)

    def _distribute(self, run: HealthRun, since: datetime | None) -> None:
        """Let the workers ask, and take over what they heard."""
        self.shared = Coordinator(
            run, self.options, canaries=self.hearing.canaries, since=since, on_progress=self.on_progress
        )
        withheld = self.shared.execute(self._stop_reason)
        self.shared.merge_into(self.heard)
        # Their good news is written: what it revived stands in the flips of this moment.
        self.written.revived += LinkFlip.objects.filter(at=self.now, is_active=True).count()
        if withheld:
            self._withhold(withheld)

    def _stop_reason(self) -> HealthRun.StopReason | None:
        if self.interrupted():
            return HealthRun.StopReason.INTERRUPTED
        return HealthRun.StopReason.LATE if self._is_late() else None

    def _is_over(self) -> bool:
        return self._is_late() or self.interrupted()

    def _is_late(self) -> bool:
        minutes = self.options.max_runtime_minutes
        return minutes is not None and time.monotonic() - self.began > minutes * 60

    # --- now and then
    def _periodic(self) -> None:
        if self.heard.slice_is_suspicious() and self.hearing.is_offline(stop=self._is_over):
            self._withhold(WENT_OFFLINE_MESSAGE)
        moment = time.monotonic()
        if moment - self.spoke > 0.2:
            self.spoke = moment
            self._report_progress()
        if self.run_row is not None and moment - self.beat > HEARTBEAT_SECONDS:
            self.beat = moment
            HealthRun.objects.filter(pk=self.run_row.pk).update(
                heartbeat_at=timezone.now(), **{**self.report.counts(), "died": self.written.died}
            )

    def _report_progress(self) -> None:
        if self.on_progress is not None:
            self.on_progress(CheckProgress.of(self.report.verdicts, self.total))

    # --- believing
    def conclude(self) -> None:
        """Judge the whole run; then write what was held back, pause hosts, remove movies."""
        if self.report.withheld:
            return
        cut_off = self.needs_canaries() and not self.interruption() and self.hearing.is_offline(stop=self.interrupted)
        if cut_off:
            self._withhold(WENT_OFFLINE_MESSAGE)
            return
        if why := self.interruption():
            self.report.complete, self.report.reason = False, why
            self._write_all(RunDecision(), ())
            return
        decision = self.decide()
        self.report.withheld, self.report.reason = decision.withheld, decision.reason
        if decision.withheld:
            return
        self.report.hosts_down = sorted(decision.hosts_down)
        held = self.held.batches() if self.shared is None else self.shared.failures.batches()
        self._write_all(decision, held)
        self.handle_redirects()
        self._prune()

    def interruption(self) -> str:
        """Why only the good news of this run counts; empty: it went on to its end."""
        return self.broken or (INTERRUPTED if self.interrupted() else "")

    def needs_canaries(self) -> bool:
        """Whether an active link would turn off for something below HTTP."""
        return any(tally.active_failed and tally.below_http for tally in self.heard.hosts.values())

    def decide(self) -> RunDecision:
        landings = {place: len(hosts) for place, hosts in self.heard.redirect_targets.items()}
        active = StreamingLink.objects.filter(is_active=True).count()
        return guard.decide_run(
            self.heard.hosts, active_links=active, force=self.options.force, redirect_targets=landings
        )

    def _write_all(self, decision: RunDecision, held: Iterable[list[Finding]]) -> None:
        self.hearing.write_good(decision)
        for batch in () if self.shared is None else self.shared.failures.successes():
            self.hearing.write(batch, decision)
        for batch in held:
            self.hearing.write([finding for finding in batch if _is_accepted(finding, decision)], decision)
        if not self.options.dry_run:
            HostPause.objects.extend(self.heard.pauses, HostPause.Kind.RETRY_AFTER)
            down = dict.fromkeys(decision.hosts_down, self.now + BREAKER_PAUSE)
            HostPause.objects.extend(down, HostPause.Kind.BREAKER)
            mark_private_links(self.heard.private)

    def handle_redirects(self) -> None:
        """Offer, or follow, what has moved for good."""
        if self.options.follow_moves and not self.options.dry_run:
            self.report.redirects = follow_permanent_redirects(now=self.now)
        self.report.moved = count_permanently_redirected()

    def _prune(self) -> None:
        if not self.options.prune:
            return
        if self.options.dry_run:
            self.report.removed = would_remove(self.hearing.planned_updates, now=self.now)
        else:
            self.report.removed = prune_after_check(now=self.now)


def _is_accepted(finding: Finding, decision: RunDecision) -> bool:
    """Whether a finding is to be written. A link that works is not turned off for what its host's others did: one that
    was not asked itself waits for its turn in a later run, unless the host's links are kept anyhow."""
    place, was_active = finding.link_state.place, finding.link_state.is_active
    return place not in decision.unrouted_hosts and not (
        finding.unasked and was_active and place not in decision.hosts_down
    )
