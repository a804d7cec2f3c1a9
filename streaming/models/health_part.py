"""Rows of a distributed run: its workers, its shards and their results."""

from __future__ import annotations

from django.db import models

from streaming.models.health_run import HealthRun


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
