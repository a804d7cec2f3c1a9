"""Keep what this installation writes to itself: the database holds password hashes, tokens and sessions.

Every entry point calls `start_private` first, before anything is written.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

PRIVATE_UMASK = 0o077
# What is written to `VAR_DIR`.
OUR_NAMES = frozenset({"env", "cache", "exports", "scrape", "static", "discover", "health.log", "integrity.json"})
OUR_PREFIXES = ("openreel.", "restore-", "beat")
SQLITE_ENDINGS = ("", "-wal", "-shm", "-journal")


def start_private() -> None:
    """Let only the user who runs this process read and write what it creates from now on."""
    os.umask(PRIVATE_UMASK)


def tighten(folder: Path, database: str) -> list[Path]:
    """Take the rights of others from `folder`, what lies in it, and an SQLite file; return what was changed.

    For installations from before the umask. What belongs to another user, symbolic links and a folder for everybody
    (`/tmp`) are left alone, and so are a folder with folders that are not ours (`/var`, a home) and what lies in it,
    but for our own.
    """
    if sys.platform == "win32":
        return []
    files = [Path(f"{database}{ending}") for ending in SQLITE_ENDINGS]
    found = _with_children(folder)
    if any(path.is_dir() and not _is_ours(path) for path in found[1:]):
        found = [path for path in found[1:] if _is_ours(path)]
    return [path for path in (*found, *files) if _take_rights(path)]


def tighten_and_report(folder: Path, database: str) -> None:
    """Tighten, and say so once: the next start finds nothing to do."""
    if changed := tighten(folder, database):
        print(f"openreel: others could read {_names(changed)}: only this user can now", file=sys.stderr)


def _with_children(folder: Path) -> list[Path]:
    try:
        return [folder, *sorted(folder.iterdir())]
    except OSError:
        return [folder]


def _is_ours(path: Path) -> bool:
    return path.name in OUR_NAMES or path.name.startswith(OUR_PREFIXES)


def _take_rights(path: Path) -> bool:
    """Whether the path was open to others and is not any more."""
    try:
        found = path.lstat()
        is_ours = found.st_uid == os.geteuid() and (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode))
        if not is_ours or found.st_mode & stat.S_ISVTX or not found.st_mode & PRIVATE_UMASK:
            return False
        path.chmod(stat.S_IMODE(found.st_mode) & ~PRIVATE_UMASK)
    except OSError:
        return False
    return True


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(dict.fromkeys(str(path) for path in paths))
