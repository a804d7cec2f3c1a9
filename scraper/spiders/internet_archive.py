"""The Internet Archive: items found by their IMDb id or by Wikidata, and the video files that they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from scrapy import Request

from scraper.asking import SourceSpider
from scraper.films import Film, FoundLink, Licence, items_of
from scraper.formats import media_type_of, quality_of_size
from scraper.hub import ARCHIVE_ITEM, FULL_WORK, Statement, archive_item_of
from scraper.items import LinkItem
from scraper.languages import language_of
from scraper.licences import licence_of_url
from scraper.reading import (
    Unreadable,
    imdb_id,
    is_safe,
    mapping,
    mappings,
    number,
    plain,
    text,
    whole,
    year_of,
)
from scraper.sources import ADDRESSES, KNOWN

HOME = ADDRESSES["INTERNET_ARCHIVE_URL"]
# What browsers play, best first. An MPEG-2, Cinepack or DivX original has derivatives beside it.
PLAYABLE = ("h.264 HD", "h.264 720P", "h.264", "h.264 IA", "HiRes MPEG4", "MPEG4", "512Kb MPEG4", "WebM", "Ogg Video")
PLAYABLE_ENDINGS = (".mp4", ".m4v", ".webm", ".ogv")
# As the archive itself spells its addresses.
KEPT = "/()!*~"
MOST_ITEMS = 5
MOST_FILES = 5_000


@dataclass(frozen=True, slots=True)
class Hit:
    """One item of a search."""

    identifier: str
    title: str
    mediatype: str
    language: str
    licence_url: str
    imdb_id: str = ""
    year: int | None = None
    synopsis: str = ""

    @property
    def is_film(self) -> bool:
        return self.mediatype == "movies"

    def film(self, *, base: str = HOME) -> Film:
        """The film that a search tells of, with the item's page as its one link: the files have to be asked for."""
        licence = Licence(slug=licence_of_url(self.licence_url), url=self.licence_url)
        page = f"{base}/details/{quote(self.identifier)}"
        label = KNOWN["internet_archive"].name
        return Film(
            imdb_id=self.imdb_id,
            identifier=self.identifier,
            title=self.title,
            year=self.year,
            language=self.language,
            synopsis=self.synopsis,
            page=page,
            licence=licence,
            links=(FoundLink(url=page, language=self.language, label=label),) if self.is_film else (),
        )


@dataclass(frozen=True, slots=True)
class HitPage:
    """A page of a search: `total` items, and where the next page begins (a number or a cursor; None: no more)."""

    total: int
    hits: tuple[Hit, ...]
    next: int | str | None = None


def film_of(answer: object, *, base: str = HOME) -> Film:
    """The film of a `/metadata/` answer; one without links says in `problem` why. Unreadable if it is none at all."""
    if not isinstance(answer, Mapping):
        raise Unreadable("the item is no object")
    if not answer:
        return Film(problem="not_found")
    if answer.get("error"):
        raise Unreadable("the archive answered with an error")
    about = mapping(answer.get("metadata"))
    identifier = text(about.get("identifier"))
    problem = _problem(answer, about)
    language, licence = language_of(about.get("language")), text(about.get("licenseurl"), longest=2000)
    return Film(
        imdb_id=imdb_id(about.get("external-identifier")) or imdb_id(about.get("description")),
        identifier=identifier,
        title=text(about.get("title")),
        year=year_of(about.get("year")) or year_of(about.get("date")),
        language=language,
        synopsis=plain(about.get("description")),
        page=f"{base}/details/{quote(identifier)}" if is_safe(identifier) else "",
        licence=Licence(slug=licence_of_url(licence), url=licence),
        links=() if problem else tuple(_links(answer, identifier=identifier, language=language, base=base)),
        problem=problem,
    )


def search_of(answer: object) -> HitPage:
    """A page of `advancedsearch.php`: more follow while `start` and the page together are less than `numFound`."""
    found = mapping(mapping(answer).get("response"))
    documents, total = found.get("docs"), whole(found.get("numFound"))
    if not isinstance(documents, list) or total is None:
        raise Unreadable("the search has no result list")
    end = (whole(found.get("start")) or 0) + len(documents)
    return HitPage(total, tuple(hits_of(documents)), end if documents and end < min(total, 10_000) else None)


def scrape_of(answer: object) -> HitPage:
    """A page of the scrape API. A cursor may come with the last page too: an empty page is the end as well."""
    items, total = mapping(answer).get("items"), whole(mapping(answer).get("total"))
    if not isinstance(items, list) or total is None:
        raise Unreadable("the search has no result list")
    cursor = text(mapping(answer).get("cursor"), longest=4000)
    return HitPage(total, tuple(hits_of(items)), cursor if items and cursor else None)


