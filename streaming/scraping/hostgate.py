"""A spider waits here for its host's turn, as `HOST_TURN` of the crawl."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.conf import settings

from streaming.turns import pause_of, reserve


async def turn(host: str, source: str) -> bool:
    """Return when the host may be asked by this source; False when that would be too late for a scrape job."""
    pause = pause_of(host, source=source)
    if not pause:
        return True
    patience = timedelta(seconds=settings.SCRAPE_TIMEOUT / 2)
    wait = await sync_to_async(reserve)(host, pause=pause, patience=patience)
    if wait is None:
        return False
    await asyncio.sleep(wait)
    return True
