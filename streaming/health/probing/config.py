"""Settings of a prober: how many requests, how long, how politely. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scraper.net.url_policy import NO_PRIVATE_HOSTS, PrivateHostAllowlist
from streaming.health.sharding import Shard

MAX_STALLED_PER_HOST = 8
DEFAULT_ACCEPT_LANGUAGE = "en,*;q=0.5"


def no_delay(_host: str) -> float:
    """Return the delay of a host that nobody else sends requests to: none."""
    return 0.0


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """How requests are sent; times are in seconds.

    `per_host`, `concurrency`: requests at the same time, to one host and to all. `timeout`: of one request, in total.
    `processes`: so many divide the hosts and connections of many links among themselves.
    `delay`: minimum between two requests to a host by this process. `stall_seconds`: without a response for so long,
    a request to a responsive host counts as stalled; a host may have `max_stalled` of these beside its slots (0: none).
    `accept_language`: the header that a browser would send with a page's request.
    `allowed`: private hosts that may be reached. `ca_file`: trusted authorities; empty: the system's.
    `delay_for_host`: minimum between two requests to a host by all processes, as published by its source; above 0 each
    request needs a reserved slot. `shard`: the hosts of this worker; links that redirect to others are forwarded.
    None: all hosts.
    """

    user_agent: str
    per_host: int = 4
    concurrency: int = 1000
    processes: int = 1
    timeout: float = 5.0
    delay: float = 0.0
    stall_seconds: float = 1.0
    max_stalled: int = MAX_STALLED_PER_HOST
    accept_language: str = DEFAULT_ACCEPT_LANGUAGE
    allowed: PrivateHostAllowlist = NO_PRIVATE_HOSTS
    ca_file: str = ""
    delay_for_host: Callable[[str], float] = no_delay
    shard: Shard | None = None
