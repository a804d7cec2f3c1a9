"""A file of lines becomes rows of the catalogue, in batches through the one way in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from streaming.exchange.jsonl import InvalidLine, ValidLine
from streaming.ingest.save import SaveReport, save_links

MAX_BATCH_MOVIES, MAX_BATCH_LINKS = 200, 2000


@dataclass(slots=True)
class ImportReport:
    """What became of a file."""

    valid: int = 0
    invalid: int = 0
    saved: SaveReport = field(default_factory=SaveReport)


def import_lines(
    lines: Iterable[ValidLine | InvalidLine],
    *,
    on_invalid: Callable[[InvalidLine], None],
    on_progress: Callable[[int], None],
) -> ImportReport:
    """Save the good lines, hand the bad ones to `bad` and the number of lines done to `step` after each batch."""
    report, waiting = ImportReport(), list[ValidLine]()
    for line in lines:
        if isinstance(line, InvalidLine):
            report.invalid += 1
            on_invalid(line)
            continue
        report.valid += 1
        waiting.append(line)
        if len(waiting) >= MAX_BATCH_MOVIES or sum(len(one.links) for one in waiting) >= MAX_BATCH_LINKS:
            _save(waiting, report)
            on_progress(report.valid + report.invalid)
            waiting = []
    _save(waiting, report)
    return report


def _save(waiting: list[ValidLine], report: ImportReport) -> None:
    if waiting:
        links = [link for line in waiting for link in line.links]
        report.saved.add(save_links(links, movies=[line.movie for line in waiting], is_operator=True))
