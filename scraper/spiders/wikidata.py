"""Wikidata: the pages where a film can be watched, found by IMDb id."""

from __future__ import annotations

from collections.abc import Iterator

from scraper.base_spider import SourceSpider
from scraper.extraction.film import to_items
from scraper.extraction.wikidata_statements import WATCH_PROPERTIES, Statement, group_by_film
from scraper.items import LinkItem


class WikidataSpider(SourceSpider):
    """Turns the watch statements of the film into links; it ignores a `target_url`."""

    name = "wikidata"
    properties = WATCH_PROPERTIES

    def parse_statements(self, statements: list[Statement]) -> Iterator[LinkItem]:
        for film in group_by_film(statements):
            yield from to_items(film, imdb_id=self.imdb_id, source=self.name)
