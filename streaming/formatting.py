"""Display text: safe titles, names of languages, labels of episodes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
MAX_CACHED_NAMES = 4096
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def display_text(text: str, *, max_length: int = MAX_TITLE_LENGTH) -> str:
    """Make text from outside safe to show: no control or direction characters, single blanks, at most `max_length`
    characters, the last of them an ellipsis if it is cut."""
    plain = " ".join(HIDDEN_CHARACTERS.sub(" ", text[: 4 * max_length]).split())
    return plain if len(plain) <= max_length else plain[: max_length - 1].rstrip() + "…"


def episode_label(label: str, *, season: int | None, episode: int | None) -> str:
    """The label with season and episode before it, `S1 E2 The Key`, unless it begins with them already."""
    if not season and not episode:
        return label
    numbers = " ".join(f"{letter}{number}" for letter, number in (("S", season), ("E", episode)) if number)
    return label if f"{label} ".startswith(f"{numbers} ") else f"{numbers} {label}".strip()


@lru_cache(maxsize=MAX_CACHED_NAMES)
def language_name(tag: str, *, language: str = "en") -> str:
    """The name of a language tag: `pt-BR` is `Portuguese (Brazil)`; an unknown tag is returned as it is.

    `language`: that of the name. The names are CLDR's, through Babel, but for those of `OWN_LANGUAGE_NAMES`, which are
    English. The first call in a process reads them from a file.
    """
    primary, *subtags = tag.split("-")
    locale = _locale(language)
    name = _primary_language_name(primary.lower(), locale)
    if not name:
        return tag
    details = ", ".join(_subtag_name(subtag, locale) for subtag in subtags)
    return f"{name} ({details})" if details else name


def counted(number: int, noun: str, *, plural: str = "") -> str:
    """A number with its noun: `1 link`, `1,200 links`; `plural` is for nouns that take more than an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def quote_value(value: object, *, max_length: int = MAX_QUOTED_LENGTH) -> str:
    """A value for an error message: quoted, ASCII on one line, at most `max_length` characters.

    Parsers of JSON take values that are nested more deeply than Python can write, or nearly so: those are named only.
    """
    try:
        text = ascii(value)
    except RecursionError:
        return "a value that is nested too deeply"
    return text if len(text) <= max_length else f"{text[: max_length - 3]}..."


@cache
def _locale(language: str) -> Locale:
    return Locale(language)


def _primary_language_name(code: str, locale: Locale) -> str:
    """The name of a two- or three-letter code, also if CLDR lists it under another code; empty if unknown."""
    if code in OWN_LANGUAGE_NAMES:
        return OWN_LANGUAGE_NAMES[code]
    names: Mapping[str, str] = locale.languages
    return names.get(code) or names.get(get_global("language_aliases").get(code, ""), "")


def _subtag_name(subtag: str, locale: Locale) -> str:
    """The name of a script, a region or an extended language; any other subtag is returned as it is."""
    if len(subtag) == 3 and subtag.isalpha():
        return _primary_language_name(subtag.lower(), locale) or subtag
    scripts: Mapping[str, str] = locale.scripts
    regions: Mapping[str, str] = locale.territories
    return scripts.get(subtag.title()) or regions.get(subtag.upper(), subtag)
