"""Any web page that describes a film as data: one that a person named, or that Wikidata names as holding the work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from scrapy import Request
from scrapy.http import Response

from scraper.addresses import host_of
from scraper.asking import MISSING, SourceSpider
from scraper.failures import SourceFailed
from scraper.films import items_of
from scraper.formats import kind_of
from scraper.hub import FULL_WORK, Statement, archive_item_of, commons_file_of
from scraper.items import LinkItem
from scraper.page_data import film_of_page
from scraper.page_text import text_of
from scraper.spiders.library_of_congress import item_of
from scraper.spiders.peertube import video_of

MOST_PAGES = 3


class SchemaOrgSpider(SourceSpider):
    """Reads the pages themselves, so robots.txt is obeyed. Pages of sources that have their own spider are theirs."""

    name = "schema_org"
    properties = (FULL_WORK,)

    def named(self, url: str) -> Iterator[Request]:
        if _is_page(url):
            yield self.page(url)

    def told(self, statements: list[Statement]) -> Iterator[Request]:
        pages = dict.fromkeys(statement.url for statement in statements)
        for url in [one for one in pages if _is_page(one)][:MOST_PAGES]:
            yield self.page(url)

    def page(self, url: str) -> Request:
        return Request(url, callback=self.read, meta={"handle_httpstatus_list": list(MISSING)})

    def read(self, response: Response) -> Iterator[LinkItem]:
        """The links of a page, when it is about this film or does not say by IMDb id which one it is about."""
        if response.status in MISSING:
            return
        film = film_of_page(text_of(response).text, url=response.url, wanted=self.imdb_id)
        if film.problem:
            raise SourceFailed("The page is about several films")
        if film.imdb_id not in ("", self.imdb_id):
            raise SourceFailed(f"The page is about another film, {film.imdb_id}")
        links = tuple(replace(link, label=link.label or host_of(response.url)) for link in film.links)
        yield from items_of(replace(film, links=links), imdb_id=self.imdb_id, source=self.name)


def _is_page(url: str) -> bool:
    own = (archive_item_of(url), commons_file_of(url), item_of(url), all(video_of(url)))
    return url.startswith(("https://", "http://")) and not any(own) and not kind_of(url)
