"""Files of the exports: made once every few minutes, by one process at a time, and sent to everybody who asks.

Exports of filtered lists are made one at a time, and only the latest are kept.

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
from contextlib import ExitStack, suppress
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
LIST_PREFIX = "list-"
MAX_LISTS, MAX_LIST_BYTES = 30, 1024**3
COMMIT_MARGIN = timedelta(seconds=2)
"""A change is dated before it is committed."""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A finished export. `made_at` is when it was begun (seconds since 1970), `stamp` what it was made of.

    `has_gzip`: there is a compressed copy.
    """

    name: str
    digest: str
    made_at: float
    stamp: str
    has_gzip: bool = True

    @property
    def paths(self) -> list[Path]:
        """All its files."""
        return [self.path(compressed=compressed) for compressed in ((False, True) if self.has_gzip else (False,))]

    def path(self, *, compressed: bool) -> Path:
        """Return where the export is, plain or as gzip."""
        return settings.EXPORT_DIR / f"{self.name}.{self.digest}{'.gz' if compressed else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What to make: the name of its file, and its content.

    `is_list`: one of many filtered lists. `has_gzip` False: it is compressed itself.
    """

    name: str
    make: Callable[[], Iterable[bytes]]
    is_list: bool = False
    has_gzip: bool = True

    @property
    def lock(self) -> Path:
        """The file that is locked while it is made."""
        return Path(settings.EXPORT_DIR / ("lists.lock" if self.is_list else f"{self.name}.lock"))


class ExportUnavailable(Exception):
    """The export cannot be sent now: another request is making it, or its folder cannot be written."""


def get_export_file(export: Export) -> ExportFile:
    """Return the current file of an export; make it if there is none. Raises ExportUnavailable.

    While it is made again because of its age alone, the others get the old one.
    """
    stamp = _publication_stamp()
    found = _read_pointer(export.name)
    if _is_current(found, stamp) and _is_young(found):
        return found
    try:
        return _make_or_wait(export, stamp)
    except OSError as error:
        log.error("%s cannot be written to %s: %s", export.name, settings.EXPORT_DIR, error)
        if _is_current(found, stamp):
            return found
        raise ExportUnavailable(export.name) from error


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


def _make_or_wait(export: Export, stamp: str) -> ExportFile:
    deadline = time.monotonic() + WAIT_SECONDS
    while (lock := file_locks.try_lock(export.lock)) is None:
        found = _read_pointer(export.name)
        if _is_current(found, stamp):
            return found
        if time.monotonic() > deadline:
            raise ExportUnavailable(export.name)
        time.sleep(POLL_SECONDS)
    with lock:
        found = _read_pointer(export.name)  # Another request may have made it in the meantime.
        if _is_current(found, stamp) and _is_young(found):
            return found
        made = _make(export, _publication_stamp())
        if export.is_list:
            _drop_old_lists(newest=made)
        return made


def _is_young(file: ExportFile) -> bool:
    return 0 <= time.time() - file.made_at < MAX_AGE_SECONDS


def _make(export: Export, stamp: str) -> ExportFile:
    """Write the export and point to it; the lock must be held."""
    name, made_at = export.name, time.time()
    plain, packed = _part(name, ""), _part(name, ".gz")
    with ExitStack() as stack:
        outputs: list[IO[bytes] | gzip.GzipFile] = [stack.enter_context(_create(plain))]
        if export.has_gzip:
            outputs.append(stack.enter_context(_zipped(stack.enter_context(_create(packed)))))
        digest = _write(export.make(), outputs)
    file = ExportFile(name, digest, made_at, stamp, export.has_gzip)
    old = _read_pointer(name)
    for part, path in zip((plain, packed), file.paths, strict=False):
        os.replace(part, path)
    _write_pointer(file)
    if old is not None and old.digest != digest:
        _delete(old.paths)
    return file


def _drop_old_lists(*, newest: ExportFile) -> None:
    """Delete the lists that were made first, so that those left are neither too many nor too large."""
    kept = [file for path in settings.EXPORT_DIR.glob(f"{LIST_PREFIX}*.json") if (file := _read_pointer(path.stem))]
    kept.sort(key=lambda file: file.made_at, reverse=True)
    size = 0
    for number, file in enumerate(kept):
        size += sum(path.stat().st_size for path in file.paths)
        if file.name != newest.name and (number >= MAX_LISTS or size > MAX_LIST_BYTES):
            _delete([_pointer(file.name), *file.paths])


def _delete(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _zipped(file: IO[bytes]) -> gzip.GzipFile:
    # Without name and time in it: equal exports are equal files.
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=GZIP_LEVEL, mtime=0)


def _write(chunks: Iterable[bytes], outputs: Iterable[IO[bytes] | gzip.GzipFile]) -> str:
    digest = hashlib.sha256()
    for data in chunks:
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
        if all(path.is_file() for path in file.paths):
            return file
    return None
