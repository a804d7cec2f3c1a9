"""PeerTube: videos on independent instances that a person or Wikidata bound to a film."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request

from scraper.asking import SourceSpider
from scraper.films import Film, FoundLink, Licence, items_of
from scraper.formats import media_type_of, quality_of_label, quality_of_size
from scraper.hub import FULL_WORK, Statement
from scraper.items import LinkItem
from scraper.languages import tag_of
from scraper.reading import Unreadable, imdb_id, mapping, mappings, plain, text, whole
from scraper.sources import KNOWN, PEERTUBE_URLS

LICENCES = {
    1: "cc-by",
    2: "cc-by-sa",
    3: "cc-by-nd",
    4: "cc-by-nc",
    5: "cc-by-nc-sa",
    6: "cc-by-nc-nd",
    7: "cc0",
}
PUBLIC, PUBLISHED, FILMS = 1, 1, 2
VIDEO = re.compile(r"/(?:w|videos/watch|videos/embed|api/v1/videos)/([A-Za-z0-9-]{1,60})/?$")
MOST_VIDEOS = 3


def film_of(answer: object) -> Film:
    """The film of a video answer; one without links says in `problem` why."""
    video = mapping(answer)
    page = text(video.get("url"), longest=2000)
    if not page or not text(video.get("uuid")):
        raise Unreadable("the answer is no video")
    problem, language = _problem(video), tag_of(mapping(video.get("language")).get("id"))
    return Film(
        imdb_id=imdb_id(video.get("description")) or imdb_id(video.get("support")),
        identifier=text(video.get("uuid")),
        title=text(video.get("name")),
        language=language,
        synopsis=plain(video.get("description")),
        page=page,
        licence=_licence(video, page),
        links=() if problem else tuple(replace(link, language=language) for link in _links(video)),
        problem=problem,
        doubt=_doubt(video),
    )


def is_sensitive(video: Mapping[str, Any]) -> bool:
    """Whether its uploader or its instance says that not everybody should see it."""
    return video.get("nsfw") is True


def category_of(video: Mapping[str, Any]) -> str:
    """What its uploader says that it is; empty when he does not say."""
    return text(mapping(video.get("category")).get("label"))


def video_of(url: str) -> tuple[str, str]:
    """(instance, video) that an address is about; ('', '') for any other address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    found = VIDEO.search(parts.path)
    if not found or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return "", ""
    return f"{parts.scheme}://{parts.netloc}", found[1]


def _problem(video: Mapping[str, Any]) -> str:
    privacy, state = whole(mapping(video.get("privacy")).get("id")), whole(mapping(video.get("state")).get("id"))
    if privacy not in (None, PUBLIC) or state not in (None, PUBLISHED):
        return "not_public"
    if video.get("blacklisted") is True:
        return "withdrawn"
    return "live" if video.get("isLive") is True else ""


def _doubt(video: Mapping[str, Any]) -> str:
    if is_sensitive(video):
        return "PeerTube marks it as sensitive"
    category = whole(mapping(video.get("category")).get("id"))
    return "" if category in (None, FILMS) else f"PeerTube files it under {category_of(video) or category}, not Films"


def _licence(video: Mapping[str, Any], page: str) -> Licence:
    stated = mapping(video.get("licence"))
    slug = LICENCES.get(whole(stated.get("id")) or 0, "")
    return Licence(slug=slug, name=text(stated.get("label")), url=page if slug else "")


def _links(video: Mapping[str, Any]) -> Iterator[FoundLink]:
    """Files, then playlists. A playlist's own files repeat the qualities: they count only where there are no others."""
    yield from _files(video)
    has_files = any(_files(video))
    for playlist in mappings(video.get("streamingPlaylists")):
        if url := text(playlist.get("playlistUrl"), longest=2000):
            yield FoundLink(url=url, kind="stream", media_type="application/x-mpegurl")
        if not has_files:
            yield from _files(playlist)


def _files(holder: Mapping[str, Any]) -> Iterator[FoundLink]:
    for file in mappings(holder.get("files")):
        url, resolution = text(file.get("fileUrl"), longest=2000), mapping(file.get("resolution"))
        if not url or file.get("hasVideo") is False or resolution.get("id") == 0:
            continue
        width, height = whole(file.get("width")), whole(file.get("height"))
        yield FoundLink(
            url=url,
            kind="file",
            quality=quality_of_label(text(resolution.get("label"))) or quality_of_size(width, height),
            width=width,
            height=height,
            size=whole(file.get("size")),
            media_type=media_type_of(url),
        )


class PeertubeSpider(SourceSpider):
    """Reads videos that are bound to the film: instances know no IMDb ids, and a title alone proves nothing."""

    name = "peertube"
    properties = (FULL_WORK,)
    custom_settings = {"DOWNLOAD_DELAY": KNOWN["peertube"].pause, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}

    def named(self, url: str) -> Iterator[Request]:
        if all(video_of(url)):
            yield self.video(*video_of(url))

    def told(self, statements: list[Statement]) -> Iterator[Request]:
        """Of the full works that Wikidata names, those on the instances that we know."""
        known = {urlsplit(url).netloc for url in self.settings.getlist("PEERTUBE_URLS") or PEERTUBE_URLS}
        videos = dict.fromkeys(video_of(statement.url) for statement in statements)
        for home, video in [one for one in videos if urlsplit(one[0]).netloc in known][:MOST_VIDEOS]:
            yield self.video(home, video)

    def video(self, home: str, video: str) -> Request:
        return self.data(f"{home}/api/v1/videos/{video}", self.read, may_miss=True)

    def read(self, answer: object) -> Iterator[LinkItem]:
        yield from items_of(film_of(answer), imdb_id=self.imdb_id, source=self.name)
