"""The tombstone of a removed movie, from which it can be restored completely."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone


class ExactEncoder(DjangoJSONEncoder):
    """JSON with times to the microsecond: Django's encoder truncates them, and restored rows must be equal."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


class RemovedMovie(models.Model):
    """One removal of a movie. `restored_at` is None while the movie is removed.

    `snapshot` holds the rows of the movie, its links, their flips and its bindings (see `streaming.ingest.tombstones`).
    A movie that was removed twice has two rows, at most one of them with `restored_at` None.
    """

    imdb_id = models.CharField(max_length=11)
    title = models.CharField(max_length=200)
    removed_at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=200)
    restored_at = models.DateTimeField(null=True, blank=True)
    snapshot: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(encoder=ExactEncoder)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["imdb_id"], condition=Q(restored_at=None), name="removed_once_at_a_time")
        ]
        indexes = [models.Index(fields=["-removed_at"], name="removed_by_time")]

    def __str__(self) -> str:
        return f"{self.title} ({self.imdb_id}), removed {self.removed_at:%Y-%m-%d}"
