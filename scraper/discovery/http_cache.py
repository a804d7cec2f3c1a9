"""The HTTP cache of discovery: a run that is started again requests no page twice within a day."""

from __future__ import annotations

import base64
import json
import logging
import os
import time
from pathlib import Path

from scrapy import Request, Spider
from scrapy.extensions.httpcache import DummyPolicy, FilesystemCacheStorage
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes

from scraper.extraction.json_values import UnreadableResponse, decode_json

log = logging.getLogger(__name__)

CACHE_SECONDS = 86_400
HTTP_CACHE_SETTINGS = {
    "DOWNLOADER_MIDDLEWARES": {"scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": 585},
    "HTTPCACHE_ENABLED": True,
    "HTTPCACHE_EXPIRATION_SECS": CACHE_SECONDS,
    "HTTPCACHE_POLICY": "scraper.discovery.http_cache.ReadableResponsePolicy",
    "HTTPCACHE_STORAGE": "scraper.discovery.http_cache.JsonCacheStorage",
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


class JsonCacheStorage(FilesystemCacheStorage):
    """A JSON file for each response: `<source>/<two letters>/<key>/response.json`.

    Scrapy's own storage reads pickles, by which whoever can write to the folder runs code. A file that cannot be read
    is a miss, and a response that cannot be stored is only logged.
    """

    def retrieve_response(self, spider: Spider, request: Request) -> Response | None:
        """Return the stored response to this request, None without a valid one."""
        path = self._path(spider, request)
        try:
            if time.time() - path.stat().st_mtime > self.expiration_secs:
                return None
            return _response(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("a cached response cannot be read and is requested again: %s", error)
            return None

    def store_response(self, spider: Spider, request: Request, response: Response) -> None:
        """Store a response, as a whole or not at all."""
        path = self._path(spider, request)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(f".{os.getpid()}")
            unfinished.write_bytes(_stored(response))
            unfinished.replace(path)
        except OSError as error:
            log.warning("a response cannot be cached: %s", error)

    def _path(self, spider: Spider, request: Request) -> Path:
        return Path(self._get_request_path(spider, request), "response.json")


def _stored(response: Response) -> bytes:
    headers = [
        [name.decode("latin-1"), value.decode("latin-1")]
        for name, values in response.headers.items()
        for value in values
    ]
    body = base64.b64encode(response.body).decode()
    return json.dumps({"url": response.url, "status": response.status, "headers": headers, "body": body}).encode()


def _response(data: bytes) -> Response:
    """Return the response in a file; raises ValueError, KeyError or TypeError for any other content."""
    stored = json.loads(data)
    headers = Headers()
    for name, value in stored["headers"]:
        headers.appendlist(str(name).encode("latin-1"), str(value).encode("latin-1"))
    body = base64.b64decode(stored["body"], validate=True)
    kind = responsetypes.from_args(headers=headers, url=stored["url"], body=body)
    return kind(stored["url"], status=stored["status"], headers=headers, body=body)
