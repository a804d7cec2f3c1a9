"""Put a backup in the place of the rows of the database, whichever database it was made from."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from streaming import file_locks, integrity, search_index
from streaming.backup import backup_file, row_copy
from streaming.backup.backup_file import BackupError, Manifest
from streaming.backup.sequence_jump import jump_after_restore
from streaming.models import HealthRun, ScrapeJob
from streaming.models.change import last_number

COUNTED = {"streaming_movie": "movies", "streaming_streaminglink": "links", "auth_user": "accounts"}
HEARTBEAT_TIMEOUT = timedelta(minutes=5)
BOOKKEEPING = frozenset({"django_migrations", "sqlite_sequence"})
"""Tables of a backup that a restore does not copy row by row."""
SIDE_FILES = ("", "-wal", "-shm", "-journal")
FOLDER_PREFIX = "restore-"


def check_backup(path: Path) -> Manifest:
    """Check a backup and that this release can read it; raises `BackupError`."""
    if not path.is_file():
        raise BackupError(f"{path} is not a file")
    manifest = backup_file.check_file(path)
    if newer := set(manifest.migrations) - row_copy.known_migrations():
        raise BackupError(
            f"{path.name} was made by a newer release, {manifest.version} (it has {sorted(newer)[0][1]}): "
            "install that release, then restore"
        )
    return manifest


def describe(rows: Mapping[str, int]) -> str:
    """The main counts in words: `movies 75, links 202, accounts 1`."""
    return ", ".join(f"{name} {rows.get(table, 0)}" for table, name in COUNTED.items())


def describe_all(rows: Mapping[str, int]) -> str:
    """The main counts and the sum of what a restore copies: `movies 75, links 202, accounts 1, 950 rows in all`."""
    total = sum(count for table, count in rows.items() if table not in BOOKKEEPING)
    return f"{describe(rows)}, {total} rows in all"


def current_rows() -> dict[str, int]:
    """The main counts of the database that a backup would replace; all 0 if it has no tables yet."""
    tables = set(connection.introspection.table_names())
    named = {model._meta.db_table: model for model in apps.get_models()}
    return {table: named[table]._base_manager.count() if table in tables else 0 for table in COUNTED}


def require_idle(*, now: datetime) -> None:
    """Refuse while a scrape job or a link check is running, which would write results to other rows."""
    if not {"streaming_scrapejob", "streaming_healthrun"} <= set(connection.introspection.table_names()):
        return
    if ScrapeJob.objects.filter(state=ScrapeJob.State.RUNNING, lease_until__gt=now).only("pk").exists():
        raise BackupError(
            "a scrape job is running: stop the server and its workers (`manage.py scrape_worker --stop`), then restore"
        )
    is_running = HealthRun.objects.filter(finished_at=None, heartbeat_at__gt=now - HEARTBEAT_TIMEOUT)
    if is_running.only("pk").exists():
        raise BackupError("a link check is running: wait for its end or stop it, then restore")


def rename_damaged_file(*, now: datetime) -> Path | None:
    """Rename an SQLite database that cannot be read, with its side files; return its new path, None if it is whole."""
    path = integrity.database_file()
    if path is None or not integrity.is_damaged():
        return None
    connection.close()
    new = path.with_name(f"{path.name}.damaged-{now:%Y%m%d-%H%M%S}")
    for ending in SIDE_FILES:
        if (file := Path(f"{path}{ending}")).exists():
            file.rename(f"{new}{ending}")
    return new


def restore_backup(path: Path, manifest: Manifest, *, now: datetime) -> dict[str, int]:
    """Replace all rows of the database by those of the backup; return the rows of each table.

    The schema of an older backup is brought up to date first, in a copy. All rows are replaced in one transaction.
    Mirrors that know lost changes will have to start anew.
    """
    try:
        with _working_folder() as folder:
            copy = Path(shutil.copyfile(path, folder / "backup.sqlite3"))
            with row_copy.sqlite_alias(copy) as alias:
                call_command("migrate", database=alias, interactive=False, verbosity=0)
                call_command("migrate", interactive=False, verbosity=0)
                _require_same_schema(alias)
                with transaction.atomic():
                    replaced_number = last_number()
                    counts = row_copy.copy_rows(alias, "default")
                    jump_after_restore(manifest, replaced_number=replaced_number, now=now)
                    # Triggers have filled the search index, but put no title where its fame belongs.
                    search_index.rebuild(after=0, on_progress=lambda movies: None)
    except DatabaseError as error:
        raise BackupError(f"nothing was restored: {' '.join(str(error).split())}") from error
    except OSError as error:
        raise BackupError(f"nothing was restored: {error.strerror or error}") from None
    ContentType.objects.clear_cache()
    return counts


@contextmanager
def _working_folder() -> Iterator[Path]:
    """Yield an empty folder; those of restores that were killed are removed."""
    folder = Path(settings.VAR_DIR)
    if (lock := file_locks.try_lock(folder / "restore.lock")) is None:
        raise BackupError("another restore is running")
    with lock:
        for leftover in folder.glob(f"{FOLDER_PREFIX}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, dir=folder) as name:
            yield Path(name)


def _require_same_schema(alias: str) -> None:
    if newer := row_copy.applied_migrations("default") - row_copy.applied_migrations(alias):
        raise BackupError(f"the database is of a newer release ({sorted(newer)[0][1]}): install that release first")
