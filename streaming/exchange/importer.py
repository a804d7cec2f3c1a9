"""Imports lines of a file in batches, validated like all other records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from streaming.exchange.jsonl import InvalidLine, ValidLine
from streaming.ingest.save import SaveReport, save_links
from streaming.models.change import number_all_changes

MAX_BATCH_MOVIES, MAX_BATCH_LINKS = 200, 2000


@dataclass(slots=True)
class ImportReport:
    """The result of an import: counts of lines, of refused links of valid lines, and of what was saved."""

    valid: int = 0
    invalid: int = 0
    refused_links: int = 0
    saved: SaveReport = field(default_factory=SaveReport)


def import_lines(
    lines: Iterable[ValidLine | InvalidLine],
    *,
    on_invalid: Callable[[InvalidLine | ValidLine], None],
    on_progress: Callable[[int], None],
) -> ImportReport:
    """Save the valid lines; pass the others, and those with refused links, to `on_invalid`.

    After each batch `on_progress` gets the number of lines read so far.
    """
    report, batch, links = ImportReport(), list[ValidLine](), 0
    for line in lines:
        if isinstance(line, InvalidLine):
            report.invalid += 1
            on_invalid(line)
            continue
        report.valid += 1
        if line.refused:
            report.refused_links += len(line.refused)
            on_invalid(line)
        batch.append(line)
        links += len(line.links)
        if len(batch) >= MAX_BATCH_MOVIES or links >= MAX_BATCH_LINKS:
            _save(batch, report)
            on_progress(report.valid + report.invalid)
            batch, links = [], 0
    _save(batch, report)
    number_all_changes()
    return report


def _save(batch: list[ValidLine], report: ImportReport) -> None:
    if batch:
        links = [link for line in batch for link in line.links]
        report.saved.add(save_links(links, movies=[line.movie for line in batch], is_operator=True))
