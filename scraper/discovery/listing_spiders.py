"""Spiders that page through a source: watchable films of Wikidata, items of the Internet Archive with an IMDb id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from scrapy import Request

from scraper.base_spider import SourceSpider
from scraper.extraction.film import ExtractedFilm
from scraper.extraction.wikidata_queries import films_query
from scraper.extraction.wikidata_statements import parse_film_table
from scraper.sources import KNOWN_SOURCES, LicenceStatus, licence_status
from scraper.spiders.internet_archive import parse_scrape_page

PAGE_SIZE = 100
FIRST_KEY = "tt"
ARCHIVE_QUERY = r"external-identifier:urn\:imdb\:* AND mediatype:movies"
FIELDS = "identifier,title,mediatype,year,date,language,licenseurl,external-identifier,description"


@dataclass(frozen=True, slots=True)
class FilmListPage:
    """One page of films. `after` is where the next one begins; empty after the last page."""

    films: tuple[ExtractedFilm, ...]
    after: str


class ArchiveListingSpider(SourceSpider):
    """Pages through the archive's items with an IMDb id by its cursor (`after`).

    Anybody may upload to the archive, so only items that state a free licence count. A page has a hundred items,
    whatever the limit.
    """

    name = "internet_archive"
    custom_settings = {"DOWNLOAD_DELAY": KNOWN_SOURCES["internet_archive"].delay, "CONCURRENT_REQUESTS": 1}

    def __init__(self, after: str = "", limit: int = PAGE_SIZE) -> None:
        super().__init__()
        self.after, self.limit = after, limit

    async def start(self) -> AsyncIterator[Request]:
        self.archive_url = self.base_url("INTERNET_ARCHIVE_URL")
        yield self.page_request(self.after, remaining=self.limit)

    def page_request(self, after: str, *, remaining: int) -> Request:
        query = {"q": ARCHIVE_QUERY, "fields": FIELDS, "count": str(PAGE_SIZE)} | ({"cursor": after} if after else {})
        url = f"{self.archive_url}/services/search/v1/scrape"
        return self.json_request(url, self.parse_page, query=query, parse_kwargs={"remaining": remaining - PAGE_SIZE})

    def parse_page(self, answer: object, *, remaining: int) -> Iterator[FilmListPage | Request]:
        page = parse_scrape_page(answer)
        films = [hit.film(base=self.archive_url) for hit in page.hits if hit.is_film and hit.imdb_id]
        free = [film for film in films if licence_status(self.name, film.licence.slug) is LicenceStatus.FREE]
        yield FilmListPage(tuple(free), str(page.next or ""))
        if page.next and remaining > 0:
            yield self.page_request(str(page.next), remaining=remaining)


class WikidataListingSpider(SourceSpider):
    """Pages through `limit` films after the IMDb id `after`; each page is requested when the previous one is parsed,
    with a delay, to spare the query service."""

    name = "wikidata"
    custom_settings = {"DOWNLOAD_TIMEOUT": 65, "DOWNLOAD_DELAY": 1.0, "CONCURRENT_REQUESTS": 1}

    def __init__(self, after: str = "", limit: int = PAGE_SIZE) -> None:
        super().__init__()
        self.after, self.limit = after or FIRST_KEY, limit

    async def start(self) -> AsyncIterator[Request]:
        yield self.page_request(self.after, remaining=self.limit)

    def page_request(self, after: str, *, remaining: int) -> Request:
        page_size = min(PAGE_SIZE, remaining)
        query = {"query": films_query(after, limit=page_size), "format": "json"}
        parameters = {"page_size": page_size, "remaining": remaining - page_size}
        return self.json_request(
            self.base_url("WIKIDATA_SPARQL_URL"), self.parse_page, query=query, parse_kwargs=parameters
        )

    def parse_page(self, answer: object, *, page_size: int, remaining: int) -> Iterator[FilmListPage | Request]:
        table = parse_film_table(answer)
        is_last = table.rows < page_size or not table.next_after
        yield FilmListPage(table.films, "" if is_last else table.next_after)
        if not is_last and remaining:
            yield self.page_request(table.next_after, remaining=remaining)


LISTING_SPIDERS: dict[str, type[WikidataListingSpider | ArchiveListingSpider]] = {
    one.name: one for one in (WikidataListingSpider, ArchiveListingSpider)
}
