"""Downloads that wait for their host's turn, and stay away from one that asked for it. Who keeps the turns and what the
hosts said is told in `HOST_ACQUIRE` and `HOST_THROTTLED`: other processes and machines may ask the same host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response

from scraper.errors import SourceFailed
from scraper.net.url_policy import DEFAULT_PORT

AcquireSlot = Callable[[str, str], Awaitable[str]]
"""Given place and source: returns when it is their turn, with an empty text; with a sentence when it will not be."""
ReportThrottled = Callable[[str, str], Awaitable[None]]
"""Given place and its `Retry-After`, which may be empty: it answered that it is asked too much."""


class RateLimitedDownloadHandler(HTTP11DownloadHandler):
    """Waits at the last moment before the request leaves. Requests that had waited any earlier, in a middleware, would
    queue for Scrapy's slots afterwards and leave together when these come free."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.crawler = crawler
        self.turn: AcquireSlot = crawler.settings["HOST_ACQUIRE"]
        self.busy: ReportThrottled = crawler.settings["HOST_THROTTLED"]

    async def download_request(self, request: Request) -> Response:
        place, source = netloc_of(request.url), getattr(self.crawler.spider, "name", "")
        if why_not := await self.turn(place, source):
            raise SourceFailed(why_not)
        response = await super().download_request(request)
        retry_after = (response.headers.get("Retry-After") or b"").decode("latin-1")
        # A 503 alone is a site that is out of order, not one that is asked too much.
        if response.status == 429 or (response.status == 503 and retry_after):
            await self.busy(place, retry_after)
        return response


def netloc_of(url: str) -> str:
    """The host of an address, with the port when it is an unusual one."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return host if parts.port in (None, DEFAULT_PORT.get(parts.scheme)) else f"{host}:{parts.port}"
