"""What the machine has one of: the right to run a sweep, and room for open connections."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zlib import crc32

from django.conf import settings
from django.db import connection

RUN_LOCK_KEY = 7_264_110_053


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[str]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def single_run_lock() -> Iterator[bool]:
    """Whether this is the only sweep of this database now. A sweep that is killed frees its place at once."""
    if connection.vendor == "postgresql":
        yield from _advisory_lock(RUN_LOCK_KEY)
        return
    with open(_lock_file(), "a", encoding="utf-8") as file:
        yield _try_lock(file)


@contextmanager
def single_worker_lock(node: str) -> Iterator[bool]:
    """Whether this is the only process of that Celery worker at work on a check: the others are for searches."""
    yield from _advisory_lock(RUN_LOCK_KEY + 1 + crc32(node.encode()))


def _advisory_lock(key: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _lock_file() -> Path:
    database = Path(str(connection.settings_dict["NAME"]))
    if database.is_absolute() and database.parent.is_dir():
        return database.with_name(f"{database.name}.sweep.lock")
    return Path(settings.VAR_DIR) / "sweep.lock"
