"""Read the durations that sources state. Pure."""

from __future__ import annotations

import re

CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})(?:\.\d+)?")
ISO_8601 = re.compile(r"PT(?:(\d{1,3})H)?(?:(\d{1,5})M)?(?:(\d{1,6})(?:\.\d+)?S)?", re.IGNORECASE)
WORDS = re.compile(
    r"(?:(\d{1,3})\s*(?:h|hrs?|hours?))?[\s,]*(?:(\d{1,5})\s*(?:m|mins?|minutes?)\.?)?[\s,]*"
    r"(?:(\d{1,6})\s*(?:s|secs?|seconds?)\.?)?",
    re.IGNORECASE,
)
MAX_LENGTH = 40
MAX_SECONDS = 360_000
MIN_FILM_SECONDS = 30


def parse_seconds(stated: object) -> int | None:
    """Return a duration in whole seconds, from a number of seconds, a clock time, ISO 8601 or words; None for others.

    >>> [parse_seconds(text) for text in ("31.64", "45:00", "1:34:02", "PT1H34M", "94 min", "1h 34m", "long")]
    [32, 2700, 5642, 5640, 5640, 5640, None]
    """
    if isinstance(stated, bool) or not isinstance(stated, str | int | float):
        return None
    text = str(stated).strip()[:MAX_LENGTH]
    if re.fullmatch(r"\d{1,6}(\.\d+)?", text):
        return _bounded(round(float(text)))
    for pattern in (CLOCK, ISO_8601, WORDS):
        if (found := pattern.fullmatch(text)) and any(found.groups()):
            hours, minutes, seconds = (int(part or 0) for part in found.groups())
            return _bounded(3600 * hours + 60 * minutes + seconds)
    return None


def parse_minutes(stated: object) -> int | None:
    """Return the runtime of a film in whole minutes, from what `parse_seconds` reads; a bare number is minutes.

    >>> parse_minutes("94"), parse_minutes("1:34:02"), parse_minutes("15 min")
    (94, 94, 15)
    """
    text = str(stated).strip() if isinstance(stated, str | int) and not isinstance(stated, bool) else ""
    if re.fullmatch(r"\d+", text[:MAX_LENGTH]):
        return int(text[:MAX_LENGTH]) if 1 <= int(text[:MAX_LENGTH]) <= MAX_SECONDS // 60 else None
    return minutes_of(parse_seconds(stated))


def minutes_of(seconds: int | None) -> int | None:
    """Return whole minutes, at least one; None for what is too short for a film."""
    return max(1, round(seconds / 60)) if seconds and seconds >= MIN_FILM_SECONDS else None


def _bounded(seconds: int) -> int | None:
    return seconds if 1 <= seconds <= MAX_SECONDS else None
