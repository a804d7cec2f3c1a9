"""Finds transfers that are stalled: no response for long, from a host that responds to others quickly. No database."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from itertools import count

from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.host_queue import MIN_STALL_RATIO
from streaming.health.probing.transfer import Transfer


class StallMonitor:
    """Looks at each transfer when it may first be stalled, and again as its host's response times change.

    All transfers have the same first moment, so these are in order without a heap; most end before it.
    """

    def __init__(self, config: ProbeConfig) -> None:
        self._config = config
        self._first_checks: deque[tuple[float, Transfer, int]] = deque()
        self._later_checks: list[tuple[float, int, Transfer, int]] = []
        self._sequence = count()

    def watch(self, transfer: Transfer, now: float) -> None:
        """Watch a transfer that has just started, until it ends."""
        first = now + self._config.stall_seconds * MIN_STALL_RATIO
        self._first_checks.append((first, transfer, transfer.number))

    def next_checks(self) -> Iterator[float]:
        """Return the next moments at which to call `stalled`, if any."""
        if self._first_checks:
            yield self._first_checks[0][0]
        if self._later_checks:
            yield self._later_checks[0][0]

    def stalled(self, now: float) -> Iterator[Transfer]:
        """Return the transfers that are stalled now, each once."""
        while self._first_checks and self._first_checks[0][0] <= now:
            _, transfer, number = self._first_checks.popleft()
            if self._is_stalled(transfer, number, now):
                yield transfer
        while self._later_checks and self._later_checks[0][0] <= now:
            _, _, transfer, number = heapq.heappop(self._later_checks)
            if self._is_stalled(transfer, number, now):
                yield transfer

    def _is_stalled(self, transfer: Transfer, number: int, now: float) -> bool:
        if transfer.number != number:
            return False  # It has ended; the handle may be in use for another link.
        # At the end of the run only links that timed out are left: nothing quick is due from their host any more.
        recency = math.inf if transfer.task.state.is_late else self._config.timeout
        host_slot, limits = transfer.host_slot, (self._config.stall_seconds, recency)
        due = transfer.started + host_slot.stall_timeout(now, *limits)
        if now < due:
            heapq.heappush(self._later_checks, (due, next(self._sequence), transfer, number))
            return False
        return host_slot.is_responsive(now, *limits)
