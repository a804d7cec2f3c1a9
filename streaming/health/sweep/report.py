"""What a run did, in numbers and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streaming.health.judging.verdict import Verdict
from streaming.health.permanent_redirects import RedirectReport
from streaming.models import HealthRun
from streaming.models.reasons import reason_text

COUNTED_VERDICTS = ("alive", "gone", "blocked", "unreachable", "throttled", "not_checked")


@dataclass(slots=True)
class CheckReport:
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
    previous_hosts_down: list[str] = field(default_factory=list)
    died_of: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    redirects: RedirectReport = field(default_factory=RedirectReport)
    complete: bool = True
    dry_run: bool = False

    @property
    def checked(self) -> int:
        """The links that were asked and judged."""
        return count_checked(self.verdicts)

    @property
    def outcome(self) -> HealthRun.Outcome:
        """How the run ended."""
        if self.withheld:
            return HealthRun.Outcome.WITHHELD
        return HealthRun.Outcome.COMPLETED if self.complete else HealthRun.Outcome.INTERRUPTED

    def counts(self) -> dict[str, int]:
        """The counts by the names of the columns of `HealthRun`."""
        turned = {"died": self.died, "revived": self.revived, "removed": self.removed}
        return {**verdict_counts(self.verdicts), **turned}

    def as_json(self) -> dict[str, int | bool | str | float]:
        values: dict[str, bool | str | float] = {
            "withheld": self.withheld,
            "reason": self.reason,
            "seconds": round(self.seconds, 2),
        }
        return {**self.counts(), **values}

    def summary_lines(self) -> list[str]:
        """The summary for people."""
        would = "would have been " if self.dry_run else ""
        counted = ", ".join(f"{self.verdicts[name]} {name.replace('_', ' ')}" for name in COUNTED_VERDICTS)
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
        lines = [_died_of_line(self.died_of)] if self.died_of else []
        back = sorted(set(self.previous_hosts_down) - set(self.hosts_down))
        if back:
            lines.append(f"Hosts that are back: {_first_few(back)}.")
        if self.redirects.followed or self.redirects.merged:
            lines.append(
                f"{self.redirects.followed} links got their new address, {self.redirects.merged} turned off because their "
                f"movie lists that address already."
            )
        if self.moved:
            lines.append(f"{self.moved} links have moved for good; --follow-moves writes their new addresses.")
        return lines


def count_checked(verdicts: Counter[str]) -> int:
    return verdicts.total() - verdicts[Verdict.NOT_CHECKED]


def verdict_counts(verdicts: Counter[str]) -> dict[str, int]:
    """The counts of links by the names of the columns of `HealthRun`."""
    return {"checked": count_checked(verdicts), **{name: verdicts[name] for name in COUNTED_VERDICTS}}


def _died_of_line(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return "Died: " + ", ".join(f"{reason_text(reason)} ({number})" for reason, number in ordered) + "."


def _first_few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
