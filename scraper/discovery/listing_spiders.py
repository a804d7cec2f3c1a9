"""Films that nobody asked for yet, page by page: Wikidata's table of films that can be watched somewhere, and the items
of the Internet Archive that name an IMDb id."""

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
    """One page of films. `after` is where the next one begins; empty when this was the last."""

    films: tuple[ExtractedFilm, ...]
    after: str


class ArchiveListingSpider(SourceSpider):
    """Walks through the archive's items with an IMDb id, by its cursor (`after`). Anybody may upload there, so only
    items that state a free licence count. A page has a hundred items, whatever the limit."""

    name = "internet_archive"
    custom_settings = {"DOWNLOAD_DELAY": KNOWN_SOURCES["internet_archive"].delay, "CONCURRENT_REQUESTS": 1}

    def __init__(self, after: str = "", limit: int = PAGE_SIZE) -> None:
        super().__init__()
        self.after, self.limit = after, limit

    async def start(self) -> AsyncIterator[Request]:
        self.home = self.base_url("INTERNET_ARCHIVE_URL")
        yield self.page(self.after, left=self.limit)

    def page(self, after: str, *, left: int) -> Request:
        query = {"q": ARCHIVE_QUERY, "fields": FIELDS, "count": str(PAGE_SIZE)} | ({"cursor": after} if after else {})
        url = f"{self.home}/services/search/v1/scrape"
        return self.json_request(url, self.read, query=query, parse_kwargs={"left": left - PAGE_SIZE})

    def read(self, answer: object, *, left: int) -> Iterator[FilmListPage | Request]:
        page = parse_scrape_page(answer)
        films = [hit.film(base=self.home) for hit in page.hits if hit.is_film and hit.imdb_id]
        free = [film for film in films if licence_status(self.name, film.licence.slug) is LicenceStatus.FREE]
        yield FilmListPage(tuple(free), str(page.next or ""))
        if page.next and left > 0:
            yield self.page(str(page.next), left=left)


class WikidataListingSpider(SourceSpider):
    """Asks for `limit` films after the IMDb id `after`, one page after the other: a page is asked for when the one
    before it has been read, and the query service is given time between two."""

    name = "wikidata"
    custom_settings = {"DOWNLOAD_TIMEOUT": 65, "DOWNLOAD_DELAY": 1.0, "CONCURRENT_REQUESTS": 1}

    def __init__(self, after: str = "", limit: int = PAGE_SIZE) -> None:
        super().__init__()
        self.after, self.limit = after or FIRST_KEY, limit

    async def start(self) -> AsyncIterator[Request]:
        yield self.page(self.after, left=self.limit)

    def page(self, after: str, *, left: int) -> Request:
        asked = min(PAGE_SIZE, left)
        query = {"query": films_query(after, limit=asked), "format": "json"}
        parameters = {"asked": asked, "left": left - asked}
        return self.json_request(self.base_url("WIKIDATA_SPARQL_URL"), self.read, query=query, parse_kwargs=parameters)

    def read(self, answer: object, *, asked: int, left: int) -> Iterator[FilmListPage | Request]:
        table = parse_film_table(answer)
        is_last = table.rows < asked or not table.next_after
        yield FilmListPage(table.films, "" if is_last else table.next_after)
        if not is_last and left:
            yield self.page(table.next_after, left=left)


LISTING_SPIDERS: dict[str, type[WikidataListingSpider | ArchiveListingSpider]] = {
    one.name: one for one in (WikidataListingSpider, ArchiveListingSpider)
}
