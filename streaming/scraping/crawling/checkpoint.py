"""The checkpoint of a discovery: a small file from which an interrupted one resumes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from streaming import file_locks


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A position in a source's list.

    `after` is the key of the last saved film, '' at the start. `film_count` counts the films of a run that has not
    finished; 0 when the last one has.
    """

    after: str = ""
    film_count: int = 0


def read_checkpoint(path: Path) -> Checkpoint:
    """Read the checkpoint; a missing or unreadable file means the start of the list."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return Checkpoint(after=str(stored["after"]), film_count=int(stored["taken"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Checkpoint()


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint atomically."""
    new = path.with_suffix(".new")
    with open(file_locks.open_private(new, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:
        json.dump({"after": checkpoint.after, "taken": checkpoint.film_count}, file)
    os.replace(new, path)
