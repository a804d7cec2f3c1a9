"""How long to pause a host that responds with 429 or 503. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import NamedTuple

MAX_PAUSE = timedelta(hours=24)
DEFAULT_PAUSE = timedelta(minutes=15)


def pause_until(retry_after: str, *, now: datetime) -> datetime:
    """Return when the pause of a host that sent this `Retry-After` ends: after a day at most.

    Without a readable value it ends after 15 minutes.
    """
    stated = retry_after.strip()
    if stated.isascii() and stated.isdigit():
        # Nine digits of seconds are decades: more digits change nothing.
        return now + min(timedelta(seconds=int(stated[:9])), MAX_PAUSE)
    try:
        until = parsedate_to_datetime(stated)
    except (ValueError, OverflowError):  # Impossible dates overflow.
        return now + DEFAULT_PAUSE
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until, now), now + MAX_PAUSE)


class PauseKind(StrEnum):
    """Why the checker pauses a host; each is a value of `HostPause.Kind`."""

    RETRY_AFTER = "retry_after"
    BREAKER = "breaker"


class Pause(NamedTuple):
    """Until when and why a host gets no requests."""

    until: datetime
    kind: PauseKind


class PauseSet:
    """The pauses that a run decides on: for each host the one that ends last."""

    def __init__(self) -> None:
        self._by_host: dict[str, Pause] = {}

    def add(self, host: str, until: datetime, *, kind: PauseKind) -> None:
        """Pause a host, unless an earlier pause of it lasts as long."""
        earlier = self._by_host.get(host)
        if earlier is None or earlier.until < until:
            self._by_host[host] = Pause(until=until, kind=kind)

    def add_requested(self, host: str, retry_after: str, *, now: datetime) -> None:
        """Pause a host that sent this `Retry-After`; empty: it sent none."""
        self.add(host, pause_until(retry_after, now=now), kind=PauseKind.RETRY_AFTER)

    def add_all(self, hosts: Iterable[str], until: datetime, *, kind: PauseKind) -> None:
        """Pause all these hosts."""
        for host in hosts:
            self.add(host, until, kind=kind)

    def merge(self, other: PauseSet) -> None:
        """Add the pauses of another part of the run."""
        for host, pause in other:
            self.add(host, pause.until, kind=pause.kind)

    def of_kind(self, kind: PauseKind) -> dict[str, datetime]:
        """The ends of the pauses of one kind, by host."""
        return {host: pause.until for host, pause in self if pause.kind == kind}

    def __iter__(self) -> Iterator[tuple[str, Pause]]:
        return iter(self._by_host.items())
