"""A backup: an SQLite file with all tables and a manifest. Reads and checks it without Django."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from streaming import file_locks

MANIFEST_TABLE = "openreel_backup"
FORMAT = 1


class BackupError(Exception):
    """Why a backup cannot be made or restored, in one sentence."""


@dataclass(frozen=True, slots=True)
class TableDigest:
    """The number of rows of a table and the SHA-256 of their values."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `made_at` is ISO 8601, `engine` the database that it was made from."""

    version: str
    made_at: str
    engine: str
    migrations: list[tuple[str, str]]
    tables: dict[str, TableDigest]

    def rows(self, table: str) -> int:
        """The rows of a table; 0 if the backup does not have it."""
        return self.tables[table].rows if table in self.tables else 0


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path`, mode 0600, that takes its place when the block succeeds.

    What killed backups left is removed: each may be as large as the database.
    """
    _require_replaceable(path)
    with _only_writer(path):
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield temporary
        _flush_to_disk(temporary)
        os.replace(temporary, path)
        _flush_to_disk(path.parent)


@contextmanager
def _only_writer(path: Path) -> Iterator[None]:
    """Keep other backups away from this file, and leave nothing beside it."""
    lock_path = path.with_name(f".{path.name}.lock")
    if (lock := file_locks.try_lock(lock_path)) is None:
        raise BackupError(f"another backup to {path} is running")
    with lock:
        _remove_leftovers(path)
        try:
            yield
        finally:
            _remove_leftovers(path)
            lock_path.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.tmp*"):
        leftover.unlink(missing_ok=True)


def write_manifest(path: Path, *, version: str, made_at: str, engine: str) -> Manifest:
    """Add the manifest to a file that has all tables, and check the result."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA journal_mode=DELETE")
        migrations = database.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
        manifest = Manifest(
            version=version, made_at=made_at, engine=engine, migrations=migrations, tables=_digests(database)
        )
        database.execute(f"CREATE TABLE {MANIFEST_TABLE} (format INTEGER NOT NULL, manifest TEXT NOT NULL)")
        database.execute(
            f"INSERT INTO {MANIFEST_TABLE} VALUES (?, ?)",  # noqa: S608  our own constant
            (FORMAT, json.dumps(asdict(manifest))),
        )
    return check_file(path)


def check_file(path: Path) -> Manifest:
    """Open a backup and compare it with its manifest; raises `BackupError` if it is none or is damaged."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            if (problem := database.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
                raise BackupError(f"{path.name} is damaged: {' '.join(str(problem).split())}")
            manifest = _read_manifest(path, database)
            _compare(path, manifest, _digests(database))
            return manifest
    except (sqlite3.Error, UnicodeError) as error:  # SQLite quotes damaged text in its own messages
        raise BackupError(f"{path.name} is no backup, or a damaged one: {error}") from None


def is_backup(path: Path) -> bool:
    """Whether the file has a manifest, damaged or not."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return bool(database.execute(f"SELECT format FROM {MANIFEST_TABLE}").fetchone())  # noqa: S608
    except sqlite3.Error:
        return False


def _require_replaceable(path: Path) -> None:
    """Refuse to write over anything but an older backup or an empty file."""
    if not path.parent.is_dir():
        raise BackupError(f"the folder {path.parent} does not exist")
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_file():
        raise BackupError(f"{path} is not a file: a backup needs one that can be checked and renamed")
    if path.stat().st_size and not is_backup(path):
        raise BackupError(f"{path} exists and is no backup: name another file")


def _read_manifest(path: Path, database: sqlite3.Connection) -> Manifest:
    try:
        version, text = database.execute(f"SELECT format, manifest FROM {MANIFEST_TABLE}").fetchone()  # noqa: S608
        if version > FORMAT:
            raise BackupError(f"{path.name} was made by a newer release: install that release, then restore")
        values = json.loads(text)
        tables = {name: TableDigest(**digest) for name, digest in values.pop("tables").items()}
        migrations = [(app, name) for app, name in values.pop("migrations")]
        if datetime.fromisoformat(values["made_at"]).tzinfo is None:
            raise ValueError("no time zone")
        return Manifest(tables=tables, migrations=migrations, **values)
    except (sqlite3.Error, TypeError, ValueError, KeyError, AttributeError):
        raise BackupError(f"{path.name} has no readable manifest, so it is not a file of `manage.py backup`") from None


def _compare(path: Path, manifest: Manifest, tables: dict[str, TableDigest]) -> None:
    """A flipped bit in a value is no error of SQLite's, so the values have a checksum."""
    names = sorted({*manifest.tables, *tables})
    if changed := [name for name in names if manifest.tables.get(name) != tables.get(name)]:
        raise BackupError(f"{path.name} is damaged: these tables are not as they were saved: {', '.join(changed)}")


def _digests(database: sqlite3.Connection) -> dict[str, TableDigest]:
    """The digests of all tables but those of the search index, which a restore makes anew."""
    names = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN (?, 'sqlite_stat1', 'sqlite_stat4') "
        "AND name NOT GLOB 'streaming_search*'",
        [MANIFEST_TABLE],
    ).fetchall()
    return {name: _digest(database, name) for (name,) in names}


def _digest(database: sqlite3.Connection, table: str) -> TableDigest:
    digest, rows = hashlib.sha256(), 0
    quoted = '"' + table.replace('"', '""') + '"'
    for rows, row in enumerate(database.execute(f"SELECT * FROM {quoted} ORDER BY rowid"), 1):  # noqa: B007, S608
        digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return TableDigest(rows=rows, sha256=digest.hexdigest())


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
