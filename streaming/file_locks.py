"""Exclusive locks on files. The kernel releases them however the holder ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


POSIX = sys.platform != "win32"
POLL_SECONDS = 0.005
LOCKED_ERRORS = (BlockingIOError, PermissionError)  # the second on Windows


def open_private(path: Path, flags: int) -> int:
    """Open or create a file with mode 0600 that belongs to the folder's owner; return its descriptor.

    A file that root creates by hand must not lock the server out.
    """
    create_folder(path.parent)
    descriptor = os.open(path, flags | os.O_CREAT, 0o600)
    if sys.platform != "win32" and os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def create_folder(folder: Path) -> None:
    """Create a folder and those above it that are missing; each belongs to the owner of the one above it."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(exist_ok=True)
        _give_to_owner_of(missing.parent, missing)


def give_to_folders_owner(folder: Path) -> None:
    """Let everything in a folder belong to its owner, where root has let a library write there."""
    for path in folder.rglob("*"):
        _give_to_owner_of(folder, path)


def _give_to_owner_of(folder: Path, created: Path) -> None:
    """Not what a symbolic link names, which may be anything outside the folder."""
    if sys.platform != "win32" and os.geteuid() == 0:
        owner = folder.stat()
        os.lchown(created, owner.st_uid, owner.st_gid)


def try_lock(path: Path) -> IO[str] | None:
    """Lock a file without waiting; return it open, or None if another process holds the lock.

    The lock lasts until every process that inherited the file has closed it. Any other error is raised, such as that of
    a file system without locks.
    """
    descriptor = open_private(path, os.O_RDWR)
    try:
        _lock(descriptor)
    except LOCKED_ERRORS:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    os.ftruncate(descriptor, 0)  # The last holder's process id may belong to another process now.
    return lock_from_descriptor(descriptor)


@contextmanager
def exclusive_lock(path: Path, *, timeout: float) -> Iterator[None]:
    """Wait for the lock, at most `timeout` seconds, and hold it for the duration of the block; raises TimeoutError."""
    descriptor = open_private(path, os.O_RDWR)
    try:
        _lock_within(descriptor, path, end=time.monotonic() + timeout)
        yield
    finally:
        os.close(descriptor)


def _lock_within(descriptor: int, path: Path, *, end: float) -> None:
    while True:
        try:
            return _lock(descriptor)
        except LOCKED_ERRORS:
            if time.monotonic() > end:
                raise TimeoutError(f"another process has held {path.name} for too long") from None
        time.sleep(POLL_SECONDS)


def lock_from_descriptor(descriptor: int) -> IO[str]:
    """Return the lock file for an inherited descriptor."""
    return open(descriptor, "r+", encoding="ascii")


def write_pid(file: IO[str], *, pid: int) -> None:
    """Record the id of the process that holds the lock."""
    file.seek(0)
    file.truncate()
    file.write(f"{pid}\n")
    file.flush()


def is_locked(path: Path) -> bool:
    """Whether any process holds the lock, this one included."""
    if (lock := try_lock(path)) is not None:
        lock.close()
        return False
    return True


def holder_pid(path: Path) -> int | None:
    """Return the id of the process that holds the lock; None if nobody holds it or wrote no id."""
    if not is_locked(path):
        return None
    text = path.read_text(encoding="ascii").strip() if POSIX else ""
    return int(text) if text.isdigit() else None
