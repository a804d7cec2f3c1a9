"""One run of the link checker over the due links: check, accept or withhold, write, prune.

Successes are written at once, in batches. Failures (results that turn a link off or count against it) wait until the
whole run is accepted. See decision 0003 in docs/decisions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime

from streaming.health.distributed.coordinator import Coordinator
from streaming.health.judging.guard import confirms_clock
from streaming.health.locks import single_run_lock
from streaming.health.probing.prober import never_stop
from streaming.health.probing.prober_process import ProberProcessDied
from streaming.health.selection import due_links, has_public_host
from streaming.health.sweep import canaries
from streaming.health.sweep.checker import LinkChecker
from streaming.health.sweep.conclusion import NO_CANARY_MESSAGE, Conclusion
from streaming.health.sweep.options import CheckOptions, ProgressCallback
from streaming.health.sweep.removed_movies import return_movies
from streaming.health.sweep.report import CheckReport
from streaming.health.sweep.resume import load_resume_state
from streaming.health.sweep.run_record import RunRecord
from streaming.health.sweep.spool import ResultSpool
from streaming.health.verification.archived_copies import look_up_archived_copies
from streaming.models import HealthRun, LinkFlip
from streaming.models.change import number_all_changes
from streaming.retention import delete_old_history

ALREADY_RUNNING = "another check is running; this one did nothing"


def run_check(
    options: CheckOptions,
    *,
    now: datetime,
    on_progress: ProgressCallback | None = None,
    stop: Callable[[], bool] = never_stop,
) -> CheckReport | None:
    """Check the links that are due and return the report; None if another run is at work.

    `on_progress` is called several times a second, and so is `stop`: when it returns True, the run is interrupted.
    """
    with single_run_lock() as is_only_run:
        if not is_only_run:
            return None
        run = CheckRun(options, now=now, on_progress=on_progress, stop=stop)
        report = run.run()
        if not (report.withheld or options.dry_run):
            if report.complete:
                look_up_archived_copies(run.checker.config, now=now, stop=run.is_over)
            number_all_changes()  # Where no mirror asks they would pile up.
            # A run without a response, such as one of a single movie, would not notice that the clock is years ahead.
            if confirms_clock(run.checker.tally.hosts):
                delete_old_history(now=now)
        return report


class CheckRun:
    """The order of one run; `stop` says whether somebody interrupted it."""

    def __init__(
        self,
        options: CheckOptions,
        *,
        now: datetime,
        on_progress: ProgressCallback | None = None,
        stop: Callable[[], bool] = never_stop,
    ) -> None:
        self.options, self.now, self.on_progress, self.stop = options, now, on_progress, stop
        self.failures = ResultSpool()
        self.checker = LinkChecker(options, now=now, sink=self.failures)
        self.report = CheckReport(verdicts=self.checker.tally.verdicts, dry_run=options.dry_run)
        self.record = RunRecord(self.report, now=now, on_progress=on_progress)
        self.conclusion = Conclusion(self.checker, self.report, stop=stop)
        self.started = time.monotonic()

    def run(self) -> CheckReport:
        """Run from the first canary to the last removed movie; an error closes the record and is raised."""
        since = HealthRun.objects.interrupted_since()
        self.report.previous_hosts_down = HealthRun.objects.previous_hosts_down()
        self.record.open(self.options)
        try:
            if self._all_canaries_fail():
                self.report.withhold(NO_CANARY_MESSAGE)
                self._finish()
            elif self.record.row is not None and self.options.is_distributed:
                self._run_distributed(self.record.row, since)
            else:
                self._run_here(since)
        except Exception as error:
            self.record.fail(error)
            raise
        return self.report

    def _all_canaries_fail(self) -> bool:
        """Choose canaries and probe them before the run; links on private hosts alone need none."""
        if not has_public_host(self.options.selection, self.checker.config.allowed):
            return False
        self.checker.canaries = canaries.choose_canaries(now=self.now, allowed=self.checker.config.allowed)
        return canaries.all_canaries_fail(self.checker.canaries, self.checker.config, stop=self.stop)

    # --- in this process
    def _run_here(self, since: datetime | None) -> None:
        self.checker.resume_state = load_resume_state(self.options.selection, since=since, now=self.now)
        links = due_links(self.options.selection, now=self.now)
        error = self._check(self.checker.check_due(links, limit=self.options.limit, stop=self.is_over))
        if not (self.report.withheld or error or self.is_over()):
            error = self._check(self.checker.check_extra(stop=self.is_over))
        self.conclusion.conclude(self.failures.batches, error=error)
        self._return_movies()
        self._finish()

    def _check(self, results: Iterator[None]) -> str:
        """Take results until there are no more; return why they ended early, empty if they did not."""
        try:
            for _ in results:
                if reason := self.checker.withhold_reason(stop=self.is_over):
                    self.report.withhold(reason)
                    break
                self.record.update(died=self.checker.writer.written.died)
        except ProberProcessDied as error:
            return str(error)
        return ""

    # --- on workers
    def _run_distributed(self, row: HealthRun, since: datetime | None) -> None:
        coordinator = Coordinator(
            row, self.options, canaries=self.checker.canaries, since=since, on_progress=self.on_progress
        )
        withheld = coordinator.execute(self._stop_reason)
        coordinator.merge_into(self.checker.tally)
        # The workers wrote successes themselves: the flips of this moment are the links that these revived.
        self.checker.writer.written.revived += LinkFlip.objects.filter(at=self.now, is_active=True).count()
        if withheld:
            self.report.withhold(withheld)
        results = coordinator.results
        self.conclusion.conclude(results.failures, successes=results.successes())
        self._return_movies()
        self._finish()
        coordinator.clear()

    # --- the end
    def _return_movies(self) -> None:
        """Check the links of removed movies, unless the run was interrupted, or withheld for more than the brake."""
        if self.report.complete and (not self.report.withheld or self.report.is_braked):
            self.report.returned = return_movies(self.checker, now=self.now, stop=self.stop)

    def _finish(self) -> None:
        self.report.add_written(self.checker.writer.written)
        self.report.seconds = time.monotonic() - self.started
        self.record.close()

    def _stop_reason(self) -> HealthRun.StopReason | None:
        if self.stop():
            return HealthRun.StopReason.INTERRUPTED
        return HealthRun.StopReason.LATE if self._is_late() else None

    def is_over(self) -> bool:
        return self._is_late() or self.stop()

    def _is_late(self) -> bool:
        minutes = self.options.max_runtime_minutes
        return minutes is not None and time.monotonic() - self.started > minutes * 60
