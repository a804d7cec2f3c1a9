"""What Openreel has written into a library folder, so that nothing else is ever changed or deleted there.

One line of JSON a movie, in the order of IMDb ids: neither a run nor this file holds the whole library in memory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

ENDINGS = ("", ".part", ".new")
REMOVAL_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """A file as it was written: `digests` of its content, the newest first, and of what an interrupted run may have
    left there instead; `size` and `modified` (nanoseconds) save reading it again, 0 if they are not known."""

    version: str
    digests: tuple[str, ...]
    size: int = 0
    modified: int = 0


@dataclass(slots=True, kw_only=True)
class LibraryRecord:
    """The files of a movie: those of the library, and `stale` ones to be removed; `lost` links of it are gone."""

    imdb_id: str
    files: dict[str, FileRecord] = field(default_factory=dict)
    stale: dict[str, FileRecord] = field(default_factory=dict)
    lost: int = 0

    def to_line(self) -> str:
        body = {
            "id": self.imdb_id,
            "files": {path: _to_list(one) for path, one in self.files.items()},
            "stale": {path: _to_list(one) for path, one in self.stale.items()},
            "lost": self.lost,
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")) + "\n"


class LibraryManifest:
    """The manifest of a folder, and the part of the next one that a run, or an interrupted one, has written.

    A folder has one for each `form` of library, so that none removes the files of another.
    """

    def __init__(self, folder: Path, *, form: str) -> None:
        self.path, self.part, self.temporary = (folder / f".openreel-{form}{ending}" for ending in ENDINGS)

    def owners(self) -> dict[str, str]:
        """The IMDb id of the movie that has each path, in lower case; all of it in memory."""
        return {path.casefold(): one.imdb_id for one in read_records(self.path) for path in one.stale | one.files}

    def recover(self) -> None:
        """Take over what an interrupted run has recorded: it went from the first movie to some other."""
        if not self.part.exists():
            return
        with self.create(self.temporary) as out:
            for number, at in [*removals_in(self.path), *removals_in(self.part)]:
                out.write(removal_line(number, at))
            last = ""
            for record in read_records(self.part):
                out.write(record.to_line())
                last = record.imdb_id
            for record in read_records(self.path):
                if record.imdb_id > last:
                    out.write(record.to_line())
        os.replace(self.temporary, self.path)
        self.part.unlink()

    def create(self, path: Path) -> IO[str]:
        """Open a new file of the manifest for writing."""
        return path.open("w", encoding="utf-8", newline="\n")

    def replace(self) -> None:
        """Let the finished manifest take the place of the old one."""
        os.replace(self.temporary, self.path)
        self.part.unlink(missing_ok=True)

    def removed_since(self, moment: datetime) -> list[tuple[int, datetime]]:
        """How many links were removed, and when, since then."""
        return [(number, at) for number, at in removals_in(self.path) if at >= moment]


def removal_line(number: int, at: datetime) -> str:
    """A line that says how many links were removed, and when."""
    return json.dumps({"removed": number, "at": at.isoformat()}) + "\n"


def removals_in(path: Path) -> list[tuple[int, datetime]]:
    """The removals that a manifest lists: at its beginning, and a part at its end too."""
    found = []
    for line in _read_lines(path):
        if "removed" in line:
            with suppress(TypeError, ValueError):
                found.append((int(line["removed"]), datetime.fromisoformat(line["at"])))
    return found


def read_records(path: Path) -> Iterator[LibraryRecord]:
    """Yield each movie once, as its last line says; what is damaged is left out."""
    waiting: LibraryRecord | None = None
    for line in _read_lines(path):
        record = _parse_record(line)
        if record is None:
            continue
        if waiting is not None and waiting.imdb_id != record.imdb_id:
            yield waiting
        waiting = record
    if waiting is not None:
        yield waiting


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for text in lines:
            with suppress(ValueError):
                line = json.loads(text)
                if isinstance(line, dict):
                    yield line


def _parse_record(line: dict[str, Any]) -> LibraryRecord | None:
    try:
        files, stale = ({path: _from_list(one) for path, one in line[key].items()} for key in ("files", "stale"))
        return LibraryRecord(imdb_id=str(line["id"]), files=files, stale=stale, lost=int(line["lost"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _to_list(record: FileRecord) -> list[Any]:
    return [record.version, record.size, record.modified, *record.digests]


def _from_list(values: list[Any]) -> FileRecord:
    version, size, modified, *digests = values
    return FileRecord(version=version, size=int(size), modified=int(modified), digests=tuple(map(str, digests)))
