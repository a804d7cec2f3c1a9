"""The example site: a small web site of ours (`python -m scraper.example_site`), so that all works offline."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy import Request
from scrapy.http import Response

from scraper.addresses import Refused, check_url
from scraper.failures import UNEXPECTED, SourceFailed, report
from scraper.films import UNKNOWN, Film, FoundLink
from scraper.items import LinkItem
from scraper.middlewares import refused_address
from scraper.page_text import text_of
from scraper.structured_data import FilmPage, read_page


class ExampleSpider(scrapy.Spider):
    """Reads the page of one film (`imdb_id`), any page that describes one (`target_url`), or else the whole site."""

    name = "example"
    handle_httpstatus_list = (404, 410)

    def __init__(
        self,
        imdb_id: str = "",
        target_url: str = "",
        base_url: str = "",
        bound_urls: Sequence[str] = (),
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.imdb_id, self.target_url, self.base_url = imdb_id, target_url, base_url.rstrip("/")
        self.bound_urls = tuple(bound_urls)

    async def start(self) -> AsyncIterator[Request]:
        base = self.base_url or self.settings["EXAMPLE_SITE_URL"]
        address = self.target_url or (f"{base}/films/{self.imdb_id}/" if self.imdb_id else f"{base}/")
        try:
            url = check_url(address, allowed=self.settings["ALLOW_PRIVATE_HOSTS"])
        except Refused as refusal:
            report(self.crawler, refused_address(refusal))
            return
        yield Request(url, callback=self.parse if self.imdb_id or self.target_url else self.parse_front)
        for bound in self.bound_urls:
            if bound.startswith(f"{base}/"):
                yield Request(bound, callback=self.parse)

    def parse_front(self, response: Response) -> Iterator[Request]:
        """The front page lists the films; one without any is not what this site sends."""
        pages = text_of(response).xpath("//a[starts-with(@href, '/films/')]/@href").getall()
        if not pages or response.status != 200:
            raise SourceFailed(UNEXPECTED)
        for page in dict.fromkeys(pages):
            yield response.follow(page, callback=self.parse)

    def parse(self, response: Response) -> Iterator[LinkItem]:
        """The links of a film's page. A page that is not there is an answer: the site does not have the film."""
        if response.status in self.handle_httpstatus_list:
            return
        page = read_page(text_of(response).text, url=response.url)
        if page.film is None and not page.links:
            raise SourceFailed(UNEXPECTED)
        film = page.film or Film()
        if self.imdb_id and film.imdb_id not in ("", self.imdb_id):
            raise SourceFailed(f"The page is about another film, {film.imdb_id}")
        if not (film.imdb_id or self.imdb_id):
            raise SourceFailed("The page does not say which film it is about")
        yield from items_of(page, film, imdb_id=self.imdb_id or film.imdb_id)


def items_of(page: FilmPage, film: Film, *, imdb_id: str) -> Iterator[LinkItem]:
    """One item a link, each with what the page says of its film."""
    for link in page.links:
        licence = link.licence or UNKNOWN
        yield LinkItem(
            imdb_id=imdb_id,
            source=ExampleSpider.name,
            source_url=link.url,
            kind=link.kind,
            label=link.label,
            quality=link.quality,
            language=link.language,
            licence=licence.slug or _official(link, film),
            licence_url=licence.url,
            evidence=licence.url or (f"Published by {film.publisher}" if _official(link, film) else ""),
            title=film.title,
            year=film.year,
            type=film.type,
            synopsis=film.synopsis,
        )


def _official(link: FoundLink, film: Film) -> str:
    """A watch page on the site of the film's own publisher is an official one."""
    return "official" if film.publisher and urlsplit(link.url).hostname == film.publisher else ""