def hits_of(documents: object) -> Iterator[Hit]:
    """The items of a result list; those of the newer search carry their values under `fields`."""
    for document in mappings(documents):
        values = mapping(document.get("fields")) or document
        if is_safe(identifier := text(values.get("identifier"))):
            yield Hit(
                identifier,
                text(values.get("title")),
                text(values.get("mediatype")),
                language_of(values.get("language")),
                text(values.get("licenseurl"), longest=2000),
                imdb_id(values.get("external-identifier")),
                year_of(values.get("year")) or year_of(values.get("date")),
                plain(values.get("description")),
            )


def _problem(answer: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    if answer.get("is_dark"):
        return "withdrawn"
    if text(about.get("mediatype")) != "movies":
        return "not_a_film"
    if text(about.get("access-restricted-item")).lower() == "true":
        return "restricted"
    return "" if is_safe(text(about.get("identifier"))) else "not_found"


def _links(answer: Mapping[str, Any], *, identifier: str, language: str, base: str) -> Iterator[FoundLink]:
    files = [file for file in mappings(answer.get("files"), most=MOST_FILES) if _plays(file)]
    for file in sorted(files, key=_rank):
        name = str(file["name"])
        width, height = whole(file.get("width")), whole(file.get("height"))
        url = f"{base}/download/{quote(identifier)}/{quote(name, safe=KEPT)}"
        yield FoundLink(
            url=url,
            kind="file",
            label=text(name.rsplit("/", 1)[-1], longest=200),
            quality=quality_of_size(width, height),
            width=width,
            height=height,
            language=language,
            size=whole(file.get("size")),
            media_type=media_type_of(url),
        )


def _plays(file: Mapping[str, Any]) -> bool:
    name = file.get("name")
    if not isinstance(name, str) or not is_safe(name) or text(file.get("private")).lower() == "true":
        return False
    # Traversal would lead to another item.
    if ".." in name.split("/") or file.get("source") == "metadata":
        return False
    return text(file.get("format")) in PLAYABLE or (
        file.get("source") == "original" and name.lower().endswith(PLAYABLE_ENDINGS)
    )


def _rank(file: Mapping[str, Any]) -> tuple[float, int]:
    form = text(file.get("format"))
    return -(number(file.get("height")) or 0), PLAYABLE.index(form) if form in PLAYABLE else len(PLAYABLE)


class InternetArchiveSpider(SourceSpider):
    """Asks for the items that name the IMDb id and for those that Wikidata knows, then for the files of each."""

    name = "internet_archive"
    properties = (ARCHIVE_ITEM, FULL_WORK)
    custom_settings = {"DOWNLOAD_DELAY": KNOWN["internet_archive"].pause, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = set[str]()

    @property
    def home(self) -> str:
        return self.address("INTERNET_ARCHIVE_URL")

    def named(self, url: str) -> Iterator[Request]:
        yield from self.items(archive_item_of(url, home=self.home), is_bound=True)

    def first(self) -> Iterator[Request]:
        query = {"q": f'external-identifier:"urn:imdb:{self.imdb_id}"', "fl[]": "identifier,title,mediatype"}
        yield self.data(
            f"{self.home}/advancedsearch.php",
            self.found,
            query={**query, "rows": str(MOST_ITEMS), "page": "1", "output": "json"},
        )

    def found(self, answer: object) -> Iterator[Request]:
        """Items that name the IMDb id themselves."""
        for hit in search_of(answer).hits:
            if hit.is_film:
                yield from self.items(hit.identifier)

    def told(self, statements: list[Statement]) -> Iterator[Request]:
        """Items that Wikidata names, with what it says of the film's rights."""
        for statement in statements:
            yield from self.items(statement.archive_item, licence=statement.licence)

    def items(self, identifier: str, *, licence: Licence | None = None, is_bound: bool = False) -> Iterator[Request]:
        if identifier and identifier not in self.asked and len(self.asked) < MOST_ITEMS:
            self.asked.add(identifier)
            url = f"{self.home}/metadata/{quote(identifier, safe='')}"
            yield self.data(url, self.read, told={"licence": licence, "is_bound": is_bound}, may_miss=True)

    def read(self, answer: object, *, licence: Licence | None, is_bound: bool) -> Iterator[LinkItem]:
        """The files of one item; one that names another film is passed over unless a person named it."""
        film = film_of(answer, base=self.home)
        if film.imdb_id in ("", self.imdb_id) or is_bound:
            film = film if film.licence.url or licence is None else replace(film, licence=licence)
            yield from items_of(film, imdb_id=self.imdb_id, source=self.name)
