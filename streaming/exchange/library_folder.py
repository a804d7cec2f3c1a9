"""Writes a library into a folder: only what has changed, each file at once, and never over a file of somebody else.

A file is ours while its content is what the manifest says. What anybody has changed or put there stays, and is neither
written nor deleted again. What has left the catalogue is removed at the end, unless it is suspiciously much.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import IO, Protocol

from streaming import file_locks
from streaming.exchange.library import LINK_SUFFIX, LibraryFile, LibraryMovie
from streaming.exchange.library_manifest import (
    REMOVAL_WINDOW,
    FileRecord,
    LibraryManifest,
    LibraryRecord,
    read_records,
    removal_line,
)

LOCK_NAME, FILE_BEING_WRITTEN = ".openreel-library.lock", ".openreel-library.file"


class Allowance(Protocol):
    """How many more may be removed now, of so many and after so many lately."""

    def __call__(self, *, movies: int, removed: int) -> int: ...


@dataclass(slots=True)
class LibraryReport:
    """What a run did, in files; `kept`: files of somebody else. `links`: movies and episodes; `lost` of them are gone,
    and `withheld` says that they were too many to be removed."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0
    kept: int = 0
    links: int = 0
    lost: int = 0
    withheld: bool = False


class LibraryBusy(Exception):
    """Another run writes this library."""


