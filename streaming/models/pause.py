"""Hosts that are left alone for a while, whoever of us would ask them: the checker, or a search for any movie."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from streaming.retry_after import LONGEST_PAUSE
from streaming.words import ASKED, FAILED_AT_ONCE

FARTHEST = LONGEST_PAUSE + timedelta(hours=1)


def _from_a_clock_ahead(now: datetime) -> models.Q:
    """Pauses of ours that end later than any can. What somebody wrote in the admin may last as long as they like."""
    return models.Q(reason__in=(ASKED, FAILED_AT_ONCE), paused_until__gt=now + FARTHEST)


class HostPauseQuerySet(models.QuerySet["HostPause"]):
    def standing(self, now: datetime) -> HostPauseQuerySet:
        """Those that are not over."""
        return self.filter(paused_until__gt=now).exclude(_from_a_clock_ahead(now))

    def asked_for(self) -> HostPauseQuerySet:
        """Those that the host itself asked for. The others are the checker's own caution."""
        return self.filter(reason=ASKED)

    def write(self, pauses: Mapping[str, tuple[datetime, str]]) -> None:
        """Leave these hosts alone until then, for this reason. A pause that stands is never shortened: other questions
        may still have been on the way when the host named the moment, and were told a sooner one or none."""
        rows = [
            HostPause(host=host[:255], paused_until=until, reason=why[:200]) for host, (until, why) in pauses.items()
        ]
        self.bulk_create(rows, ignore_conflicts=True)
        wrong = _from_a_clock_ahead(timezone.now())
        for row in rows:
            weaker = self.filter(models.Q(paused_until__lt=row.paused_until) | wrong, host=row.host)
            weaker.update(paused_until=row.paused_until, reason=row.reason)


class HostPause(models.Model):
    """A host that is not asked before `paused_until`: it said Retry-After, or most of its links failed at once."""

    host = models.CharField(max_length=255, unique=True)
    paused_until = models.DateTimeField()
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)

    objects = HostPauseQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["paused_until"], name="pause_by_end")]

    def __str__(self) -> str:
        return f"{self.host} until {self.paused_until:%Y-%m-%d %H:%M}"
