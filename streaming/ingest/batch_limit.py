"""How many rows a transaction writes: as many as keep other writers waiting for a moment only, on any machine. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FAST_SECONDS, SLOW_SECONDS = 0.2, 0.35
"""Nobody should wait for half a second."""


@dataclass(slots=True)
class BatchLimit:
    """The number of rows of the next batch, between two bounds."""

    rows: int
    minimum: int
    maximum: int

    def adapt(self, seconds: float) -> None:
        """Learn from the time that a transaction of about so many rows took."""
        if seconds > SLOW_SECONDS:
            self.rows = max(self.minimum, self.rows // 2)
        elif seconds < FAST_SECONDS:
            self.rows = min(self.maximum, self.rows * 3 // 2)
