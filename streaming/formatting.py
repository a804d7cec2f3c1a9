"""Text as people read it: harmless titles, names of languages, how long ago. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache

from babel import Locale
from babel.core import get_global

MAX_TITLE_LENGTH = 200
# Why a host is left alone: it said so itself, or the checker has given it up for now.
ASKED = "asked us to come back later"
FAILED_AT_ONCE = "most of its links failed at once"
# Control characters, and those that turn the direction of everything behind them.
HIDDEN_CHARACTERS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]+"
)
# Tags that stand for no single language, and the sign languages that PeerTube offers and CLDR leaves out.
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
    """A stranger's text for showing: without controls and direction marks, blanks joined, cut with an ellipsis."""
    plain = " ".join(HIDDEN_CHARACTERS.sub(" ", text[: 4 * max_length]).split())
    return plain if len(plain) <= max_length else plain[: max_length - 1].rstrip() + "…"


def episode_label(label: str, *, season: int | None, episode: int | None) -> str:
    """The label of a part of a show, `S1 E2 The Key`; one that says it already stays as it is."""
    numbers = " ".join(f"{letter}{number}" for letter, number in (("S", season), ("E", episode)) if number)
    return label if not numbers or f"{label} ".startswith(f"{numbers} ") else f"{numbers} {label}".strip()


@lru_cache(maxsize=MAX_CACHED_NAMES)
def language_name(tag: str) -> str:
    """The English name of a language tag: `pt-BR` is `Portuguese (Brazil)`; a language without a name stays as it is.

    The names come from CLDR by way of Babel. The first call in a process reads them from a file.
    """
    primary, *subtags = tag.split("-")
    name = _primary_language_name(primary.lower())
    if not name:
        return tag
    details = ", ".join(_subtag_name(subtag) for subtag in subtags)
    return f"{name} ({details})" if details else name


def time_ago(moment: datetime | None, *, now: datetime) -> str:
    """`5 min ago`; None is never, and a moment to come is `just now`."""
    if moment is None:
        return "never"
    seconds = int((now - moment).total_seconds())
    for unit, size in UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def duration_text(amount: float) -> str:
    """A span of hours in words: `24 hours`, `1 hour`, `7 days`, `30 minutes`."""
    if amount >= 48 and amount % 24 == 0:
        return f"{amount / 24:g} days"
    if 0 < amount < 1:
        return f"{amount * 60:g} minutes"
    return "1 hour" if amount == 1 else f"{amount:g} hours"


@cache
def _english() -> Locale:
    return Locale("en")


def _primary_language_name(code: str) -> str:
    """The name of a two- or three-letter code, also of one that CLDR knows under another code; empty when unknown."""
    if code in OWN_LANGUAGE_NAMES:
        return OWN_LANGUAGE_NAMES[code]
    names: Mapping[str, str] = _english().languages
    return names.get(code) or names.get(get_global("language_aliases").get(code, ""), "")


def _subtag_name(subtag: str) -> str:
    """The name of a script, a region or an extended language; any other subtag stays as it is."""
    if len(subtag) == 3 and subtag.isalpha():
        return _primary_language_name(subtag.lower()) or subtag
    scripts: Mapping[str, str] = _english().scripts
    regions: Mapping[str, str] = _english().territories
    return scripts.get(subtag.title()) or regions.get(subtag.upper(), subtag)
