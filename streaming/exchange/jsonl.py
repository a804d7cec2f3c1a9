"""The catalogue as JSON lines, one movie per line: writing, and strict reading of untrusted files. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import orjson

from scraper.items import LINK_FACTS, MOVIE_FACTS
from scraper.net.url_policy import NO_PRIVATE_HOSTS, InvalidValue, PrivateHostAllowlist
from streaming.exchange.entries import DESCRIPTIVE_FIELDS, LinkEntry, MovieEntry, stated_facts
from streaming.formatting import quote_value
from streaming.ingest.records import LinkRecord, MovieRecord, parse_link, parse_movie

MAX_LINE_BYTES = 1024 * 1024
MAX_LINKS_PER_LINE = 1000
BOM = b"\xef\xbb\xbf"
OTHER_BLANKS = (b"\t", b"\r", b"\n")
"""A text has none of them as they are."""

LINK_KEYS = ("source", "source_url", *DESCRIPTIVE_FIELDS, "is_active", "last_checked")
LINK_VALUES = attrgetter(*LINK_KEYS)


@dataclass(frozen=True, slots=True)
class ValidLine:
    """A line that can be imported. `refused` has a sentence for each of its links, and of its facts, that cannot."""

    number: int
    movie: MovieRecord
    links: tuple[LinkRecord, ...]
    refused: tuple[str, ...] = ()


ESCAPED_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
"""What JSON permits as it is, but many readers take for the end of a line."""


@dataclass(frozen=True, slots=True)
class InvalidLine:
    """A line that cannot be imported; `reason` is printable text for display."""

    number: int
    reason: str


def write_jsonl(entries: Iterable[MovieEntry]) -> Iterator[str]:
    """Write one line per movie."""
    for entry in entries:
        line = orjson.dumps(_movie_object(entry), option=orjson.OPT_UTC_Z).decode()
        yield (line if line.isascii() else line.translate(ESCAPED_LINE_ENDS)) + "\n"


def numbered_lines(readline: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their numbers from 1; only the first MAX_LINE_BYTES + 2 bytes of a longer line."""
    number = 0
    while line := readline(MAX_LINE_BYTES + 2):
        number += 1
        yield number, line
        while len(line) == MAX_LINE_BYTES + 2 and not line.endswith(b"\n"):
            line = readline(MAX_LINE_BYTES + 2)


def parse_lines(
    numbered: Iterable[tuple[int, bytes]], *, source: str = "", allowed: PrivateHostAllowlist = NO_PRIVATE_HOSTS
) -> Iterator[ValidLine | InvalidLine]:
    """Parse each line that is not blank; an invalid one does not affect the others, nor a link the rest of its line.

    `source` is that of links which state none; empty: they are invalid. `allowed` are the private hosts that links may
    have.
    """
    for number, line in numbered:
        if number == 1:
            line = line.removeprefix(BOM)
        if line.strip():
            yield _parse_line(number, line, source=source, allowed=allowed)


def _movie_object(entry: MovieEntry) -> dict[str, Any]:
    return {
        "imdb_id": entry.imdb_id,
        "title": entry.title,
        "year": entry.year,
        "type": entry.type,
        "poster_url": entry.poster_url,
        "synopsis": entry.synopsis,
        **stated_facts(entry, MOVIE_FACTS),
        "links": [_link_object(link) for link in entry.links],
    }


def _link_object(link: LinkEntry) -> dict[str, Any]:
    return dict(zip(LINK_KEYS, LINK_VALUES(link), strict=True)) | stated_facts(link, LINK_FACTS)


def _parse_line(number: int, line: bytes, *, source: str, allowed: PrivateHostAllowlist) -> ValidLine | InvalidLine:
    try:
        raw = _parse_object(line)
    except InvalidValue as error:
        return InvalidLine(number, str(error))
    if source:
        _add_source(raw.get("links"), source)
    return parse_object(number, raw, allowed=allowed)


def _add_source(links: object, source: str) -> None:
    """Name the source of each link that states none."""
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("source") in (None, ""):
            link["source"] = source


