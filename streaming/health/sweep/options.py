"""What a run is asked to do, and how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from django.conf import settings

from scraper.sources import request_delay
from streaming.health.judging.verdict import Verdict
from streaming.health.probing.config import MAX_STALLED_PER_HOST, ProbeConfig
from streaming.health.probing.open_files import max_connections
from streaming.health.selection import Selection


@dataclass(frozen=True, slots=True)
class CheckOptions:
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
    strict_per_host: bool = False
    force: bool = False
    is_distributed: bool = False
    shard_count: int | None = None

    def probe_config(self) -> ProbeConfig:
        return ProbeConfig(
            user_agent=settings.USER_AGENT,
            per_host=self.per_host,
            max_stalled=0 if self.strict_per_host else MAX_STALLED_PER_HOST,
            concurrency=max_connections(self.concurrency or settings.HEALTH_CONCURRENCY),
            timeout=self.timeout,
            stall_seconds=min(1.0, self.timeout / 2),
            delay=settings.HEALTH_HOST_DELAY_MS / 1000,
            allowed=settings.ALLOW_PRIVATE_HOSTS,
            shard=self.selection.shard,
            delay_for_host=partial(request_delay, delays=settings.SOURCE_DELAYS),
        )

    def to_plan(self) -> dict[str, Any]:
        """For workers on other machines: what JSON holds; `of_plan` reads it."""
        return asdict(self)


def options_from_plan(plan: dict[str, Any]) -> CheckOptions:
    return CheckOptions(**{**plan, "selection": Selection(**plan["selection"])})


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """How far a run is; `total` is what was due when it began."""

    done: int
    total: int
    alive: int
    failed: int

    @classmethod
    def of(cls, verdicts: Counter[str], total: int) -> CheckProgress:
        failed = verdicts[Verdict.GONE] + verdicts[Verdict.BLOCKED] + verdicts[Verdict.UNREACHABLE]
        return cls(verdicts.total(), max(total, verdicts.total()), verdicts[Verdict.ALIVE], failed)


ProgressCallback = Callable[[CheckProgress], None]
