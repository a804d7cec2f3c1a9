"""The values that all formats write: movies with their links. Pure."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from scraper.items import LINK_FACTS, LINK_FIELDS, Caption, Person

PLAYABLE_KINDS = ("file", "stream")
EPISODE = re.compile(r"\bS([0-9]{1,3})\s?E([0-9]{1,4})\b|\b([0-9]{1,3})x([0-9]{1,4})\b", re.IGNORECASE)
NO_PICTURE_OF_PLAYERS = re.compile(r"\.(?:svgz?|tiff?|pdf|djvu|webp|avif|xcf)(?:[?#]|$)", re.IGNORECASE)


class LinkEntry(NamedTuple):
    """One link, written and read by name only. Its label includes season and episode; `row_id` 0: no row.

    `caption_numbers`: of the captions that may be shown, their places among all captions of the row.
    """

    source: str
    source_url: str
    source_name: str = ""
    kind: str = "page"
    label: str = ""
    quality: str = ""
    language: str = ""
    licence: str = ""
    licence_url: str = ""
    duration_seconds: int | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    captions: tuple[Caption, ...] = ()
    is_active: bool = True
    last_checked: datetime | None = None
    season: int | None = None
    episode: int | None = None
    row_id: int = 0
    caption_numbers: tuple[int, ...] = ()

    @property
    def episode_number(self) -> tuple[int, int] | None:
        """Season and episode: those stated, otherwise those in the label; None without any."""
        if self.episode is not None:
            return (1 if self.season is None else self.season), self.episode
        if not (match := EPISODE.search(self.label)):
            return None
        season, number = (group for group in match.groups() if group)
        return int(season), int(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieEntry:
    """One movie with its links, best first."""

    imdb_id: str
    title: str
    year: int | None = None
    type: str = "movie"
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
    fame: int = 0
    links: tuple[LinkEntry, ...] = ()

    @property
    def name(self) -> str:
        """The title with the year if it is known, `Nosferatu (1922)`."""
        return f"{self.title} ({self.year})" if self.year else self.title

    @property
    def playable_links(self) -> tuple[LinkEntry, ...]:
        """The links that a player can open."""
        return tuple(link for link in self.links if link.kind in PLAYABLE_KINDS)

    def picture_url(self, site: str) -> str:
        """The poster if players show its format, otherwise our drawn cover; empty without `site`, our base URL."""
        if self.poster_url and not NO_PICTURE_OF_PLAYERS.search(self.poster_url):
            return self.poster_url
        return f"{site}/posters/{self.imdb_id}.png" if site else ""


# The fields of `LINK_FIELDS` that are exported. A new one is not: readers rely on the format.
IN_THE_LABEL = ("season", "episode")
DESCRIPTIVE_FIELDS = tuple(
    name for name in LINK_FIELDS if name in LinkEntry._fields and name not in (*LINK_FACTS, *IN_THE_LABEL)
)


def format_datetime(at: datetime) -> str:
    """Format a time by ISO 8601, with `Z` for UTC."""
    return at.isoformat().replace("+00:00", "Z")


def stated_facts(entry: MovieEntry | LinkEntry, names: tuple[str, ...]) -> dict[str, Any]:
    """The facts of these names that are known, as JSON has them; what is not known is left out."""
    return {name: _to_json(name, value) for name in names if (value := getattr(entry, name))}


def _to_json(name: str, value: Any) -> Any:
    if name in ("other_titles", "synopses"):
        return dict(reversed(value))  # Of several texts in one language the first.
    if name in ("directors", "cast", "captions"):
        return [{key: text for key, text in asdict(one).items() if text} for one in value]
    return list(value) if isinstance(value, tuple) else value
