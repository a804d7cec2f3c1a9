"""A run as others see it: its row in the database and the progress that it reports."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime

from django.db import DatabaseError
from django.utils import timezone

from streaming.health.selection import count_due
from streaming.health.sweep.options import CheckOptions, CheckProgress, ProgressCallback
from streaming.health.sweep.report import CheckReport
from streaming.models import HealthRun

HEARTBEAT_SECONDS = 5.0
PROGRESS_SECONDS = 0.2
MAX_REASON_LENGTH = 500


class RunRecord:
    """The `HealthRun` row of a run and its progress callback, both filled from its report.

    `row` is None before `open`, and always in a dry run, which leaves no row.
    """

    def __init__(self, report: CheckReport, *, now: datetime, on_progress: ProgressCallback | None) -> None:
        self.report, self.now, self.on_progress = report, now, on_progress
        self.row: HealthRun | None = None
        self._total = 0
        self._heartbeat_at = self._progress_at = time.monotonic()

    def open(self, options: CheckOptions) -> None:
        """Create the row and report how many links are due."""
        if self.on_progress is not None:
            due = count_due(options.selection, now=self.now)
            self._total = due if options.limit is None else min(due, options.limit)
            self._report_progress()
        if not options.dry_run:
            self.row = HealthRun.objects.create(
                started_at=self.now, heartbeat_at=timezone.now(), is_partial=options.is_partial
            )

    def update(self, *, died: int) -> None:
        """Report the progress and write a heartbeat when they are due; `died`: the links turned off so far."""
        moment = time.monotonic()
        if moment - self._progress_at > PROGRESS_SECONDS:
            self._progress_at = moment
            self._report_progress()
        if self.row is not None and moment - self._heartbeat_at > HEARTBEAT_SECONDS:
            self._heartbeat_at = moment
            counts = {**self.report.counts(), "died": died}
            HealthRun.objects.filter(pk=self.row.pk).update(heartbeat_at=timezone.now(), **counts)

    def close(self) -> None:
        """Write the finished report to the row."""
        self._report_progress()
        if self.row is None:
            return
        HealthRun.objects.filter(pk=self.row.pk).update(
            finished_at=timezone.now(),
            heartbeat_at=timezone.now(),
            withheld=self.report.withheld,
            outcome=self.report.outcome,
            reason=self.report.reason[:MAX_REASON_LENGTH],
            hosts_down=self.report.hosts_down,
            moved=self.report.moved,
            died_of=self.report.died_of,
            **self.report.counts(),
        )

    def fail(self, error: Exception) -> None:
        """Close the row of a run that an error ends; the public sentence names the error without its details.

        If the database itself is the error, the row stays open like that of a killed run, and the next run resumes.
        """
        if self.row is None:
            return
        with suppress(DatabaseError):
            HealthRun.objects.filter(pk=self.row.pk, finished_at=None).update(
                finished_at=timezone.now(),
                outcome=HealthRun.Outcome.FAILED,
                reason=f"stopped by an internal error ({type(error).__name__})",
            )

    def _report_progress(self) -> None:
        if self.on_progress is not None:
            self.on_progress(CheckProgress.of(self.report.verdicts, self._total))
