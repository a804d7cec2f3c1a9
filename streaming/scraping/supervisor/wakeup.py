"""One supervisor a machine, and the bell that wakes it: a file lock and a FIFO in `SCRAPE_DIR`.

The kernel frees the lock however its holder ends. A FIFO and no socket, because the path of a Unix socket may have
107 bytes at most, and folders are longer than one thinks."""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path


class WakeupPipe:
    """The supervisor's end of the FIFO. Where there is none it only sleeps: then jobs start with the next look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor: int | None = None
        if sys.platform != "win32":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            os.mkfifo(path, 0o600)
            # For reading and writing: a bell that nobody else holds must not read as closed.
            self.descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def wait(self, seconds: float) -> None:
        """Sleep until it rings, at most so long."""
        if self.descriptor is None:
            time.sleep(seconds)
            return
        select.select([self.descriptor], [], [], max(0.0, seconds))
        with suppress(BlockingIOError):
            while os.read(self.descriptor, 4096):
                pass

    def release(self) -> None:
        """Let go of it without taking it away (for a forked copy)."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def close(self) -> None:
        if self.descriptor is not None:
            self.path.unlink(missing_ok=True)
            self.release()


def send_wakeup(path: Path) -> bool:
    """Wake whoever listens; False when nobody does. A full bell has rung often enough."""
    if sys.platform == "win32":
        return False
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # no such file, or nobody has it open for reading
        return False
    try:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):  # a copy of the folder may have left a plain file
            return False
        os.write(descriptor, b"!")
    except BlockingIOError:
        return True
    except BrokenPipeError:
        return False
    finally:
        os.close(descriptor)
    return True
