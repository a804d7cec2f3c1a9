"""What the checker remembers: its runs, the hosts it leaves alone, the links that turned."""

from __future__ import annotations

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


class HealthRun(models.Model):
    """One run of the checker. `finished_at` None: it runs, or was killed when `heartbeat_at` is old.

    Counts are links, `removed` movies. `moved`: links seen to have moved for good; `died_of`: of what links died, a
    count a reason. `withheld`: nothing was believed, `reason` says why in one sentence.
    """

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
    reason = models.CharField(max_length=500, blank=True, default="")
    moved = models.PositiveIntegerField(default=0)
    died_of: models.JSONField[dict[str, int], dict[str, int]] = models.JSONField(default=dict)
    hosts_down: models.JSONField[list[str], list[str]] = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["-started_at"], name="run_by_start")]

    def __str__(self) -> str:
        return f"Health run of {self.started_at:%Y-%m-%d %H:%M}"
