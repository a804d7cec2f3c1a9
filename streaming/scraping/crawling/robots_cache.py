"""What sites said in their robots.txt, for ten minutes and for all processes (with Redis: machines) that share a cache.

RFC 9309 (2.4) allows a day. Only answers are kept: a site that fails to give its rules is asked again.
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
    """A memory in the cache. One that is away costs a question to the site, never a search."""

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
    except Exception as error:  # noqa: BLE001  each cache breaks in its own way, and none is worth a search
        log.warning("the cache did not answer: %s", error)
        return None
