"""What the checker remembers: its runs, the hosts it leaves alone, the links that turned."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone


class LinkFlip(models.Model):
    """A link's `is_active` turned. A check that changed nothing leaves no row."""

    link = models.ForeignKey("streaming.StreamingLink", on_delete=models.CASCADE, related_name="flips")
    at = models.DateTimeField(default=timezone.now)
    is_active = models.BooleanField()
    reason = models.CharField(max_length=40)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="flip_by_time")]

    def __str__(self) -> str:
        return f"{'revived' if self.is_active else 'died'}: {self.reason}"


class HealthRunQuerySet(models.QuerySet["HealthRun"]):
    """Queries about many runs."""

    def with_results(self) -> HealthRunQuerySet:
        """Runs whose results count: all of them, or after an interruption those of links that work."""
        return self.filter(outcome__in=(HealthRun.Outcome.COMPLETED, HealthRun.Outcome.INTERRUPTED))

    def finished(self) -> HealthRunQuerySet:
        """Closed runs that had something to say, be it that they are not believed; none that an error ended."""
        return self.exclude(finished_at=None).exclude(outcome=HealthRun.Outcome.FAILED)


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


class HealthWorker(models.Model):
    """Somebody who has come to ask parts of a run; gone when the run is over, or when they leave."""

    run = models.ForeignKey(HealthRun, on_delete=models.CASCADE, related_name="workers")
    owner = models.CharField(max_length=200)
    lease_until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "owner"], name="worker_once_a_run")]

    def __str__(self) -> str:
        return self.owner


class HealthPart(models.Model):
    """A worker's part of a run: the links on one share of all hosts (`number`), gone when the run is over.

    Round 0 asks what is due, further ones what redirects led to this share's hosts. `owner`, `attempt` and
    `lease_until` fence it; whoever holds a lease on any part of a share asks that share alone. `counts`: by verdict.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"

    run = models.ForeignKey(HealthRun, on_delete=models.CASCADE, related_name="parts")
    round = models.PositiveSmallIntegerField(default=0)
    number = models.PositiveSmallIntegerField()
    due = models.PositiveIntegerField(default=0)
    limit = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    owner = models.CharField(max_length=200, default="")
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    counts: models.JSONField[dict[str, int], dict[str, int]] = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "round", "number"], name="part_once_a_round")]

    def __str__(self) -> str:
        return f"Part {self.number}, round {self.round}"


class HealthPiece(models.Model):
    """Something a part hands over, a few hundred things at once, packed. It counts when its attempt is the part's.

    `number`: of links that are handed on, whose share they are.
    """

    class Kind(models.TextChoices):
        GOOD = "good", "Good news, not written yet"
        HELD = "held", "Bad news that waits"
        HEARD = "heard", "What the guard wants to know"
        ONWARD = "onward", "Links for another share"

    part = models.ForeignKey(HealthPart, on_delete=models.CASCADE, related_name="pieces")
    attempt = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=6, choices=Kind)
    number = models.PositiveSmallIntegerField(default=0)
    things = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["part", "kind", "id"], name="piece_by_kind")]

    def __str__(self) -> str:
        return f"{self.things} {self.kind}"
