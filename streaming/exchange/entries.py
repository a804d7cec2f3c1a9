"""The values that all formats write: movies with their links. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from scraper.items import LINK_FIELDS

PLAYABLE_KINDS = ("file", "stream")


class LinkEntry(NamedTuple):
    """One link, written and read by name only. Its label includes season and episode."""

    source: str
    source_url: str
    source_name: str = ""
    kind: str = "page"
    label: str = ""
    quality: str = ""
    language: str = ""
    licence: str = ""
    licence_url: str = ""
    is_active: bool = True
    last_checked: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieEntry:
    """One movie with its links, best first."""

    imdb_id: str
    title: str
    year: int | None = None
    type: str = "movie"
    poster_url: str = ""
    synopsis: str = ""
    links: tuple[LinkEntry, ...] = ()

    @property
    def name(self) -> str:
        """The title with the year if it is known, `Nosferatu (1922)`."""
        return f"{self.title} ({self.year})" if self.year else self.title

    @property
    def playable_links(self) -> tuple[LinkEntry, ...]:
        """The links that a player can open."""
        return tuple(link for link in self.links if link.kind in PLAYABLE_KINDS)


# The fields of `LINK_FIELDS` that are exported. A new one is not: readers rely on the format.
DESCRIPTIVE_FIELDS = tuple(name for name in LINK_FIELDS if name in LinkEntry._fields)


def format_datetime(at: datetime) -> str:
    """Format a time by ISO 8601, with `Z` for UTC."""
    return at.isoformat().replace("+00:00", "Z")
