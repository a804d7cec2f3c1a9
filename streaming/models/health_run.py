"""HealthRun: the record of one run of the link checker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone


class HealthRunQuerySet(models.QuerySet["HealthRun"]):
    """Queries about many runs."""

    def accepted(self) -> HealthRunQuerySet:
        """Runs whose results count: all of them, or after an interruption those of working links."""
        return self.filter(outcome__in=(HealthRun.Outcome.COMPLETED, HealthRun.Outcome.INTERRUPTED))

    def finished(self) -> HealthRunQuerySet:
        """Closed runs that have results, accepted or withheld; not those that an error ended."""
        return self.exclude(finished_at=None).exclude(outcome=HealthRun.Outcome.FAILED)

    def started_before(self, run: HealthRun) -> HealthRunQuerySet:
        """The runs that started before `run`."""
        return self.filter(started_at__lt=run.started_at)

    def with_figures_since(self, start: datetime) -> HealthRunQuerySet:
        """Runs since `start` whose figures count: all but withheld ones, the running one included."""
        return self.filter(started_at__gte=start, withheld=False)

    def latest_started(self) -> HealthRun | None:
        """The run that started last, finished or not; None without any."""
        return self.order_by("-started_at", "-pk").first()

    def previous_hosts_down(self) -> list[str]:
        """The hosts that the last accepted run found down."""
        newest_first = self.accepted().order_by("-started_at", "-pk")
        return newest_first.values_list("hosts_down", flat=True).first() or []


class HealthRun(models.Model):
    """One run of the checker. `finished_at` None: it runs, or was killed when `heartbeat_at` is old.

    Counts are links, `removed` movies. `moved`: links seen to have moved for good; `died_of`: of what links died, a
    count a reason. `outcome`: how a closed run ended, empty while it runs; `reason`: one sentence about that, for
    people only. `withheld` is published beside `outcome` and says the same as its value of that name.
    `plan`: what the workers are asked, empty when one process does it; `ending`: why they are to end, empty: go on.
    """

    class Outcome(models.TextChoices):
        COMPLETED = "completed", "Completed"
        WITHHELD = "withheld", "Withheld"
        INTERRUPTED = "interrupted", "Interrupted"
        FAILED = "failed", "Failed"

    class StopReason(models.TextChoices):
        SETTLED = "settled", "All is asked"
        LATE = "late", "Its time is over"
        INTERRUPTED = "interrupted", "Somebody stopped it"
        WITHHELD = "withheld", "Not believed"

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
