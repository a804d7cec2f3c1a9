"""What a connection needs while it writes many rows, and what the planner needs afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

CACHE_KIB = 64 * 1024
CHECKPOINT_PAGES = 8000
ANALYZED_ROWS = 1000
TABLES = ("streaming_movie", "streaming_streaminglink")


@contextmanager
def bulk_connection() -> Iterator[None]:
    """Give this connection to SQLite a larger cache, and let it write back the WAL at every 32 MB instead of 4.

    Each transaction changes pages all over the indexes. PostgreSQL has one cache for all connections.
    """
    if connection.vendor != "sqlite":
        yield
        return
    usual = {name: _pragma(name) for name in ("cache_size", "wal_autocheckpoint")}
    _pragma("cache_size", -CACHE_KIB)
    _pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
    try:
        yield
    finally:
        for name, value in usual.items():
            _pragma(name, value)


def analyze() -> None:
    """Let the planner know how many rows there are and how they are distributed, by samples: other writers wait."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit = {ANALYZED_ROWS}")
        for table in TABLES:
            cursor.execute(f"ANALYZE {table}")


def _pragma(name: str, value: int | None = None) -> int:
    setting = "" if value is None else f" = {value}"
    with connection.cursor() as cursor:
        row = cursor.execute(f"PRAGMA {name}{setting}").fetchone()
    return row[0] if row else 0
