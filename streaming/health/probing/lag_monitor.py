"""Measures for how long the prober did not look at its connections. Pure.

The process was stopped, its machine was suspended or overloaded, or the consumer of the responses took its time. A
request that timed out meanwhile says nothing about its server: the response may be waiting in the socket.
"""

from __future__ import annotations

from streaming.health.probe_types import Failure
from streaming.health.probing.host_queue import ProbeTask
from streaming.health.probing.next_step import NextStep
from streaming.health.probing.transfer import Transfer

MIN_LAG_SECONDS = 0.5
# This part of a request's time has to be lost before its timeout is ours.
MIN_LOST_RATIO = 0.1
MAX_REPEATS = 3


class LagMonitor:
    """Sums the time between two looks at the connections, where it is MIN_LAG_SECONDS or more. Times are in seconds."""

    def __init__(self, now: float) -> None:
        self._lag = 0.0
        self._looked_at = now

    def look(self, now: float) -> None:
        """Record that the connections are looked at now."""
        gap, self._looked_at = now - self._looked_at, now
        if gap >= MIN_LAG_SECONDS:
            self._lag += gap

    def watch(self, transfer: Transfer, now: float) -> None:
        """Note at a request that starts now what was lost before it."""
        transfer.lag_at_start = self._lag + (now - self._looked_at)

    def explains(self, failure: Failure, transfer: Transfer, now: float) -> bool:
        """Whether a request failed because the prober did not run for too much of the request's time."""
        lost = self._lag - transfer.lag_at_start
        return failure is Failure.TIMEOUT and lost > (now - transfer.started) * MIN_LOST_RATIO


def step_after_lag(task: ProbeTask) -> NextStep:
    """Repeat a GET to which we did not listen; nothing is said of its link if that happens again and again."""
    task.repeats += 1
    return 0.0 if task.repeats <= MAX_REPEATS else task.failed(Failure.LOCAL)
