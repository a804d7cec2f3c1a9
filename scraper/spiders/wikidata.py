"""Wikidata: the pages where a film can be watched, found by IMDb id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from scraper.base_spider import SourceSpider
from scraper.errors import SourceFailed
from scraper.extraction.film import to_items
from scraper.extraction.wikidata_statements import WATCH_PROPERTIES, Statement, group_by_film
from scraper.items import LinkItem


class WikidataSpider(SourceSpider):
    """Turns the watch statements of the film into links; it ignores a `target_url`."""

    name = "wikidata"
    properties = WATCH_PROPERTIES

    async def start(self) -> AsyncIterator[Any]:
        """Yield what follows from the statements, and what is known of the film, without which the links do."""
        async for result in super().start():
            yield result
        if not self.imdb_id or self.target_url:
            return
        try:
            if facts := await self.wikidata_client().fetch_facts(self.imdb_id):
                yield facts
        except SourceFailed as failed:
            self.logger.info("Wikidata did not say what is known of the film: %s", failed.message)

    def parse_statements(self, statements: list[Statement]) -> Iterator[LinkItem]:
        for film in group_by_film(statements):
            yield from to_items(film, imdb_id=self.imdb_id, source=self.name)
