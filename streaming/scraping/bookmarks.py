"""How far a discovery has come: a small file, so that one that was killed goes on where it was."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bookmark:
    """`after` is the key of the last film that was saved ('' at the beginning); `taken` counts the films of a run that
    is not finished, 0 when the last one ended as it should."""

    after: str = ""
    taken: int = 0


def read(path: Path) -> Bookmark:
    """The bookmark; a file that is missing or is no bookmark is the beginning."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return Bookmark(after=str(told["after"]), taken=int(told["taken"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Bookmark()


def write(path: Path, bookmark: Bookmark) -> None:
    """Put the bookmark in the place of the last one, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(bookmark)), encoding="utf-8")
    os.replace(new, path)
