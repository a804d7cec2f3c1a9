"""The number of connections that the limit of open files allows."""

from __future__ import annotations

import sys

RESERVED_FILES = 100

MAX_FILES = 20_000

if sys.platform == "win32":

    def _raise_open_file_limit() -> int:
        return 1024
else:
    import resource

    def _raise_open_file_limit() -> int:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = min(hard, MAX_FILES) if hard != resource.RLIM_INFINITY else MAX_FILES
        if soft < limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        return max(soft, limit)


def max_connections(concurrency: int) -> int:
    """Return how many of these connections are possible, as many stalled ones included.

    Raises the process's own limit of open files as far as the system lets it.
    """
    return max(1, min(concurrency, (_raise_open_file_limit() - RESERVED_FILES) // 2))
