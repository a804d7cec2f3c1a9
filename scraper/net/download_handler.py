"""Downloads that wait for their host's turn, and stay away from one that asked for it. Who keeps the turns and what the
hosts said is told in `HOST_ACQUIRE` and `HOST_THROTTLED`: other processes and machines may ask the same host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response

from scraper.errors import SourceFailed
from scraper.net.encoding import decode_headers
from scraper.net.throttling import is_throttled
from scraper.net.url_policy import netloc_of

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
        headers = decode_headers(response)
        if is_throttled(response.status, headers):
            await self.busy(place, headers.get("retry-after", ""))
        return response
