"""The catalogue as responses of Stremio's add-on protocol. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from scraper.extraction.languages import three_letter_code
from scraper.sources import LICENCES
from streaming.exchange.entries import PLAYABLE_KINDS, LinkEntry, MovieEntry
from streaming.formatting import language_name

MOVIE_TYPE_BY_STREMIO_TYPE = {"movie": "movie", "series": "show"}
CATALOGUE_IDS = {"movie": "openreel-movies", "series": "openreel-shows"}
PAGE_SIZE = 100
MAX_SKIP = 100_000
VIDEO_ID = re.compile(r"(tt[0-9]{7,9})(?::([0-9]{1,4}):([0-9]{1,5}))?")
EMAIL = re.compile(r"(?:mailto:)?([^\s@<>:]+@[^\s@<>:]+\.[^\s@<>:]+)")
SLUG_BY_GENRE = {name: slug for slug, name in GENRES.items()}
EXTRA_PATTERN = re.compile(r"(skip|search|genre)=(.*?)(?=&(?:skip|search|genre)=|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CatalogueExtra:
    """The optional parameters of a catalogue request."""

    skip: int = 0
    search: str = ""
    genre: str = ""

    @property
    def genre_slug(self) -> str | None:
        """The slug of the genre, empty for any; None for a name that is none of ours."""
        return SLUG_BY_GENRE.get(self.genre) if self.genre else ""


@dataclass(frozen=True, slots=True)
class VideoId:
    """A movie, or one episode of a show."""

    imdb_id: str
    episode: tuple[int, int] | None = None


def build_manifest(
    *, version: str, name: str, description: str, logo: str, contact: str, genres: Iterable[str]
) -> dict[str, Any]:
    """Build the manifest, which describes the add-on; `logo` is a URL, `genres` are the slugs that are offered.

    `contact` is named if it is an e-mail address.
    """
    prefixed = {"types": list(MOVIE_TYPE_BY_STREMIO_TYPE), "idPrefixes": ["tt"]}
    options = [GENRES[slug] for slug in genres]
    by_genre = [{"name": "genre", "isRequired": False, "options": options}] if options else []
    extra = [{"name": "search", "isRequired": False}, *by_genre, {"name": "skip", "isRequired": False}]
    email = EMAIL.fullmatch(contact)
    return {
        "id": "org.openreel.addon",
        "version": version,
        "name": name,
        "description": description,
        "logo": logo,
        **({"contactEmail": email[1]} if email else {}),
        "types": list(MOVIE_TYPE_BY_STREMIO_TYPE),
        "catalogs": [{"type": kind, "id": key, "name": name, "extra": extra} for kind, key in CATALOGUE_IDS.items()],
        "resources": ["catalog", {"name": "meta", **prefixed}, {"name": "stream", **prefixed}],
        "idPrefixes": ["tt"],
        "behaviorHints": {"adult": False, "p2p": False, "configurable": False, "configurationRequired": False},
    }


def parse_extra(text: str) -> CatalogueExtra:
    """Parse parameters such as `skip=100&search=nosferatu`, already percent-decoded; an invalid `skip` is 0."""
    found = {match[1]: match[2] for match in EXTRA_PATTERN.finditer(text)}
    skip = found.get("skip", "0")
    number = int(skip) if skip.isascii() and skip.isdigit() and len(skip) <= 6 else 0
    return CatalogueExtra(
        skip=min(number, MAX_SKIP), search=found.get("search", "").strip(), genre=found.get("genre", "").strip()
    )


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
    background = {"background": f"{site}/cards/{entry.imdb_id}.png"}
    meta = _meta_preview(entry, site=site) | background | _details(entry)
    if entry.type == "show":
        meta["videos"] = _videos(entry)
    else:
        meta["behaviorHints"] = {"defaultVideoId": entry.imdb_id}
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


def build_streams(entry: MovieEntry, video: VideoId, *, site: str) -> dict[str, Any]:
    """Build the list of links, best first; for an episode, those of other episodes are left out.

    `site` is the base URL of captions.
    """
    links = (link for link in entry.links if _matches_episode(link, video.episode))
    return {"streams": [_stream(entry, link, site=site) for link in links]}


def _meta_preview(entry: MovieEntry, *, site: str) -> dict[str, Any]:
    return {
        "id": entry.imdb_id,
        "type": "series" if entry.type == "show" else "movie",
        "name": entry.title,
        "poster": entry.picture_url(site),
        "posterShape": "poster",
        **({"releaseInfo": str(entry.year)} if entry.year else {}),
        **({"description": entry.synopsis} if entry.synopsis else {}),
        **({"genres": [GENRES[slug] for slug in entry.genres if slug in GENRES]} if entry.genres else {}),
    }


def _videos(entry: MovieEntry) -> list[dict[str, Any]]:
    """The episodes, each with the label of its best link; a show without numbered ones is one episode."""
    labels = {number: link.label for link in reversed(entry.links) if (number := link.episode_number)}
    released = {"released": f"{entry.year}-01-01T00:00:00.000Z"} if entry.year else {}
    return [
        {
            "id": f"{entry.imdb_id}:{season}:{number}",
            "title": label or f"Episode {number}",
            "season": season,
            "episode": number,
            **released,
        }
        for (season, number), label in sorted((labels or {(1, 1): entry.title}).items())
    ]


def _matches_episode(link: LinkEntry, episode: tuple[int, int] | None) -> bool:
    return episode is None or link.episode_number in (None, episode)


def _stream(entry: MovieEntry, link: LinkEntry, *, site: str) -> dict[str, Any]:
    """A stream with either `url`, for players, or `externalUrl`, for browsers."""
    details = (
        link.label,
        language_name(link.language) if link.language else "",
        LICENCES.get(link.licence, link.licence),
        "" if link.kind in PLAYABLE_KINDS else "opens in the browser",
    )
    stream: dict[str, Any] = {
        "name": " ".join(filter(None, (link.source_name or link.source, link.quality))),
        "description": " · ".join(filter(None, details)) or entry.title,
    }
    if link.kind not in PLAYABLE_KINDS:
        return {**stream, "externalUrl": link.source_url}
    if subtitles := _subtitles(link, site=site):
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


def _subtitles(link: LinkEntry, *, site: str) -> list[dict[str, str]]:
    """The captions as WebVTT from our own URLs, whatever the source has."""
    return [
        {
            "id": f"{link.row_id}-{number}",
            "url": f"{site}/captions/{link.row_id}-{number}.vtt",
            "lang": three_letter_code(caption.language),
        }
        for number, caption in zip(link.caption_numbers, link.captions, strict=True)
    ]
