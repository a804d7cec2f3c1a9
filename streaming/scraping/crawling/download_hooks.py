"""A spider waits here for its host's turn, and hears here, and says, that a host wants to be left alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import dateformat, timezone

from streaming.host_rate_limit import request_delay_for, reserve_slot
from streaming.models import HostPause
from streaming.retry_after import pause_until

PAUSED_MESSAGE = "asked us to come back at {time} UTC on {day}"
TOO_MANY_SEARCHES_MESSAGE = "Too many searches ask this site at once"


async def acquire_slot(place: str, source: str) -> str:
    """Return when this place may be asked by this source: empty, or a sentence when that is not within a scrape job."""
    if why_not := await sync_to_async(pause_message)(place):
        return why_not
    host = urlsplit(f"//{place}").hostname or ""
    pause = request_delay_for(host, source=source)
    if not pause:
        return ""
    patience = timedelta(seconds=settings.SCRAPE_TIMEOUT / 2)
    wait = await sync_to_async(reserve_slot)(host, delay=pause, max_wait=patience)
    if wait is None:
        return TOO_MANY_SEARCHES_MESSAGE
    await asyncio.sleep(wait)
    # Somebody else, whose turn was before, may have been told meanwhile.
    return await sync_to_async(pause_message)(place) if wait else ""


def pause_message(place: str) -> str:
    """Why this place is not asked now: it told one of us, at whatever job or machine, when to come back. Else empty."""
    pause = HostPause.objects.active(timezone.now()).requested_by_host().filter(host=place[:255]).first()
    if pause is None:
        return ""
    until = pause.paused_until
    asked = PAUSED_MESSAGE.format(time=dateformat.format(until, "H:i"), day=dateformat.format(until, "j F"))
    return f"{place} {asked}"


async def report_throttled(place: str, retry_after: str) -> None:
    """Remember for all who might ask this place, searches and the checker, when it may be asked again."""
    until = pause_until(retry_after, now=timezone.now())
    await sync_to_async(HostPause.objects.extend)({place: until}, HostPause.Kind.RETRY_AFTER)


DOWNLOAD_SETTINGS = {
    "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), "scraper.net.download_handler.RateLimitedDownloadHandler"),
    "HOST_THROTTLED": report_throttled,
    "HOST_ACQUIRE": acquire_slot,
}
"""Scrapy's settings for a crawl that is polite together with all others."""
