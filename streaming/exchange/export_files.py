"""Files of the exports: made once every few minutes, by one process at a time, and sent to everybody who asks.

A file is current until staff, a takedown, a removal or a withdrawal changes something, which the database tells; so
what is taken down is not sent again, by any machine. Everything else may be MAX_AGE_SECONDS old.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TypeGuard

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.models import Count, Max

from streaming import file_locks
from streaming.models import BlockedAddress, RemovedMovie, StreamingLink

log = logging.getLogger(__name__)
MAX_AGE_SECONDS = 300
WAIT_SECONDS, POLL_SECONDS = 0.5, 0.05
"""How long a request waits for the first file, which another one is making."""
GZIP_LEVEL = 6
COMMIT_MARGIN = timedelta(seconds=2)
"""A change is dated before it is committed."""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A finished export. `made_at` is when it was begun (seconds since 1970), `stamp` what it was made of."""

    name: str
    digest: str
    made_at: float
    stamp: str

    def path(self, *, compressed: bool) -> Path:
        """Return where the export is, plain or as gzip."""
        return settings.EXPORT_DIR / f"{self.name}.{self.digest}{'.gz' if compressed else ''}"


class ExportUnavailable(Exception):
    """The export cannot be sent now: another request is making it, or its folder cannot be written."""


def get_export_file(name: str, make_lines: Callable[[], Iterable[str]]) -> ExportFile:
    """Return the current file of an export; make it if there is none. Raises ExportUnavailable.

    While it is made again because of its age alone, the others get the old one.
    """
    stamp = _publication_stamp()
    found = _read_pointer(name)
    if _is_current(found, stamp) and _is_young(found):
        return found
    try:
        return _make_or_wait(name, make_lines, stamp)
    except OSError as error:
        log.error("%s cannot be written to %s: %s", name, settings.EXPORT_DIR, error)
        if _is_current(found, stamp):
            return found
        raise ExportUnavailable(name) from error


def _publication_stamp() -> str:
    """Return what changes with every logged change by staff, every takedown and every removal.

    Counts too, since a transaction with a lower id may end later.
    """
    models = (LogEntry, BlockedAddress, RemovedMovie)
    rows = [model._default_manager.aggregate(n=Count("pk"), last=Max("pk")) for model in models]
    return json.dumps([list(row.values()) for row in rows])


def _is_current(file: ExportFile | None, stamp: str) -> TypeGuard[ExportFile]:
    """Return whether nothing was withdrawn since the file was begun."""
    if file is None or file.stamp != stamp:
        return False
    begun = datetime.fromtimestamp(file.made_at, UTC)
    return not StreamingLink.objects.withdrawn_since(begun - COMMIT_MARGIN, known_at=begun).exists()


def _make_or_wait(name: str, make_lines: Callable[[], Iterable[str]], stamp: str) -> ExportFile:
    deadline = time.monotonic() + WAIT_SECONDS
    while (lock := file_locks.try_lock(settings.EXPORT_DIR / f"{name}.lock")) is None:
        found = _read_pointer(name)
        if _is_current(found, stamp):
            return found
        if time.monotonic() > deadline:
            raise ExportUnavailable(name)
        time.sleep(POLL_SECONDS)
    with lock:
        found = _read_pointer(name)  # Another request may have made it in the meantime.
        if _is_current(found, stamp) and _is_young(found):
            return found
        return _make(name, make_lines(), _publication_stamp())


def _is_young(file: ExportFile) -> bool:
    return 0 <= time.time() - file.made_at < MAX_AGE_SECONDS


def _make(name: str, lines: Iterable[str], stamp: str) -> ExportFile:
    """Write the export and point to it; the lock must be held."""
    made_at, plain, packed = time.time(), _part(name, ""), _part(name, ".gz")
    with _create(plain) as plain_file, _create(packed) as packed_file, _zipped(packed_file) as zipped:
        digest = _write(lines, plain_file, zipped)
    file = ExportFile(name, digest, made_at, stamp)
    old = _read_pointer(name)
    os.replace(plain, file.path(compressed=False))
    os.replace(packed, file.path(compressed=True))
    _write_pointer(file)
    if old is not None and old.digest != digest:
        for compressed in (False, True):
            old.path(compressed=compressed).unlink(missing_ok=True)
    return file


def _zipped(file: IO[bytes]) -> gzip.GzipFile:
    # Without name and time in it: equal exports are equal files.
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=GZIP_LEVEL, mtime=0)


def _write(lines: Iterable[str], *outputs: IO[bytes] | gzip.GzipFile) -> str:
    digest = hashlib.sha256()
    for line in lines:
        data = line.encode()
        digest.update(data)
        for output in outputs:
            output.write(data)
    return digest.hexdigest()[:32]


def _part(name: str, ending: str) -> Path:
    return Path(settings.EXPORT_DIR / f"{name}.part{ending}")


def _create(path: Path) -> IO[bytes]:
    return os.fdopen(file_locks.open_private(path, os.O_WRONLY | os.O_TRUNC), "wb")


def _pointer(name: str) -> Path:
    return Path(settings.EXPORT_DIR / f"{name}.json")


def _write_pointer(file: ExportFile) -> None:
    part = _part(file.name, ".json")
    with _create(part) as out:
        out.write(json.dumps(asdict(file)).encode())
    os.replace(part, _pointer(file.name))


def _read_pointer(name: str) -> ExportFile | None:
    """Return the last export that was finished; None without one, and for one that is damaged."""
    with suppress(OSError, ValueError, TypeError):
        file = ExportFile(**json.loads(_pointer(name).read_bytes()))
        if all(file.path(compressed=compressed).is_file() for compressed in (False, True)):
            return file
    return None
