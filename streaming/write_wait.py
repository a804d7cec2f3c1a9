"""How long a write may wait for other writers, and which errors mean that the database takes no write now."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection

OPTIONAL_WRITE_SECONDS = 0.3
"""For writes without which the response is as good, such as the scrape that a page view starts."""
REQUESTED_WRITE_SECONDS = 1.0
"""For writes that a visitor asked for and can ask for again: a click, a log-in."""
RETRY_AFTER_SECONDS = 30
GAP_SECONDS = 0.11
"""Whoever waits for SQLite's lock looks every tenth of a second whether it is free, see `sqliteDefaultBusyCallback`."""
# Result codes of SQLite without the extension in their upper bytes: busy, locked, read-only, I/O error, full, cannot
# open. The other operational errors, such as a missing table, are defects.
SQLITE_UNAVAILABLE = frozenset({5, 6, 8, 10, 13, 14})


@contextmanager
def limited_write_wait(seconds: float) -> Iterator[None]:
    """Let the writes in this block wait for other writers for so long at most; then they raise OperationalError.

    A shorter limit that is set already is kept. On PostgreSQL the limit is for each lock.
    """
    restore = _limit_sqlite(seconds) if connection.vendor == "sqlite" else _limit_postgres(seconds)
    try:
        yield
    finally:
        # A broken transaction takes no statement, and its rollback restores PostgreSQL's limit by itself.
        if connection.connection is not None and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute(restore)


def let_others_write(*, free_since: float) -> None:
    """Return once SQLite's lock has been free for long enough that others get it; `free_since` is in monotonic seconds.

    Between the transactions of long work. On PostgreSQL others wait in a queue, and get their turn without that.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        time.sleep(max(0.0, free_since + GAP_SECONDS - time.monotonic()))


def _limit_sqlite(seconds: float) -> str:
    with connection.cursor() as cursor:
        before = int(cursor.execute("PRAGMA busy_timeout").fetchone()[0])
        cursor.execute(f"PRAGMA busy_timeout = {min(before, round(seconds * 1000))}")
    return f"PRAGMA busy_timeout = {before}"


def _limit_postgres(seconds: float) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {round(seconds * 1000)}")
    return "RESET lock_timeout"


def is_unavailable(error: BaseException | None) -> bool:
    """Whether this error means that the database takes no write now: locked, full, read-only or away."""
    if not isinstance(error, (OperationalError, InterfaceError)) or error.__cause__ is None:
        return False
    cause = error.__cause__
    return not isinstance(cause, sqlite3.Error) or (cause.sqlite_errorcode & 0xFF) in SQLITE_UNAVAILABLE
