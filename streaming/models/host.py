"""What is remembered about a host: the next free request slot and pauses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from streaming.formatting import ASKED, FAILED_AT_ONCE
from streaming.retry_after import MAX_PAUSE


class HostGate(models.Model):
    """`next_at` is the database's time: machines need not agree on the hour to keep their distance."""

    host = models.CharField(max_length=255, primary_key=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.host


MAX_PAUSE_AHEAD = MAX_PAUSE + timedelta(hours=1)


class HostPauseQuerySet(models.QuerySet["HostPause"]):
    def active(self, now: datetime) -> HostPauseQuerySet:
        """Those that are not over."""
        return self.filter(paused_until__gt=now).exclude(_set_by_fast_clock(now))

    def requested_by_host(self) -> HostPauseQuerySet:
        """Those that the host itself asked for. The others are the checker's own caution."""
        return self.filter(kind=HostPause.Kind.RETRY_AFTER)

    def extend(self, pauses: Mapping[str, datetime], kind: HostPause.Kind) -> None:
        """Leave these hosts alone until then, by a decision of ours, so not `MANUAL`. A pause that stands is never
        shortened: other requests may have been on the way when the host named the moment, and were given an earlier
        one or none."""
        rows = [
            HostPause(host=host[:255], paused_until=until, kind=kind, reason=TEXTS[kind])
            for host, until in pauses.items()
        ]
        self.bulk_create(rows, ignore_conflicts=True)
        wrong = _set_by_fast_clock(timezone.now())
        for row in rows:
            weaker = self.filter(models.Q(paused_until__lt=row.paused_until) | wrong, host=row.host)
            weaker.update(paused_until=row.paused_until, kind=row.kind, reason=row.reason)


class HostPause(models.Model):
    """A host that is not asked before `paused_until`. `kind` says who decided that; `reason` is for people only."""

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


TEXTS = {HostPause.Kind.RETRY_AFTER: ASKED, HostPause.Kind.BREAKER: FAILED_AT_ONCE}


def _set_by_fast_clock(now: datetime) -> models.Q:
    """Pauses of ours that end later than any can. One set by hand may last as long as somebody likes."""
    return models.Q(kind__in=TEXTS, paused_until__gt=now + MAX_PAUSE_AHEAD)