def write_library(
    build: Callable[[Callable[[], Mapping[str, str]]], Iterable[LibraryMovie]],
    folder: Path,
    *,
    now: datetime,
    allowance: Allowance,
    form: str = "library",
) -> LibraryReport:
    """Make the folder equal to a library. `build` yields the movies in the order of their IMDb ids; it gets a function
    that tells which movie has each path there already. `form` tells libraries in one folder apart.

    Interrupted, it leaves whole files, and the next run continues. Raises LibraryBusy, and OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = file_locks.try_lock(folder / LOCK_NAME)
    if lock is None:
        raise LibraryBusy
    with lock:
        run = _LibraryRun(folder, now=now, form=form)
        return run.run(build(run.manifest.owners), allowance)


class _LibraryRun:
    """One run over a folder, whose lock is held."""

    def __init__(self, folder: Path, *, now: datetime, form: str) -> None:
        self.folder, self.now = folder, now
        self.manifest, self.report = LibraryManifest(folder, form=form), LibraryReport()

    def run(self, movies: Iterable[LibraryMovie], allowance: Allowance) -> LibraryReport:
        report, manifest = self.report, self.manifest
        manifest.recover()
        (self.folder / FILE_BEING_WRITTEN).unlink(missing_ok=True)
        lately = manifest.removed_since(self.now - REMOVAL_WINDOW)
        with manifest.create(manifest.part) as part:
            for movie, known in _pairs(movies, read_records(manifest.path)):
                record = self._write_movie(movie, known, part)
                report.links += sum(path.endswith(LINK_SUFFIX) for path in record.files)
                report.lost += record.lost
                part.write(record.to_line())
            allowed = allowance(movies=report.links, removed=sum(number for number, _ in lately))
            report.withheld = report.lost > allowed
            if report.lost and not report.withheld:
                lately.append((report.lost, self.now))
                part.write(removal_line(report.lost, self.now))
        self._remove_stale(lately)
        return report

    def _write_movie(self, movie: LibraryMovie | None, known: LibraryRecord, part: IO[str]) -> LibraryRecord:
        """Write the files of a movie that differ; return what is recorded of it then. None: it is gone."""
        before = known.stale | known.files
        wanted = movie.files if movie else ()
        paths = {file.path for file in wanted}
        stale = {path: one for path, one in before.items() if path not in paths}
        lost = _links(stale) - _links(paths - before.keys())
        record = LibraryRecord(imdb_id=known.imdb_id, stale=stale, lost=max(0, lost))
        spelled = {path.casefold(): one for path, one in before.items()}
        due = []
        for file in wanted:
            found = self._compare(file, before.get(file.path) or spelled.get(file.path.casefold()))
            if isinstance(found, FileRecord):
                record.files[file.path] = found
            elif found is not None:
                due.append(found)
        if due:
            record.files |= {one.path: one.announced for one in due}
            part.write(record.to_line())
            part.flush()  # Before the files: what is in the folder is always in the manifest.
            record.files |= {one.path: self._write(one) for one in due}
        return record

    def _compare(self, file: LibraryFile, known: FileRecord | None) -> FileRecord | _DueFile | None:
        """The record of a file that is as it should be, what is to be written, or None for somebody else's file."""
        digest = self._digest_on_disk(file.path, known)
        if known is not None and digest == known.digests[0] and known.version == file.version:
            self.report.unchanged += 1
            return self._with_stat(file.path, replace(known, digests=known.digests[:1]))
        data = file.read()
        due = _DueFile(file.path, file.version, data, hashlib.sha256(data).hexdigest(), known.digests if known else ())
        if digest == due.digest:
            self.report.unchanged += 1
            return self._with_stat(file.path, FileRecord(version=file.version, digests=(due.digest,)))
        if digest is None or (known is not None and digest in known.digests):
            return due
        self.report.kept += 1
        return None

    def _digest_on_disk(self, path: str, known: FileRecord | None) -> str | None:
        """The digest of what stands at this path, read only if it may differ; empty for what is no file, None: nothing
        is there."""
        try:
            found = (self.folder / path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(found.st_mode):
            return ""
        if known is not None and (found.st_size, found.st_mtime_ns) == (known.size, known.modified):
            return known.digests[0]
        return hashlib.sha256((self.folder / path).read_bytes()).hexdigest()

    def _write(self, due: _DueFile) -> FileRecord:
        path, temporary = self.folder / due.path, self.folder / FILE_BEING_WRITTEN
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(due.data)
            os.replace(temporary, path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        self.report.written += 1
        return self._with_stat(due.path, FileRecord(version=due.version, digests=(due.digest,)))

    def _with_stat(self, path: str, record: FileRecord) -> FileRecord:
        found = (self.folder / path).stat()
        return replace(record, size=found.st_size, modified=found.st_mtime_ns)

    def _remove_stale(self, removals: list[tuple[int, datetime]]) -> None:
        """Remove what is gone, or of a withheld run only what has another name now, and finish the manifest."""
        manifest = self.manifest
        with manifest.create(manifest.temporary) as out:
            for number, at in removals:
                out.write(removal_line(number, at))
            for record in read_records(manifest.part):
                if not (record.lost and self.report.withheld):
                    self._remove_files(record)
                    record.stale, record.lost = {}, 0
                if record.files or record.stale:
                    out.write(record.to_line())
            out.flush()
            os.fsync(out.fileno())
        manifest.replace()

    def _remove_files(self, record: LibraryRecord) -> None:
        spelled = {path.casefold(): path for path in record.files}
        for path, known in record.stale.items():
            digest = self._digest_on_disk(path, known)
            if digest is None:
                continue
            twin = spelled.get(path.casefold())
            if twin and (self.folder / path).samefile(self.folder / twin):
                continue  # Another spelling of the same name, where letters' case makes no difference.
            if digest not in known.digests:
                self.report.kept += 1
                continue
            (self.folder / path).unlink()
            self.report.removed += 1
            self._remove_empty_folders((self.folder / path).parent)

    def _remove_empty_folders(self, folder: Path) -> None:
        with suppress(OSError):  # not empty
            while folder != self.folder:
                folder.rmdir()
                folder = folder.parent


@dataclass(frozen=True, slots=True)
class _DueFile:
    """A file to be written; `earlier` are the digests that may stand there until it is."""

    path: str
    version: str
    data: bytes
    digest: str
    earlier: tuple[str, ...]

    @property
    def announced(self) -> FileRecord:
        return FileRecord(version=self.version, digests=(self.digest, *self.earlier))


def _links(paths: Iterable[str]) -> int:
    return sum(path.endswith(LINK_SUFFIX) for path in paths)


def _pairs(
    movies: Iterable[LibraryMovie], records: Iterable[LibraryRecord]
) -> Iterator[tuple[LibraryMovie | None, LibraryRecord]]:
    """Each movie with its record (a new one without any), and each record without a movie."""
    both: Iterator[LibraryMovie | LibraryRecord] = heapq.merge(movies, records, key=attrgetter("imdb_id"))
    for imdb_id, group in groupby(both, key=attrgetter("imdb_id")):
        movie, record = None, LibraryRecord(imdb_id=imdb_id)
        for one in group:
            if isinstance(one, LibraryMovie):
                movie = one
            else:
                record = one
        yield movie, record
