"""The rows above the catalogue: a few movies of a list each, with the address of the list.

Which movies, is cached; they themselves are read for each page, so that a takedown or a lost link shows at once.
Neither costs more in a large catalogue: each list is read from its index, and the genres are those of a sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeGuard

from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from scraper.extraction.genres import GENRES
from streaming.localization import genre_name
from streaming.models import Movie
from streaming.models.movie_sample import first_movies, is_sparse, spread_movies
from streaming.web.filter_bar import FilterSelection

ROW_SIZE = 5
"""A row with fewer movies is not shown. On a first visit the posters of four rows are loaded."""
CACHE_KEY, CACHE_SECONDS = "home-rows", 300
NEW_FOR = timedelta(days=7)
MAX_SHORT_MINUTES = 40
GENRE_ROWS, GENRES_TRIED = 3, 6
SAMPLED_MOVIES = 500
NOT_A_ROW = frozenset({"short"})
"""Genres that another row shows."""
KNOWN, NEW, SHORT = "known", "new", "short"
CardIds = list[tuple[str, list[int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeRow:
    """A row with its movies; `key` tells it apart, `url` leads to the whole list."""

    key: str
    title: str
    url: str
    movies: list[Movie]


def home_rows(*, excluded_fields: tuple[str, ...]) -> list[HomeRow]:
    """The rows that have enough movies with an active link now; movies without `excluded_fields`.

    One query while the choice is cached.
    """
    chosen = cache.get(CACHE_KEY)
    if not _is_complete(chosen):
        chosen = list(_chosen(timezone.now()))
        cache.set(CACHE_KEY, chosen, CACHE_SECONDS)
    ids = [pk for _, row in chosen for pk in row]
    shown = Movie.objects.shown().watchable().with_active_count().defer(*excluded_fields)
    movies = shown.in_bulk(ids) if ids else {}
    rows = [(key, [movies[pk] for pk in row if pk in movies]) for key, row in chosen]
    return [
        HomeRow(key=key, title=_title(key), url=f"{reverse('home')}{_selection(key).url()}", movies=found)
        for key, found in rows
        if len(found) == ROW_SIZE
    ]


def _selection(key: str) -> FilterSelection:
    """The list that a row begins."""
    if key == KNOWN:
        return FilterSelection(working="1")
    if key == NEW:
        return FilterSelection(working="1", sort="added")
    if key == SHORT:
        return FilterSelection(working="1", type="movie", runtime_max=str(MAX_SHORT_MINUTES))
    return FilterSelection(working="1", genre=key)


def _title(key: str) -> str:
    titles = {KNOWN: gettext("Well known"), NEW: gettext("New this week"), SHORT: gettext("Short films")}
    return titles.get(key) or genre_name(key)


def _chosen(now: datetime) -> Iterator[tuple[str, list[int]]]:
    """The keys of the rows with the ids of their movies; a movie is in the first row only that it belongs to."""
    used: set[int] = set()
    genre_rows = 0
    for key in [KNOWN, *([NEW] if _is_older_than_a_week(now) else []), SHORT, *_largest_genres()]:
        if genre_rows == GENRE_ROWS:
            return
        ids = _movies_of(key, used, now=now)
        if len(ids) == ROW_SIZE:
            used.update(ids)
            genre_rows += key in GENRES and key not in NOT_A_ROW
            yield key, ids


def _movies_of(key: str, used: set[int], *, now: datetime) -> list[int]:
    found = _selection(key).catalogue_query().apply(Movie.objects.shown())
    rows = found.values_list("pk", "created_at")[: ROW_SIZE + len(used)]
    oldest = now - NEW_FOR
    return [pk for pk, created_at in rows if pk not in used and (key != NEW or created_at >= oldest)][:ROW_SIZE]


def _is_older_than_a_week(now: datetime) -> bool:
    """Whether the catalogue is: in its first week all of it is new, and a row of that would say nothing."""
    first = Movie.objects.order_by("created_at", "id").values_list("created_at", flat=True).first()
    return first is not None and first < now - NEW_FOR


def _largest_genres() -> list[str]:
    """The genres that most movies of a sample have; of a small catalogue, the most of all."""
    movies, is_part = spread_movies(SAMPLED_MOVIES)
    sample = movies.values_list("genres", flat=True)
    if is_part and is_sparse(len(sample), number=SAMPLED_MOVIES):
        sample = first_movies(SAMPLED_MOVIES).values_list("genres", flat=True)
    sizes = Counter(slug for genres in sample for slug in genres)
    known = [slug for slug in GENRES if slug in sizes and slug not in NOT_A_ROW]
    return sorted(known, key=lambda slug: -sizes[slug])[:GENRES_TRIED]


def _is_complete(cached: object) -> TypeGuard[CardIds]:
    """Whether a cached value has the form of what `_chosen` yields; others may write to the cache."""
    return isinstance(cached, list) and all(
        isinstance(row, (tuple, list))
        and len(row) == 2
        and (row[0] in (KNOWN, NEW, SHORT) or row[0] in GENRES)
        and isinstance(row[1], list)
        and all(isinstance(pk, int) for pk in row[1])
        for row in cached
    )
