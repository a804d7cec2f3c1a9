"""The Internet Archive: items found by IMDb id or by Wikidata, and their video files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from scrapy import Request

from scraper.base_spider import SourceSpider
from scraper.extraction.durations import minutes_of, parse_seconds
from scraper.extraction.film import ExtractedFilm, ExtractedLink, LicenceStatement, to_items
from scraper.extraction.genres import parse_genres
from scraper.extraction.json_values import (
    UnreadableResponse,
    as_float,
    as_int,
    as_mapping,
    as_mappings,
    as_text,
    as_texts,
    find_imdb_id,
    html_to_text,
    is_safe_url_part,
    parse_year,
)
from scraper.extraction.languages import normalize_language_tag, parse_language
from scraper.extraction.licences import licence_from_url_path
from scraper.extraction.media_types import quality_from_size
from scraper.extraction.source_urls import archive_item_id
from scraper.extraction.wikidata_statements import ARCHIVE_ITEM, FULL_WORK, Statement
from scraper.items import Caption, LinkItem, Person
from scraper.sources import DEFAULT_URLS, KNOWN_SOURCES

DEFAULT_BASE_URL = DEFAULT_URLS["INTERNET_ARCHIVE_URL"]
# What browsers play, best first. An MPEG-2, Cinepak or DivX original has derivatives in these formats.
PLAYABLE = ("h.264 HD", "h.264 720P", "h.264", "h.264 IA", "HiRes MPEG4", "MPEG4", "512Kb MPEG4", "WebM", "Ogg Video")
PLAYABLE_EXTENSIONS = (".mp4", ".m4v", ".webm", ".ogv")
# As the archive itself spells its URLs.
URL_SAFE_CHARACTERS = "/()!*~"
MAX_ITEMS = 5
MAX_FILES = 5_000
MIN_CLEAR_SECONDS = 300
MAX_SUBJECTS, MAX_DIRECTORS, MAX_CAPTIONS = 20, 5, 20
CAPTION_FORMATS = {"SubRip": "srt", "Web Video Text Tracks": "vtt"}
MACHINE_MADE = (".asr.srt", ".asr.vtt")
"""How the archive names captions that a program made of the sound."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One item of a search result."""

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
        """Whether the archive files it under movies."""
        return self.mediatype == "movies"

    def film(self, *, base: str = DEFAULT_BASE_URL) -> ExtractedFilm:
        """Return the film, with the item's page as its only link: a search result does not list files."""
        licence = LicenceStatement(slug=licence_from_url_path(self.licence_url), url=self.licence_url)
        page = f"{base}/details/{quote(self.identifier)}"
        label = KNOWN_SOURCES["internet_archive"].name
        return ExtractedFilm(
            imdb_id=self.imdb_id,
            identifier=self.identifier,
            title=self.title,
            year=self.year,
            language=self.language,
            synopsis=self.synopsis,
            page=page,
            licence=licence,
            links=(ExtractedLink(url=page, language=self.language, label=label),) if self.is_film else (),
        )


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of search results of `total` items; `next` is where the next page begins (number or cursor), or None."""

    total: int
    hits: tuple[SearchHit, ...]
    next: int | str | None = None


def parse_item(answer: object, *, base: str = DEFAULT_BASE_URL) -> ExtractedFilm:
    """Parse the film of a `/metadata/` response; `problem` says why one has no links. Raises UnreadableResponse."""
    if not isinstance(answer, Mapping):
        raise UnreadableResponse("the item is no object")
    if not answer:
        return ExtractedFilm(problem="not_found")
    if answer.get("error"):
        raise UnreadableResponse("the archive answered with an error")
    metadata = as_mapping(answer.get("metadata"))
    identifier = as_text(metadata.get("identifier"))
    problem = _problem(answer, metadata)
    language, licence = parse_language(metadata.get("language")), as_text(metadata.get("licenseurl"), max_length=2000)
    return ExtractedFilm(
        imdb_id=find_imdb_id(metadata.get("external-identifier")) or find_imdb_id(metadata.get("description")),
        identifier=identifier,
        title=as_text(metadata.get("title")),
        year=parse_year(metadata.get("year")) or parse_year(metadata.get("date")),
        language=language,
        synopsis=html_to_text(metadata.get("description")),
        page=f"{base}/details/{quote(identifier)}" if is_safe_url_part(identifier) else "",
        licence=LicenceStatement(slug=licence_from_url_path(licence), url=licence),
        links=() if problem else tuple(_links(answer, identifier=identifier, language=language, base=base)),
        problem=problem,
        runtime_minutes=_runtime(metadata.get("runtime")),
        genres=parse_genres(as_texts(metadata.get("subject"))[:MAX_SUBJECTS]),
        directors=tuple(Person(name) for name in as_texts(metadata.get("director"))[:MAX_DIRECTORS]),
    )


def parse_search_page(answer: object) -> SearchPage:
    """Parse a page of `advancedsearch.php`: more follow while `start` plus its length is less than `numFound`."""
    found = as_mapping(as_mapping(answer).get("response"))
    documents, total = found.get("docs"), as_int(found.get("numFound"))
    if not isinstance(documents, list) or total is None:
        raise UnreadableResponse("the search has no result list")
    end = (as_int(found.get("start")) or 0) + len(documents)
    return SearchPage(total, tuple(parse_hits(documents)), end if documents and end < min(total, 10_000) else None)


def parse_scrape_page(answer: object) -> SearchPage:
    """Parse a page of the scrape API. The last page may have a cursor too: an empty page is also the end."""
    items, total = as_mapping(answer).get("items"), as_int(as_mapping(answer).get("total"))
    if not isinstance(items, list) or total is None:
        raise UnreadableResponse("the search has no result list")
    cursor = as_text(as_mapping(answer).get("cursor"), max_length=4000)
    return SearchPage(total, tuple(parse_hits(items)), cursor if items and cursor else None)


def parse_hits(documents: object) -> Iterator[SearchHit]:
    """Parse the items of a result list; those of the newer search have their values under `fields`."""
    for document in as_mappings(documents):
        values = as_mapping(document.get("fields")) or document
        if is_safe_url_part(identifier := as_text(values.get("identifier"))):
            yield SearchHit(
                identifier,
                as_text(values.get("title")),
                as_text(values.get("mediatype")),
                parse_language(values.get("language")),
                as_text(values.get("licenseurl"), max_length=2000),
                find_imdb_id(values.get("external-identifier")),
                parse_year(values.get("year")) or parse_year(values.get("date")),
                html_to_text(values.get("description")),
            )


def _runtime(stated: object) -> int | None:
    """The minutes of an item; None for a bare number and for `1:34`, which may be hours and minutes."""
    text, seconds = as_text(stated), parse_seconds(stated) or 0
    is_clear = not text.isdigit() and (text.count(":") != 1 or seconds >= MIN_CLEAR_SECONDS)
    return minutes_of(seconds) if is_clear else None


def _problem(answer: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    if answer.get("is_dark"):
        return "withdrawn"
    if as_text(metadata.get("mediatype")) != "movies":
        return "not_a_film"
    if as_text(metadata.get("access-restricted-item")).lower() == "true":
        return "restricted"
    return "" if is_safe_url_part(as_text(metadata.get("identifier"))) else "not_found"


def _links(answer: Mapping[str, Any], *, identifier: str, language: str, base: str) -> Iterator[ExtractedLink]:
    stated = answer.get("files")
    listed = [stated] if "name" in as_mapping(stated) else stated
    described = list(as_mappings(listed, maximum=MAX_FILES))
    captions = _captions(described, home=f"{base}/download/{quote(identifier)}")
    for file in sorted(filter(_is_playable, described), key=_rank):
        name = str(file["name"])
        width, height = as_int(file.get("width")), as_int(file.get("height"))
        url = f"{base}/download/{quote(identifier)}/{quote(name, safe=URL_SAFE_CHARACTERS)}"
        yield ExtractedLink(
            url=url,
            kind="file",
            label=as_text(name.rsplit("/", 1)[-1], max_length=200),
            quality=quality_from_size(width, height),
            language=language,
            duration_seconds=parse_seconds(file.get("length")),
            size_bytes=as_int(file.get("size")),
            width=width,
            height=height,
            captions=tuple(caption for stem, caption in captions if _stem(name).startswith(stem)),
        )


def _captions(files: list[Mapping[str, Any]], *, home: str) -> list[tuple[str, Caption]]:
    """The captions of an item, each with the beginning of the names of its videos: `film.de.srt` is of `film.mp4`."""
    found = []
    for file in files:
        name, form = as_text(file.get("name"), max_length=1000), CAPTION_FORMATS.get(as_text(file.get("format")), "")
        if not form or not is_safe_url_part(name) or ".." in name.split("/") or name.lower().endswith(MACHINE_MADE):
            continue
        stem, _, tag = _stem(name).rpartition(".")
        language = normalize_language_tag(tag) if stem and len(tag) <= 8 else ""
        url = f"{home}/{quote(name, safe=URL_SAFE_CHARACTERS)}"
        found.append((stem if language else _stem(name), Caption(url=url, language=language, format=form)))
    return found[:MAX_CAPTIONS]


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _is_playable(file: Mapping[str, Any]) -> bool:
    name = file.get("name")
    if not isinstance(name, str) or not is_safe_url_part(name) or as_text(file.get("private")).lower() == "true":
        return False
    # Path traversal would lead to another item.
    if ".." in name.split("/") or file.get("source") == "metadata":
        return False
    return as_text(file.get("format")) in PLAYABLE or (
        file.get("source") == "original" and name.lower().endswith(PLAYABLE_EXTENSIONS)
    )


def _rank(file: Mapping[str, Any]) -> tuple[float, int]:
    form = as_text(file.get("format"))
    return -(as_float(file.get("height")) or 0), PLAYABLE.index(form) if form in PLAYABLE else len(PLAYABLE)


class InternetArchiveSpider(SourceSpider):
    """Finds the items that name the IMDb id and those that Wikidata states, then reads the files of each."""

    name = "internet_archive"
    properties = (ARCHIVE_ITEM, FULL_WORK)
    custom_settings = {"DOWNLOAD_DELAY": KNOWN_SOURCES["internet_archive"].delay, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.requested = set[str]()

    @property
    def archive_url(self) -> str:
        return self.base_url("INTERNET_ARCHIVE_URL")

    def requests_for_url(self, url: str) -> Iterator[Request]:
        yield from self.item_requests(archive_item_id(url, home=self.archive_url), is_bound=True)

    def initial_requests(self) -> Iterator[Request]:
        query = {"q": f'external-identifier:"urn:imdb:{self.imdb_id}"', "fl[]": "identifier,title,mediatype"}
        yield self.json_request(
            f"{self.archive_url}/advancedsearch.php",
            self.parse_search_results,
            query={**query, "rows": str(MAX_ITEMS), "page": "1", "output": "json"},
        )

    def parse_search_results(self, answer: object) -> Iterator[Request]:
        """Request the items that name the IMDb id themselves."""
        for hit in parse_search_page(answer).hits:
            if hit.is_film:
                yield from self.item_requests(hit.identifier)

    def parse_statements(self, statements: list[Statement]) -> Iterator[Request]:
        """Request the items that Wikidata states, with the licence that it states for the film."""
        for statement in statements:
            yield from self.item_requests(statement.archive_item, licence=statement.licence)

    def item_requests(
        self, identifier: str, *, licence: LicenceStatement | None = None, is_bound: bool = False
    ) -> Iterator[Request]:
        if identifier and identifier not in self.requested and len(self.requested) < MAX_ITEMS:
            self.requested.add(identifier)
            url = f"{self.archive_url}/metadata/{quote(identifier, safe='')}"
            yield self.json_request(
                url, self.parse_metadata, parse_kwargs={"licence": licence, "is_bound": is_bound}, may_miss=True
            )

    def parse_metadata(self, answer: object, *, licence: LicenceStatement | None, is_bound: bool) -> Iterator[LinkItem]:
        """Return the files of an item; one that names another film is skipped unless a person bound it."""
        film = parse_item(answer, base=self.archive_url)
        if film.imdb_id in ("", self.imdb_id) or is_bound:
            film = film if film.licence.url or licence is None else replace(film, licence=licence)
            # Of an item that does not name the film, the runtime may be that of an excerpt.
            film = film if film.imdb_id else replace(film, runtime_minutes=None)
            yield from to_items(film, imdb_id=self.imdb_id, source=self.name)
