"""The report of a run, in numbers and in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streaming.formatting import counted
from streaming.health.judging.removal import MAX_REMOVAL_RATIO, MIN_REMOVALS
from streaming.health.judging.verdict import Verdict
from streaming.health.permanent_redirects import RedirectReport
from streaming.health.sweep.writer import WriteReport
from streaming.models import HealthRun
from streaming.models.reasons import reason_text

COUNTED_VERDICTS = ("alive", "gone", "blocked", "unreachable", "throttled", "not_checked")


@dataclass(slots=True)
class CheckReport:
    """What a run found and did. The counts are links, but `removed` and `waiting` count movies: those removed, and
    those that later runs will remove because no more may be removed within a day. `returned` names removed movies that
    are back.

    `withheld`: no failure counted, and `reason` says why; `is_braked`: only since they were too many. In an accepted
    run `reason` may name hosts that are down. `complete` False: the run was interrupted. `previous_hosts_down`: hosts
    that the accepted run before found down.
    `moved`: permanently redirected links that wait for --follow-moves; `redirects`: what that option did.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    died: int = 0
    revived: int = 0
    removed: int = 0
    waiting: int = 0
    withheld: bool = False
    is_braked: bool = False
    reason: str = ""
    seconds: float = 0.0
    hosts_down: list[str] = field(default_factory=list)
    previous_hosts_down: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    died_of: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    redirects: RedirectReport = field(default_factory=RedirectReport)
    complete: bool = True
    dry_run: bool = False

    def withhold(self, reason: str) -> None:
        """Record that no failure of the run counts."""
        self.withheld, self.reason = True, reason

    def interrupt(self, reason: str) -> None:
        """Record that the run ended before all its links were checked."""
        self.complete, self.reason = False, reason

    def add_written(self, written: WriteReport) -> None:
        """Take over how many links changed and why they died."""
        self.died, self.revived, self.died_of = written.died, written.revived, written.died_of

    @property
    def checked(self) -> int:
        """The number of links that got a verdict."""
        return count_checked(self.verdicts)

    @property
    def outcome(self) -> HealthRun.Outcome:
        """How the run ended; an error is not known here."""
        if self.withheld:
            return HealthRun.Outcome.WITHHELD
        return HealthRun.Outcome.COMPLETED if self.complete else HealthRun.Outcome.INTERRUPTED

    def counts(self) -> dict[str, int]:
        """Return the counts by the names of their columns in `HealthRun`."""
        changed = {"died": self.died, "revived": self.revived, "removed": self.removed}
        return {**verdict_counts(self.verdicts), **changed}

    def as_json(self) -> dict[str, int | bool | str | float]:
        """Return the values of `--format json`."""
        values: dict[str, bool | str | float] = {
            "withheld": self.withheld,
            "reason": self.reason,
            "seconds": round(self.seconds, 2),
        }
        return {**self.counts(), **values}

    def summary_lines(self) -> list[str]:
        """Return the summary as sentences for people."""
        would = "would have been " if self.dry_run else ""
        counts = ", ".join(f"{self.verdicts[name]} {name.replace('_', ' ')}" for name in COUNTED_VERDICTS)
        lines = [f"{counted(self.checked, 'link')} checked in {self.seconds:.1f} s: {counts}."]
        if self.withheld:
            lines.append(f"Withheld, no link is turned off and no movie removed: {self.reason}.")
            lines.extend(self._returned_lines())
        elif not self.complete:
            lines.append(f"Stopped early: {self.reason}.")
        else:
            lines.append(
                f"{counted(self.died, 'link')} {would}turned off, {self.revived} {would}revived, "
                f"{counted(self.removed, 'movie')} {would}removed."
            )
            if self.reason:
                lines.append(f"{self.reason[:1].upper()}{self.reason[1:]}.")
            lines.extend(self._since_last())
        return lines

    def _since_last(self) -> list[str]:
        """What changed since the last accepted run, beyond the counts."""
        lines = [_died_of_line(self.died_of)] if self.died_of else []
        if self.waiting:
            verb = "waits" if self.waiting == 1 else "wait"
            lines.append(
                f"{counted(self.waiting, 'more movie')} {verb} to be removed: at most {MAX_REMOVAL_RATIO:.0%} of the "
                f"catalogue or {MIN_REMOVALS} movies go within 24 hours; --force removes all of them."
            )
        lines.extend(self._returned_lines())
        back = sorted(set(self.previous_hosts_down) - set(self.hosts_down))
        if back:
            lines.append(f"Hosts that are back: {_first_few(back)}.")
        if self.redirects.followed or self.redirects.merged:
            lines.append(
                f"{counted(self.redirects.followed, 'link')} got a new address, {self.redirects.merged} turned off "
                "because their movie already has it."
            )
        if self.moved:
            verb = "is" if self.moved == 1 else "are"
            lines.append(
                f"{counted(self.moved, 'link')} {verb} permanently redirected; --follow-moves stores new addresses."
            )
        return lines

    def _returned_lines(self) -> list[str]:
        if not self.returned:
            return []
        verb = "would be back" if self.dry_run else "are back"
        return [f"{len(self.returned)} removed movies {verb}: {_first_few(self.returned)}."]


def count_checked(verdicts: Counter[str]) -> int:
    """Count the links that got a verdict other than not checked."""
    return verdicts.total() - verdicts[Verdict.NOT_CHECKED]


def verdict_counts(verdicts: Counter[str]) -> dict[str, int]:
    """Return the counts of links by the names of their columns in `HealthRun`."""
    return {"checked": count_checked(verdicts), **{name: verdicts[name] for name in COUNTED_VERDICTS}}


def _died_of_line(counts: Mapping[str, int]) -> str:
    """Name why links died, the most frequent reason first."""
    ordered = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return "Died: " + ", ".join(f"{reason_text(reason)} ({number})" for reason, number in ordered) + "."


def _first_few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
