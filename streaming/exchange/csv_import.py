"""Reads movies with their links from CSV: what `export_catalogue --format csv` writes, one row per link. Pure.

Other tables are read too if they have the columns `imdb_id` and `source_url`; columns that we do not know are ignored.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from scraper.items import LINK_FACTS, MOVIE_FACTS
from scraper.net.url_policy import NO_PRIVATE_HOSTS, PrivateHostAllowlist
from streaming.exchange.csv import CSV_COLUMNS, FORMULA_PREFIXES, LINK_COLUMNS
from streaming.exchange.film_lists import SEPARATORS
from streaming.exchange.jsonl import InvalidLine, ValidLine, parse_object

DEFAULT_SOURCE = "import"
NO_COLUMNS = "there is no column imdb_id"
NUMBERS = {"year", "season", "episode", "runtime_minutes", "fame", *LINK_FACTS} - {"captions"}
LISTS = {"original_languages", "countries", "genres"}
PEOPLE = {"directors", "cast"}
FLAGS = {"true": True, "false": False, "": None}


def parse_csv(
    text: str, *, source: str = DEFAULT_SOURCE, allowed: PrivateHostAllowlist = NO_PRIVATE_HOSTS
) -> Iterator[ValidLine | InvalidLine]:
    """Parse the rows; those of one movie that follow each other are one line, numbered by the first of them.

    `source` is the source of links whose row states none.
    """
    heading, _, _ = text.partition("\n")
    separator = max(SEPARATORS, key=heading.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    columns = [cell.strip().lower() for cell in next(rows, [])]
    if "imdb_id" not in columns:
        yield InvalidLine(1, NO_COLUMNS)
        return
    try:
        yield from _parse_rows(rows, columns, source=source, allowed=allowed)
    except csv.Error as error:
        yield InvalidLine(rows.line_num, f"not CSV: {error}")


def _parse_rows(
    rows: Iterable[list[str]], columns: list[str], *, source: str, allowed: PrivateHostAllowlist
) -> Iterator[ValidLine | InvalidLine]:
    numbered = (
        (number, dict(zip(columns, map(_plain_cell, cells), strict=False)))
        for number, cells in enumerate(rows, start=2)
        if any(cells)
    )
    for _, group in groupby(numbered, key=lambda row: row[1].get("imdb_id", "")):
        same = list(group)
        number, first = same[0]
        links = [_link(cells, source) for _, cells in same if cells.get("source_url")]
        yield parse_object(number, {**_movie(first), "links": links}, allowed=allowed)


def _plain_cell(cell: str) -> str:
    """The text of a cell without the apostrophe that keeps spreadsheets from running it."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA_PREFIXES) else cell


def _movie(cells: dict[str, str]) -> dict[str, Any]:
    known = [column for column in CSV_COLUMNS if column not in LINK_COLUMNS or column in MOVIE_FACTS]
    stated = {column: _value(column, text) for column in known if (text := cells.get(column, ""))}
    return {"title": "", **stated}


def _link(cells: dict[str, str], source: str) -> dict[str, Any]:
    stated = {column: _value(column, text) for column in LINK_COLUMNS if (text := cells.get(column, ""))}
    return {"source": source, **stated}


def _value(column: str, text: str) -> Any:
    """What a cell says, as JSON has it; a text that is no number stays as it is and is refused later."""
    if column in NUMBERS:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
    if column == "is_active":
        return FLAGS.get(text.lower(), text)
    return _list(column, text.split(" | ")) if column in LISTS | PEOPLE | {"captions", "other_titles"} else text


def _list(column: str, entries: list[str]) -> Any:
    if column in PEOPLE:
        return [_person(entry) for entry in entries]
    if column == "captions":
        return [_caption(entry) for entry in entries]
    return [entry.split(": ", 1) for entry in entries] if column == "other_titles" else entries


def _person(entry: str) -> dict[str, str]:
    name, _, rest = entry.rpartition(" (Q")
    is_known = bool(name) and rest.endswith(")") and rest[:-1].isdigit()
    return {"name": name, "wikidata": f"Q{rest[:-1]}"} if is_known else {"name": entry}


def _caption(entry: str) -> dict[str, str]:
    language, _, url = entry.partition(": ")
    stated = {"language": language} if language != "und" else {}
    return {"url": url, "format": "srt" if url.lower().endswith(".srt") else "vtt", **stated}
