"""The tombstone of a removed movie, from which it can be restored completely."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from streaming.models.movie import Movie

DAILY_FOR = timedelta(days=7)
WEEKLY_FOR = timedelta(days=180)
MAX_RECHECK_DELAY = timedelta(days=8)


class ExactEncoder(DjangoJSONEncoder):
    """JSON with times to the microsecond: Django's encoder truncates them, and restored rows must be equal."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


class RemovedMovieQuerySet(models.QuerySet["RemovedMovie"]):
    """Queries about many tombstones."""

    def removed(self) -> RemovedMovieQuerySet:
        """Those of movies that are removed now."""
        return self.filter(restored_at=None)

    def removed_by_checks(self, *, within: timedelta, now: datetime) -> RemovedMovieQuerySet:
        """Those that runs of the checker wrote lately, restored or not; a date far in the future does not count."""
        return self.filter(cause=RemovedMovie.Cause.CHECK, removed_at__gt=now - within, removed_at__lt=now + within)

    def due(self, now: datetime) -> RemovedMovieQuerySet:
        """Those of which the links are to be checked now, the longest due first.

        A date further in the future than any delay (the clock was turned back) counts as due.
        """
        is_due = Q(next_check_at__lte=now) | Q(next_check_at__gt=now + MAX_RECHECK_DELAY)
        exists = Movie.objects.filter(imdb_id=OuterRef("imdb_id"))
        return self.removed().filter(is_due, ~Exists(exists)).order_by("next_check_at", "pk")


class RemovedMovie(models.Model):
    """One removal of a movie. `restored_at` is None while the movie is removed.

    `cause` says who removed it, and what is said of it in public: what staff removed or took down does not return by
    itself, nor what the followed instance dropped from which it came. `next_check_at` is when its links are checked
    again (None: never).

    `snapshot` holds the rows of the movie, its links, their flips and its bindings (see `streaming.ingest.tombstones`).
    A movie that was removed twice has two rows, at most one of them with `restored_at` None.
    """

    class Cause(models.TextChoices):
        CHECK = "check", "Link check"
        CLEANUP = "cleanup", "Clean-up by hand"
        STAFF = "staff", "Staff"
        TAKEDOWN = "takedown", "Takedown"
        FOLLOWED = "followed", "Followed instance"

    RETURNING_CAUSES = (Cause.CHECK, Cause.CLEANUP)
    CAUSES_UNDONE_BY_LINKS = (*RETURNING_CAUSES, Cause.FOLLOWED)
    """Those of removals that end when a source of our own has a link."""

    imdb_id = models.CharField(max_length=11)
    title = models.CharField(max_length=200)
    removed_at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=200)
    cause = models.CharField(max_length=8, choices=Cause, default=Cause.CHECK)
    restored_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True, editable=False)
    snapshot: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(encoder=ExactEncoder)

    objects = RemovedMovieQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["imdb_id"], condition=Q(restored_at=None), name="removed_once_at_a_time"),
            models.CheckConstraint(
                condition=Q(cause__in=("check", "cleanup", "staff", "takedown", "followed")), name="removed_cause_known"
            ),
        ]
        indexes = [
            models.Index(fields=["-removed_at"], name="removed_by_time"),
            models.Index(
                fields=["next_check_at", "id"],
                condition=Q(restored_at=None, next_check_at__isnull=False),
                name="removed_by_next_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.imdb_id}), removed {self.removed_at:%Y-%m-%d}"

    @property
    def public_reason(self) -> str:
        """Why the movie was removed, for everybody. `reason` is for staff: it may name an account or a person."""
        return PUBLIC_REASON_BY_CAUSE[self.Cause(self.cause)]

    @property
    def returns_by_itself(self) -> bool:
        """Whether the movie comes back when one of its links works again."""
        return self.cause in self.RETURNING_CAUSES


PUBLIC_REASON_BY_CAUSE = {
    RemovedMovie.Cause.CHECK: "no working link left",
    RemovedMovie.Cause.CLEANUP: "no working link",
    RemovedMovie.Cause.STAFF: "removed by the editors",
    RemovedMovie.Cause.TAKEDOWN: "taken down",
    RemovedMovie.Cause.FOLLOWED: "no longer in the catalogue it came from",
}


def next_removed_check(*, removed_at: datetime, now: datetime) -> datetime | None:
    """When the links of a removed movie are to be checked after `now`: daily for a week, then weekly; None: never."""
    removed_for = now - removed_at
    if removed_for >= DAILY_FOR + WEEKLY_FOR:
        return None
    return now + (timedelta(days=1) if removed_for < DAILY_FOR else timedelta(days=7))
