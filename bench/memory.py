"""How much memory processes hold, read from /proc while they run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from tests.helpers.process_info import children_of

LOOK = 0.1


class Memory:
    """The most that the processes beneath these have held together, in KiB of proportional set size, sampled."""

    def __init__(self, roots: Callable[[], list[int]]) -> None:
        self.roots, self.most, self.over = roots, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.over.wait(LOOK):
            self.most = max(self.most, sum(_held(pid) for root in self.roots() for pid in _family(root)))


def _family(pid: int) -> list[int]:
    return [pid, *(child for child, _ in children_of(pid))]


def _held(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
