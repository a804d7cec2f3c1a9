"""Whether a file is as long as its film. Pure."""

from __future__ import annotations

import re

SHORTEST, LONGEST = 0.6, 1.5
"""Of the runtime of the film: a file outside of these is an excerpt, a part, or something else."""
SHORTER, LONGER = "shorter than the film", "longer than the film"
FILM_PART = re.compile(
    r"(?:^|[\s._(\[+-]|%20|%28|%5B)(?:cd|disc|disk|part|pt|teil|reel)(?:[\s._-]|%20)?0?([1-9][0-9]?)"
    r"(?:(?:[\s._-]|%20)?(?:of|von)(?:[\s._-]|%20)?0?[1-9][0-9]?)?(?![0-9a-z])",
    re.IGNORECASE,
)
"""How the name of a file says which part of one film it is: `CD1`, `part 1 of 2`, `reel_03`."""


def length_note(url: str, *, duration_seconds: int | None, runtime_minutes: int | None) -> str:
    """What is odd about the length of a file; empty if nothing is, if it is not known, or for a part of the film.

    >>> length_note("https://a.example/f.mp4", duration_seconds=600, runtime_minutes=94)
    'shorter than the film'
    """
    if not duration_seconds or not runtime_minutes or FILM_PART.search(url.rpartition("/")[2]):
        return ""
    fraction = duration_seconds / (60 * runtime_minutes)
    return SHORTER if fraction < SHORTEST else LONGER if fraction > LONGEST else ""
