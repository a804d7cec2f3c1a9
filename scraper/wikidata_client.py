"""Watch statements of a film from Wikidata: its query service first, its API when that fails.

Both are documented interfaces for programs, so robots.txt, which is about crawling pages, does not apply.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from scrapy import Request
from scrapy.core.engine import ExecutionEngine
from scrapy.crawler import Crawler
from scrapy.http.request import NO_CALLBACK

from scraper.errors import UNEXPECTED, SourceFailed, source_error
from scraper.extraction.json_values import UnreadableResponse, decode_json
from scraper.extraction.wikidata_facts import parse_facts
from scraper.extraction.wikidata_queries import facts_query, statements_query
from scraper.extraction.wikidata_statements import Statement, parse_entity_statements, parse_search, parse_statements
from scraper.items import FilmItem

T = TypeVar("T")
JSON, SPARQL_JSON = "application/json", "application/sparql-results+json"
SEARCH_PARAMETERS = {"action": "query", "list": "search", "format": "json", "maxlag": "5"}
ENTITY_PARAMETERS = {
    "action": "wbgetentities",
    "props": "claims|labels",
    "languages": "en",
    "format": "json",
    "maxlag": "5",
}
MAX_REASON_LENGTH = 120
PENDING_QUERIES: dict[tuple[str, str], asyncio.Future[list[Statement]]] = {}
"""The query of each film, by the query service's URL and IMDb id; shared by all spiders of a process."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WikidataClient:
    """Queries Wikidata through a crawl, which keeps to the limits of hosts; the URLs may be a mirror's."""

    crawler: Crawler
    sparql_url: str
    api_url: str

    async def fetch_statements(self, imdb_id: str) -> list[Statement]:
        """Return the watch statements of a film. Raises SourceFailed if Wikidata cannot be read.

        All spiders of a process need them at the same time, and the query service permits five parallel queries from
        one address: the first spider to call this sends the query, the others wait for its result.
        """
        key = (self.sparql_url, imdb_id)
        if key not in PENDING_QUERIES:
            PENDING_QUERIES[key] = asyncio.ensure_future(self._query(imdb_id))
        # Shielded: when one spider is closed, the others still wait for the same result.
        statements = await asyncio.shield(PENDING_QUERIES[key])
        return [statement for statement in statements if statement.imdb_id == imdb_id]

    async def fetch_facts(self, imdb_id: str) -> FilmItem | None:
        """Return what is known of a film; None if nothing is. Raises SourceFailed if Wikidata cannot be read."""
        parameters = {"query": facts_query(imdb_id), "format": "json"}

        def parse(answer: object) -> list[FilmItem]:
            facts = parse_facts(answer, imdb_id=imdb_id)
            return [facts] if facts else []

        found = await self._fetch(self.sparql_url, parameters, parse, accept=SPARQL_JSON)
        return found[0] if found else None

    async def _query(self, imdb_id: str) -> list[Statement]:
        parameters = {"query": statements_query([imdb_id]), "format": "json"}
        try:
            return await self._fetch(self.sparql_url, parameters, parse_statements, accept=SPARQL_JSON)
        except SourceFailed as failed:
            # The query service is often overloaded, the API hardly ever.
            logger.info("the query service of Wikidata failed (%s), using its API", failed.message)
            return await self._fetch_from_api(imdb_id)

    async def _fetch_from_api(self, imdb_id: str) -> list[Statement]:
        """First which entity has this IMDb id, then its statements."""
        search = SEARCH_PARAMETERS | {"srsearch": f"haswbstatement:P345={imdb_id}"}
        items = await self._fetch(self.api_url, search, parse_search)
        if not items:
            return []
        return await self._fetch(self.api_url, ENTITY_PARAMETERS | {"ids": items[0]}, parse_entity_statements)

    async def _fetch(
        self, url: str, parameters: Mapping[str, str], parse: Callable[[object], list[T]], *, accept: str = JSON
    ) -> list[T]:
        request = Request(
            f"{url}?{urlencode(parameters)}",
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
        with unreadable_as_failure():
            return parse(decode_json(response.body))

    def _engine(self) -> ExecutionEngine:
        engine = self.crawler.engine
        if engine is None:
            raise SourceFailed("The crawl is over")
        return engine


@contextmanager
def unreadable_as_failure() -> Iterator[None]:
    """Raise SourceFailed in place of UnreadableResponse, with the same reason."""
    try:
        yield
    except UnreadableResponse as error:
        raise SourceFailed(f"{UNEXPECTED}: {str(error)[:MAX_REASON_LENGTH]}") from None
