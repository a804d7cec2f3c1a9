"""Facts about other processes, read from /proc."""

from __future__ import annotations

from pathlib import Path

started_processes: list[str] = []
"""What the running test has started so far."""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def command_line(pid: int) -> str:
    """Return what `ps aux` shows as the command of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()


def children_of(pid: int) -> list[tuple[int, str]]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rsplit(")", 1)[1].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid:
            found.append((int(stat.parent.name), state))
    return found
