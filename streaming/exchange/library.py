"""The catalogue as a library for Jellyfin and Kodi: folders with .strm, .nfo and poster.png. Pure.

Movies and shows have a folder each, for both programs want them apart. A folder's name ends with the IMDb id, so that
no two are equal on any file system, and programs know the movie without asking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from streaming.drawing.covers import Subject, draw_picture, picture_version, titles_to_draw
from streaming.exchange import nfo
from streaming.exchange.entries import LinkEntry, MovieEntry
from streaming.exchange.strm import safe_file_stem, write_strm
from streaming.formatting import display_text

MAX_TITLE_BYTES = 80
"""Windows allows 259 characters for a whole path: the longest of ours leave 40 for the folder of the library."""
LINK_SUFFIX = ".strm"


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryFile:
    """A file of the library: `path` within it with slashes; `version` changes with the content, which `read` makes."""

    path: str
    version: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryMovie:
    """All files of one movie or show."""

    imdb_id: str
    files: tuple[LibraryFile, ...]


def draw_cover(version: str, subject: Subject) -> bytes:
    """The cover as PNG."""
    return draw_picture("cover", subject)


def build_library(
    entries: Iterable[MovieEntry], *, site: str, site_name: str, cover: Callable[[str, Subject], bytes] = draw_cover
) -> Iterator[LibraryMovie]:
    """Yield the files of each movie with a link that players can open, in the order of the entries.

    `site` is our base URL for pictures that a .nfo names; empty: none of ours is named. `cover` makes poster.png.
    """
    for entry in entries:
        if entry.playable_links:
            make = _show_files if entry.type == "show" else _movie_files
            poster = _poster_file(entry, site_name=site_name, cover=cover)
            yield LibraryMovie(imdb_id=entry.imdb_id, files=(*make(entry, site=site), poster))


def build_flat_library(
    entries: Iterable[MovieEntry], *, owners: Callable[[], Mapping[str, str]]
) -> Iterator[LibraryMovie]:
    """Yield the one .strm file of each movie with a link that players can open; `owners`: those of `write_strm`."""
    for imdb_id, name, text in write_strm(entries, owners=owners()):
        yield LibraryMovie(imdb_id=imdb_id, files=(_text_file(name, text),))


def _movie_files(entry: MovieEntry, *, site: str) -> Iterator[LibraryFile]:
    link = entry.playable_links[0]
    folder = _folder(entry)
    yield _text_file(f"{folder}/{_name(entry)}{LINK_SUFFIX}", f"{link.source_url}\n")
    yield _text_file(f"{folder}/movie.nfo", nfo.movie_nfo(entry, link, site=site))


def _show_files(entry: MovieEntry, *, site: str) -> Iterator[LibraryFile]:
    folder, title = _folder(entry), _title(entry)
    yield _text_file(f"{folder}/tvshow.nfo", nfo.show_nfo(entry, site=site))
    for (season, episode), link in sorted(best_by_episode(entry).items()):
        stem = f"{folder}/Season {season:02d}/{title} S{season:02d}E{episode:02d}"
        yield _text_file(f"{stem}{LINK_SUFFIX}", f"{link.source_url}\n")
        yield _text_file(f"{stem}.nfo", nfo.episode_nfo(entry, link, season=season, episode=episode))


def best_by_episode(show: MovieEntry) -> dict[tuple[int, int], LinkEntry]:
    """The best playable link of each episode; a show without numbered ones has its best link as S01E01."""
    best: dict[tuple[int, int], LinkEntry] = {}
    for link in show.playable_links:
        if number := link.episode_number:
            best.setdefault(number, link)
    return best or {(1, 1): show.playable_links[0]}


def _folder(entry: MovieEntry) -> str:
    parent = "Shows" if entry.type == "show" else "Movies"
    return f"{parent}/{_name(entry)} [imdbid-{entry.imdb_id}]"


def _name(entry: MovieEntry) -> str:
    return f"{_title(entry)} ({entry.year})" if entry.year else _title(entry)


def _title(entry: MovieEntry) -> str:
    return safe_file_stem(display_text(entry.title), max_bytes=MAX_TITLE_BYTES)


def _text_file(path: str, text: str) -> LibraryFile:
    data = text.encode()
    return LibraryFile(path=path, version=hashlib.sha256(data).hexdigest(), read=lambda: data)


def _poster_file(entry: MovieEntry, *, site_name: str, cover: Callable[[str, Subject], bytes]) -> LibraryFile:
    subject = Subject(
        imdb_id=entry.imdb_id,
        titles=tuple(map(display_text, titles_to_draw(entry.title, entry.original_title, entry.other_titles))),
        year=entry.year,
        is_show=entry.type == "show",
        site_name=site_name,
    )
    path, version = f"{_folder(entry)}/poster.png", picture_version("cover", subject)
    return LibraryFile(path=path, version=version, read=lambda: cover(version, subject))
