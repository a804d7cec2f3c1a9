"""The state of a host: its next free request slot, and pauses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from streaming.retry_after import MAX_PAUSE

MAX_PAUSE_AHEAD = MAX_PAUSE + timedelta(hours=1)


class HostGate(models.Model):
    """The next free request slot of a host, for all processes and machines.

    `next_at` is by the database's clock, so the clocks of the machines may differ.
    """

    host = models.CharField(max_length=255, primary_key=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.host


class HostPauseQuerySet(models.QuerySet["HostPause"]):
    """Queries and changes of many pauses."""

    def active(self, now: datetime) -> HostPauseQuerySet:
        """Pauses that have not ended."""
        return self.filter(paused_until__gt=now).exclude(_set_by_fast_clock(now))

    def requested_by_host(self) -> HostPauseQuerySet:
        """Pauses that the host itself requested. The others are decisions of the checker or of staff."""
        return self.filter(kind=HostPause.Kind.RETRY_AFTER)

    def extend(self, pauses: Mapping[str, datetime], kind: HostPause.Kind) -> None:
        """Pause each host until its time; `kind` is not `MANUAL`.

        An existing pause is never shortened: other requests may have been under way when the host named its time, and
        their responses may state an earlier one or none.
        """
        rows = [
            HostPause(host=host[:255], paused_until=until, kind=kind, reason=TEXT_BY_KIND[kind])
            for host, until in pauses.items()
        ]
        self.bulk_create(rows, ignore_conflicts=True)
        invalid = _set_by_fast_clock(timezone.now())
        for row in rows:
            shorter = self.filter(models.Q(paused_until__lt=row.paused_until) | invalid, host=row.host)
            shorter.update(paused_until=row.paused_until, kind=row.kind, reason=row.reason)


class HostPause(models.Model):
    """A host that gets no requests before `paused_until`. `kind` says who decided so; `reason` is for staff."""

    class Kind(models.TextChoices):
        RETRY_AFTER = "retry_after", "Requested by the host"
        BREAKER = "breaker", "Most links failed at once"
        MANUAL = "manual", "Set by hand"

    host = models.CharField(max_length=255, unique=True)
    paused_until = models.DateTimeField()
    kind = models.CharField(max_length=11, choices=Kind, default=Kind.MANUAL, editable=False)
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)

    objects = HostPauseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=("retry_after", "breaker", "manual")), name="pause_kind_known"
            ),
        ]
        indexes = [models.Index(fields=["paused_until"], name="pause_by_end")]

    def __str__(self) -> str:
        return f"{self.host} until {self.paused_until:%Y-%m-%d %H:%M}"

    @property
    def public_reason(self) -> str:
        """Why the host is paused, for everybody. `reason` may be the free text of staff."""
        return TEXT_BY_KIND.get(self.Kind(self.kind), "paused by hand")


class HostOutage(models.Model):
    """A host (name and port) of which most links have been failing in every run since `began_at`.

    Its links keep their state until `failing_seconds`, the sum of the counted intervals between those runs, is so high
    that a host which closed for good is more likely. The row goes when the host responds again.
    """

    host = models.CharField(max_length=255, primary_key=True)
    began_at = models.DateTimeField(default=timezone.now)
    last_failed_at = models.DateTimeField(default=timezone.now)
    failing_seconds = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.host} down since {self.began_at:%Y-%m-%d %H:%M}"


TEXT_BY_KIND = {
    HostPause.Kind.RETRY_AFTER: "asked us to come back later",
    HostPause.Kind.BREAKER: "most of its links failed at once",
}


def _set_by_fast_clock(now: datetime) -> models.Q:
    """Automatic pauses that end later than any may, because a clock was wrong. A manual pause may have any length."""
    return models.Q(kind__in=TEXT_BY_KIND, paused_until__gt=now + MAX_PAUSE_AHEAD)
