"""What a process does before it runs, so that it ends with the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> Callable[[], None] | None:
    """Return a `preexec_fn` that lets the kernel send TERM to the child when `parent` dies (Linux only)."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)

    def prepare() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return prepare
