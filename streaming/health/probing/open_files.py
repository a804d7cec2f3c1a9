"""How many connections the open-files limit allows."""

from __future__ import annotations

import sys

RESERVED_FILES = 100

if sys.platform == "win32":

    def _open_file_limit() -> int:
        return 1024
else:
    import resource

    def _open_file_limit() -> int:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = min(hard, 20_000) if hard != resource.RLIM_INFINITY else 20_000
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return max(soft, wanted)


def max_connections(concurrency: int) -> int:
    """Return how many of these connections the open-files limit allows; hanging links may hold as many again."""
    return max(1, min(concurrency, (_open_file_limit() - RESERVED_FILES) // 2))
