"""Display text: safe titles, names of languages, ages and durations. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache

from babel import Locale
from babel.core import get_global

MAX_TITLE_LENGTH = 200
MAX_QUOTED_LENGTH = 60
# Control characters, and those that change the writing direction of the text after them.
HIDDEN_CHARACTERS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]+"
)
# Tags that mean no single language, and the sign languages that PeerTube offers and CLDR omits.
OWN_LANGUAGE_NAMES = {
    "mis": "Other language",
    "mul": "Several languages",
    "und": "Language unknown",
    "zxx": "No dialogue",
    "sgn": "Sign language",
    "asq": "Austrian Sign Language",
    "bfi": "British Sign Language",
    "bzs": "Brazilian Sign Language",
    "cse": "Czech Sign Language",
    "csl": "Chinese Sign Language",
    "dsl": "Danish Sign Language",
    "fsl": "French Sign Language",
    "gsg": "German Sign Language",
    "jsl": "Japanese Sign Language",
    "pks": "Pakistan Sign Language",
    "rsl": "Russian Sign Language",
    "sdl": "Saudi Arabian Sign Language",
    "sfs": "South African Sign Language",
    "swl": "Swedish Sign Language",
    "tgl": "Tagalog",  # CLDR takes this code for Filipino, unlike `tl`
}
MAX_CACHED_NAMES = 1024
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def display_text(text: str, *, max_length: int = MAX_TITLE_LENGTH) -> str:
    """Make text from outside safe to show: no control or direction characters, single blanks, at most `max_length`
    characters, the last of them an ellipsis if it is cut."""
    plain = " ".join(HIDDEN_CHARACTERS.sub(" ", text[: 4 * max_length]).split())
    return plain if len(plain) <= max_length else plain[: max_length - 1].rstrip() + "…"


def episode_label(label: str, *, season: int | None, episode: int | None) -> str:
    """The label with season and episode before it, `S1 E2 The Key`, unless it begins with them already."""
    numbers = " ".join(f"{letter}{number}" for letter, number in (("S", season), ("E", episode)) if number)
    return label if not numbers or f"{label} ".startswith(f"{numbers} ") else f"{numbers} {label}".strip()


@lru_cache(maxsize=MAX_CACHED_NAMES)
def language_name(tag: str) -> str:
    """The English name of a language tag: `pt-BR` is `Portuguese (Brazil)`; an unknown tag is returned as it is.

    The names are CLDR's, through Babel. The first call in a process reads them from a file.
    """
    primary, *subtags = tag.split("-")
    name = _primary_language_name(primary.lower())
    if not name:
        return tag
    details = ", ".join(_subtag_name(subtag) for subtag in subtags)
    return f"{name} ({details})" if details else name


def time_ago(at: datetime | None, *, now: datetime) -> str:
    """The age of a time, such as `5 min ago`; `never` for None, `just now` for a time in the future."""
    if at is None:
        return "never"
    seconds = int((now - at).total_seconds())
    for unit, size in UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def runtime_text(minutes: int | None) -> str:
    """The runtime of a film in words: `1 h 34 min`, `2 h`, `12 min`; empty if it is not known."""
    hours, rest = divmod(minutes or 0, 60)
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{rest} min" if rest else "")))


def duration_text(hours: float) -> str:
    """A number of hours in words: `24 hours`, `1 hour`, `7 days`, `30 minutes`."""
    if hours >= 48 and hours % 24 == 0:
        return f"{hours / 24:g} days"
    if 0 < hours < 1:
        return f"{hours * 60:g} minutes"
    return "1 hour" if hours == 1 else f"{hours:g} hours"


def quote_value(value: object, *, max_length: int = MAX_QUOTED_LENGTH) -> str:
    """A value for an error message: quoted, ASCII on one line, at most `max_length` characters."""
    text = ascii(value)
    return text if len(text) <= max_length else f"{text[: max_length - 3]}..."


@cache
def _english() -> Locale:
    return Locale("en")


def _primary_language_name(code: str) -> str:
    """The name of a two- or three-letter code, also if CLDR lists it under another code; empty if unknown."""
    if code in OWN_LANGUAGE_NAMES:
        return OWN_LANGUAGE_NAMES[code]
    names: Mapping[str, str] = _english().languages
    return names.get(code) or names.get(get_global("language_aliases").get(code, ""), "")


def _subtag_name(subtag: str) -> str:
    """The name of a script, a region or an extended language; any other subtag is returned as it is."""
    if len(subtag) == 3 and subtag.isalpha():
        return _primary_language_name(subtag.lower()) or subtag
    scripts: Mapping[str, str] = _english().scripts
    regions: Mapping[str, str] = _english().territories
    return scripts.get(subtag.title()) or regions.get(subtag.upper(), subtag)
