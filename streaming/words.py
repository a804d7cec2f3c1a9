"""Text as people read it: harmless titles, names of languages, how long ago. Pure."""

from __future__ import annotations

import re
from datetime import datetime

LONGEST_TITLE = 200
# Why a host is left alone: it said so itself, or the checker has given it up for now.
ASKED = "asked us to come back later"
FAILED_AT_ONCE = "most of its links failed at once"
# Control characters, and those that turn the direction of everything behind them.
UNSHOWN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]+"
)
LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "hi": "Hindi",
    "hu": "Hungarian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "sv": "Swedish",
    "ta": "Tamil",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
    "mul": "Several languages",
    "und": "Language unknown",
    "zxx": "No dialogue",
}
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def shown(text: str, *, longest: int = LONGEST_TITLE) -> str:
    """A stranger's text for showing: without controls and direction marks, blanks joined, cut with an ellipsis."""
    plain = " ".join(UNSHOWN.sub(" ", text[: 4 * longest]).split())
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


def with_episode(label: str, *, season: int | None, episode: int | None) -> str:
    """The label of a part of a show, `S1 E2 The Key`; one that says it already stays as it is."""
    numbers = " ".join(f"{letter}{number}" for letter, number in (("S", season), ("E", episode)) if number)
    return label if not numbers or f"{label} ".startswith(f"{numbers} ") else f"{numbers} {label}".strip()


def language_name(tag: str) -> str:
    """`de-AT` as `German (AT)`; a tag that we have no name for stays as it is."""
    primary, _, rest = tag.partition("-")
    name = LANGUAGES.get(primary.lower(), "")
    if not name:
        return tag
    return f"{name} ({rest})" if rest else name


def ago(moment: datetime | None, *, now: datetime) -> str:
    """`5 min ago`; None is never, and a moment to come is `just now`."""
    if moment is None:
        return "never"
    seconds = int((now - moment).total_seconds())
    for unit, size in UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def hours(amount: float) -> str:
    """A span of hours in words: `24 hours`, `1 hour`, `7 days`, `30 minutes`."""
    if amount >= 48 and amount % 24 == 0:
        return f"{amount / 24:g} days"
    if 0 < amount < 1:
        return f"{amount * 60:g} minutes"
    return "1 hour" if amount == 1 else f"{amount:g} hours"
