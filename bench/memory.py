"""Measure the peak memory of processes, sampled from /proc."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from tests.helpers.process_info import children_of

SAMPLE_SECONDS = 0.1


class Memory:
    """The peak of the summed proportional set size of these processes and their children, in KiB."""

    def __init__(self, roots: Callable[[], list[int]]) -> None:
        self.roots, self.peak, self.stopped = roots, 0, threading.Event()
        self.thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Memory:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()

    def _sample(self) -> None:
        while not self.stopped.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(_pss(pid) for root in self.roots() for pid in _with_children(root)))


def _with_children(pid: int) -> list[int]:
    return [pid, *(child for child, _ in children_of(pid))]


def _pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
