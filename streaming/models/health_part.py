"""Rows of a distributed run: its workers, its shards and their results."""

from __future__ import annotations

from django.db import models

from streaming.models.health_run import HealthRun


class HealthWorker(models.Model):
    """A process that checks shards of a run. The row is deleted when the run ends or the worker leaves."""

    run = models.ForeignKey(HealthRun, on_delete=models.CASCADE, related_name="workers")
    owner = models.CharField(max_length=200)
    lease_until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "owner"], name="worker_once_a_run")]

    def __str__(self) -> str:
        return self.owner


class HealthPart(models.Model):
    """One pass over one shard of a run; deleted when the run ends.

    `number` is the shard. Round 0 checks the due links of the shard's hosts, later rounds the links that redirects led
    to these hosts. `owner`, `attempt` and `lease_until` make sure that only one worker checks a shard at a time,
    whatever the round. `due` is the number of due links, `limit` the most to check (None: all); `counts` maps a verdict
    to a number of links.
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
    """Encoded results of one shard, a few hundred at a time. They count only if `attempt` is still that of the part.

    `number` is the receiving shard of forwarded links; `things` is how many results `data` holds.
    """

    class Kind(models.TextChoices):
        """What the results are. The stored values are older than the names."""

        SUCCESSES = "good", "Successes, not written yet"
        FAILURES = "held", "Failures awaiting acceptance"
        TALLY = "heard", "Totals for the guard"
        FORWARDED = "onward", "Links for another shard"

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
