"""A file of lines becomes rows of the catalogue, in batches through the one way in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from streaming.exchange.jsonl import BadLine, GoodLine
from streaming.ingest.save import SaveReport, save_links

MOVIES, LINKS = 200, 2000


@dataclass(slots=True)
class IntakeReport:
    """What became of a file."""

    good: int = 0
    bad: int = 0
    saved: SaveReport = field(default_factory=SaveReport)


def take_in(
    lines: Iterable[GoodLine | BadLine], *, bad: Callable[[BadLine], None], step: Callable[[int], None]
) -> IntakeReport:
    """Save the good lines, hand the bad ones to `bad` and the number of lines done to `step` after each batch."""
    report, waiting = IntakeReport(), list[GoodLine]()
    for line in lines:
        if isinstance(line, BadLine):
            report.bad += 1
            bad(line)
            continue
        report.good += 1
        waiting.append(line)
        if len(waiting) >= MOVIES or sum(len(one.links) for one in waiting) >= LINKS:
            _save(waiting, report)
            step(report.good + report.bad)
            waiting = []
    _save(waiting, report)
    return report


def _save(waiting: list[GoodLine], report: IntakeReport) -> None:
    if waiting:
        links = [link for line in waiting for link in line.links]
        report.saved.add(save_links(links, movies=[line.movie for line in waiting], is_vouched=True))
