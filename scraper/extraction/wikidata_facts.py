"""What Wikidata states of a film besides where it can be watched: its people, genres, titles and fame. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scraper.extraction.countries import parse_country
from scraper.extraction.durations import minutes_of
from scraper.extraction.genres import parse_genre
from scraper.extraction.json_values import UnreadableResponse, as_float, as_int, as_mapping, as_mappings, as_text
from scraper.extraction.languages import normalize_language_tag
from scraper.items import FilmItem, Person

DIRECTOR, ACTOR, GENRE, COUNTRY = "P57", "P161", "P136", "P495"
LANGUAGE, DURATION, ORIGINAL_TITLE, LABEL = "P364", "P2047", "P1476", "label"
FACT_PROPERTIES = (DIRECTOR, ACTOR, GENRE, COUNTRY, LANGUAGE, ORIGINAL_TITLE)
"""The properties whose values are read as they are; the duration is read in seconds."""
LABEL_LANGUAGES = (
    "ar", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hi", "hu", "it", "ja", "ko", "nb", "nl", "pl", "pt",
    "ro", "ru", "sv", "tr", "uk", "zh",
)  # fmt: skip
MAX_ROWS, MAX_CAST, MAX_LISTED = 1_000, 12, 10
ITEM_ID = re.compile(r"Q[1-9][0-9]{0,11}")
Row = Mapping[str, Mapping[str, Any]]


def parse_facts(answer: object, *, imdb_id: str) -> FilmItem | None:
    """Parse the result of `facts_query`; None if it states nothing. Raises UnreadableResponse."""
    bindings = as_mapping(as_mapping(answer).get("results")).get("bindings")
    if not isinstance(bindings, list):
        raise UnreadableResponse("the query has no result table")
    stated: dict[str, list[Row]] = {}
    for row in as_mappings(bindings, maximum=MAX_ROWS):
        cells = {name: as_mapping(cell) for name, cell in row.items()}
        stated.setdefault(_text(cells, "prop").rsplit("/", 1)[-1], []).append(cells)
    if not stated.keys() & {*FACT_PROPERTIES, DURATION, LABEL}:
        return None
    titles = stated.get(ORIGINAL_TITLE, [])
    return FilmItem(
        imdb_id=imdb_id,
        runtime_minutes=_runtime(stated.get(DURATION, [])),
        original_title=_text(titles[0], "value") if titles else "",
        original_languages=_unique(normalize_language_tag(_text(row, "language")) for row in stated.get(LANGUAGE, [])),
        countries=_unique(parse_country(_text(row, "country")) for row in stated.get(COUNTRY, [])),
        genres=_unique(parse_genre(_text(row, "valueLabel")) for row in stated.get(GENRE, [])),
        directors=tuple(_people(stated.get(DIRECTOR, [])))[:MAX_LISTED],
        cast=tuple(_people(stated.get(ACTOR, [])))[:MAX_CAST],
        other_titles=tuple(_titles(stated.get(LABEL, []))),
        fame=max((as_int(_text(row, "links")) or 0 for rows in stated.values() for row in rows), default=0) or None,
    )


def _text(row: Row, name: str) -> str:
    return as_text(row.get(name, {}).get("value"), max_length=1000)


def _runtime(rows: Iterable[Row]) -> int | None:
    """The first duration that is one; Wikidata has them in seconds, whatever the unit was."""
    minutes = (minutes_of(round(seconds)) for row in rows if (seconds := as_float(_text(row, "value"))))
    return next((one for one in minutes if one), None)


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))[:MAX_LISTED]


def _people(rows: Iterable[Row]) -> Iterator[Person]:
    """The people that have a name; without one the label is the id of the item."""
    seen = set[str]()
    for row in rows:
        item, name = _text(row, "value").rsplit("/", 1)[-1], _text(row, "valueLabel")
        if ITEM_ID.fullmatch(item) and name and not ITEM_ID.fullmatch(name) and item not in seen:
            seen.add(item)
            yield Person(name, item)


def _titles(rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        tag = as_text(row.get("value", {}).get("xml:lang"))
        if tag in LABEL_LANGUAGES and (title := _text(row, "value")):
            yield tag, title
