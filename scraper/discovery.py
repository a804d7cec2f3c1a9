"""Films that nobody asked for yet, page by page: Wikidata's table of films that can be watched somewhere, and the items
of the Internet Archive that name an IMDb id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from scrapy import Request

from scraper.asking import SourceSpider
from scraper.films import Film
from scraper.hub import films_question, table_of
from scraper.sources import KNOWN, Standing, standing
from scraper.spiders.internet_archive import scrape_of

PAGE = 100
BEGINNING = "tt"
WITH_IMDB_ID = r"external-identifier:urn\:imdb\:* AND mediatype:movies"
FIELDS = "identifier,title,mediatype,year,date,language,licenseurl,external-identifier,description"


@dataclass(frozen=True, slots=True)
class FoundPage:
    """One page of films. `after` is where the next one begins; empty when this was the last."""

    films: tuple[Film, ...]
    after: str


class ArchiveFilms(SourceSpider):
    """Walks through the archive's items with an IMDb id, by its cursor (`after`). Anybody may upload there, so only
    items that state a free licence count. A page has a hundred items, whatever the limit."""

    name = "internet_archive"
    custom_settings = {"DOWNLOAD_DELAY": KNOWN["internet_archive"].pause, "CONCURRENT_REQUESTS": 1}

    def __init__(self, after: str = "", limit: int = PAGE) -> None:
        super().__init__()
        self.after, self.limit = after, limit

    async def start(self) -> AsyncIterator[Request]:
        self.home = self.address("INTERNET_ARCHIVE_URL")
        yield self.page(self.after, left=self.limit)

    def page(self, after: str, *, left: int) -> Request:
        query = {"q": WITH_IMDB_ID, "fields": FIELDS, "count": str(PAGE)} | ({"cursor": after} if after else {})
        url = f"{self.home}/services/search/v1/scrape"
        return self.data(url, self.read, query=query, told={"left": left - PAGE})

    def read(self, answer: object, *, left: int) -> Iterator[FoundPage | Request]:
        page = scrape_of(answer)
        films = [hit.film(base=self.home) for hit in page.hits if hit.is_film and hit.imdb_id]
        free = [film for film in films if standing(self.name, film.licence.slug) is Standing.FREE]
        yield FoundPage(tuple(free), str(page.next or ""))
        if page.next and left > 0:
            yield self.page(str(page.next), left=left)


class WikidataFilms(SourceSpider):
    """Asks for `limit` films after the IMDb id `after`, one page after the other: a page is asked for when the one
    before it has been read, and the query service is given time between two."""

    name = "wikidata"
    custom_settings = {"DOWNLOAD_TIMEOUT": 65, "DOWNLOAD_DELAY": 1.0, "CONCURRENT_REQUESTS": 1}

    def __init__(self, after: str = "", limit: int = PAGE) -> None:
        super().__init__()
        self.after, self.limit = after or BEGINNING, limit

    async def start(self) -> AsyncIterator[Request]:
        yield self.page(self.after, left=self.limit)

    def page(self, after: str, *, left: int) -> Request:
        asked = min(PAGE, left)
        query = {"query": films_question(after, limit=asked), "format": "json"}
        told = {"asked": asked, "left": left - asked}
        return self.data(self.address("WIKIDATA_SPARQL_URL"), self.read, query=query, told=told)

    def read(self, answer: object, *, asked: int, left: int) -> Iterator[FoundPage | Request]:
        table = table_of(answer)
        is_last = table.rows < asked or not table.next_after
        yield FoundPage(table.films, "" if is_last else table.next_after)
        if not is_last and left:
            yield self.page(table.next_after, left=left)


FINDERS: dict[str, type[WikidataFilms | ArchiveFilms]] = {one.name: one for one in (WikidataFilms, ArchiveFilms)}
