"""PeerTube: videos on independent instances that a person or Wikidata bound to a film."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response

from scraper.base_spider import SourceSpider
from scraper.extraction.durations import parse_seconds
from scraper.extraction.film import ExtractedFilm, ExtractedLink, LicenceStatement, to_items
from scraper.extraction.film_page import absolute_url
from scraper.extraction.json_values import (
    UnreadableResponse,
    as_int,
    as_mapping,
    as_objects,
    as_text,
    decode_json,
    find_imdb_id,
    html_to_text,
)
from scraper.extraction.languages import normalize_language_tag
from scraper.extraction.media_types import quality_from_label, quality_from_size
from scraper.extraction.wikidata_statements import FULL_WORK, Statement
from scraper.items import Caption, LinkItem
from scraper.sources import KNOWN_SOURCES, PEERTUBE_URLS
from scraper.wikidata_client import JSON

LICENCE_BY_NUMBER = {
    1: "cc-by",
    2: "cc-by-sa",
    3: "cc-by-nd",
    4: "cc-by-nc",
    5: "cc-by-nc-sa",
    6: "cc-by-nc-nd",
    7: "cc0",
}
PUBLIC, PUBLISHED, FILMS_CATEGORY = 1, 1, 2
VIDEO = re.compile(r"/(?:w|videos/watch|videos/embed|api/v1/videos)/([A-Za-z0-9-]{1,60})/?$")
MAX_VIDEOS, MAX_CAPTIONS = 3, 30


def parse_video(answer: object) -> ExtractedFilm:
    """Parse the film of a video response; `problem` says why one has no links. Raises UnreadableResponse."""
    video = as_mapping(answer)
    page = as_text(video.get("url"), max_length=2000)
    if not page or not as_text(video.get("uuid")):
        raise UnreadableResponse("the answer is no video")
    problem, language = _problem(video), normalize_language_tag(as_mapping(video.get("language")).get("id"))
    common: dict[str, Any] = {"language": language, "duration_seconds": parse_seconds(video.get("duration"))}
    return ExtractedFilm(
        imdb_id=find_imdb_id(video.get("description")) or find_imdb_id(video.get("support")),
        identifier=as_text(video.get("uuid")),
        title=as_text(video.get("name")),
        language=language,
        synopsis=html_to_text(video.get("description")),
        page=page,
        licence=_licence(video, page),
        links=() if problem else tuple(replace(link, **common) for link in _links(video)),
        problem=problem,
        doubt=_doubt(video),
    )


def parse_captions(answer: object, *, page: str) -> tuple[Caption, ...]:
    """Parse the captions of a video that people wrote, not a program; `page` is any page of the instance."""
    listed = as_objects(as_mapping(answer).get("data"))
    written = [one for one in listed if one.get("automaticallyGenerated") is not True]
    return tuple(caption for one in written if (caption := _caption(one, page=page)))


def _caption(stated: Mapping[str, Any], *, page: str) -> Caption | None:
    address = as_text(stated.get("fileUrl"), max_length=2000) or as_text(stated.get("captionPath"), max_length=2000)
    url, language = absolute_url(address, page), normalize_language_tag(as_mapping(stated.get("language")).get("id"))
    is_file = urlsplit(url).path.lower().endswith(".vtt")  # instances convert all that is uploaded
    return Caption(url=url, language=language, format="vtt") if is_file else None


def is_marked_sensitive(video: Mapping[str, Any]) -> bool:
    """Return whether the uploader or the instance marks a video as sensitive."""
    return video.get("nsfw") is True


def parse_category(video: Mapping[str, Any]) -> str:
    """Return the category that the uploader states; empty without one."""
    return as_text(as_mapping(video.get("category")).get("label"))


def video_id(url: str) -> tuple[str, str]:
    """Return the instance and the video that a URL is about; two empty texts for any other URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    found = VIDEO.search(parts.path)
    if not found or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return "", ""
    return f"{parts.scheme}://{parts.netloc}", found[1]


def _problem(video: Mapping[str, Any]) -> str:
    privacy, state = (
        as_int(as_mapping(video.get("privacy")).get("id")),
        as_int(as_mapping(video.get("state")).get("id")),
    )
    if privacy not in (None, PUBLIC) or state not in (None, PUBLISHED):
        return "not_public"
    if video.get("blacklisted") is True:
        return "withdrawn"
    return "live" if video.get("isLive") is True else ""


