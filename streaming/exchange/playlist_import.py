"""Reads links from M3U playlists and from .strm files, which name their films in different ways. Pure.

A film is named by an IMDb id wherever one stands (`tvg-id`, `[imdbid-tt0013442]`, `{imdb-tt0013442}`, an .nfo file
beside), otherwise by a title with a year, to be looked for in the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from scraper.items import normalize_imdb_id
from streaming.exchange.film_lists import ListedFilm

MAX_TITLE_LENGTH = 200
IMDB_ID = re.compile(r"\btt[0-9]{7,9}\b", re.IGNORECASE | re.ASCII)
ATTRIBUTE = re.compile(r'([a-zA-Z-]+)="([^"]*)"')
TITLE_WITH_YEAR = re.compile(r"(.*?)[ ._]*[(\[]((?:18|19|20|21)[0-9]{2})[)\]].*")
PART = re.compile(r"\bS([0-9]{1,4})[ ._]?E([0-9]{1,4})\b", re.IGNORECASE)
SEASON_FOLDER = re.compile(r"(?:season|series|staffel|saison|specials)[ ._]*[0-9]*", re.IGNORECASE)
TAGS = re.compile(r"[\[{](?:imdb|tmdb|tvdb)[^\]}]*[\]}]", re.IGNORECASE)
FILE_ENDINGS = (".mp4", ".m4v", ".webm", ".ogv", ".mkv", ".avi", ".mpg", ".mpeg", ".mov")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistItem:
    """A URL and the film that it is said to be. `row`: its line, or the number of its file; `name`: for messages."""

    row: int
    name: str
    url: str
    film: ListedFilm
    season: int | None = None
    episode: int | None = None

    def to_link(self, source: str) -> dict[str, Any]:
        """The link as a line of JSON has it."""
        path = urlsplit(self.url).path.lower() if self.url.isascii() else ""
        kind = "stream" if path.endswith(".m3u8") else "file" if path.endswith(FILE_ENDINGS) else "page"
        part = {"season": self.season, "episode": self.episode} if self.season and self.episode else {}
        return {"source": source, "source_url": self.url, "kind": kind, **part}


def parse_m3u(text: str) -> Iterator[PlaylistItem]:
    """Parse the entries of a playlist; one without `#EXTINF` has no name."""
    head = ""
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if line.upper().startswith("#EXTINF"):
            head = line
        elif line and not line.startswith("#"):
            yield _item(number, title_of_extinf(head), line, texts=[head])
            head = ""


def title_of_extinf(head: str) -> str:
    """The title of an `#EXTINF` line: what follows the first comma outside the quoted attributes.

    >>> title_of_extinf('#EXTINF:-1 tvg-name="Love, Actually" group-title="a",Paris, je t’aime (2006)')
    'Paris, je t’aime (2006)'
    """
    bare = ATTRIBUTE.sub(lambda found: "_" * len(found[0]), head)
    at = bare.find(",")
    return head[at + 1 :].strip() if at >= 0 else ""


def parse_strm(row: int, path: PurePath, text: str, *, nfo: Iterable[str] = ()) -> PlaylistItem | None:
    """Parse a .strm file; None without a URL. `path` is relative to the library; `nfo` are texts of files beside it."""
    url = next((line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    if not url:
        return None
    folders = [part for part in path.parts[:-1] if not SEASON_FOLDER.fullmatch(part)]
    is_part = PART.search(path.stem) is not None
    title = folders[-1] if folders and (is_part or not TITLE_WITH_YEAR.fullmatch(path.stem)) else path.stem
    texts = [path.stem, *reversed(folders), *nfo]
    return _item(row, title, url, texts=texts, name=str(path), part=path.stem)


def _item(row: int, title: str, url: str, *, texts: list[str], name: str = "", part: str = "") -> PlaylistItem:
    ids = (normalize_imdb_id(found[0]) for text in texts if (found := IMDB_ID.search(text)))
    imdb_id = next(filter(None, ids), "")
    plain = TAGS.sub("", title).strip()
    named = TITLE_WITH_YEAR.fullmatch(plain)
    numbers = PART.search(part or title)
    film = ListedFilm(
        row=row,
        imdb_id=imdb_id,
        title=(named[1] if named else PART.split(plain)[0]).strip(" .-–_")[:MAX_TITLE_LENGTH],
        year=int(named[2]) if named else None,
    )
    season, episode = (int(numbers[1]), int(numbers[2])) if numbers else (None, None)
    return PlaylistItem(row=row, name=name or title or url, url=url, film=film, season=season, episode=episode)
