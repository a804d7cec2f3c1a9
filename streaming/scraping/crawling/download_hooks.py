"""Make crawls respect each host's request slots and pauses, like all other crawls and the link checker."""

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
NO_SLOT_MESSAGE = "Too many scrape jobs wait for this site"
MAX_NETLOC_LENGTH = 255


async def acquire_slot(netloc: str, source: str) -> str:
    """Wait until `source` may send a request to this netloc.

    Returns '' then; or at once a message when the host is paused, or has no free slot within half a job's time.
    """
    if message := await sync_to_async(pause_message)(netloc):
        return message
    host = urlsplit(f"//{netloc}").hostname or ""
    delay = request_delay_for(host, source=source)
    if not delay:
        return ""
    max_wait = timedelta(seconds=settings.SCRAPE_TIMEOUT / 2)
    wait = await sync_to_async(reserve_slot)(host, delay=delay, max_wait=max_wait)
    if wait is None:
        return NO_SLOT_MESSAGE
    await asyncio.sleep(wait)
    # The host may have asked another crawl to wait in the meantime.
    return await sync_to_async(pause_message)(netloc) if wait else ""


def pause_message(netloc: str) -> str:
    """Return why this netloc is paused, '' if it is not; only pauses that the host asked for count."""
    pauses = HostPause.objects.active(timezone.now()).requested_by_host()
    pause = pauses.filter(host=netloc[:MAX_NETLOC_LENGTH]).first()
    if pause is None:
        return ""
    until = pause.paused_until
    text = PAUSED_MESSAGE.format(time=dateformat.format(until, "H:i"), day=dateformat.format(until, "j F"))
    return f"{netloc} {text}"


async def report_throttled(netloc: str, retry_after: str) -> None:
    """Pause this netloc for all crawls and the checker; `retry_after` is the response's header, '' without one."""
    until = pause_until(retry_after, now=timezone.now())
    await sync_to_async(HostPause.objects.extend)({netloc: until}, HostPause.Kind.RETRY_AFTER)


DOWNLOAD_SETTINGS = {
    "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), "scraper.net.download_handler.RateLimitedDownloadHandler"),
    "HOST_THROTTLED": report_throttled,
    "HOST_ACQUIRE": acquire_slot,
}
"""Scrapy settings of every crawl."""
