"""Read JSON from sources without trusting its encoding, shape or types. Pure."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from scraper.items import normalize_imdb_id

MAX_TEXT_LENGTH = 4000
IMDB_NAMED = re.compile(
    r"(?:^|(?<=[\s\"'<>()\[\],;]))(?:(?:urn:)?imdb:|(?:https?:)?(?://)?(?:[a-z0-9-]{1,20}\.)?imdb\.com/"
    r"(?:[a-z]{2}(?:-[a-z]{2})?/)?title/)(tt[0-9]{7,15})(?![0-9a-z])",
    re.IGNORECASE,
)
"""A URN or a URL of IMDb that begins here: an address of another site that contains one names something else."""
YEAR = re.compile(r"(?:1[89]|2[01])[0-9]{2}(?![0-9])")
MARKUP = re.compile(r"<[^<>]{0,2000}>")
INVISIBLE = str.maketrans("", "", "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
"""Letters without width, which come with what people copy from pages."""
ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
UNSAFE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class UnreadableResponse(ValueError):
    """A response is not what its source documents; the message says in what way."""


def decode_json(body: bytes) -> object:
    """Parse JSON in any UTF or else in Windows-1252, whatever it declares. Raises UnreadableResponse.

    The last of two equal keys counts; NaN and Infinity become None, lone surrogates question marks.
    """
    try:
        text = _decode_bytes(body)
        value = json.loads(text, parse_constant=lambda _: None, strict=False)
        return _without_surrogates(value) if ESCAPED_SURROGATE.search(text) else value
    except RecursionError:
        raise UnreadableResponse("the answer is nested too deeply") from None
    except ValueError:
        beginning = body.lstrip()[:1]
        raise UnreadableResponse(
            "the answer is a page, not data" if beginning == b"<" else "the answer is cut off"
        ) from None


def _without_surrogates(value: object) -> object:
    """Replace what is no character: neither a URL nor a database takes it."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return json.loads(text)


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_mappings(value: object, *, maximum: int = 10_000) -> Iterator[Mapping[str, Any]]:
    """Return the objects in a list or among the values of an object; none for anything else."""
    members = value if isinstance(value, list) else list(value.values()) if isinstance(value, Mapping) else []
    for member in members[:maximum]:
        if isinstance(member, Mapping):
            yield member


def as_objects(value: object, *, maximum: int = 10_000) -> list[Mapping[str, Any]]:
    """Return the objects of a list; a single object counts as a list of one."""
    members = [value] if isinstance(value, Mapping) else value if isinstance(value, list) else []
    return [member for member in members[:maximum] if isinstance(member, Mapping)]


def as_text(value: object, *, max_length: int = 400) -> str:
    """Return a text, or the first of a list, as one line with HTML entities decoded; empty for anything else."""
    first = next(iter(as_texts(value)), "")
    return " ".join(html.unescape(first[: max_length * 2]).split())[:max_length]


def as_texts(value: object) -> list[str]:
    """Return the texts of a value that may be one, a list of them or something else. Numbers count as texts."""
    members = value[:200] if isinstance(value, list) else [value]
    return [
        str(one) for one in members if isinstance(one, str | int | float) and not isinstance(one, bool) and one != ""
    ]


def as_url_texts(value: object) -> list[str]:
    """Return the texts of a value that should be URLs: like `as_texts`, but numbers do not count, and references do."""
    members = value[:200] if isinstance(value, list) else [value]
    stated = [one.get("@id") or one.get("@value") if isinstance(one, Mapping) else one for one in members]
    return [one for one in stated if isinstance(one, str) and one]


def as_date_text(value: object) -> str:
    """Return a date as text, also one that JSON-LD writes as an object with its type."""
    return as_text(value.get("@value") if isinstance(value, Mapping) else value)


def html_to_text(value: object, *, max_length: int = MAX_TEXT_LENGTH) -> str:
    """Return the text of HTML, without tags."""
    return as_text(MARKUP.sub("", next(iter(as_texts(value)), "")[: max_length * 4]), max_length=max_length)


def as_float(value: object) -> float | None:
    """Return a number, also if written as text; None for anything else, NaN and infinity."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def as_int(value: object) -> int | None:
    """Return an integer from 0 to 10^15, also if written as text; None for anything else."""
    read = as_float(value)
    return int(read) if read is not None and 0 <= read <= 10**15 else None


def parse_year(value: object) -> int | None:
    """Return the year at the start of a date in any format; None without one."""
    found = YEAR.match(as_text(value, max_length=40).lstrip("+"))
    return int(found[0]) if found else None


def find_imdb_id(value: object) -> str:
    """Return the one IMDb title id that a text is or names by URL or URN; empty for none and for several."""
    text = " ".join(as_texts(value))[:20_000].translate(INVISIBLE)
    if imdb_id := normalize_imdb_id(text.rstrip("/ ")):
        return imdb_id
    ids = {normalize_imdb_id(found) for found in IMDB_NAMED.findall(text)} - {""}
    return ids.pop() if len(ids) == 1 else ""


def is_safe_url_part(name: str) -> bool:
    """Return whether a name can be part of a URL: it has no control character and no lone surrogate."""
    return bool(name) and UNSAFE.search(name) is None


def _decode_bytes(body: bytes) -> str:
    try:
        return body.decode(json.detect_encoding(body))
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")
