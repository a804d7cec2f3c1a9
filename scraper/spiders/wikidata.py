"""Wikidata: the pages where a film can be watched, as its readers noted them, found by IMDb id."""

from __future__ import annotations

from collections.abc import Iterator

from scraper.asking import SourceSpider
from scraper.films import items_of
from scraper.hub import WATCHED, Statement, films_of
from scraper.items import LinkItem


class WikidataSpider(SourceSpider):
    """Asks once for all watch statements of the film. A `target_url` is not its business."""

    name = "wikidata"
    properties = WATCHED

    def told(self, statements: list[Statement]) -> Iterator[LinkItem]:
        for film in films_of(statements):
            yield from items_of(film, imdb_id=self.imdb_id, source=self.name)
