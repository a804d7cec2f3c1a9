"""Measures for how long the prober did not look at its connections. Pure.

The process was stopped, its machine was suspended or overloaded, or the consumer of the responses took its time. A
request that timed out meanwhile says nothing about its server: the response may be waiting in the socket.
"""

from __future__ import annotations

from streaming.health.probe_types import Failure
from streaming.health.probing.host_queue import ProbeTask
from streaming.health.probing.next_step import NextStep, begin_with_get
from streaming.health.probing.transfer import Transfer

MIN_LAG_SECONDS = 0.5
# A timeout counts once the prober listened for this part of the request's timeout, in all its attempts.
ENOUGH_LISTENING = 0.8
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

    def lost(self, transfer: Transfer) -> float:
        """How long the prober did not run during this request."""
        return max(0.0, self._lag - transfer.lag_at_start)

    def explains(self, failure: Failure, transfer: Transfer, now: float) -> bool:
        """Whether a request failed because the prober did not run: it did not listen long enough in all attempts."""
        lost = self.lost(transfer)
        if failure is not Failure.TIMEOUT or not lost:
            return False
        task = transfer.task
        task.listened += max(0.0, now - transfer.started - lost)
        return task.listened < ENOUGH_LISTENING * transfer.timeout_ms / 1000


def step_after_lag(task: ProbeTask) -> NextStep:
    """Repeat a request to which we did not listen, as a GET; if that goes on, nothing is said of its link."""
    if not task.state.get:
        task.listened = 0.0
        begin_with_get(task)
        return 0.0
    task.repeats += 1
    return 0.0 if task.repeats <= MAX_REPEATS else task.failed(Failure.LOCAL)
