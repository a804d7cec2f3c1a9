"""Measures for how long the prober did not look at its connections. Pure.

The process was stopped, its machine was suspended or overloaded, or the consumer of the responses took its time. A
request that timed out meanwhile says nothing about its server: the response may be waiting in the socket.
"""

from __future__ import annotations

from streaming.health.probe_types import Failure
from streaming.health.probing.transfer import Transfer

MIN_LAG_SECONDS = 0.5
# This part of a request's time has to be lost before its timeout is ours.
MIN_LOST_RATIO = 0.1
MAX_REPEATS = 3


class LagMonitor:
    """`seconds`: how long the prober did not run in all, counted in gaps of MIN_LAG_SECONDS and more."""

    def __init__(self, now: float) -> None:
        self.seconds = 0.0
        self._looked_at = now

    def look(self, now: float) -> None:
        """Record that the connections are looked at now."""
        gap = now - self._looked_at
        self._looked_at = now
        if gap >= MIN_LAG_SECONDS:
            self.seconds += gap

    def explains(self, failure: Failure, transfer: Transfer, now: float) -> bool:
        """Whether a request failed because the prober did not run for too much of the request's time."""
        lost = self.seconds - transfer.lag_at_start
        return failure is Failure.TIMEOUT and lost > (now - transfer.started) * MIN_LOST_RATIO
