"""The catalogue as responses of Stremio's add-on protocol. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from streaming.exchange.entries import PLAYABLE_KINDS, LinkEntry, MovieEntry

MOVIE_TYPE_BY_STREMIO_TYPE = {"movie": "movie", "series": "show"}
CATALOGUE_IDS = {"movie": "openreel-movies", "series": "openreel-shows"}
PAGE_SIZE = 100
MAX_SKIP = 100_000
VIDEO_ID = re.compile(r"(tt[0-9]{7,9})(?::([0-9]{1,4}):([0-9]{1,5}))?")
EPISODE = re.compile(r"\bS([0-9]{1,3})\s?E([0-9]{1,4})\b|\b([0-9]{1,3})x([0-9]{1,4})\b", re.IGNORECASE)
EXTRA_PATTERN = re.compile(r"(skip|search|genre)=(.*?)(?=&(?:skip|search|genre)=|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CatalogueExtra:
    """The optional parameters of a catalogue request."""

    skip: int = 0
    search: str = ""


@dataclass(frozen=True, slots=True)
class VideoId:
    """A movie, or one episode of a show."""

    imdb_id: str
    episode: tuple[int, int] | None = None


def build_manifest(*, version: str, name: str, description: str, logo: str) -> dict[str, Any]:
    """Build the manifest, which describes the add-on; `logo` is a URL."""
    prefixed = {"types": list(MOVIE_TYPE_BY_STREMIO_TYPE), "idPrefixes": ["tt"]}
    extra = [{"name": "search", "isRequired": False}, {"name": "skip", "isRequired": False}]
    return {
        "id": "org.openreel.addon",
        "version": version,
        "name": name,
        "description": description,
        "logo": logo,
        "types": list(MOVIE_TYPE_BY_STREMIO_TYPE),
        "catalogs": [{"type": kind, "id": key, "name": name, "extra": extra} for kind, key in CATALOGUE_IDS.items()],
        "resources": ["catalog", {"name": "meta", **prefixed}, {"name": "stream", **prefixed}],
        "idPrefixes": ["tt"],
    }


def parse_extra(text: str) -> CatalogueExtra:
    """Parse parameters such as `skip=100&search=nosferatu`, already percent-decoded; an invalid `skip` is 0."""
    found = {match[1]: match[2] for match in EXTRA_PATTERN.finditer(text)}
    skip = found.get("skip", "0")
    number = int(skip) if skip.isascii() and skip.isdigit() and len(skip) <= 6 else 0
    return CatalogueExtra(skip=min(number, MAX_SKIP), search=found.get("search", "").strip())


def parse_video_id(text: str) -> VideoId | None:
    """Parse `tt0013442`, or `tt0055662:1:3` for an episode; None for ids of other kinds."""
    if not (match := VIDEO_ID.fullmatch(text)):
        return None
    return VideoId(match[1], (int(match[2]), int(match[3])) if match[2] else None)


def build_catalogue(entries: Iterable[MovieEntry], *, site: str) -> dict[str, Any]:
    """Build a page of the catalogue; `site` is the base URL of drawn posters."""
    return {"metas": [_meta_preview(entry, site=site) for entry in entries]}


def build_meta(entry: MovieEntry, *, site: str) -> dict[str, Any]:
    """Build the description of a movie, or of a show with its episodes."""
    meta = _meta_preview(entry, site=site) | {"background": _poster(entry, site=site)} | _details(entry)
    if entry.type == "show":
        meta["videos"] = _videos(entry)
    return {"meta": meta}


def _details(entry: MovieEntry) -> dict[str, Any]:
    """What is known of a movie; `links` would be searches of Stremio itself, so people are plain names."""
    known = {
        "runtime": f"{entry.runtime_minutes} min" if entry.runtime_minutes else "",
        "director": [person.name for person in entry.directors],
        "cast": [person.name for person in entry.cast],
        "country": ", ".join(COUNTRIES[code] for code in entry.countries if code in COUNTRIES),
    }
    return {name: value for name, value in known.items() if value}


def build_streams(entry: MovieEntry, video: VideoId) -> dict[str, Any]:
    """Build the list of links, best first; for an episode, those of other episodes are left out."""
    return {"streams": [_stream(entry, link) for link in entry.links if _matches_episode(link, video.episode)]}


def _meta_preview(entry: MovieEntry, *, site: str) -> dict[str, Any]:
    return {
        "id": entry.imdb_id,
        "type": "series" if entry.type == "show" else "movie",
        "name": entry.title,
        "poster": _poster(entry, site=site),
        "posterShape": "poster",
        **({"releaseInfo": str(entry.year)} if entry.year else {}),
        **({"description": entry.synopsis} if entry.synopsis else {}),
        **({"genres": [GENRES[slug] for slug in entry.genres if slug in GENRES]} if entry.genres else {}),
    }


def _poster(entry: MovieEntry, *, site: str) -> str:
    return entry.poster_url or f"{site}/posters/{entry.imdb_id}.png"


def _videos(entry: MovieEntry) -> list[dict[str, Any]]:
    labels = {episode: link.label for link in reversed(entry.links) if (episode := _episode(link))}
    return [
        {"id": f"{entry.imdb_id}:{season}:{number}", "title": label, "season": season, "episode": number}
        for (season, number), label in sorted((labels or {(1, 1): entry.title}).items())
    ]


def _matches_episode(link: LinkEntry, episode: tuple[int, int] | None) -> bool:
    return episode is None or _episode(link) in (None, episode)


def _episode(link: LinkEntry) -> tuple[int, int] | None:
    if not (match := EPISODE.search(link.label)):
        return None
    season, number = (group for group in match.groups() if group)
    return int(season), int(number)


def _stream(entry: MovieEntry, link: LinkEntry) -> dict[str, Any]:
    """A stream with either `url`, for players, or `externalUrl`, for browsers."""
    details = (link.label, link.language, link.licence, "" if link.kind in PLAYABLE_KINDS else "opens in the browser")
    stream: dict[str, Any] = {
        "name": " ".join(filter(None, (link.source_name or link.source, link.quality))),
        "description": " · ".join(filter(None, details)) or entry.title,
    }
    if link.kind not in PLAYABLE_KINDS:
        return {**stream, "externalUrl": link.source_url}
    if subtitles := _subtitles(link):
        stream["subtitles"] = subtitles
    parts = urlsplit(link.source_url)
    hints: dict[str, Any] = {"bingeGroup": f"openreel-{link.source}-{link.quality or 'any'}"}
    if parts.scheme != "https" or not parts.path.lower().endswith(".mp4"):
        hints["notWebReady"] = True
    if link.size_bytes:
        hints["videoSize"] = link.size_bytes
    if link.kind == "file" and (filename := parts.path.rsplit("/", 1)[-1]):
        hints["filename"] = filename
    return {**stream, "url": link.source_url, "behaviorHints": hints}


def _subtitles(link: LinkEntry) -> list[dict[str, str]]:
    return [
        {"id": str(number), "url": caption.url, "lang": caption.language or "und"}
        for number, caption in enumerate(link.captions, start=1)
    ]
