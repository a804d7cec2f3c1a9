"""The Library of Congress: items that a person or Wikidata bound to a film, with their files and streams."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request

from scraper.base_spider import SourceSpider
from scraper.extraction.durations import parse_seconds
from scraper.extraction.film import ExtractedFilm, ExtractedLink, LicenceStatement, to_items
from scraper.extraction.json_values import (
    UnreadableResponse,
    as_int,
    as_mapping,
    as_objects,
    as_text,
    as_texts,
    html_to_text,
    parse_year,
)
from scraper.extraction.languages import parse_language
from scraper.extraction.media_types import link_kind
from scraper.extraction.source_urls import is_foreign, with_scheme
from scraper.extraction.wikidata_statements import FULL_WORK, Statement
from scraper.items import LinkItem
from scraper.sources import KNOWN_SOURCES

ITEM = re.compile(r"/item/([A-Za-z0-9._-]{1,60})/?$")
FREE_TO_USE = "free to use and reuse"
WEB_TYPES = ("video/mp4", "video/webm", "application/x-mpegurl", "application/vnd.apple.mpegurl")
MAX_ITEMS = 3


def parse_item(answer: object) -> ExtractedFilm:
    """Parse the film of an item response; `problem` says why one has no links. Raises UnreadableResponse."""
    item = as_mapping(as_mapping(answer).get("item"))
    if not item:
        raise UnreadableResponse("the answer has no item")
    problem = _problem(item, as_mapping(answer))
    page = _https(as_text(item.get("url"), max_length=2000) or as_text(item.get("id"), max_length=2000))
    return ExtractedFilm(
        identifier=item_id(page),
        title=as_text(item.get("title")),
        year=parse_year(item.get("date")),
        language=parse_language(item.get("language")),
        page=page,
        licence=_licence(item, page),
        links=() if problem else tuple(_links(as_mapping(answer))),
        problem=problem,
    )


def item_id(url: str, *, home: str = "https://www.loc.gov") -> str:
    """Return the item that a URL at the library is about; empty for any other URL."""
    try:
        parts, own = urlsplit(url), urlsplit(home).hostname
    except ValueError:
        return ""
    found = ITEM.search(parts.path)
    return found[1] if found and parts.hostname in ("www.loc.gov", "loc.gov", own) else ""


def _problem(item: Mapping[str, Any], around: Mapping[str, Any]) -> str:
    if any(as_text(one.get("access_restricted")).lower() == "true" or one.get("access_restricted") is True
           for one in (item, around)):  # fmt: skip
        return "restricted"
    return "" if "video" in [form.lower() for form in as_texts(item.get("online_format"))] else "not_a_film"


def _links(answer: Mapping[str, Any]) -> Iterator[ExtractedLink]:
    for resource in as_objects(answer.get("resources")):
        yield from _files(resource)
        for name in ("video", "video_stream"):
            url = _media_url(resource.get(name))
            if kind := link_kind(url):
                yield ExtractedLink(url=url, kind=kind, label=_label(resource))


def _files(resource: Mapping[str, Any]) -> Iterator[ExtractedLink]:
    """Return the files for the web, without preservation masters (QuickTime). `files` may be just a number."""
    groups = resource.get("files")
    groups = [groups] if isinstance(groups, Mapping) else groups
    for group in groups[:500] if isinstance(groups, list) else ():
        for file in as_objects(group):
            url, media_type = _media_url(file.get("url")), as_text(file.get("mimetype")).lower()
            if url and media_type in WEB_TYPES and (kind := link_kind("", media_type=media_type)):
                yield ExtractedLink(
                    url=url,
                    kind=kind,
                    label=_label(resource),
                    size_bytes=as_int(file.get("size")),
                    duration_seconds=parse_seconds(file.get("duration")),
                    width=as_int(file.get("width")),
                    height=as_int(file.get("height")),
                )


def _label(resource: Mapping[str, Any]) -> str:
    return as_text(resource.get("caption"), max_length=200)


def _licence(item: Mapping[str, Any], page: str) -> LicenceStatement:
    """Return public domain for the one sentence that allows everybody to use it; the library states rights in prose."""
    rights = html_to_text(item.get("rights")) or html_to_text(item.get("rights_information"))
    is_free = FREE_TO_USE in rights.lower()
    return LicenceStatement(slug="public-domain" if is_free else "", url=page if is_free else "", name=rights[:400])


def _media_url(value: object) -> str:
    """Return the URL of a file if it is the library's own; empty for one on another site."""
    url = _https(with_scheme(as_text(value, max_length=2000)))
    return "" if is_foreign(url, "loc.gov") else url


def _https(url: str) -> str:
    return f"https://{url.removeprefix('http://')}" if url.startswith("http://www.loc.gov/") else url


class LibraryOfCongressSpider(SourceSpider):
    """Reads items that are bound to the film: the library has no IMDb ids, and an equal title proves nothing."""

    name = "library_of_congress"
    properties = (FULL_WORK,)
    custom_settings = {
        "DOWNLOAD_DELAY": KNOWN_SOURCES["library_of_congress"].delay,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
    }

    @property
    def home(self) -> str:
        return self.base_url("LIBRARY_OF_CONGRESS_URL")

    def requests_for_url(self, url: str) -> Iterator[Request]:
        if item := item_id(url, home=self.home):
            yield self.item_request(item)

    def parse_statements(self, statements: list[Statement]) -> Iterator[Request]:
        items = dict.fromkeys(item_id(statement.url, home=self.home) for statement in statements)
        for item in [one for one in items if one][:MAX_ITEMS]:
            yield self.item_request(item)

    def item_request(self, item: str) -> Request:
        return self.json_request(f"{self.home}/item/{item}/", self.parse_response, query={"fo": "json"}, may_miss=True)

    def parse_response(self, answer: object) -> Iterator[LinkItem]:
        yield from to_items(parse_item(answer), imdb_id=self.imdb_id, source=self.name)
