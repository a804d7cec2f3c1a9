"""Movies like another one: by people, genres and time. The cost does not depend on the size of the catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models.lookups import GreaterThanOrEqual, LessThan

from streaming.catalogue_query import YEAR, order_by
from streaming.models import Movie, MovieFacet, MovieQuerySet
from streaming.models.movie import attach_working_counts
from streaming.web.catalogue_page import fields_not_on_cards

MORE_SHOWN = 6
MAX_PEOPLE = 12
MOVIES_OF_PEOPLE = 200
MOVIES_AROUND = 30
"""How many movies before and after the year are compared."""
PERSON_WEIGHT, GENRE_WEIGHT, DECADE_WEIGHT = 4, 2, 1
COMMON_GENRES = frozenset({"short"})
"""Genres that say little of what a film is like."""


def similar_movies(found: Movie) -> list[Movie]:
    """Other movies with an active link, the most similar first, then those from around the same year.

    Each has its `working_count`.
    """
    others = Movie.objects.shown().watchable().exclude(pk=found.pk).with_active_count().defer(*fields_not_on_cards())
    candidates = {movie.pk: movie for movie in _around(others, found)}
    wanted = _ids_of_people(found) - candidates.keys()
    candidates |= {movie.pk: movie for movie in others.filter(pk__in=wanted)}
    common = _common_facets(found, candidates)

    def rank(movie: Movie) -> tuple[object, ...]:
        distance = abs(movie.year - found.year) if movie.year and found.year else 9999
        return -_score(common[movie.pk], distance), distance, movie.search_title, movie.pk

    similar = sorted(candidates.values(), key=rank)[:MORE_SHOWN]
    attach_working_counts(similar)
    return similar


def _score(common: Iterable[str], distance: int) -> int:
    weights = {MovieFacet.Kind.PERSON.value: PERSON_WEIGHT, MovieFacet.Kind.GENRE.value: GENRE_WEIGHT}
    return sum(weights[kind] for kind in common) + (DECADE_WEIGHT if distance < 10 else 0)


def _around(others: MovieQuerySet, found: Movie) -> list[Movie]:
    """Movies from around the same year; without a year the first by title."""
    if found.year is None:
        return list(others.order_by("search_title", "id")[:MOVIES_AROUND])
    later = others.filter(GreaterThanOrEqual(YEAR.expression, found.year)).order_by(*order_by("year"))
    earlier = others.exclude(year=None).filter(LessThan(YEAR.expression, found.year)).order_by(*order_by("-year"))
    return [*later[:MOVIES_AROUND], *earlier[:MOVIES_AROUND]]


def _ids_of_people(found: Movie) -> set[int]:
    """The ids of some movies with the same people."""
    keys = list(dict.fromkeys(one["id"] for one in [*found.directors, *found.cast]))[:MAX_PEOPLE]
    facets = MovieFacet.objects.order_by().filter(kind=MovieFacet.Kind.PERSON, value__in=keys)
    return set(facets.exclude(movie=found.pk).values_list("movie_id", flat=True)[:MOVIES_OF_PEOPLE]) if keys else set()


def _common_facets(found: Movie, candidates: Iterable[int]) -> dict[int, list[str]]:
    """The kinds of the facets that each candidate has in common with the movie, people and genres only."""
    people = {one["id"] for one in [*found.directors, *found.cast]}
    genres = set(found.genres) - COMMON_GENRES
    common: dict[int, list[str]] = defaultdict(list)
    facets = MovieFacet.objects.order_by().filter(movie_id__in=list(candidates), link_id=0)
    for movie_id, kind, value in facets.values_list("movie_id", "kind", "value"):
        if (kind == MovieFacet.Kind.PERSON and value in people) or (kind == MovieFacet.Kind.GENRE and value in genres):
            common[movie_id].append(kind)
    return common
