"""The Library of Congress: items that a person or Wikidata bound to a film, with their files and streams."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request

from scraper.asking import SourceSpider
from scraper.films import Film, FoundLink, Licence, items_of
from scraper.formats import kind_of, media_type_of
from scraper.hub import FULL_WORK, Statement
from scraper.items import LinkItem
from scraper.languages import language_of
from scraper.reading import Unreadable, mapping, mappings, plain, text, texts, whole, year_of
from scraper.sources import KNOWN

ITEM = re.compile(r"/item/([A-Za-z0-9._-]{1,60})/?$")
FREE_TO_USE = "free to use and reuse"
WEB_TYPES = ("video/mp4", "video/webm", "application/x-mpegurl", "application/vnd.apple.mpegurl")
MOST_ITEMS = 3


def film_of(answer: object) -> Film:
    """The film of an item answer; one without links says in `problem` why."""
    item = mapping(mapping(answer).get("item"))
    if not item:
        raise Unreadable("the answer has no item")
    problem = _problem(item, mapping(answer))
    page = _https(text(item.get("url"), longest=2000) or text(item.get("id"), longest=2000))
    return Film(
        identifier=item_of(page),
        title=text(item.get("title")),
        year=year_of(item.get("date")),
        language=language_of(item.get("language")),
        page=page,
        licence=_licence(item, page),
        links=() if problem else tuple(_links(mapping(answer))),
        problem=problem,
    )


def item_of(url: str, *, home: str = "https://www.loc.gov") -> str:
    """The item that an address at the library is about; empty for any other address."""
    try:
        parts, own = urlsplit(url), urlsplit(home).hostname
    except ValueError:
        return ""
    found = ITEM.search(parts.path)
    return found[1] if found and parts.hostname in ("www.loc.gov", "loc.gov", own) else ""


def _problem(item: Mapping[str, Any], around: Mapping[str, Any]) -> str:
    if any(text(one.get("access_restricted")).lower() == "true" or one.get("access_restricted") is True
           for one in (item, around)):  # fmt: skip
        return "restricted"
    return "" if "video" in [form.lower() for form in texts(item.get("online_format"))] else "not_a_film"


def _links(answer: Mapping[str, Any]) -> Iterator[FoundLink]:
    for resource in mappings(answer.get("resources")):
        yield from _files(resource)
        for name in ("video", "video_stream"):
            url = text(resource.get(name), longest=2000)
            if kind := kind_of(url):
                yield FoundLink(url=_https(url), kind=kind, media_type=media_type_of(url), label=_label(resource))


def _files(resource: Mapping[str, Any]) -> Iterator[FoundLink]:
    """The files for the web; a preservation master (QuickTime) is not one. `files` may be a mere number."""
    groups = resource.get("files")
    for group in groups[:500] if isinstance(groups, list) else ():
        for file in mappings(group):
            url, media_type = text(file.get("url"), longest=2000), text(file.get("mimetype")).lower()
            if url and media_type in WEB_TYPES and (kind := kind_of("", media_type=media_type)):
                yield FoundLink(
                    url=_https(url),
                    kind=kind,
                    media_type=media_type,
                    size=whole(file.get("size")),
                    label=_label(resource),
                )


def _label(resource: Mapping[str, Any]) -> str:
    return text(resource.get("caption"), longest=200)


def _licence(item: Mapping[str, Any], page: str) -> Licence:
    """The library states rights in prose, item by item; only its sentence that all may use it counts."""
    said = plain(item.get("rights")) or plain(item.get("rights_information"))
    is_free = FREE_TO_USE in said.lower()
    return Licence(slug="public-domain" if is_free else "", url=page if is_free else "", name=said[:400])


def _https(url: str) -> str:
    return f"https://{url.removeprefix('http://')}" if url.startswith("http://www.loc.gov/") else url


class LibraryOfCongressSpider(SourceSpider):
    """Reads items that are bound to the film: the library knows no IMDb ids, and a title alone proves nothing."""

    name = "library_of_congress"
    properties = (FULL_WORK,)
    custom_settings = {"DOWNLOAD_DELAY": KNOWN["library_of_congress"].pause, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}

    @property
    def home(self) -> str:
        return self.address("LIBRARY_OF_CONGRESS_URL")

    def named(self, url: str) -> Iterator[Request]:
        if item := item_of(url, home=self.home):
            yield self.item(item)

    def told(self, statements: list[Statement]) -> Iterator[Request]:
        items = dict.fromkeys(item_of(statement.url, home=self.home) for statement in statements)
        for item in [one for one in items if one][:MOST_ITEMS]:
            yield self.item(item)

    def item(self, item: str) -> Request:
        return self.data(f"{self.home}/item/{item}/", self.read, query={"fo": "json"}, may_miss=True)

    def read(self, answer: object) -> Iterator[LinkItem]:
        yield from items_of(film_of(answer), imdb_id=self.imdb_id, source=self.name)
