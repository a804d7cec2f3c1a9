"""Imports lines of a file in batches, validated like all other records.

A process that is killed has saved the batches before. The same file again continues: what is known is only compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from streaming.exchange.jsonl import InvalidLine, ValidLine
from streaming.formatting import counted
from streaming.ingest.batch_limit import BatchLimit
from streaming.ingest.bulk_connection import analyze, bulk_connection
from streaming.ingest.records import LinkRecord, MovieRecord
from streaming.ingest.save import SaveReport, save_links
from streaming.models.change import number_all_changes

FIRST_BATCH_RECORDS, MIN_BATCH_RECORDS, MAX_BATCH_RECORDS = 500, 500, 10_000
"""Movies and links that one transaction saves."""
MIN_CHANGES_TO_ANALYZE = 1000


@dataclass(slots=True)
class ImportReport:
    """The result of an import: counts of lines, of refused links and facts of valid lines, and of what was saved."""

    valid: int = 0
    invalid: int = 0
    refused_links: int = 0
    refused_facts: int = 0
    saved: SaveReport = field(default_factory=SaveReport)

    @property
    def summary(self) -> str:
        """What was saved, as a sentence."""
        saved = self.saved
        refused = sum(saved.refused.values())
        rejected = f", {refused} taken down, without a movie or not free" if refused else ""
        restored = f", {counted(saved.movies_restored, 'movie')} restored" if saved.movies_restored else ""
        return (
            f"{counted(self.valid, 'line')} read: {counted(saved.movies_new, 'new movie')}{restored}, "
            f"{counted(saved.new, 'new link')}, {counted(saved.seen_again, 'known one')}{rejected}."
        )

    @property
    def skipped(self) -> str:
        """What was not, with its counts; empty if that is nothing."""
        counts = {
            "invalid line": self.invalid,
            "invalid link": self.refused_links,
            "invalid fact": self.refused_facts,
        }
        return " and ".join(counted(number, name) for name, number in counts.items() if number)


@dataclass(slots=True)
class _Batch:
    """What the next transaction saves."""

    movies: list[MovieRecord] = field(default_factory=list)
    links: list[LinkRecord] = field(default_factory=list)

    @property
    def records(self) -> int:
        return len(self.movies) + len(self.links)

    def add(self, line: ValidLine) -> None:
        self.movies.append(line.movie)
        self.links += line.links


def import_lines(
    lines: Iterable[ValidLine | InvalidLine],
    *,
    on_invalid: Callable[[InvalidLine | ValidLine], None],
    on_progress: Callable[[int], None],
) -> ImportReport:
    """Save the valid lines; pass the others, and those with refused links or facts, to `on_invalid`.

    After each batch `on_progress` gets the number of lines read so far.
    """
    report, batch = ImportReport(), _Batch()
    limit = BatchLimit(FIRST_BATCH_RECORDS, minimum=MIN_BATCH_RECORDS, maximum=MAX_BATCH_RECORDS)
    with bulk_connection():
        for line in _valid_lines(lines, report, on_invalid=on_invalid):
            batch.add(line)
            if batch.records >= limit.rows:
                _save(batch, report, limit)
                on_progress(report.valid + report.invalid)
                batch = _Batch()
        _save(batch, report, limit)
        _finish(report)
    return report


def check_lines(
    lines: Iterable[ValidLine | InvalidLine], *, on_invalid: Callable[[InvalidLine | ValidLine], None]
) -> ImportReport:
    """What `import_lines` would say of these lines, without saving any of them."""
    report = ImportReport()
    for _ in _valid_lines(lines, report, on_invalid=on_invalid):
        pass  # They are counted, and nothing else.
    return report


def _valid_lines(
    lines: Iterable[ValidLine | InvalidLine],
    report: ImportReport,
    *,
    on_invalid: Callable[[InvalidLine | ValidLine], None],
) -> Iterator[ValidLine]:
    """Yield the valid lines; count all of them in the report."""
    for line in lines:
        if isinstance(line, InvalidLine):
            report.invalid += 1
            on_invalid(line)
            continue
        report.valid += 1
        if line.refused:
            _count_refused(line, report)
            on_invalid(line)
        yield line


def _count_refused(line: ValidLine, report: ImportReport) -> None:
    facts = len(line.movie.refused) + sum(len(link.refused) for link in line.links)
    report.refused_facts += facts
    report.refused_links += len(line.refused) - facts


def _finish(report: ImportReport) -> None:
    number_all_changes()
    if report.saved.new + report.saved.movies_new >= MIN_CHANGES_TO_ANALYZE:
        analyze()


def _save(batch: _Batch, report: ImportReport, limit: BatchLimit) -> None:
    if batch.records:
        limit.let_others_write()
        saved = save_links(batch.links, movies=batch.movies, is_operator=True)
        report.saved.add(saved)
        limit.adapt(saved.locked_seconds)
