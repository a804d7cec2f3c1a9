"""Reading what sources send: JSON of any spelling, values of any type, without trust. Pure."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

MAX_TEXT_LENGTH = 4000
IMDB_URN = re.compile(r"\b(?:urn:imdb:)(tt[0-9]{7,9})(?![0-9])")
IMDB_ADDRESS = re.compile(r"(?<![a-z0-9.-])(?:[a-z0-9-]{1,20}\.)?imdb\.com/(?:[a-z]{2}/)?title/(tt[0-9]{7,9})(?![0-9])")
IMDB_ID_PATTERN = re.compile(r"tt[0-9]{7,9}")
YEAR = re.compile(r"(?:1[89]|2[01])[0-9]{2}(?![0-9])")
MARKUP = re.compile(r"<[^<>]{0,2000}>")
UNSAFE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class UnreadableResponse(ValueError):
    """The answer is not what its source promises; the message says in what way."""


def decode_json(body: bytes) -> object:
    """The value of a JSON answer in any UTF, or in Latin-1 whatever it declares; Unreadable when it is no JSON.

    Of a key that comes twice the last counts; NaN and Infinity become None.
    """
    try:
        return json.loads(_decode_bytes(body), parse_constant=lambda _: None, strict=False)
    except RecursionError:
        raise UnreadableResponse("the answer is nested too deeply") from None
    except ValueError:
        beginning = body.lstrip()[:1]
        raise UnreadableResponse(
            "the answer is a page, not data" if beginning == b"<" else "the answer is cut off"
        ) from None


def as_mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_mappings(value: object, *, maximum: int = 10_000) -> Iterator[Mapping[str, Any]]:
    """The objects of a list, whatever else it holds; of an object its values; of anything else nothing."""
    members = value if isinstance(value, list) else list(value.values()) if isinstance(value, Mapping) else []
    for member in members[:maximum]:
        if isinstance(member, Mapping):
            yield member


def as_text(value: object, *, max_length: int = 400) -> str:
    """A text, or the first text of a list, as one line with HTML entities read once; empty for anything else."""
    first = next(iter(as_texts(value)), "")
    return " ".join(html.unescape(first[: max_length * 2]).split())[:max_length]


def as_texts(value: object) -> list[str]:
    """The texts of a value that may be one, a list of them, or nothing of the kind. Numbers count as texts."""
    members = value[:200] if isinstance(value, list) else [value]
    return [
        str(one) for one in members if isinstance(one, str | int | float) and not isinstance(one, bool) and one != ""
    ]


def as_url_texts(value: object) -> list[str]:
    """The texts of a value, without numbers: where an address should stand, 7 is none."""
    members = value[:200] if isinstance(value, list) else [value]
    return [one for one in members if isinstance(one, str) and one]


def html_to_text(value: object, *, max_length: int = MAX_TEXT_LENGTH) -> str:
    """HTML reduced to its text."""
    return as_text(MARKUP.sub("", next(iter(as_texts(value)), "")[: max_length * 4]), max_length=max_length)


def as_float(value: object) -> float | None:
    """A number, also written as text; None for anything else, NaN and infinities too."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def as_int(value: object) -> int | None:
    """A whole number between 0 and 10^15, also written as text; None for anything else."""
    read = as_float(value)
    return int(read) if read is not None and 0 <= read <= 10**15 else None


def parse_year(value: object) -> int | None:
    """The year at the beginning of a date in any spelling; None when there is none."""
    found = YEAR.match(as_text(value, max_length=40).lstrip("+"))
    return int(found[0]) if found else None


def find_imdb_id(value: object) -> str:
    """The one IMDb title id that a text is, or names as an address or URN; empty for none and for several."""
    words = " ".join(as_texts(value))[:20_000]
    if IMDB_ID_PATTERN.fullmatch(words):
        return words
    named = {*IMDB_URN.findall(words), *IMDB_ADDRESS.findall(words)}
    return named.pop() if len(named) == 1 else ""


def is_safe_url_part(name: str) -> bool:
    """Whether a name may become part of an address: no control character, no lone surrogate."""
    return bool(name) and UNSAFE.search(name) is None


def _decode_bytes(body: bytes) -> str:
    try:
        return body.decode(json.detect_encoding(body))
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")
