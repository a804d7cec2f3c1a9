"""What a run did, in numbers and in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from streaming.health.verdict import Verdict
from streaming.models import HealthRun

COUNTED = ("alive", "gone", "blocked", "unreachable", "throttled", "not_checked")


@dataclass(slots=True)
class Report:
    """Counts are links, `removed` movies. `withheld`: nothing was believed, `reason` says why.

    `reason` may also tell of hosts that are down in a run that is believed. `complete` False: it was interrupted.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    died: int = 0
    revived: int = 0
    removed: int = 0
    withheld: bool = False
    reason: str = ""
    seconds: float = 0.0
    hosts_down: list[str] = field(default_factory=list)
    complete: bool = True
    dry_run: bool = False

    @property
    def checked(self) -> int:
        """The links that were asked and judged."""
        return sum(self.verdicts.values()) - self.verdicts[Verdict.NOT_CHECKED]

    def numbers(self) -> dict[str, int]:
        """The counts by the names of the columns of `HealthRun`."""
        counted = {name: self.verdicts[name] for name in COUNTED}
        return {"checked": self.checked, **counted, "died": self.died, "revived": self.revived, "removed": self.removed}

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
        return lines


def latest_run() -> HealthRun | None:
    """The run that began last, finished or not."""
    return HealthRun.objects.order_by("-started_at", "-pk").first()
