"""What a run did, in numbers and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streaming.health.moves import Moves
from streaming.health.verdict import Verdict
from streaming.models import HealthRun
from streaming.models.reasons import in_words

COUNTED = ("alive", "gone", "blocked", "unreachable", "throttled", "not_checked")


@dataclass(slots=True)
class Report:
    """Counts are links, `removed` movies. `withheld`: nothing was believed, `reason` says why.

    `reason` may also tell of hosts that are down in a run that is believed. `complete` False: it was interrupted.
    `down_before`: hosts that the believed run before found down; `moved`: links that have moved for good and wait for
    --follow-moves, `moves`: what it did.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    died: int = 0
    revived: int = 0
    removed: int = 0
    withheld: bool = False
    reason: str = ""
    seconds: float = 0.0
    hosts_down: list[str] = field(default_factory=list)
    down_before: list[str] = field(default_factory=list)
    died_of: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    moves: Moves = field(default_factory=Moves)
    complete: bool = True
    dry_run: bool = False

    @property
    def checked(self) -> int:
        """The links that were asked and judged."""
        return checked_of(self.verdicts)

    @property
    def outcome(self) -> HealthRun.Outcome:
        """How the run ended."""
        if self.withheld:
            return HealthRun.Outcome.WITHHELD
        return HealthRun.Outcome.COMPLETED if self.complete else HealthRun.Outcome.INTERRUPTED

    def numbers(self) -> dict[str, int]:
        """The counts by the names of the columns of `HealthRun`."""
        turned = {"died": self.died, "revived": self.revived, "removed": self.removed}
        return {**numbers_of(self.verdicts), **turned}

    def as_json(self) -> dict[str, int | bool | str | float]:
        told: dict[str, bool | str | float] = {
            "withheld": self.withheld,
            "reason": self.reason,
            "seconds": round(self.seconds, 2),
        }
        return {**self.numbers(), **told}

    def sentences(self) -> list[str]:
        """The summary for people."""
        would = "would have been " if self.dry_run else ""
        counted = ", ".join(f"{self.verdicts[name]} {name.replace('_', ' ')}" for name in COUNTED)
        lines = [f"{self.checked} links checked in {self.seconds:.1f} s: {counted}."]
        if self.withheld:
            lines.append(f"Withheld, nothing is turned off and nothing removed: {self.reason}.")
        elif not self.complete:
            lines.append(f"Stopped early: {self.reason}.")
        else:
            lines.append(
                f"{self.died} links {would}turned off, {self.revived} {would}revived, "
                f"{self.removed} movies {would}removed."
            )
            if self.reason:
                lines.append(f"{self.reason[:1].upper()}{self.reason[1:]}.")
            lines.extend(self._since_last())
        return lines

    def _since_last(self) -> list[str]:
        """What is new since the last believed run, beside the bare counts."""
        told = [_died_of(self.died_of)] if self.died_of else []
        back = sorted(set(self.down_before) - set(self.hosts_down))
        if back:
            told.append(f"Hosts that are back: {_some(back)}.")
        if self.moves.followed or self.moves.folded:
            told.append(
                f"{self.moves.followed} links got their new address, {self.moves.folded} turned off because their "
                f"movie lists that address already."
            )
        if self.moved:
            told.append(f"{self.moved} links have moved for good; --follow-moves writes their new addresses.")
        return told


def checked_of(verdicts: Counter[str]) -> int:
    return verdicts.total() - verdicts[Verdict.NOT_CHECKED]


def numbers_of(verdicts: Counter[str]) -> dict[str, int]:
    """The counts of links by the names of the columns of `HealthRun`."""
    return {"checked": checked_of(verdicts), **{name: verdicts[name] for name in COUNTED}}


def _died_of(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return "Died: " + ", ".join(f"{in_words(reason)} ({number})" for reason, number in ordered) + "."


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def hosts_down_before() -> list[str]:
    """The hosts that the last believed run found down."""
    newest_first = HealthRun.objects.with_results().order_by("-started_at", "-pk")
    return newest_first.values_list("hosts_down", flat=True).first() or []


def latest_run() -> HealthRun | None:
    """The run that began last, finished or not."""
    return HealthRun.objects.order_by("-started_at", "-pk").first()
