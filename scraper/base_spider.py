"""How our spiders ask sources that answer with data: addresses from settings, answers read, failures said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode

import scrapy
from scrapy import Request
from scrapy.core.engine import ExecutionEngine
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.settings import BaseSettings

from scraper.errors import UNEXPECTED, SourceFailed, report_source_failure, source_error
from scraper.extraction.json_values import IMDB_ID_PATTERN, UnreadableResponse, decode_json
from scraper.extraction.wikidata_queries import statements_query
from scraper.extraction.wikidata_statements import Statement, parse_entity_statements, parse_search, parse_statements
from scraper.sources import DEFAULT_URLS

ParseResult = Iterable[object]
T = TypeVar("T")
NOT_FOUND_STATUSES = (404, 410)
JSON, SPARQL_JSON = "application/json", "application/sparql-results+json"
SEARCH = {"action": "query", "list": "search", "format": "json", "maxlag": "5"}
ENTITY = {"action": "wbgetentities", "props": "claims|labels", "languages": "en", "format": "json", "maxlag": "5"}
PENDING_QUERIES: dict[tuple[str, str], asyncio.Future[list[Statement]]] = {}
MAX_REASON_LENGTH = 120


class SourceSpider(scrapy.Spider):
    """Looks for one film (`imdb_id`), or reads the one place that a person named for it (`target_url`).

    A child says in `first` what to ask the source, in `named` what to ask of an address that a person gave, and in
    `properties` what it wants to be `told` of Wikidata's. `bound_urls` are addresses that belong to the film for good:
    they are read beside what is searched, each by the spider that knows it as its own. What it asks are documented
    interfaces for programs, under the rules that their sources publish for them; robots.txt is about crawling pages and
    often closes these paths altogether.
    """

    properties: tuple[str, ...] = ()

    def __init__(
        self, imdb_id: str = "", target_url: str = "", bound_urls: Sequence[str] = (), *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.imdb_id, self.target_url, self.bound_urls = imdb_id, target_url, tuple(bound_urls)

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """The operator's `SOURCE_DELAYS` in the place of the spider's own distance."""
        super().update_settings(settings)
        delay = settings.getdict("SOURCE_DELAYS").get(cls.name)
        if delay is not None:
            settings.set("DOWNLOAD_DELAY", delay, priority="spider")
            # AutoThrottle would cut a longer one.
            timeout = max(delay, settings.getfloat("AUTOTHROTTLE_MAX_DELAY"))
            settings.set("AUTOTHROTTLE_MAX_DELAY", timeout, priority="spider")

    async def start(self) -> AsyncIterator[Any]:
        if not IMDB_ID_PATTERN.fullmatch(self.imdb_id):
            report_source_failure(
                self.crawler, SourceFailed("The film is named by its IMDb id, such as imdb_id=tt0063350")
            )
            return
        for request in self._initial_requests():
            yield request
        if self.target_url or not self.properties:
            return
        try:
            statements = await self.statements()
        except SourceFailed as failed:
            report_source_failure(self.crawler, failed)
            return
        for found in self.parse_statements(statements):
            yield found

    def _initial_requests(self) -> Iterator[Request]:
        if self.target_url:
            yield from self.requests_for_url(self.target_url)
            return
        for url in self.bound_urls:
            yield from self.requests_for_url(url)
        yield from self.initial_requests()

    def initial_requests(self) -> Iterable[Request]:
        """The first questions to the source itself."""
        return ()

    def requests_for_url(self, url: str) -> Iterable[Request]:
        """What to ask of an address that a person gave; nothing when it is another source's."""
        return ()

    def parse_statements(self, statements: list[Statement]) -> ParseResult:
        """What follows from what Wikidata says of the film."""
        return ()

    def base_url(self, setting: str) -> str:
        """Where a source answers: its own address, or what the setting puts in its place."""
        return str(self.settings.get(setting) or DEFAULT_URLS[setting]).rstrip("/")

    def json_request(
        self,
        url: str,
        reader: Callable[..., ParseResult],
        *,
        query: Mapping[str, str] | None = None,
        callback_kwargs: Mapping[str, Any] | None = None,
        may_miss: bool = False,
    ) -> Request:
        """A question whose answer is JSON; `reader` gets its value and what else is `told`. `may_miss`: 404 is an
        answer too, the source does not have it."""
        return Request(
            f"{url}?{urlencode(query)}" if query else url,
            callback=self.parse_json,
            headers={"Accept": JSON},
            cb_kwargs={"reader": reader, "callback_kwargs": dict(callback_kwargs or {})},
            meta={"dont_obey_robotstxt": True, "handle_httpstatus_list": list(NOT_FOUND_STATUSES) if may_miss else []},
        )

    def parse_json(
        self, response: Response, reader: Callable[..., ParseResult], callback_kwargs: dict[str, Any]
    ) -> Iterator[Any]:
        """Hand the value of an answer to its reader; one that cannot be read is a failure, never "no links"."""
        if response.status in NOT_FOUND_STATUSES:
            return
        with _unreadable_as_failure():
            yield from reader(decode_json(response.body), **callback_kwargs)

    async def statements(self) -> list[Statement]:
        """What Wikidata says of the film's `properties`. Raises SourceFailed when it does not say anything.

        All spiders of a process want it at the same time, and the query service takes five questions at once from
        everybody here together: so it is asked once, by whoever comes first.
        """
        key = (self.base_url("WIKIDATA_SPARQL_URL"), self.imdb_id)
        if key not in PENDING_QUERIES:
            PENDING_QUERIES[key] = asyncio.ensure_future(self._query_wikidata())
        # Shielded: when one spider is closed, the others still wait for the same answer.
        said = await asyncio.shield(PENDING_QUERIES[key])
        return [one for one in said if one.imdb_id == self.imdb_id and one.prop in self.properties]

    async def _query_wikidata(self) -> list[Statement]:
        query = {"query": statements_query([self.imdb_id]), "format": "json"}
        try:
            return await self._fetch_json(
                self.base_url("WIKIDATA_SPARQL_URL"), query, parse_statements, accept=SPARQL_JSON
            )
        except SourceFailed as failed:
            # It is often overloaded, the ordinary interface hardly ever.
            self.logger.info("the query service of Wikidata failed (%s), asking its interface", failed.message)
            return await self._fetch_from_api()

    async def _fetch_from_api(self) -> list[Statement]:
        """First which entity has this IMDb id, then what is said of it."""
        url, search = self.base_url("WIKIDATA_API_URL"), f"haswbstatement:P345={self.imdb_id}"
        items = await self._fetch_json(url, {**SEARCH, "srsearch": search}, parse_search)
        return await self._fetch_json(url, {**ENTITY, "ids": items[0]}, parse_entity_statements) if items else []

    async def _fetch_json(
        self, url: str, query: Mapping[str, str], reader: Callable[[object], list[T]], *, accept: str = JSON
    ) -> list[T]:
        request = Request(
            f"{url}?{urlencode(query)}",
            callback=NO_CALLBACK,
            headers={"Accept": accept},
            meta={"dont_obey_robotstxt": True},
        )
        try:
            response = await self._engine().download_async(request)
        except Exception as error:
            raise source_error(error, request=request) from error
        if response.status != 200:
            raise SourceFailed(f"The site answered {response.status}")
        with _unreadable_as_failure():
            return reader(decode_json(response.body))

    def _engine(self) -> ExecutionEngine:
        engine = self.crawler.engine
        if engine is None:
            raise SourceFailed("The crawl is over")
        return engine


@contextmanager
def _unreadable_as_failure() -> Iterator[None]:
    try:
        yield
    except UnreadableResponse as error:
        raise SourceFailed(f"{UNEXPECTED}: {str(error)[:MAX_REASON_LENGTH]}") from None
