"""Downloads that wait for their host's turn. Who keeps the turns is told in `HOST_TURN`: other processes and machines
may ask the same host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response

from scraper.failures import SourceFailed

CROWDED = "Too many searches ask this site at once"

Turn = Callable[[str, str], Awaitable[bool]]
"""Given host and source: returns when it is their turn; False when that would be too late."""


class GatedDownloads(HTTP11DownloadHandler):
    """Waits at the last moment before the request leaves. Requests that had waited any earlier, in a middleware, would
    queue for Scrapy's slots afterwards and leave together when these come free."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.crawler = crawler
        self.turn: Turn = crawler.settings["HOST_TURN"]

    async def download_request(self, request: Request) -> Response:
        host, source = urlsplit(request.url).hostname or "", getattr(self.crawler.spider, "name", "")
        if not await self.turn(host, source):
            raise SourceFailed(CROWDED)
        return await super().download_request(request)
