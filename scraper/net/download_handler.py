"""Downloads that keep to the request slots and pauses of each host.

The settings `HOST_ACQUIRE` and `HOST_THROTTLED` are the functions that reserve slots and record pauses: other processes
and machines, which may send requests to the same host, use the same slots and pauses.
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
"""Takes netloc and source; returns "" when a request may be sent, or a sentence that says why none may be sent."""
ReportThrottled = Callable[[str, str], Awaitable[None]]
"""Takes netloc and `Retry-After`, which may be empty, of a response that is throttled."""


class RateLimitedDownloadHandler(HTTP11DownloadHandler):
    """Waits for a slot immediately before the request is sent.

    Requests that waited earlier, in a middleware, would then queue for Scrapy's own slots and be sent all at once when
    these become free.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.crawler = crawler
        self.acquire_slot: AcquireSlot = crawler.settings["HOST_ACQUIRE"]
        self.report_throttled: ReportThrottled = crawler.settings["HOST_THROTTLED"]

    async def download_request(self, request: Request) -> Response:
        netloc, source = netloc_of(request.url), getattr(self.crawler.spider, "name", "")
        if refusal := await self.acquire_slot(netloc, source):
            raise SourceFailed(refusal)
        response = await super().download_request(request)
        headers = decode_headers(response)
        if is_throttled(response.status, headers):
            await self.report_throttled(netloc, headers.get("retry-after", ""))
        return response
