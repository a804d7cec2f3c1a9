"""Cache robots.txt files for ten minutes, for all processes (with Redis: machines) with one cache.

RFC 9309 (2.4) allows a day. Failures are not cached: the next crawl requests the file again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable

from asgiref.sync import sync_to_async
from django.core.cache import cache

log = logging.getLogger(__name__)
CACHE_SECONDS = 600


class SharedRobotsCache:
    """A cache of robots.txt by site. When the cache is unavailable, the file is requested again."""

    async def get(self, site: str) -> str | None:
        text = await sync_to_async(_ignore_cache_errors)(lambda: cache.get(_key(site)))
        return text if isinstance(text, str) else None

    async def set(self, site: str, text: str) -> None:
        await sync_to_async(_ignore_cache_errors)(lambda: cache.set(_key(site), text, CACHE_SECONDS))


def _key(site: str) -> str:
    return f"robots:{hashlib.sha256(site.encode()).hexdigest()}"


def _ignore_cache_errors(operation: Callable[[], object]) -> object:
    try:
        return operation()
    except Exception as error:  # noqa: BLE001  cache backends raise different errors, and none may fail a crawl
        log.warning("the cache did not respond: %s", error)
        return None
