"""Exclusive locks on files, freed by the kernel however the holder ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
