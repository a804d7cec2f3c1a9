"""The options of a run and its progress."""

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
    """What a run checks, how, and what it may change.

    `limit` counts due links only, not the extra ones that tell a failing host from failing links; None: no limit.
    `timeout` is in seconds. `concurrency` None: as in the settings. `strict_per_host`: a request without a response
    counts towards `per_host` however long it takes. `is_distributed`: workers check the links in `shard_count` shards;
    None: one per worker.
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

    @property
    def is_partial(self) -> bool:
        """Whether the run leaves out links of the catalogue by choice; those that are not due are none of these."""
        return self.limit is not None or bool(self.selection.source or self.selection.movie)

    def probe_config(self) -> ProbeConfig:
        """Combine these options with the settings for the prober."""
        return ProbeConfig(
            user_agent=settings.USER_AGENT,
            per_host=self.per_host,
            max_stalled=0 if self.strict_per_host else MAX_STALLED_PER_HOST,
            concurrency=max_connections(self.concurrency or settings.HEALTH_CONCURRENCY),
            processes=settings.HEALTH_PROCESSES,
            timeout=self.timeout,
            stall_seconds=min(1.0, self.timeout / 2),
            delay=settings.HEALTH_HOST_DELAY_MS / 1000,
            accept_language=settings.HEALTH_ACCEPT_LANGUAGE,
            allowed=settings.ALLOW_PRIVATE_HOSTS,
            shard=self.selection.shard,
            delay_for_host=partial(request_delay, delays=settings.SOURCE_DELAYS),
        )

    def to_plan(self) -> dict[str, Any]:
        """Return the options as JSON values for workers on other machines; `options_from_plan` reads them."""
        return asdict(self)


def options_from_plan(plan: dict[str, Any]) -> CheckOptions:
    """Read the options that `CheckOptions.to_plan` returned."""
    return CheckOptions(**{**plan, "selection": Selection(**plan["selection"])})


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """Numbers of links: `total` was due at the start, `done` are through, some of them unchecked."""

    done: int
    total: int
    alive: int
    failed: int

    @classmethod
    def of(cls, verdicts: Counter[str], total: int) -> CheckProgress:
        """Count the progress from the verdicts so far; extra links raise the total."""
        failed = verdicts[Verdict.GONE] + verdicts[Verdict.BLOCKED] + verdicts[Verdict.UNREACHABLE]
        return cls(verdicts.total(), max(total, verdicts.total()), verdicts[Verdict.ALIVE], failed)


ProgressCallback = Callable[[CheckProgress], None]
