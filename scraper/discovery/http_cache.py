"""What discovery keeps of the answers that it got: a run that is started again asks no page twice within a day."""

from __future__ import annotations

from scrapy import Request
from scrapy.extensions.httpcache import DummyPolicy
from scrapy.http import Response

from scraper.extraction.json_values import UnreadableResponse, decode_json

CACHE_SECONDS = 86_400
HTTP_CACHE_SETTINGS = {
    "DOWNLOADER_MIDDLEWARES": {"scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": 585},
    "HTTPCACHE_ENABLED": True,
    "HTTPCACHE_EXPIRATION_SECS": CACHE_SECONDS,
    "HTTPCACHE_POLICY": "scraper.discovery.http_cache.ReadableResponsePolicy",
}
"""Scrapy's settings for it. Nearer to the spider than what unpacks answers, so that the policy can read them."""


class ReadableResponsePolicy(DummyPolicy):
    """Keeps only what can be read. A query service that runs out of time breaks off in the middle, with a 200."""

    def should_cache_response(self, response: Response, request: Request) -> bool:
        if response.status != 200:
            return False
        try:
            decode_json(response.body)
        except UnreadableResponse:
            return False
        return True
