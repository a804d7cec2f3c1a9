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

from scraper.failures import UNEXPECTED, SourceFailed, failure_of, report
from scraper.hub import Statement, item_ids_of, question, statements_of, statements_of_entity
from scraper.reading import IMDB_ID, Unreadable, decoded
from scraper.sources import ADDRESSES

Found = Iterable[object]
Read = TypeVar("Read")
MISSING = (404, 410)
JSON, SPARQL_JSON = "application/json", "application/sparql-results+json"
SEARCH = {"action": "query", "list": "search", "format": "json", "maxlag": "5"}
ENTITY = {"action": "wbgetentities", "props": "claims|labels", "languages": "en", "format": "json", "maxlag": "5"}
ASKED: dict[tuple[str, str], asyncio.Future[list[Statement]]] = {}
LONGEST_REASON = 120


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
            longest = max(delay, settings.getfloat("AUTOTHROTTLE_MAX_DELAY"))
            settings.set("AUTOTHROTTLE_MAX_DELAY", longest, priority="spider")

    async def start(self) -> AsyncIterator[Any]:
        if not IMDB_ID.fullmatch(self.imdb_id):
            report(self.crawler, SourceFailed("The film is named by its IMDb id, such as imdb_id=tt0063350"))
            return
        for request in self._asked_first():
            yield request
        if self.target_url or not self.properties:
            return
        try:
            statements = await self.statements()
        except SourceFailed as failed:
            report(self.crawler, failed)
            return
        for found in self.told(statements):
            yield found

    def _asked_first(self) -> Iterator[Request]:
        if self.target_url:
            yield from self.named(self.target_url)
            return
        for url in self.bound_urls:
            yield from self.named(url)
        yield from self.first()

    def first(self) -> Iterable[Request]:
        """The first questions to the source itself."""
        return ()

    def named(self, url: str) -> Iterable[Request]:
        """What to ask of an address that a person gave; nothing when it is another source's."""
        return ()

    def told(self, statements: list[Statement]) -> Found:
        """What follows from what Wikidata says of the film."""
        return ()

    def address(self, setting: str) -> str:
        """Where a source answers: its own address, or what the setting puts in its place."""
        return str(self.settings.get(setting) or ADDRESSES[setting]).rstrip("/")

    def data(
        self,
        url: str,
        reader: Callable[..., Found],
        *,
        query: Mapping[str, str] | None = None,
        told: Mapping[str, Any] | None = None,
        may_miss: bool = False,
    ) -> Request:
        """A question whose answer is JSON; `reader` gets its value and what else is `told`. `may_miss`: 404 is an
        answer too, the source does not have it."""
        return Request(
            f"{url}?{urlencode(query)}" if query else url,
            callback=self.answered,
            headers={"Accept": JSON},
            cb_kwargs={"reader": reader, "told": dict(told or {})},
            meta={"dont_obey_robotstxt": True, "handle_httpstatus_list": list(MISSING) if may_miss else []},
        )

    def answered(self, response: Response, reader: Callable[..., Found], told: dict[str, Any]) -> Iterator[Any]:
        """Hand the value of an answer to its reader; one that cannot be read is a failure, never "no links"."""
        if response.status in MISSING:
            return
        with _said_why():
            yield from reader(decoded(response.body), **told)

    async def statements(self) -> list[Statement]:
        """What Wikidata says of the film's `properties`. Raises SourceFailed when it does not say anything.

        All spiders of a process want it at the same time, and the query service takes five questions at once from
        everybody here together: so it is asked once, by whoever comes first.
        """
        key = (self.address("WIKIDATA_SPARQL_URL"), self.imdb_id)
        if key not in ASKED:
            ASKED[key] = asyncio.ensure_future(self._ask_wikidata())
        # Shielded: when one spider is closed, the others still wait for the same answer.
        said = await asyncio.shield(ASKED[key])
        return [one for one in said if one.imdb_id == self.imdb_id and one.prop in self.properties]

    async def _ask_wikidata(self) -> list[Statement]:
        query = {"query": question([self.imdb_id]), "format": "json"}
        try:
            return await self._fetched(self.address("WIKIDATA_SPARQL_URL"), query, statements_of, accept=SPARQL_JSON)
        except SourceFailed as failed:
            # It is often overloaded, the ordinary interface hardly ever.
            self.logger.info("the query service of Wikidata failed (%s), asking its interface", failed.sentence)
            return await self._ask_interface()

    async def _ask_interface(self) -> list[Statement]:
        """First which entity has this IMDb id, then what is said of it."""
        url, search = self.address("WIKIDATA_API_URL"), f"haswbstatement:P345={self.imdb_id}"
        items = await self._fetched(url, {**SEARCH, "srsearch": search}, item_ids_of)
        return await self._fetched(url, {**ENTITY, "ids": items[0]}, statements_of_entity) if items else []

    async def _fetched(
        self, url: str, query: Mapping[str, str], reader: Callable[[object], list[Read]], *, accept: str = JSON
    ) -> list[Read]:
        request = Request(
            f"{url}?{urlencode(query)}",
            callback=NO_CALLBACK,
            headers={"Accept": accept},
            meta={"dont_obey_robotstxt": True},
        )
        try:
            response = await self._engine().download_async(request)
        except Exception as error:
            raise failure_of(error, request=request) from error
        if response.status != 200:
            raise SourceFailed(f"The site answered {response.status}")
        with _said_why():
            return reader(decoded(response.body))

    def _engine(self) -> ExecutionEngine:
        engine = self.crawler.engine
        if engine is None:
            raise SourceFailed("The crawl is over")
        return engine


@contextmanager
def _said_why() -> Iterator[None]:
    try:
        yield
    except Unreadable as error:
        raise SourceFailed(f"{UNEXPECTED}: {str(error)[:LONGEST_REASON]}") from None
