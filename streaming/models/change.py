"""The sequence of changes that mirrors follow: each change of what a movie shows gets the next number.

Triggers (`streaming.models.change_triggers`) note each change in the transaction that makes it. Numbers are given later
and only to changes that are committed, by one process at a time. So no number appears after a higher one, however long
a transaction lasts and whatever the clock says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count

from django.db import OperationalError, connection, models, transaction
from django.db.models import Max
from django.utils import timezone

from streaming.models.movie import Movie
from streaming.models.restored_backup import RestoredBackup

NUMBERING_LOCK_KEY = 7_264_110_016
MAX_NUMBERED_AT_ONCE = 5000
MAX_WAIT_MILLISECONDS = 300
# SQLite takes 250,000 values in one statement, some builds of it only 999.
DELETE_BATCH_SIZE = 500


class Change(models.Model):
    """The last change of one movie that existed at any time: added, edited, its links changed, removed or restored.

    `numbered_at` is when it got its number, by the database's clock; it never decreases from one number to the next.
    """

    imdb_id = models.CharField(max_length=11, primary_key=True)
    number = models.PositiveBigIntegerField(unique=True)
    numbered_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["numbered_at", "number"], name="change_by_time")]

    def __str__(self) -> str:
        return f"Change {self.number} of {self.imdb_id}"


class PendingChange(models.Model):
    """A change without a number, written by a trigger. A change of links names their movie by `movie_id` only."""

    imdb_id = models.CharField(max_length=11)
    movie_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"Pending change of {self.imdb_id or self.movie_id}"


def number_changes(*, limit: int = MAX_NUMBERED_AT_ONCE) -> bool:
    """Number at most `limit` pending changes; return whether more are waiting.

    It changes nothing while another process numbers or, on SQLite, writes for long: they wait for the next call.
    """
    if not PendingChange.objects.exists():
        return False
    try:
        with _short_wait(), transaction.atomic():
            now = _time_if_alone()
            return now is not None and _number_batch(limit, now=now) == limit
    except OperationalError:
        return False


def number_all_changes() -> None:
    """Number all pending changes, so that the table stays small where no mirror asks."""
    while number_changes():
        pass


def last_number() -> int:
    """The number after which the sequence continues; 0 at its beginning."""
    last = Change.objects.aggregate(number=Max("number"))["number"] or 0
    return max(last, RestoredBackup.objects.aggregate(number=Max("jumped_to"))["number"] or 0)


def _number_batch(limit: int, *, now: datetime) -> int:
    """Number the pending changes that are noted first; return how many they are."""
    rows = list(PendingChange.objects.order_by("pk").values_list("pk", "imdb_id", "movie_id")[:limit])
    last_at = Change.objects.aggregate(at=Max("numbered_at"))["at"]
    numbered_at = max(now, last_at) if last_at else now
    numbers = count(last_number() + 1)
    Change.objects.bulk_create(
        (
            Change(imdb_id=imdb_id, number=next(numbers), numbered_at=numbered_at)
            for imdb_id in _imdb_ids([(imdb_id, movie) for _, imdb_id, movie in rows])
        ),
        update_conflicts=True,
        unique_fields=["imdb_id"],
        update_fields=["number", "numbered_at"],
    )
    for start in range(0, len(rows), DELETE_BATCH_SIZE):
        PendingChange.objects.filter(pk__in=[row[0] for row in rows[start : start + DELETE_BATCH_SIZE]]).delete()
    return len(rows)


def _imdb_ids(changes: Sequence[tuple[str, int | None]]) -> list[str]:
    """The movies of these changes, each once. One that is gone has a change of its own, which names its IMDb id."""
    known = Movie.objects.only("imdb_id").in_bulk({movie for imdb_id, movie in changes if not imdb_id and movie})
    found = (imdb_id or (known[movie].imdb_id if movie in known else "") for imdb_id, movie in changes)
    return [imdb_id for imdb_id in dict.fromkeys(found) if imdb_id]


def _time_if_alone() -> datetime | None:
    """The database's time, or None while another process numbers. SQLite has one writer at a time anyway."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s), statement_timestamp()", [NUMBERING_LOCK_KEY])
        is_alone, now = cursor.fetchone()
    return now if is_alone else None


@contextmanager
def _short_wait() -> Iterator[None]:
    """Wait only briefly for SQLite's write lock: a reader must not wait for a long writer."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {MAX_WAIT_MILLISECONDS}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {int(usual)}")
