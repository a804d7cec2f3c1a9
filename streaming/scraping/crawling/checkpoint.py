"""How far a discovery has come: a small file, so that one that was killed goes on where it was."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`after` is the key of the last film that was saved ('' at the beginning); `taken` counts the films of a run that
    is not finished, 0 when the last one ended as it should."""

    after: str = ""
    film_count: int = 0


def read_checkpoint(path: Path) -> Checkpoint:
    """The bookmark; a file that is missing or is no bookmark is the beginning."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return Checkpoint(after=str(stored["after"]), film_count=int(stored["taken"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Checkpoint()


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Put the bookmark in the place of the last one, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(checkpoint)), encoding="utf-8")
    os.replace(new, path)
