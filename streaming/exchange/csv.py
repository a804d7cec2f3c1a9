"""The catalogue as CSV, one row per link. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

from streaming.exchange.entries import DESCRIPTIVE_FIELDS, LinkEntry, MovieEntry, format_datetime

LINK_COLUMNS = ("source", "source_url", *DESCRIPTIVE_FIELDS, "is_active", "last_checked")
CSV_COLUMNS = ("imdb_id", "title", "year", "type", *LINK_COLUMNS)
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
            yield _row((*movie, *_link_cells(link)))


def _link_cells(link: LinkEntry | None) -> tuple[str, ...]:
    if link is None:
        return ("",) * len(LINK_COLUMNS)
    checked = format_datetime(link.last_checked) if link.last_checked else ""
    descriptive = (str(getattr(link, name)) for name in DESCRIPTIVE_FIELDS)
    return (link.source, link.source_url, *descriptive, str(link.is_active).lower(), checked)


def _row(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_safe_cell(cell) for cell in cells])
    return line.getvalue()


def _safe_cell(cell: str) -> str:
    if cell.startswith(("https://", "http://")):  # Escaped, for an apostrophe would be another address.
        return FORMULA_AFTER_SEPARATOR.sub("%3B", cell)
    text = FORMULA_AFTER_SEPARATOR.sub(r"\1'", cell)
    return f"'{text}" if text.startswith(FORMULA_PREFIXES) else text
