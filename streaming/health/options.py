"""What a run is asked to do, and how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from django.conf import settings

from scraper.sources import pause_at
from streaming.health.due import Selection
from streaming.health.machine import room_for
from streaming.health.manners import MOST_ASIDE, Manners
from streaming.health.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked to do; None: as in the settings. `limit` counts links that are asked because they are due.

    `strict`: a request that a host leaves hanging keeps its place among the `per_host`; none is put aside.
    `shared`: the links are shared out over the workers, in `parts`; None: as many as workers come.
    """

    selection: Selection = field(default_factory=Selection)
    limit: int | None = None
    timeout: float = 5.0
    concurrency: int | None = None
    per_host: int = 4
    max_runtime_minutes: float | None = None
    dry_run: bool = False
    prune: bool = True
    follow_moves: bool = False
    strict: bool = False
    force: bool = False
    shared: bool = False
    parts: int | None = None

    def manners(self) -> Manners:
        return Manners(
            user_agent=settings.USER_AGENT,
            per_host=self.per_host,
            most_aside=0 if self.strict else MOST_ASIDE,
            concurrency=room_for(self.concurrency or settings.HEALTH_CONCURRENCY),
            timeout=self.timeout,
            stall=min(1.0, self.timeout / 2),
            delay=settings.HEALTH_HOST_DELAY_MS / 1000,
            allowed=settings.ALLOW_PRIVATE_HOSTS,
            share=self.selection.share,
            pause_of=partial(pause_at, delays=settings.SOURCE_DELAYS),
        )

    def as_plan(self) -> dict[str, Any]:
        """For workers on other machines: what JSON holds; `of_plan` reads it."""
        return asdict(self)


def of_plan(plan: dict[str, Any]) -> Options:
    return Options(**{**plan, "selection": Selection(**plan["selection"])})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `total` is what was due when it began."""

    done: int
    total: int
    alive: int
    failed: int

    @classmethod
    def of(cls, verdicts: Counter[str], total: int) -> Progress:
        failed = verdicts[Verdict.GONE] + verdicts[Verdict.BLOCKED] + verdicts[Verdict.UNREACHABLE]
        return cls(verdicts.total(), max(total, verdicts.total()), verdicts[Verdict.ALIVE], failed)


Told = Callable[[Progress], None]
