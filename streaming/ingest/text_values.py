"""Text of others, made clean. Pure."""

from __future__ import annotations

import re
import unicodedata

from scraper.net.url_policy import InvalidValue
from streaming.formatting import quote_value

REMOVED_CHARACTERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\uf8ff"
    "\U000f0000-\U000ffffd\U00100000-\U0010fffd]"
)
"""Controls but line ends and tabs, direction controls, surrogates and private characters."""


def clean_text(text: str) -> str:
    """Normalize text to NFC and remove control characters, lone surrogates and direction controls."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", REMOVED_CHARACTERS.sub("", text))


def single_line(value: object, max_length: int) -> str:
    """Return clean text on one line, cut to a length; raise InvalidValue if the value is no text."""
    if not value and (value is None or value == ""):
        return ""
    return " ".join(text_of(value, max_length * 4).split())[:max_length].strip()


def text_of(value: object, max_length: int) -> str:
    """Return clean text, cut to a length; raise InvalidValue if the value is no text."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise InvalidValue("bad_text", f"{quote_value(value)} is not text")
    return clean_text(value)[:max_length].strip()
