"""Wikimedia Commons: the files that Wikidata states for a film, with their smaller versions and licences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from scrapy import Request

from scraper.base_spider import SourceSpider
from scraper.extraction.durations import parse_seconds
from scraper.extraction.film import ExtractedFilm, ExtractedLink, LicenceStatement, to_items
from scraper.extraction.json_values import (
    UnreadableResponse,
    as_int,
    as_mapping,
    as_mappings,
    as_objects,
    as_text,
    html_to_text,
)
from scraper.extraction.languages import normalize_language_tag
from scraper.extraction.licences import licence_from_name, licence_from_url_path
from scraper.extraction.media_types import link_kind, quality_from_label, quality_from_size
from scraper.extraction.source_urls import commons_file_name, commons_page_url, is_foreign, with_scheme
from scraper.extraction.wikidata_statements import COMMONS_FILE, Statement
from scraper.items import Caption, LinkItem

IMAGE_INFO_PROPS = "timestamp|url|size|mime|derivatives|timedtext|extmetadata|canonicaltitle"
METADATA_FIELDS = "LicenseShortName|LicenseUrl|UsageTerms|NonFree"
MAX_FILES, MAX_CAPTIONS = 5, 30
CAPTION_FORMATS = {"text/vtt": "vtt", "text/x-srt": "srt", "application/x-subrip": "srt"}


def parse_files(answer: object) -> list[ExtractedFilm]:
    """Parse the files of a `videoinfo` or `imageinfo` response, formatversion 1 or 2; sound files have no links."""
    if as_mapping(answer).get("error"):
        raise UnreadableResponse("Commons answered with an error")
    pages = as_mapping(as_mapping(answer).get("query")).get("pages")
    if not isinstance(pages, Mapping | list):
        raise UnreadableResponse("the answer has no pages")
    return [_film(page) for page in as_mappings(pages)]


def parse_licence(about: Mapping[str, Any], *, page: str) -> LicenceStatement:
    """Parse the licence in the `extmetadata` of a file, whose values are HTML.

    A licence without a URL of its own (public domain) gets the page of the file.
    """
    texts = {name: html_to_text(as_mapping(cell).get("value"), max_length=400) for name, cell in about.items()}
    url, name = texts.get("LicenseUrl", ""), texts.get("LicenseShortName", "")
    slug = licence_from_url_path(url) or licence_from_name(name)
    return LicenceStatement(
        slug=slug,
        url=url or (page if slug else ""),
        name=name,
    )


def _film(page: Mapping[str, Any]) -> ExtractedFilm:
    # A file of a common repository is "missing" here but "known", and has its data.
    found = next(as_mappings(page.get("videoinfo")), None) or next(as_mappings(page.get("imageinfo")), None)
    name = as_text(page.get("title")).removeprefix("File:")
    if found is None:
        return ExtractedFilm(identifier=name, problem="not_found")
    about = as_mapping(found.get("extmetadata"))
    page_url = as_text(found.get("descriptionurl"), max_length=2000) or commons_page_url(name)
    problem = "not_free" if html_to_text(as_mapping(about.get("NonFree")).get("value")) not in ("", "false") else ""
    return ExtractedFilm(
        identifier=name,
        title=name.rpartition(".")[0],
        page=page_url,
        licence=parse_licence(about, page=page_url),
        links=() if problem else tuple(_links(found)),
        problem=problem,
    )


def _links(found: Mapping[str, Any]) -> Iterator[ExtractedLink]:
    """Return the original and its smaller versions; one of these is the original again, with its codecs."""
    original = _media_url(found.get("url"))
    seconds, captions = parse_seconds(found.get("duration")), tuple(_captions(found))
    common = {"duration_seconds": seconds, "captions": captions}
    versions = {_media_url(one.get("src")): one for one in as_objects(found.get("derivatives"))}
    if original:
        same = versions.pop(original, {})
        merged = {**found, "type": as_text(same.get("type")) or as_text(found.get("mime")), "src": original}
        yield from _link(merged, common, label="Original", size_bytes=as_int(found.get("size")))
    for one in versions.values():
        yield from _link(one, common, label=as_text(one.get("shorttitle")) or as_text(one.get("title")))


def _link(
    version: Mapping[str, Any], common: Mapping[str, Any], *, label: str, size_bytes: int | None = None
) -> Iterator[ExtractedLink]:
    """Return a version of the file; `common` are the facts of all versions."""
    url, media_type = _media_url(version.get("src")), as_text(version.get("type"))
    # By the media type only: a sound file may end in .webm.
    kind = link_kind("", media_type=media_type)
    if url and kind:
        width, height = as_int(version.get("width")), as_int(version.get("height"))
        yield ExtractedLink(
            url=url,
            kind=kind,
            label=label,
            quality=quality_from_label(as_text(version.get("transcodekey"))) or quality_from_size(width, height),
            size_bytes=size_bytes,
            width=width,
            height=height,
            **common,
        )


def _captions(found: Mapping[str, Any]) -> Iterator[Caption]:
    for one in as_objects(found.get("timedtext"))[:MAX_CAPTIONS]:
        media_type, url = as_text(one.get("type")).lower(), _media_url(one.get("src"))
        if url and (form := CAPTION_FORMATS.get(media_type, "")):
            yield Caption(url=url, language=normalize_language_tag(one.get("srclang")), format=form)


def _media_url(value: object) -> str:
    """Return the URL of a file if it is at a Wikimedia site; empty for one elsewhere."""
    url = with_scheme(as_text(value, max_length=2000))
    return "" if is_foreign(url, "wikimedia.org") else url


class CommonsSpider(SourceSpider):
    """Queries Commons for the files that Wikidata states for the film."""

    name = "commons"
    properties = (COMMONS_FILE,)

    def requests_for_url(self, url: str) -> Iterator[Request]:
        if name := commons_file_name(url):
            yield self.file_request(name)

    def parse_statements(self, statements: list[Statement]) -> Iterator[Request]:
        rights = {name: statement.licence for statement in statements if (name := statement.commons_file)}
        for name, licence in list(rights.items())[:MAX_FILES]:
            yield self.file_request(name, licence=licence)

    def file_request(self, name: str, *, licence: LicenceStatement | None = None) -> Request:
        query = {
            "action": "query",
            "format": "json",
            "formatversion": "2",
            "titles": f"File:{name}",
            "prop": "videoinfo",
            "viprop": IMAGE_INFO_PROPS,
            "viextmetadatafilter": METADATA_FIELDS,
            "maxlag": "5",
        }
        return self.json_request(
            self.base_url("COMMONS_API_URL"), self.parse_response, query=query, parse_kwargs={"licence": licence}
        )

    def parse_response(self, answer: object, *, licence: LicenceStatement | None) -> Iterator[LinkItem]:
        """Return the links of files; the licence of the film counts only for a file that states none."""
        for film in parse_files(answer):
            has_own = film.licence.slug or film.licence.name or film.licence.url
            film = film if has_own or licence is None else replace(film, licence=licence)
            # The name of a file is not the title of its film.
            yield from to_items(replace(film, title=""), imdb_id=self.imdb_id, source=self.name)
