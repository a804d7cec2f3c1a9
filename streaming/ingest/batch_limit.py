"""How many rows a transaction writes, and when others get their turn: nobody waits for more than a moment."""

from __future__ import annotations

import time
from dataclasses import dataclass

from streaming.write_wait import let_others_write

FAST_SECONDS, SLOW_SECONDS = 0.2, 0.35
"""Nobody should wait for half a second."""


@dataclass(slots=True)
class BatchLimit:
    """The number of rows of the next batch, between two bounds."""

    rows: int
    minimum: int
    maximum: int
    last_seconds: float = 0.0
    held_seconds: float = 0.0
    """How long the transactions took together since others had a turn."""
    free_since: float = 0.0

    def adapt(self, seconds: float) -> None:
        """Learn from the time that a transaction of about so many rows took, which has just ended."""
        if seconds > SLOW_SECONDS:
            self.rows = max(self.minimum, self.rows // 2)
        elif seconds < FAST_SECONDS:
            self.rows = min(self.maximum, self.rows * 3 // 2)
        self.last_seconds, self.free_since = seconds, time.monotonic()
        self.held_seconds += seconds

    def let_others_write(self) -> None:
        """Before a transaction: wait for those who wait for the lock, if this one would keep them for too long."""
        if self.held_seconds + self.last_seconds > SLOW_SECONDS:
            let_others_write(free_since=self.free_since)
            self.held_seconds = 0.0
