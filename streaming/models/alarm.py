"""What an operator was notified of, and the messages that are still to be sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone


class AlarmStateQuerySet(models.QuerySet["AlarmState"]):
    """Transitions of one condition. Of several processes that see the same change, one gets True."""

    def begin(self, code: str, *, now: datetime) -> bool:
        """Record that the condition holds; False if that was known."""
        return self.filter(pk=code, began_at=None).update(began_at=now) == 1

    def end(self, code: str) -> bool:
        """Record that the condition does not hold any more; False if that was known."""
        return self.filter(pk=code).exclude(began_at=None).update(began_at=None) == 1

    def advance(self, code: str, *, to: int) -> None:
        """Record up to which row events were reported."""
        self.filter(pk=code, seen_id__lt=to).update(seen_id=to)


class AlarmState(models.Model):
    """One condition. `began_at` is None while it does not hold; `seen_id` is the last reported row of events."""

    code = models.CharField(max_length=80, primary_key=True)
    began_at = models.DateTimeField(null=True, blank=True)
    seen_id = models.BigIntegerField(default=0)

    objects = AlarmStateQuerySet.as_manager()

    def __str__(self) -> str:
        return self.code


class AlarmMessageQuerySet(models.QuerySet["AlarmMessage"]):
    """Queries about the messages that are still to be sent."""

    def due(self, now: datetime) -> AlarmMessageQuerySet:
        """Those whose next attempt may be made, the oldest first."""
        return self.filter(next_attempt_at__lte=now).order_by("pk")

    def claim(self, message: AlarmMessage, *, until: datetime) -> bool:
        """Count an attempt and put the next one off; False if another process makes this one."""
        unclaimed = self.filter(pk=message.pk, attempts=message.attempts)
        message.attempts += 1
        return unclaimed.update(attempts=message.attempts, next_attempt_at=until) == 1


class AlarmMessage(models.Model):
    """One message to one service, deleted when the service has accepted it. `target` is a keyed hash of the service's
    address, which is a secret; `content` is the body of the webhook."""

    target = models.CharField(max_length=64)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    content: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = AlarmMessageQuerySet.as_manager()

    def __str__(self) -> str:
        return self.subject
