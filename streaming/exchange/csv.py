"""The catalogue as a spreadsheet, a row a link. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from streaming.exchange.entries import LinkEntry, MovieEntry, format_datetime

CSV_COLUMNS = (
    "imdb_id", "title", "year", "type", "source", "source_url", "kind", "label", "quality", "language", "licence",
    "licence_url", "is_active", "last_checked",
)  # fmt: skip
# A cell that begins so is run as a formula by spreadsheets; an apostrophe in front makes it text.
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_csv(entries: Iterable[MovieEntry]) -> Iterator[str]:
    """A movie without links has one row with the link's cells empty."""
    yield _row(CSV_COLUMNS)
    for entry in entries:
        described = (entry.imdb_id, entry.title, str(entry.year or ""), entry.type)
        for link in entry.links or (None,):
            yield _row((*described, *_cells(link)))


def _cells(link: LinkEntry | None) -> tuple[str, ...]:
    if link is None:
        return ("",) * (len(CSV_COLUMNS) - 4)
    checked = format_datetime(link.last_checked) if link.last_checked else ""
    described = (link.label, link.quality, link.language, link.licence, link.licence_url)
    return (link.source, link.source_url, link.kind, *described, str(link.is_active).lower(), checked)


def _row(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if cell.startswith(FORMULA_PREFIXES) else cell for cell in cells])
    return line.getvalue()
