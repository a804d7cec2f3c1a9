"""Is the SQLite file damaged? Looks through the whole file, and remembers the result for a day."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection

from streaming import file_locks

log = logging.getLogger(__name__)

VALID_FOR = timedelta(days=1)
DAMAGED = "The database is damaged: restore a backup."


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityCheck:
    """What a look at the file found, and when."""

    at: datetime
    is_damaged: bool


def is_damaged() -> bool:
    """Whether the database is an SQLite file that cannot be read. Reads all of it."""
    file = database_file()
    return file is not None and file.is_file() and not _is_whole(file)


def is_damaged_by_daily_check(*, now: datetime) -> bool:
    """Whether the database is damaged, from a check of the last 24 hours if that found nothing."""
    last = last_check()
    if last and not last.is_damaged and timedelta() <= now - last.at < VALID_FOR:
        return False
    damaged = is_damaged()
    if (file := database_file()) and file.is_file():
        _remember(file, IntegrityCheck(at=now, is_damaged=damaged))
    return damaged


def last_check() -> IntegrityCheck | None:
    """The last daily check of this file; None before the first one, after the file was replaced, and on PostgreSQL."""
    file = database_file()
    try:
        found = json.loads(_record_path().read_text(encoding="ascii"))
        if file is None or found["file"] != _identity(file):
            return None
        return IntegrityCheck(at=datetime.fromisoformat(found["at"]), is_damaged=bool(found["is_damaged"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def database_file() -> Path | None:
    """The file of the SQLite database; None on PostgreSQL, which looks after its own files."""
    return Path(str(connection.settings_dict["NAME"])) if connection.vendor == "sqlite" else None


def _record_path() -> Path:
    return Path(settings.VAR_DIR) / "integrity.json"


def _identity(file: Path) -> str:
    found = file.stat()
    return f"{found.st_dev}:{found.st_ino}"


def _remember(file: Path, check: IntegrityCheck) -> None:
    """On failure the next run checks again."""
    values = {"file": _identity(file), "at": check.at.isoformat(), "is_damaged": check.is_damaged}
    try:
        with open(file_locks.open_private(_record_path(), os.O_WRONLY | os.O_TRUNC), "w", encoding="ascii") as record:
            json.dump(values, record)
    except OSError as error:
        log.warning("The check of the database file cannot be remembered: %s", error.strerror)


def _is_whole(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return bool(database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.OperationalError:
        return True  # locked, or it cannot be opened: that is no damage
    except sqlite3.DatabaseError:
        return False
