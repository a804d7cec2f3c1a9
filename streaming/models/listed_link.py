"""Links as lists and exports read them: rows of values, which take a quarter of the time of instances."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import starmap
from typing import Any, NamedTuple

from django.db.models import TextField
from django.db.models.functions import Cast

from scraper import sources
from streaming.film_length import Film, length_note_in
from streaming.formatting import episode_label
from streaming.models.id_list import IdList
from streaming.models.link import StreamingLinkQuerySet, uptime_of

NO_CAPTIONS = "[]"


class ListedLink(NamedTuple):
    """One link, read by name only, with the names of `StreamingLink`.

    `length_note` and `is_followed` are no columns: `links_by_movie` sets the first, `changes_since` the second.
    """

    id: int
    movie_id: int
    source: str
    source_url: str
    kind: str
    label: str
    season: int | None
    episode: int | None
    quality: str
    language: str
    licence: str
    licence_url: str
    duration_seconds: int | None
    size_bytes: int | None
    width: int | None
    height: int | None
    captions_json: str
    is_active: bool
    last_checked: datetime | None
    reason: str
    strength: str
    response_ms: int | None
    checks: str
    length_note: str = ""
    is_followed: bool = False

    @property
    def captions(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.captions_json) if self.captions_json != NO_CAPTIONS else []
        return found

    @property
    def source_name(self) -> str:
        return sources.source_name(self.source)

    @property
    def display_label(self) -> str:
        return episode_label(self.label, season=self.season, episode=self.episode)

    @property
    def uptime(self) -> float | None:
        return uptime_of(self.checks)


COLUMNS = tuple(
    Cast("captions", TextField()) if name == "captions_json" else name
    for name in ListedLink._fields
    if name not in ListedLink._field_defaults
)
MOVIE_ID, CAPTIONS = map(ListedLink._fields.index, ("movie_id", "captions_json"))


class ListedLinks:
    """Links of one movie, made of their rows each time they are read.

    Of a page with 100,000 links only the rows stay: plain tuples of texts and numbers, which the garbage collector
    leaves alone.
    """

    __slots__ = ("_film", "_rows", "has_captions")

    def __init__(self, film: Film) -> None:
        self._film, self.has_captions = film, False
        self._rows: list[tuple[Any, ...]] = []

    def append(self, row: tuple[Any, ...]) -> None:
        self._rows.append(row)
        self.has_captions = self.has_captions or row[CAPTIONS] != NO_CAPTIONS

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, link: object) -> bool:
        return any(one == link for one in self)

    def __iter__(self) -> Iterator[ListedLink]:
        for link in starmap(ListedLink, self._rows):
            note = length_note_in(self._film, link) if link.duration_seconds else ""
            yield link._replace(length_note=note) if note else link


def links_by_movie(links: StreamingLinkQuerySet, movies: Mapping[int, Film]) -> Mapping[int, ListedLinks]:
    """Those of the links that are of these movies, both by the movie's id, with one query."""
    by_movie = {pk: ListedLinks(film) for pk, film in movies.items()}
    if not by_movie:
        return by_movie
    for row in links.filter(movie__in=IdList(movies)).order_by().values_list(*COLUMNS):
        by_movie[row[MOVIE_ID]].append(row)
    return by_movie


def any_captions(links: Iterable[ListedLink]) -> bool:
    """Whether any of these links has captions."""
    if isinstance(links, ListedLinks):
        return links.has_captions
    return any(link.captions_json != NO_CAPTIONS for link in links)