def parse_object(number: int, raw: dict[str, Any], *, allowed: PrivateHostAllowlist) -> ValidLine | InvalidLine:
    """Validate the object of a line, in whatever format it was written."""
    try:
        movie = _movie_record(raw)
        links = _link_records(raw, movie.imdb_id, allowed=allowed)
        accepted = tuple(link for link in links if isinstance(link, LinkRecord))
        return ValidLine(number, movie, accepted, tuple(_refusals(movie, links)))
    except InvalidValue as error:
        return InvalidLine(number, str(error))


def _refusals(movie: MovieRecord, links: tuple[LinkRecord | str, ...]) -> Iterator[str]:
    """A sentence for each fact and link that is left out."""
    yield from map(str, movie.refused)
    for number, link in enumerate(links, start=1):
        if isinstance(link, str):
            yield link
        else:
            yield from (f"link {number}: {error}" for error in link.refused)


def _parse_object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES + 1:
        raise InvalidValue("long_line", f"the line is longer than {MAX_LINE_BYTES} bytes")
    return _parse_common(line) or _parse_any(line)


def _parse_common(line: bytes) -> dict[str, Any] | None:
    """Return what most lines are: an object of values and links in which no key occurs twice; None for any other.

    Fast, but orjson keeps the last of equal keys. Each key is followed by `":` in the line unless a blank is between,
    so if there are as many of these as keys, there were no more keys.
    """
    body = line.rstrip()
    if b" :" in body or any(blank in body for blank in OTHER_BLANKS):
        return None
    try:
        raw = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    links = raw.get("links") if isinstance(raw, dict) else None
    # A text or a list among the links has a length too, but no keys.
    if not isinstance(links, list) or not {dict}.issuperset(map(type, links)):
        return None
    return raw if line.count(b'":') == len(raw) + sum(map(len, links)) else None


def _parse_any(line: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(line.decode(), object_pairs_hook=_reject_duplicate_keys, parse_constant=_reject_constant)
    except InvalidValue:
        raise  # a ValueError too, which is caught below
    except UnicodeDecodeError as error:
        raise InvalidValue("bad_encoding", f"byte {error.start + 1} is not UTF-8") from None
    except RecursionError:
        raise InvalidValue("too_deep", "the JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise InvalidValue("bad_json", f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError:
        raise InvalidValue("bad_number", "a number has thousands of digits") from None
    if not isinstance(raw, dict):
        raise InvalidValue("not_an_object", "not a JSON object")
    return raw


def _reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        duplicate = next(key for key in keys if keys.count(key) > 1)
        raise InvalidValue("key_twice", f"the key {quote_value(duplicate)} occurs twice")
    return found


def _reject_constant(name: str) -> float:
    raise InvalidValue("bad_number", f"{name} is not a JSON number")


def _movie_record(raw: dict[str, Any]) -> MovieRecord:
    movie = parse_movie(raw)
    if not movie.title:
        raise InvalidValue("no_title", "title is missing")
    return movie


def _link_records(raw: dict[str, Any], imdb_id: str, *, allowed: PrivateHostAllowlist) -> tuple[LinkRecord | str, ...]:
    """Return the record of each link of a line, or the sentence that says why it is refused."""
    listed = raw.get("links")
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise InvalidValue("bad_links", "links is not a list")
    if len(listed) > MAX_LINKS_PER_LINE:
        raise InvalidValue("bad_links", f"more than {MAX_LINKS_PER_LINE} links")
    return tuple(_link_record(imdb_id, number, link, allowed=allowed) for number, link in enumerate(listed, start=1))


def _link_record(imdb_id: str, number: int, link: object, *, allowed: PrivateHostAllowlist) -> LinkRecord | str:
    if not isinstance(link, dict):
        return f"link {number}: not a JSON object"
    try:
        return parse_link(link, imdb_id=imdb_id, allowed=allowed)
    except InvalidValue as error:
        return f"link {number}: {error}"