def _doubt(video: Mapping[str, Any]) -> str:
    if is_marked_sensitive(video):
        return "PeerTube marks it as sensitive"
    category = as_int(as_mapping(video.get("category")).get("id"))
    return (
        ""
        if category in (None, FILMS_CATEGORY)
        else f"PeerTube files it under {parse_category(video) or category}, not Films"
    )


def _licence(video: Mapping[str, Any], page: str) -> LicenceStatement:
    stated = as_mapping(video.get("licence"))
    slug = LICENCE_BY_NUMBER.get(as_int(stated.get("id")) or 0, "")
    return LicenceStatement(slug=slug, name=as_text(stated.get("label")), url=page if slug else "")


def _links(video: Mapping[str, Any]) -> Iterator[ExtractedLink]:
    """Return files, then playlists. The files of a playlist repeat the qualities: they count only without others."""
    page = as_text(video.get("url"), max_length=2000)
    yield from _files(video, page=page)
    has_files = any(_files(video, page=page))
    for playlist in as_objects(video.get("streamingPlaylists")):
        if url := absolute_url(as_text(playlist.get("playlistUrl"), max_length=2000), page):
            yield ExtractedLink(url=url, kind="stream")
        if not has_files:
            yield from _files(playlist, page=page)


def _files(parent: Mapping[str, Any], *, page: str) -> Iterator[ExtractedLink]:
    for file in as_objects(parent.get("files")):
        url = absolute_url(as_text(file.get("fileUrl"), max_length=2000), page)
        resolution = as_mapping(file.get("resolution"))
        if not url or file.get("hasVideo") is False or resolution.get("id") == 0:
            continue
        width, height = as_int(file.get("width")), as_int(file.get("height"))
        yield ExtractedLink(
            url=url,
            kind="file",
            quality=quality_from_label(as_text(resolution.get("label"))) or quality_from_size(width, height),
            size_bytes=as_int(file.get("size")),
            width=width,
            height=height,
        )


class PeertubeSpider(SourceSpider):
    """Reads videos that are bound to the film: instances have no IMDb ids, and an equal title proves nothing."""

    name = "peertube"
    properties = (FULL_WORK,)
    custom_settings = {"DOWNLOAD_DELAY": KNOWN_SOURCES["peertube"].delay, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}

    def requests_for_url(self, url: str) -> Iterator[Request]:
        if all(video_id(url)):
            yield self.video_request(*video_id(url))

    def parse_statements(self, statements: list[Statement]) -> Iterator[Request]:
        """Request the full works that Wikidata states on known instances."""
        known = {urlsplit(url).netloc for url in self.settings.getlist("PEERTUBE_URLS") or PEERTUBE_URLS}
        videos = dict.fromkeys(video_id(statement.url) for statement in statements)
        for home, video in [one for one in videos if urlsplit(one[0]).netloc in known][:MAX_VIDEOS]:
            yield self.video_request(home, video)

    def video_request(self, home: str, video: str) -> Request:
        url = f"{home}/api/v1/videos/{video}"
        more = {"captions_url": f"{url}/captions"}
        return self.json_request(url, self.parse_response, parse_kwargs=more, may_miss=True)

    def parse_response(self, answer: object, *, captions_url: str) -> Iterator[Request]:
        """Return the request for the captions of the video, if it has links; these play without captions, too."""
        film = parse_video(answer)
        if film.links:
            yield Request(
                captions_url,
                callback=self.with_captions,
                errback=lambda _failure: self.items(film),
                headers={"Accept": JSON},
                cb_kwargs={"film": film},
                # A circle of redirects would call neither of both.
                meta={"dont_obey_robotstxt": True, "dont_redirect": True},
            )

    def with_captions(self, response: Response, film: ExtractedFilm) -> Iterator[LinkItem]:
        """Return the items of a film with its captions; without any if they cannot be read."""
        try:
            captions = parse_captions(decode_json(response.body), page=response.url)[:MAX_CAPTIONS]
        except UnreadableResponse:
            captions = ()
        yield from self.items(replace(film, links=tuple(replace(link, captions=captions) for link in film.links)))

    def items(self, film: ExtractedFilm) -> Iterator[LinkItem]:
        """Return the items of a film."""
        return to_items(film, imdb_id=self.imdb_id, source=self.name)
