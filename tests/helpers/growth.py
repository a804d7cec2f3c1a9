"""Whether work stays in proportion to its input, measured against itself in one process: true on any machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Input = TypeVar("Input", str, bytes)
PIECES = 8
READINGS, MAX_READINGS = 5, 40
MAX_GROWTH = 3.0
"""Linear work grows by about 1, quadratic work by PIECES."""


def growth(work: Callable[[Input], object], make: Callable[[int], Input], size: int) -> float:
    """How many times as much CPU time one input of this size costs as the same amount in PIECES smaller ones.

    The least of several readings counts, taken in turn: what else the machine does only ever adds to one, in its caches
    above all. While that is above MAX_GROWTH, more readings are taken.
    """
    whole, piece = make(size), make(size // PIECES)
    large = small = float("inf")
    for reading in range(MAX_READINGS):
        large = min(large, _cpu_seconds(work, whole, 1))
        small = min(small, _cpu_seconds(work, piece, PIECES))
        if reading + 1 >= READINGS and large <= MAX_GROWTH * small:
            break
    return large / small


def _cpu_seconds(work: Callable[[Input], object], given: Input, times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work(given)
    return time.process_time() - began
