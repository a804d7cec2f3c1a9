"""Whether a file is as long as its film. Pure."""

from __future__ import annotations

import re
from typing import Protocol

SHORTEST, LONGEST = 0.6, 1.5
"""Of the runtime of the film: a file outside of these is an excerpt, a part, or something else."""
SHORTER, LONGER = "shorter than the film", "longer than the film"
FILM_PART = re.compile(
    r"(?:^|[\s._(\[+-]|%20|%28|%5B)(?:cd|disc|disk|part|pt|teil|reel)(?:[\s._-]|%20)?0?([1-9][0-9]?)"
    r"(?:(?:[\s._-]|%20)?(?:of|von)(?:[\s._-]|%20)?0?[1-9][0-9]?)?(?![0-9a-z])",
    re.IGNORECASE,
)
"""How the name of a file says which part of one film it is: `CD1`, `part 1 of 2`, `reel_03`."""


class Film(Protocol):
    """What of a movie its files are compared with."""

    @property
    def type(self) -> str: ...
    @property
    def runtime_minutes(self) -> int | None: ...


class FilmFile(Protocol):
    """What of a link is compared."""

    @property
    def source_url(self) -> str: ...
    @property
    def season(self) -> int | None: ...
    @property
    def episode(self) -> int | None: ...
    @property
    def duration_seconds(self) -> int | None: ...


def length_note_in(film: Film, file: FilmFile) -> str:
    """What is odd about the length of a file of this film; empty if nothing is, and for shows and episodes."""
    if not file.duration_seconds or file.season or file.episode or film.type != "movie":
        return ""
    return length_note(file.source_url, duration_seconds=file.duration_seconds, runtime_minutes=film.runtime_minutes)


def length_note(url: str, *, duration_seconds: int | None, runtime_minutes: int | None) -> str:
    """What is odd about the length of a file; empty if nothing is, if it is not known, or for a part of the film.

    >>> length_note("https://a.example/f.mp4", duration_seconds=600, runtime_minutes=94)
    'shorter than the film'
    """
    if not duration_seconds or not runtime_minutes or FILM_PART.search(url.rpartition("/")[2]):
        return ""
    fraction = duration_seconds / (60 * runtime_minutes)
    return SHORTER if fraction < SHORTEST else LONGER if fraction > LONGEST else ""
