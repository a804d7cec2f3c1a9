"""One supervisor a machine, and the bell that wakes it: a file lock and a FIFO in `SCRAPE_DIR`.

The kernel frees the lock however its holder ends. A FIFO and no socket, because the path of a Unix socket may have
107 bytes at most, and folders are longer than one thinks.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

POSIX = sys.platform != "win32"


def open_private(path: Path, flags: int) -> int:
    """Open or make a file of the folder's owner, mode 0600: what root makes by hand must not lock the server out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, flags | os.O_CREAT, 0o600)
    if sys.platform != "win32" and os.geteuid() == 0:
        folder = path.parent.stat()
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


def try_lock(path: Path) -> IO[str] | None:
    """The open lock file, held until it is closed by everyone who inherited it; None when somebody holds it."""
    descriptor = open_private(path, os.O_RDWR)
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    # The number of the last holder may belong to a stranger by now.
    os.ftruncate(descriptor, 0)
    return lock_from_descriptor(descriptor)


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock meanwhile, after waiting for it."""
    descriptor = open_private(path, os.O_RDWR)
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def lock_from_descriptor(descriptor: int) -> IO[str]:
    """The lock file that was taken for us."""
    return open(descriptor, "r+", encoding="ascii")


def write_pid(file: IO[str], *, pid: int) -> None:
    """Write down who holds the lock."""
    file.seek(0)
    file.truncate()
    file.write(f"{pid}\n")
    file.flush()


def is_locked(path: Path) -> bool:
    if (lock := try_lock(path)) is not None:
        lock.close()
        return False
    return True


def holder_pid(path: Path) -> int | None:
    """The process that holds the lock; None when nobody does."""
    if not is_locked(path):
        return None
    text = path.read_text(encoding="ascii").strip() if POSIX else ""
    return int(text) if text.isdigit() else None


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
