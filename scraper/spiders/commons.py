"""Wikimedia Commons: files that Wikidata names for a film, with their smaller versions and licences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from scrapy import Request

from scraper.asking import SourceSpider
from scraper.films import Film, FoundLink, Licence, items_of
from scraper.formats import kind_of, quality_of_label, quality_of_size
from scraper.hub import COMMONS_FILE, Statement, commons_file_of, commons_page
from scraper.items import LinkItem
from scraper.licences import licence_of_name, licence_of_url
from scraper.reading import Unreadable, mapping, mappings, plain, text, whole

ASKED = "timestamp|url|size|mime|derivatives|extmetadata|canonicaltitle"
ABOUT = "LicenseShortName|LicenseUrl|UsageTerms|NonFree"
MOST_FILES = 5


def films_of(answer: object) -> list[Film]:
    """The files of a `videoinfo` (or `imageinfo`) answer, formatversion 1 or 2; those without video have no links."""
    if mapping(answer).get("error"):
        raise Unreadable("Commons answered with an error")
    pages = mapping(mapping(answer).get("query")).get("pages")
    if not isinstance(pages, Mapping | list):
        raise Unreadable("the answer has no pages")
    return [_film(page) for page in mappings(pages)]


def licence_of(about: Mapping[str, Any], *, page: str) -> Licence:
    """The licence of a file out of its `extmetadata`; names and thanks are HTML there. A licence without an address of
    its own (public domain) has the file's page as its evidence."""
    said = {name: plain(mapping(cell).get("value"), longest=400) for name, cell in about.items()}
    url, name = said.get("LicenseUrl", ""), said.get("LicenseShortName", "")
    slug = licence_of_url(url) or licence_of_name(name)
    return Licence(
        slug=slug,
        url=url or (page if slug else ""),
        name=name,
    )


def _film(page: Mapping[str, Any]) -> Film:
    # A file of a shared repository is "missing" here, "known", and has its data all the same.
    found = next(mappings(page.get("videoinfo")), None) or next(mappings(page.get("imageinfo")), None)
    name = text(page.get("title")).removeprefix("File:")
    if found is None:
        return Film(identifier=name, problem="not_found")
    about = mapping(found.get("extmetadata"))
    page_url = text(found.get("descriptionurl"), longest=2000) or commons_page(name)
    problem = "not_free" if plain(mapping(about.get("NonFree")).get("value")) not in ("", "false") else ""
    return Film(
        identifier=name,
        title=name.rpartition(".")[0],
        page=page_url,
        licence=licence_of(about, page=page_url),
        links=() if problem else tuple(_links(found)),
        problem=problem,
    )


def _links(found: Mapping[str, Any]) -> Iterator[FoundLink]:
    """The original and its smaller versions. The first version is the original once more, with its codecs."""
    original = _address(found.get("url"))
    versions = {_address(one.get("src")): one for one in mappings(found.get("derivatives"))}
    if original:
        same = versions.pop(original, {})
        merged = {**found, "type": text(same.get("type")) or text(found.get("mime")), "src": original}
        yield from _link(merged, label="Original", size=whole(found.get("size")))
    for one in versions.values():
        yield from _link(one, label=text(one.get("shorttitle")) or text(one.get("title")))


def _link(version: Mapping[str, Any], *, label: str, size: int | None = None) -> Iterator[FoundLink]:
    url, media_type = _address(version.get("src")), text(version.get("type"))
    # By the media type alone: a sound file may end in .webm.
    kind = kind_of("", media_type=media_type)
    if url and kind:
        width, height = whole(version.get("width")), whole(version.get("height"))
        yield FoundLink(
            url=url,
            kind=kind,
            label=label,
            quality=quality_of_label(text(version.get("transcodekey"))) or quality_of_size(width, height),
            width=width,
            height=height,
            size=size,
            media_type=media_type,
        )


def _address(value: object) -> str:
    url = text(value, longest=2000)
    return f"https:{url}" if url.startswith("//") else url


class CommonsSpider(SourceSpider):
    """Asks Wikidata which files are the film, then Commons for what each file is."""

    name = "commons"
    properties = (COMMONS_FILE,)

    def named(self, url: str) -> Iterator[Request]:
        if name := commons_file_of(url):
            yield self.file(name)

    def told(self, statements: list[Statement]) -> Iterator[Request]:
        rights = {name: statement.licence for statement in statements if (name := statement.commons_file)}
        for name, licence in list(rights.items())[:MOST_FILES]:
            yield self.file(name, licence=licence)

    def file(self, name: str, *, licence: Licence | None = None) -> Request:
        query = {
            "action": "query",
            "format": "json",
            "formatversion": "2",
            "titles": f"File:{name}",
            "prop": "videoinfo",
            "viprop": ASKED,
            "viextmetadatafilter": ABOUT,
            "maxlag": "5",
        }
        return self.data(self.address("COMMONS_API_URL"), self.read, query=query, told={"licence": licence})

    def read(self, answer: object, *, licence: Licence | None) -> Iterator[LinkItem]:
        """The files' links. Commons takes only free files, but what a file says itself comes first."""
        for film in films_of(answer):
            has_own = film.licence.slug or film.licence.name or film.licence.url
            film = film if has_own or licence is None else replace(film, licence=licence)
            # The name of a file is not the title of the film.
            yield from items_of(replace(film, title=""), imdb_id=self.imdb_id, source=self.name)
