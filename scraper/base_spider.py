"""The base class of spiders that read a source's API: URLs from settings, JSON responses, reported failures."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy import Request
from scrapy.http import Response
from scrapy.settings import BaseSettings

from scraper.errors import SourceFailed, report_source_failure
from scraper.extraction.json_values import decode_json
from scraper.extraction.wikidata_statements import Statement
from scraper.items import normalize_imdb_id
from scraper.sources import DEFAULT_URLS
from scraper.wikidata_client import JSON, WikidataClient, unreadable_as_failure

MAX_PAGE_CPU_SECONDS = 5.0
PAGE_TOO_EXPENSIVE = "The page takes too long to read"
PAGE_TOO_LARGE = "The page takes too much memory to read"
ParseResult = Iterable[object]
NOT_FOUND_STATUSES = (404, 410)


@contextmanager
def page_limits() -> Iterator[None]:
    """Limit the computing time for one page of a stranger, and survive one that takes all memory: the other sources of
    the job go on. The limits of `scraper.extraction` should suffice; this is for what they forget. Raises SourceFailed.
    """
    try:
        with _time_limit():
            yield
    except MemoryError as error:
        # The frames would keep what they have allocated as long as the error lives.
        traceback.clear_frames(error.__traceback__)
        raise SourceFailed(PAGE_TOO_LARGE) from None


@contextmanager
def _time_limit() -> Iterator[None]:
    """No limit where the system has no such timer, and outside the main thread, where signals do not arrive."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGPROF, _on_page_timer)
    signal.setitimer(signal.ITIMER_PROF, MAX_PAGE_CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


def _on_page_timer(number: int, frame: object) -> None:
    raise SourceFailed(PAGE_TOO_EXPENSIVE)


class SourceSpider(scrapy.Spider):
    """Searches a source for one film (`imdb_id`), or reads only the URL that a person gave for it (`target_url`).

    A subclass overrides what it needs: `initial_requests` to search the source, `requests_for_url` to read a given URL,
    and `properties` with `parse_statements` to use what Wikidata states about the film. `bound_urls` belong to the film
    permanently: they are read in addition to the search, each by the spider whose source it is.

    Requests go to documented interfaces for programs, within the limits that the sources publish for them. Their
    robots.txt does not apply: it is about crawling pages, and often excludes these paths.
    """

    properties: tuple[str, ...] = ()

    def __init__(
        self, imdb_id: str = "", target_url: str = "", bound_urls: Sequence[str] = (), *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.imdb_id, self.target_url, self.bound_urls = normalize_imdb_id(imdb_id), target_url, tuple(bound_urls)

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Use the operator's `SOURCE_DELAYS` in place of the spider's own delay."""
        super().update_settings(settings)
        delay = settings.getdict("SOURCE_DELAYS").get(cls.name)
        if delay is not None:
            settings.set("DOWNLOAD_DELAY", delay, priority="spider")
            # AutoThrottle would shorten a longer one.
            max_delay = max(delay, settings.getfloat("AUTOTHROTTLE_MAX_DELAY"))
            settings.set("AUTOTHROTTLE_MAX_DELAY", max_delay, priority="spider")

    async def start(self) -> AsyncIterator[Any]:
        """Yield the first requests, then what follows from Wikidata's statements."""
        if not self.imdb_id:
            report_source_failure(self.crawler, SourceFailed("Give the film's IMDb id, such as imdb_id=tt0063350"))
            return
        for request in self._initial_requests():
            yield request
        if self.target_url or not self.properties:
            return
        try:
            statements = await self._fetch_statements()
        except SourceFailed as failed:
            report_source_failure(self.crawler, failed)
            return
        for result in self.parse_statements(statements):
            yield result

    def initial_requests(self) -> Iterable[Request]:
        """Return the requests that search the source."""
        return ()

    def requests_for_url(self, url: str) -> Iterable[Request]:
        """Return the requests that read a URL given by a person; none if it is another source's."""
        return ()

    def parse_statements(self, statements: list[Statement]) -> ParseResult:
        """Return items or requests for what Wikidata states about the film in `properties`."""
        return ()

    def base_url(self, setting: str) -> str:
        """Return the base URL of a source: the setting, or the source's own."""
        return str(self.settings.get(setting) or DEFAULT_URLS[setting]).rstrip("/")

    def json_request(
        self,
        url: str,
        parse: Callable[..., ParseResult],
        *,
        query: Mapping[str, str] | None = None,
        parse_kwargs: Mapping[str, Any] | None = None,
        may_miss: bool = False,
    ) -> Request:
        """Return a request for JSON; `parse` gets the value of the response, and `parse_kwargs`.

        `may_miss`: 404 and 410 mean that the source does not have it; otherwise they are failures.
        """
        return Request(
            f"{url}?{urlencode(query)}" if query else url,
            callback=self.parse_json,
            headers={"Accept": JSON},
            cb_kwargs={"parse": parse, "parse_kwargs": dict(parse_kwargs or {})},
            meta={"dont_obey_robotstxt": True, "handle_httpstatus_list": list(NOT_FOUND_STATUSES) if may_miss else []},
        )

    def parse_json(
        self, response: Response, parse: Callable[..., ParseResult], parse_kwargs: dict[str, Any]
    ) -> Iterator[Any]:
        """Pass the value of a response to `parse`; one that cannot be read is a failure, never "no links"."""
        if response.status in NOT_FOUND_STATUSES:
            return
        with unreadable_as_failure():
            yield from parse(decode_json(response.body), **parse_kwargs)

    def _initial_requests(self) -> Iterator[Request]:
        if self.target_url:
            yield from self.requests_for_url(self.target_url)
            return
        for url in self.bound_urls:
            yield from self.requests_for_url(url)
        yield from self.initial_requests()

    def wikidata_client(self) -> WikidataClient:
        """Return a client for this crawl."""
        return WikidataClient(
            crawler=self.crawler,
            sparql_url=self.base_url("WIKIDATA_SPARQL_URL"),
            api_url=self.base_url("WIKIDATA_API_URL"),
        )

    async def _fetch_statements(self) -> list[Statement]:
        statements = await self.wikidata_client().fetch_statements(self.imdb_id)
        return [statement for statement in statements if statement.prop in self.properties]
