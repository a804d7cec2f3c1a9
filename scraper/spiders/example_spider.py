"""The example site (`python -m scraper.example_site`), with which everything works offline."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import scrapy
from parsel import Selector
from scrapy import Request
from scrapy.http import Response, TextResponse

from scraper.base_spider import page_limits
from scraper.errors import UNEXPECTED, SourceFailed, report_source_failure
from scraper.extraction.film import MAX_LINKS_PER_FILM, ExtractedFilm, ExtractedLink, deduplicate
from scraper.extraction.film_page import absolute_url, extract_film, film_type
from scraper.extraction.html_page import find_elements, parse_html
from scraper.extraction.json_ld import has_type, iter_nodes, read_json_ld
from scraper.extraction.json_values import as_mapping, as_mappings, as_text
from scraper.extraction.languages import normalize_language_tag
from scraper.extraction.media_types import link_kind, quality_from_label
from scraper.items import Caption, LinkItem
from scraper.middlewares import refused_url_failure
from scraper.net.encoding import decode_page
from scraper.net.url_policy import InvalidValue, host_of, normalize_url

PLAIN_LINKS = "//a[starts-with(normalize-space(), 'Watch') or starts-with(normalize-space(), 'Stream')]"
LINK_TYPES = frozenset({"WatchAction", "VideoObject"})


class ExampleSpider(scrapy.Spider):
    """Reads the page of one film (`imdb_id`), any page that describes one (`target_url`), or the whole site."""

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
            url = normalize_url(address, allowed=self.settings["ALLOW_PRIVATE_HOSTS"])
        except InvalidValue as refusal:
            report_source_failure(self.crawler, refused_url_failure(refusal))
            return
        yield Request(url, callback=self.parse if self.imdb_id or self.target_url else self.parse_front)
        for bound in self.bound_urls:
            if bound.startswith(f"{base}/"):
                yield Request(bound, callback=self.parse)

    def parse_front(self, response: Response) -> Iterator[Request]:
        """Follow the films of the front page; a front page without films is a failure."""
        root = parse_html(decode_page(response).text)
        pages = [link.get() for link in find_elements(root, "//a[starts-with(@href, '/films/')]/@href")]
        if not pages or response.status != 200:
            raise SourceFailed(UNEXPECTED)
        for page in dict.fromkeys(pages):
            yield response.follow(page, callback=self.parse)

    def parse(self, response: Response) -> Iterator[LinkItem]:
        """Return the links of a film's page; a missing page (404, 410) means that the site does not have the film."""
        if response.status in self.handle_httpstatus_list:
            return
        with page_limits():
            film = film_of(decode_page(response), wanted=self.imdb_id)
        if not film.imdb_id and not film.links:
            raise SourceFailed(UNEXPECTED)
        if self.imdb_id and film.imdb_id not in ("", self.imdb_id):
            raise SourceFailed(f"The page is about another film, {film.imdb_id}")
        if not (film.imdb_id or self.imdb_id):
            raise SourceFailed("The page does not say which film it is about")
        yield from to_example_items(film, imdb_id=self.imdb_id or film.imdb_id)


def film_of(page: TextResponse, *, wanted: str) -> ExtractedFilm:
    """Return the film of a page, with what only this site states: plain watch links, link names and the publisher."""
    film = extract_film(page.text, url=page.url, wanted=wanted)
    root = parse_html(page.text)
    nodes = list(iter_nodes(read_json_ld(root).documents))
    linking = [node for node in nodes if has_type(node, LINK_TYPES)]
    names = {absolute_url(url, page.url): as_text(node.get("name")) for node in linking for url in _urls(node)}
    found = deduplicate([*film.links, *_plain_links(root, url=page.url)])
    captions = tuple(_captions(root, url=page.url))
    links = tuple(
        replace(
            _with_name(link, link.label or names.get(link.url, "")),
            captions=captions if link.kind in ("file", "stream") else (),
        )
        for link in found
    )
    films = (node for node in nodes if film_type(node))
    publisher = as_text(as_mapping(next(films, {}).get("publisher")).get("url"))
    return replace(film, links=links, publisher=host_of(publisher))


def _with_name(link: ExtractedLink, name: str) -> ExtractedLink:
    """Return the link with its name, the quality in the name (`Watch in 576p, French`), and the kind of a player."""
    words = name.replace(",", " ").split()
    quality = next(filter(None, map(quality_from_label, words)), link.quality)
    is_player = link.kind == "page" and "/embed/" in link.url
    return replace(link, label=name, quality=quality, kind="embed" if is_player else link.kind)


def _captions(root: Selector, *, url: str) -> Iterator[Caption]:
    """Return the captions of the film, which all its files and streams have in common."""
    for track in find_elements(root, "//track[@src]"):
        if target := absolute_url(track.attrib["src"], url):
            language = normalize_language_tag(track.attrib.get("srclang"))
            yield Caption(url=target, language=language, format="srt" if target.endswith(".srt") else "vtt")


def _urls(node: Mapping[str, Any]) -> list[str]:
    """Return the URLs of a watch action or a video."""
    points = as_mappings(node.get("target"))
    return [
        as_text(one)
        for one in (node.get("contentUrl"), node.get("embedUrl"), *(point.get("urlTemplate") for point in points))
        if one
    ]


def _plain_links(root: Selector, *, url: str) -> Iterator[ExtractedLink]:
    """Return the links whose text says that they are for watching."""
    for anchor in find_elements(root, PLAIN_LINKS):
        if target := absolute_url(anchor.attrib.get("href", ""), url):
            label = as_text(anchor.xpath("string()").get())
            yield ExtractedLink(
                url=target,
                kind=link_kind(target) or "page",
                label=label,
                language=normalize_language_tag(anchor.attrib.get("hreflang")),
            )


def to_example_items(film: ExtractedFilm, *, imdb_id: str) -> Iterator[LinkItem]:
    """Return one item per link, with what the page states about its film."""
    for link in film.links[:MAX_LINKS_PER_FILM]:
        licence = link.licence or film.licence
        yield LinkItem(
            imdb_id=imdb_id,
            source=ExampleSpider.name,
            source_url=link.url,
            kind=link.kind,
            label=link.label,
            quality=link.quality,
            language=link.language,
            licence=licence.slug or _official_licence(link, film),
            licence_url=licence.url,
            evidence=licence.url or (f"Published by {film.publisher}" if _official_licence(link, film) else ""),
            title=film.title,
            year=film.year,
            type=film.type,
            synopsis=film.synopsis,
            captions=link.captions,
        )


def _official_licence(link: ExtractedLink, film: ExtractedFilm) -> str:
    """Return `official` for a watch page on the site of the film's own publisher, else empty."""
    return "official" if film.publisher and urlsplit(link.url).hostname == film.publisher else ""
