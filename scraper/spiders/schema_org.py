"""Any web page with schema.org data of a film: one that a person gave, or that Wikidata states as the full work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from scrapy import Request
from scrapy.http import Response

from scraper.base_spider import NOT_FOUND_STATUSES, SourceSpider, page_limits
from scraper.errors import UNEXPECTED, SourceFailed
from scraper.extraction.film import to_items
from scraper.extraction.film_page import extract_film
from scraper.extraction.media_types import link_kind
from scraper.extraction.source_urls import archive_item_id, commons_file_name
from scraper.extraction.walls import is_wall
from scraper.extraction.wikidata_statements import FULL_WORK, Statement
from scraper.items import LinkItem
from scraper.net.encoding import decode_headers, decode_page
from scraper.net.url_policy import host_of
from scraper.spiders.library_of_congress import item_id
from scraper.spiders.peertube import video_id

MAX_PAGES = 3
FAILURES = {
    "several_films": "The page is about several films",
    "unreadable_data": f"{UNEXPECTED}: the data in the page cannot be read",
}
"""The problems of a page that leave open where the film can be watched."""


class SchemaOrgSpider(SourceSpider):
    """Reads web pages, so it obeys robots.txt; not those of sources that have a spider of their own."""

    name = "schema_org"
    properties = (FULL_WORK,)

    def requests_for_url(self, url: str) -> Iterator[Request]:
        if _is_page(url):
            yield self.page_request(url)

    def parse_statements(self, statements: list[Statement]) -> Iterator[Request]:
        pages = dict.fromkeys(statement.url for statement in statements)
        for url in [one for one in pages if _is_page(one)][:MAX_PAGES]:
            yield self.page_request(url)

    def page_request(self, url: str) -> Request:
        return Request(url, callback=self.parse_page, meta={"handle_httpstatus_list": list(NOT_FOUND_STATUSES)})

    def parse_page(self, response: Response) -> Iterator[LinkItem]:
        """Return the links of a page that is about this film, or that states no IMDb id."""
        if response.status in NOT_FOUND_STATUSES:
            return
        text = decode_page(response).text
        with page_limits():
            film = extract_film(text, url=response.url, wanted=self.imdb_id)
            is_empty = not film.links and is_wall(text, headers=decode_headers(response))
        if film.problem in FAILURES:
            raise SourceFailed(FAILURES[film.problem])
        if is_empty:
            raise SourceFailed(f"{UNEXPECTED}: a check for robots, or an empty page")
        if film.imdb_id not in ("", self.imdb_id):
            raise SourceFailed(f"The page is about another film, {film.imdb_id}")
        links = tuple(replace(link, label=link.label or host_of(response.url)) for link in film.links)
        yield from to_items(replace(film, links=links), imdb_id=self.imdb_id, source=self.name)


def _is_page(url: str) -> bool:
    own = (archive_item_id(url), commons_file_name(url), item_id(url), all(video_id(url)))
    return url.startswith(("https://", "http://")) and not any(own) and not link_kind(url)
