"""The catalogue as JSON, a movie a line: written, and read without trusting it. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from scraper.addresses import NOTHING_PRIVATE, Allowed, Refused
from streaming.exchange.entries import LinkEntry, MovieEntry, moment
from streaming.ingest.records import LinkRecord, MovieRecord, link_record, movie_record

LONGEST_LINE = 1024 * 1024
MOST_LINKS = 1000
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class GoodLine:
    """A line that can be saved."""

    number: int
    movie: MovieRecord
    links: tuple[LinkRecord, ...]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot, and why, in a sentence without anything unprintable."""

    number: int
    reason: str


def write(entries: Iterable[MovieEntry]) -> Iterator[str]:
    for entry in entries:
        yield json.dumps(_movie(entry), ensure_ascii=False, separators=(",", ":")) + "\n"


def lines(readline: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers from 1; of a line that is too long only its beginning, never all of it."""
    number = 0
    while line := readline(LONGEST_LINE + 2):
        number += 1
        yield number, line
        while len(line) == LONGEST_LINE + 2 and not line.endswith(b"\n"):
            line = readline(LONGEST_LINE + 2)


def read(numbered: Iterable[tuple[int, bytes]], *, allowed: Allowed = NOTHING_PRIVATE) -> Iterator[GoodLine | BadLine]:
    """Every line that is not blank, judged by itself."""
    for number, line in numbered:
        if number == 1:
            line = line.removeprefix(BOM)
        if line.strip():
            yield _judge(number, line, allowed=allowed)


def _movie(entry: MovieEntry) -> dict[str, Any]:
    return {
        "imdb_id": entry.imdb_id,
        "title": entry.title,
        "year": entry.year,
        "type": entry.type,
        "poster_url": entry.poster_url,
        "synopsis": entry.synopsis,
        "links": [_link(link) for link in entry.links],
    }


def _link(link: LinkEntry) -> dict[str, Any]:
    return {
        "source": link.source,
        "source_url": link.source_url,
        "kind": link.kind,
        "label": link.label,
        "quality": link.quality,
        "language": link.language,
        "licence": link.licence,
        "licence_url": link.licence_url,
        "is_active": link.is_active,
        "last_checked": moment(link.last_checked) if link.last_checked else None,
    }


def _judge(number: int, line: bytes, *, allowed: Allowed) -> GoodLine | BadLine:
    try:
        raw = _object(line)
        return GoodLine(number, _described(raw), _links(raw, allowed=allowed))
    except Refused as refusal:
        return BadLine(number, str(refusal))


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE + 1:
        raise Refused("long_line", f"the line is longer than {LONGEST_LINE} bytes")
    try:
        raw = json.loads(line.decode(), object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
    except Refused:
        raise  # it is a ValueError too
    except UnicodeDecodeError as error:
        raise Refused("bad_encoding", f"byte {error.start + 1} is not UTF-8") from None
    except RecursionError:
        raise Refused("too_deep", "the JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Refused("bad_json", f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError:
        raise Refused("bad_number", "a number has thousands of digits") from None
    if not isinstance(raw, dict):
        raise Refused("not_an_object", "not a JSON object")
    return raw


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Refused("key_twice", f"the key {ascii(twice)[:60]} stands twice")
    return found


def _no_constant(name: str) -> float:
    raise Refused("bad_number", f"{name} is not a JSON number")


def _described(raw: dict[str, Any]) -> MovieRecord:
    movie = movie_record(raw)
    if not movie.title:
        raise Refused("no_title", "title is missing")
    return movie


def _links(raw: dict[str, Any], *, allowed: Allowed) -> tuple[LinkRecord, ...]:
    listed = raw.get("links")
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise Refused("bad_links", "links is not a list")
    if len(listed) > MOST_LINKS:
        raise Refused("bad_links", f"more than {MOST_LINKS} links")
    return tuple(_record(raw, place, link, allowed=allowed) for place, link in enumerate(listed, start=1))


def _record(raw: dict[str, Any], place: int, link: object, *, allowed: Allowed) -> LinkRecord:
    if not isinstance(link, dict):
        raise Refused("bad_links", f"link {place}: not a JSON object")
    try:
        return link_record({**link, "imdb_id": raw.get("imdb_id")}, allowed=allowed)
    except Refused as refusal:
        raise Refused(refusal.code, f"link {place}: {refusal}") from None
