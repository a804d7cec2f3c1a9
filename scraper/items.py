"""Items, which spiders yield, and the vocabulary of their fields, which the catalogue uses too. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

QUALITIES = ("2160p", "1440p", "1080p", "720p", "576p", "480p", "360p", "240p")
"""Picture heights, the best first."""
LINK_KINDS = ("file", "stream", "embed", "page")
"""A video file, a playlist, a player to embed or a web page; the most direct first."""
MOVIE_TYPES = ("movie", "show")
MIN_YEAR, MAX_YEAR = 1870, 2200
MAX_EVIDENCE_LENGTH = 300
"""Characters of `evidence` and of `doubt`."""
MAX_IMDB_ID_LENGTH = 40
MAX_PART_NUMBER = 9999
"""The largest number of a season or an episode."""
LINK_FIELDS = (
    "kind", "label", "season", "episode", "quality", "language", "licence", "licence_url", "evidence",
    "duration_seconds", "size_bytes", "width", "height", "captions",
)  # fmt: skip
"""The fields that describe a link: the one list of them. A module that needs fewer names those that it leaves out."""
LINK_FACTS = ("duration_seconds", "size_bytes", "width", "height", "captions")
"""Those of them that say what the file is like: one that is invalid is left out, and the link is kept."""
MOVIE_FACTS = (
    "runtime_minutes", "original_title", "original_languages", "countries", "genres", "directors", "cast",
    "other_titles", "synopses", "fame",
)  # fmt: skip
"""What is known of a film besides its title, year, synopsis and poster: the one list of these fields."""
IMDB_ID_PATTERN = re.compile(r"tt[0-9]{7,9}")
IMDB_ID_SPELLING = re.compile(r"[ \t\u00a0]*[Tt][Tt](0{0,8}[0-9]{7,8}|[1-9][0-9]{8})[ \t\u00a0]*")


def normalize_imdb_id(text: object) -> str:
    """Return an IMDb title id in its one spelling, else empty: lower case, no blanks, zeros only up to 7 digits.

    >>> normalize_imdb_id(" TT000013442"), normalize_imdb_id("tt12345678"), normalize_imdb_id("nm0000001")
    ('tt0013442', 'tt12345678', '')
    """
    if isinstance(text, str) and len(text) == 9 and IMDB_ID_PATTERN.fullmatch(text):
        return text
    found = IMDB_ID_SPELLING.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_IMDB_ID_LENGTH else None
    imdb_id = f"tt{found[1].lstrip('0'):0>7}" if found else ""
    return imdb_id if IMDB_ID_PATTERN.fullmatch(imdb_id) else ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who made a film; `wikidata` is the id of the item, such as Q25191, empty if it is not known."""

    name: str
    wikidata: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A file of captions; `format` is `vtt` or `srt`."""

    url: str
    language: str = ""
    format: str = "vtt"


@dataclass(slots=True)
class LinkItem:
    """One URL where a movie can be watched, as the source states it. Empty and None mean that it does not say.

    `imdb_id` identifies the movie in all sources; `title`, `year`, `type`, `synopsis` and `poster_url` describe it and
    are used only if the catalogue does not know it yet. `kind` is one of LINK_KINDS, `quality` one of QUALITIES,
    `language` a BCP 47 tag, `licence` a slug of `scraper.sources.LICENCES`. `evidence` is what the licence rests on:
    the source's words or a URL. `doubt` is why a person must review the link before it is shown, whatever its licence.
    `season` and `episode` say which part of a show it is. Of the file they say its duration, size, width and height in
    pixels, and its captions.

    Of the film: countries by ISO 3166 code, `genres` by the slugs of `scraper.extraction.genres`, languages by tag,
    `other_titles` and `synopses` as pairs of a language and the text in it, `fame` as the number of its
    Wikipedia articles and the like (Wikidata's sitelinks).
    """

    imdb_id: str
    source: str
    source_url: str
    kind: str = "page"
    label: str = ""
    quality: str = ""
    language: str = ""
    licence: str = ""
    licence_url: str = ""
    evidence: str = ""
    doubt: str = ""
    season: int | None = None
    episode: int | None = None
    title: str = ""
    year: int | None = None
    type: str = "movie"
    poster_url: str = ""
    synopsis: str = ""
    duration_seconds: int | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    captions: tuple[Caption, ...] = ()
    runtime_minutes: int | None = None
    original_title: str = ""
    original_languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    directors: tuple[Person, ...] = ()
    cast: tuple[Person, ...] = ()
    other_titles: tuple[tuple[str, str], ...] = ()
    synopses: tuple[tuple[str, str], ...] = ()
    fame: int | None = None


@dataclass(slots=True)
class FilmItem:
    """What a source knows of a film that it has no link to; the fields mean the same as those of LinkItem."""

    imdb_id: str
    title: str = ""
    year: int | None = None
    type: str = ""
    poster_url: str = ""
    synopsis: str = ""
    runtime_minutes: int | None = None
    original_title: str = ""
    original_languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    directors: tuple[Person, ...] = ()
    cast: tuple[Person, ...] = ()
    other_titles: tuple[tuple[str, str], ...] = ()
    synopses: tuple[tuple[str, str], ...] = ()
    fame: int | None = None
