"""The HTTP cache of discovery: a run that is started again requests no page twice within a day."""

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
"""Scrapy's settings for it. Closer to the spider than decompression, so that the policy can read responses."""


class ReadableResponsePolicy(DummyPolicy):
    """Caches only valid JSON: a query service that runs out of time cuts its response off, with status 200."""

    def should_cache_response(self, response: Response, request: Request) -> bool:
        if response.status != 200:
            return False
        try:
            decode_json(response.body)
        except UnreadableResponse:
            return False
        return True
