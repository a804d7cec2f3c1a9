"""How we ask. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scraper.net.url_policy import NO_PRIVATE_HOSTS, PrivateHostAllowlist
from streaming.health.sharding import Shard

MAX_STALLED_PER_HOST = 8


def no_delay(_host: str) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """How we ask. `stall`: after so many seconds a link of a host that answers others counts as hanging.

    `most_aside`: how many hanging requests a host may have beside its slots (0: strict). `pause_of`: the least seconds
    between two requests to a host by what its source publishes; above 0, others ask it too and each request wants its
    turn reserved. `share`: the hosts that are ours to ask; links that lead to others are handed on. None: all are.
    """

    user_agent: str
    per_host: int = 4
    concurrency: int = 1000
    timeout: float = 5.0
    delay: float = 0.0
    stall_seconds: float = 1.0
    max_stalled: int = MAX_STALLED_PER_HOST
    allowed: PrivateHostAllowlist = NO_PRIVATE_HOSTS
    ca_file: str = ""
    delay_for_host: Callable[[str], float] = no_delay
    shard: Shard | None = None
