"""The sequence of changes that mirrors follow: each change of what a movie shows gets the next number.

Triggers (`streaming.models.change_triggers`) note each change in the transaction that makes it. Numbers are given later
and only to changes that are committed, by one process at a time. So no number appears after a higher one, however long
a transaction lasts and whatever the clock says.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import OperationalError, connection, models, transaction
from django.db.models import Max
from django.utils import timezone

from streaming.models.restored_backup import RestoredBackup

NUMBERING_LOCK_KEY = 7_264_110_016
MAX_NUMBERED_AT_ONCE = 5000
MAX_WAIT_MILLISECONDS = 300


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


FIRST_SQL = "SELECT id, imdb_id, movie_id FROM streaming_pendingchange ORDER BY id LIMIT %s"
DELETE_SQL = """
    DELETE FROM streaming_pendingchange
    WHERE id IN (SELECT id FROM streaming_pendingchange ORDER BY id LIMIT %s)
"""
# A movie that is gone has a change of its own, which names its IMDb id.
NUMBER_SQL = """
    INSERT INTO streaming_change (imdb_id, number, numbered_at)
    SELECT noted.imdb_id, %s + ROW_NUMBER() OVER (ORDER BY MIN(noted.id)), %s
    FROM (
        SELECT taken.id, CASE WHEN taken.imdb_id <> '' THEN taken.imdb_id ELSE movie.imdb_id END AS imdb_id
        FROM taken LEFT JOIN streaming_movie AS movie ON movie.id = taken.movie_id
    ) AS noted
    WHERE noted.imdb_id IS NOT NULL
    GROUP BY noted.imdb_id
    ON CONFLICT (imdb_id) DO UPDATE SET number = excluded.number, numbered_at = excluded.numbered_at
"""
NUMBER_FIRST_SQL = " ".join(("WITH taken AS (", FIRST_SQL, ")", NUMBER_SQL))
NUMBER_DELETED_SQL = " ".join(("WITH taken AS (", DELETE_SQL, "RETURNING id, imdb_id, movie_id )", NUMBER_SQL))


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
    taken = PendingChange.objects.order_by("pk")[:limit].count()
    last_at = Change.objects.aggregate(at=Max("numbered_at"))["at"]
    numbered_at = connection.ops.adapt_datetimefield_value(max(now, last_at) if last_at else now)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # In one statement: a change with a lower key may be committed between two.
            cursor.execute(NUMBER_DELETED_SQL, [limit, last_number(), numbered_at])
        else:
            cursor.execute(NUMBER_FIRST_SQL, [limit, last_number(), numbered_at])
            cursor.execute(DELETE_SQL, [limit])
    return taken


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
