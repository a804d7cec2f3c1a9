"""The values that all formats write: movies with their links. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from scraper.items import LINK_FACTS, LINK_FIELDS, Caption, Person

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
    duration_seconds: int | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    captions: tuple[Caption, ...] = ()
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
    runtime_minutes: int | None = None
    original_title: str = ""
    original_languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    directors: tuple[Person, ...] = ()
    cast: tuple[Person, ...] = ()
    other_titles: tuple[tuple[str, str], ...] = ()
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


# The fields of `LINK_FIELDS` that are exported. A new one is not: readers rely on the format.
DESCRIPTIVE_FIELDS = tuple(name for name in LINK_FIELDS if name in LinkEntry._fields and name not in LINK_FACTS)


def format_datetime(at: datetime) -> str:
    """Format a time by ISO 8601, with `Z` for UTC."""
    return at.isoformat().replace("+00:00", "Z")


def stated_facts(entry: MovieEntry | LinkEntry, names: tuple[str, ...]) -> dict[str, Any]:
    """The facts of these names that are known, as JSON has them; what is not known is left out."""
    return {name: _to_json(name, value) for name in names if (value := getattr(entry, name))}


def _to_json(name: str, value: Any) -> Any:
    if name == "other_titles":
        return dict(reversed(value))  # Of several titles in one language the first.
    if name in ("directors", "cast", "captions"):
        return [{key: text for key, text in asdict(one).items() if text} for one in value]
    return list(value) if isinstance(value, tuple) else value
