"""Wake this machine's supervisor through a FIFO in `SCRAPE_DIR`.

It is not a Unix socket because the path of a socket is limited to 107 bytes.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path

from streaming import file_locks


class WakeupPipe:
    """The supervisor's end of the FIFO. On Windows, which has none, it only sleeps until the next tick."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor: int | None = None
        if sys.platform != "win32":
            file_locks.create_folder(path.parent)
            path.unlink(missing_ok=True)
            os.mkfifo(path, 0o600)
            # Read and write: a FIFO without a writer would read as closed.
            self.descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def wait(self, seconds: float) -> None:
        """Sleep until a wake-up arrives, at most `seconds`."""
        if self.descriptor is None:
            time.sleep(seconds)
            return
        select.select([self.descriptor], [], [], max(0.0, seconds))
        with suppress(BlockingIOError):
            while os.read(self.descriptor, 4096):
                pass

    def release(self) -> None:
        """Close the FIFO without deleting it, in a forked process."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def close(self) -> None:
        """Delete the FIFO and close it."""
        if self.descriptor is not None:
            self.path.unlink(missing_ok=True)
            self.release()


def send_wakeup(path: Path) -> bool:
    """Wake the supervisor that listens; False when none does. A full FIFO has enough wake-ups already."""
    if sys.platform == "win32":
        return False
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # no such file, or no reader
        return False
    try:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):  # a copy of the folder may have left a regular file
            return False
        os.write(descriptor, b"!")
    except BlockingIOError:
        return True
    except BrokenPipeError:
        return False
    finally:
        os.close(descriptor)
    return True
