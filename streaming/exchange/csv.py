"""The catalogue as CSV, one row per link. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

from scraper.items import LINK_FACTS, MOVIE_FACTS, Caption, Person
from streaming.exchange.entries import DESCRIPTIVE_FIELDS, LinkEntry, MovieEntry, format_datetime

MOVIE_COLUMNS = tuple(name for name in MOVIE_FACTS if name != "synopses")  # Like `synopsis`, too long for a cell.
LINK_COLUMNS = ("source", "source_url", *DESCRIPTIVE_FIELDS, "is_active", "last_checked", *LINK_FACTS)
CSV_COLUMNS = ("imdb_id", "title", "year", "type", *LINK_COLUMNS, *MOVIE_COLUMNS)
# Spreadsheets run cells that begin with these as formulas; an apostrophe before them makes the cell text.
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Many countries' spreadsheets begin a cell at each semicolon, inside quotes too, where the separator is not theirs.
FORMULA_AFTER_SEPARATOR = re.compile(r"([;\t\r\n]\"*)(?=[=+\-@＝＋－＠])")


def write_csv(entries: Iterable[MovieEntry]) -> Iterator[str]:
    """Write the lines; a movie without links has one row with empty cells for the link."""
    yield _row(CSV_COLUMNS)
    for entry in entries:
        movie = (entry.imdb_id, entry.title, str(entry.year or ""), entry.type)
        for link in entry.links or (None,):
            yield _row((*movie, *_link_cells(link), *_movie_facts(entry)))


def _link_cells(link: LinkEntry | None) -> tuple[str, ...]:
    if link is None:
        return ("",) * len(LINK_COLUMNS)
    checked = format_datetime(link.last_checked) if link.last_checked else ""
    facts = (_fact_cell(getattr(link, name)) for name in LINK_FACTS)
    descriptive = (str(getattr(link, name)) for name in DESCRIPTIVE_FIELDS)
    return (link.source, link.source_url, *descriptive, str(link.is_active).lower(), checked, *facts)


def _fact_cell(value: object) -> str:
    """A fact as text: entries separated by ` | `, people with their Wikidata id, captions with their language."""
    if isinstance(value, Person):
        return f"{value.name} ({value.wikidata})" if value.wikidata else value.name
    if isinstance(value, Caption):
        return f"{value.language or 'und'}: {value.url}"
    return " | ".join(map(_fact_cell, value)) if isinstance(value, tuple) else str(value or "")


def _movie_facts(entry: MovieEntry) -> tuple[str, ...]:
    titles = tuple(f"{language}: {title}" for language, title in entry.other_titles)
    return tuple(_fact_cell(titles if name == "other_titles" else getattr(entry, name)) for name in MOVIE_COLUMNS)


def _row(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_safe_cell(cell) for cell in cells])
    return line.getvalue()


def _safe_cell(cell: str) -> str:
    if cell.startswith(("https://", "http://")):  # Escaped, for an apostrophe would be another address.
        return FORMULA_AFTER_SEPARATOR.sub("%3B", cell)
    text = FORMULA_AFTER_SEPARATOR.sub(r"\1'", cell)
    return f"'{text}" if text.startswith(FORMULA_PREFIXES) else text
