"""Locks of the link checker: one run per database, one process per Celery worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from zlib import crc32

from django.conf import settings
from django.db import connection

from streaming import file_locks

RUN_LOCK_KEY = 7_264_110_053


@contextmanager
def single_run_lock() -> Iterator[bool]:
    """Whether this is the only run on this database now. A killed run releases the lock at once."""
    if connection.vendor == "postgresql":
        yield from _advisory_lock(RUN_LOCK_KEY)
        return
    with file_locks.try_lock(_lock_file()) or nullcontext() as lock:
        yield lock is not None


@contextmanager
def single_worker_lock(node: str) -> Iterator[bool]:
    """Whether this is the only process of that Celery worker that checks links; the others stay free for scrapes.

    Requires PostgreSQL, as distributed runs do.
    """
    yield from _advisory_lock(RUN_LOCK_KEY + 1 + crc32(node.encode()))


def _advisory_lock(key: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        acquired = bool(cursor.fetchone()[0])
    try:
        yield acquired
    finally:
        if acquired:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _lock_file() -> Path:
    """The lock file beside the SQLite file; a database in memory has it in `VAR_DIR`."""
    database = Path(str(connection.settings_dict["NAME"]))
    if database.is_absolute() and database.parent.is_dir():
        return database.with_name(f"{database.name}.sweep.lock")
    return Path(settings.VAR_DIR) / "sweep.lock"
