"""Whether work stays in proportion to its input, measured against itself in one process: true on any machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Input = TypeVar("Input", str, bytes)
PIECES = 8
READINGS = 5
MAX_GROWTH = 3.0
"""Linear work grows by about 1, quadratic work by PIECES."""


def growth(work: Callable[[Input], object], make: Callable[[int], Input], size: int) -> float:
    """How many times as much CPU time one input of this size costs as the same amount in PIECES smaller ones.

    The least of several readings counts, taken in turn: what else the machine does only ever adds to one.
    """
    whole, piece = make(size), make(size // PIECES)
    readings = [(_cpu_seconds(work, whole, 1), _cpu_seconds(work, piece, PIECES)) for _ in range(READINGS)]
    return min(large for large, _ in readings) / min(small for _, small in readings)


def _cpu_seconds(work: Callable[[Input], object], given: Input, times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work(given)
    return time.process_time() - began
