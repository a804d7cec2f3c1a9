"""The example site: a small web site of ours (`python -m scraper.example_site`), so that all works offline."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy import Request
from scrapy.http import Response, TextResponse

from scraper.addresses import Refused, check_url, host_of
from scraper.failures import UNEXPECTED, SourceFailed, report
from scraper.films import MOST_LINKS, Film, FoundLink, once
from scraper.formats import kind_of, quality_of_label
from scraper.items import LinkItem
from scraper.languages import tag_of
from scraper.middlewares import refused_address
from scraper.page_data import film_of_page
from scraper.page_text import text_of
from scraper.reading import mapping, mappings, text
from scraper.structured_data import FILM_TYPES, absolute, documents, nodes_of, types_of

PLAIN_LINKS = "//a[starts-with(normalize-space(), 'Watch') or starts-with(normalize-space(), 'Stream')]"
LINKING = frozenset({"WatchAction", "VideoObject"})


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
        film = film_of(text_of(response), wanted=self.imdb_id)
        if not film.imdb_id and not film.links:
            raise SourceFailed(UNEXPECTED)
        if self.imdb_id and film.imdb_id not in ("", self.imdb_id):
            raise SourceFailed(f"The page is about another film, {film.imdb_id}")
        if not (film.imdb_id or self.imdb_id):
            raise SourceFailed("The page does not say which film it is about")
        yield from items_of(film, imdb_id=self.imdb_id or film.imdb_id)


def film_of(page: TextResponse, *, wanted: str) -> Film:
    """The film of a page, with what this site says beside that: watch pages as plain links, names of links and the
    host of the publisher."""
    film = film_of_page(page.text, url=page.url, wanted=wanted)
    nodes = list(nodes_of(documents(page.selector)))
    linking = [node for node in nodes if LINKING.intersection(types_of(node))]
    names = {absolute(url, page.url): text(node.get("name")) for node in linking for url in _urls(node)}
    found = once([*film.links, *_plain_links(page)])
    links = tuple(_named(link, link.label or names.get(link.url, "")) for link in found)
    films = (node for node in nodes if any(name in FILM_TYPES for name in types_of(node)))
    publisher = text(mapping(next(films, {}).get("publisher")).get("url"))
    return replace(film, links=links, publisher=host_of(publisher))


def _named(link: FoundLink, name: str) -> FoundLink:
    """The link with its name, which may say the quality (`Watch in 576p, French`), and as the player that it is."""
    words = name.replace(",", " ").split()
    quality = next(filter(None, map(quality_of_label, words)), link.quality)
    is_player = link.kind == "page" and "/embed/" in link.url
    return replace(link, label=name, quality=quality, kind="embed" if is_player else link.kind)


def _urls(node: Mapping[str, Any]) -> list[str]:
    """The addresses of a watch action or a video."""
    points = mappings(node.get("target"))
    return [
        text(one)
        for one in (node.get("contentUrl"), node.get("embedUrl"), *(point.get("urlTemplate") for point in points))
        if one
    ]


def _plain_links(page: TextResponse) -> Iterator[FoundLink]:
    """The links of the page whose text says that they are to watch; films are listed so in the page itself."""
    for anchor in page.xpath(PLAIN_LINKS):
        if url := absolute(anchor.attrib.get("href", ""), page.url):
            label = text(anchor.xpath("string()").get())
            yield FoundLink(
                url=url, kind=kind_of(url) or "page", label=label, language=tag_of(anchor.attrib.get("hreflang"))
            )


def items_of(film: Film, *, imdb_id: str) -> Iterator[LinkItem]:
    """One item a link, each with what the page says of its film."""
    for link in film.links[:MOST_LINKS]:
        licence = link.licence or film.licence
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
