"""The record of one run of the link checker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

MAX_RUNS_SEARCHED = 50
CLOCK_SLACK = timedelta(minutes=1)
"""How far a time may lie ahead before it counts as that of a fast clock, which is ignored."""


class HealthRunQuerySet(models.QuerySet["HealthRun"]):
    """Queries about many runs."""

    def newest_first(self) -> HealthRunQuerySet:
        """Order by start, the latest first; by id, for the clock may have been turned back."""
        return self.order_by("-pk")

    def latest_started(self) -> HealthRun | None:
        """Return the run that started last, finished or not; None if there is none."""
        return self.newest_first().first()

    def latest_plausible(self, now: datetime) -> HealthRun | None:
        """Return the run that started last, besides those that a fast clock dates after `now`; None if there is none.

        For what depends on a run's age: the others would seem fresh until the clock reaches them.
        """
        return self.filter(started_at__lte=now + CLOCK_SLACK).latest_started()

    def accepted(self) -> HealthRunQuerySet:
        """Runs of all links whose results count: all of them, or after an interruption those of links that work."""
        outcomes = (HealthRun.Outcome.COMPLETED, HealthRun.Outcome.INTERRUPTED)
        return self.filter(is_partial=False, outcome__in=outcomes)

    def finished(self) -> HealthRunQuerySet:
        """Closed runs of all links that reached a result, even if it was withheld; none that ended with an error."""
        return self.filter(is_partial=False).exclude(finished_at=None).exclude(outcome=HealthRun.Outcome.FAILED)

    def started_before(self, run: HealthRun) -> HealthRunQuerySet:
        """Runs that started before `run`."""
        return self.filter(pk__lt=run.pk)

    def with_figures_since(self, start: datetime) -> HealthRunQuerySet:
        """Runs from `start` on whose counts are true: all but withheld ones, current ones included."""
        return self.filter(started_at__gte=start, withheld=False)

    def previous_hosts_down(self) -> list[str]:
        """The hosts that the last accepted run found down."""
        return self.accepted().newest_first().values_list("hosts_down", flat=True).first() or []

    def interrupted_since(self) -> datetime | None:
        """The earliest start of the runs after the last completed one of all links; None if there are none.

        Looks at the last 50 runs only. With a start in the future no link was checked since, as if the run had none.
        """
        starts = []
        rows = self.newest_first().values_list("started_at", "outcome", "is_partial")
        for started, outcome, is_partial in rows[:MAX_RUNS_SEARCHED]:
            if outcome != HealthRun.Outcome.COMPLETED:
                starts.append(started)
            elif not is_partial:
                break
        return min(starts, default=None)


class HealthRun(models.Model):
    """One run of the link checker.

    `finished_at` is None while the run lasts; with an old `heartbeat_at` it was killed. The counts are links, but
    `removed` counts movies. `moved` counts permanent redirects; `died_of` maps a reason code to the number of links
    that died of it. `outcome` says how the run ended (empty: not yet); `reason` is one sentence about it, for display
    only. `withheld` is published as well and is true exactly if `outcome` is that value.
    `is_partial`: it checked links of one movie or source only, or a limited number: it says nothing about the others.
    `plan` holds the options for the workers of a distributed run (empty: one process checks everything); `ending` is
    why the workers must stop (empty: continue).
    """

    class Outcome(models.TextChoices):
        COMPLETED = "completed", "Completed"
        WITHHELD = "withheld", "Withheld"
        INTERRUPTED = "interrupted", "Interrupted"
        FAILED = "failed", "Failed"

    class StopReason(models.TextChoices):
        SETTLED = "settled", "All links checked"
        LATE = "late", "Time limit reached"
        INTERRUPTED = "interrupted", "Interrupted"
        WITHHELD = "withheld", "Results withheld"

    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    checked = models.PositiveIntegerField(default=0)
    alive = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    blocked = models.PositiveIntegerField(default=0)
    unreachable = models.PositiveIntegerField(default=0)
    throttled = models.PositiveIntegerField(default=0)
    not_checked = models.PositiveIntegerField(default=0)
    died = models.PositiveIntegerField(default=0)
    revived = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    withheld = models.BooleanField(default=False)
    is_partial = models.BooleanField(default=False, db_default=False)
    outcome = models.CharField(max_length=11, choices=Outcome, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")
    moved = models.PositiveIntegerField(default=0)
    died_of: models.JSONField[dict[str, int], dict[str, int]] = models.JSONField(default=dict)
    hosts_down: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    plan: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True, editable=False)
    ending = models.CharField(max_length=11, choices=StopReason, blank=True, default="", editable=False)

    objects = HealthRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome__in=("", "completed", "withheld", "interrupted", "failed")),
                name="run_outcome_known",
            ),
        ]
        indexes = [models.Index(fields=["-started_at"], name="run_by_start")]

    def __str__(self) -> str:
        return f"Health run of {self.started_at:%Y-%m-%d %H:%M}"
