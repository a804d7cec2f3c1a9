"""Make a backup of the database while it is in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from django.db import connection

from scraper import VERSION
from streaming.backup import backup_file, row_copy
from streaming.backup.backup_file import BackupError, Manifest


def create_backup(path: Path, *, now: datetime) -> Manifest:
    """Write a checked backup to `path`, replacing an older one; raises `BackupError` and leaves no file on failure.

    It has one state of the database, whoever writes meanwhile, and stops nobody.
    """
    try:
        with backup_file.new_file(path) as temporary:
            if connection.vendor == "sqlite":
                _copy_file(temporary)
            else:
                _copy_rows(temporary)
            return backup_file.write_manifest(
                temporary, version=VERSION, made_at=now.isoformat(timespec="seconds"), engine=connection.vendor
            )
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror or error}") from None
    except sqlite3.Error as error:
        raise BackupError(f"the backup cannot be made: {error}") from None


def _copy_file(target: Path) -> None:
    """Copy the pages of the SQLite database, with what the WAL holds, in one read transaction."""
    source_path = Path(str(connection.settings_dict["NAME"]))
    if not source_path.is_file():
        raise BackupError(f"there is no database at {source_path}")
    with (
        closing(sqlite3.connect(f"{source_path.absolute().as_uri()}?mode=rw", uri=True, timeout=20)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "django_migrations" not in tables:
            raise BackupError("the database is empty: run `manage.py migrate` first")


def _copy_rows(target: Path) -> None:
    """Copy the rows of PostgreSQL into tables of the same schema."""
    if not row_copy.applied_migrations("default"):
        raise BackupError("the database is empty: run `manage.py migrate` first")
    if newer := row_copy.applied_migrations("default") - row_copy.known_migrations():
        raise BackupError(f"the database is of a newer release ({sorted(newer)[0][1]}): install that release first")
    with row_copy.sqlite_alias(target) as alias:
        row_copy.migrate_like("default", alias)
        row_copy.copy_rows("default", alias)
