"""How many connections the open-files limit allows."""

from __future__ import annotations

RESERVED_FILES = 100


def max_connections(concurrency: int) -> int:
    """How many of these connections the open-files limit allows; hanging links may hold as many again."""
    return max(1, min(concurrency, (_open_file_limit() - RESERVED_FILES) // 2))
