"""Which films of a list are in the catalogue: by IMDb id, otherwise by exactly the title and the year.

A list of any length takes four queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from streaming.exchange.film_lists import ListedFilm
from streaming.models import Movie, MovieQuerySet
from streaming.models.id_list import IdList, TextList
from streaming.models.movie import attach_working_counts
from streaming.models.title_index import TitledMovie, TitleIndex, WantedTitle
from streaming.search_words import parse_search

YEARS_APART = 1
"""Catalogues differ by a year between a festival and the release."""
MAX_CANDIDATES = 3
"""Of one row; which of more movies is meant is not guessed anyway, and they are not loaded."""


@dataclass(slots=True)
class ListMatch:
    """What of a list the catalogue has, in the order of the list.

    `watchable` and `unwatchable`: movies with and without an active link; `missing`: not in the catalogue;
    `ambiguous`: several movies have this title and none is meant by its year. `rows`: the movie of each row.
    """

    watchable: list[Movie] = field(default_factory=list)
    unwatchable: list[Movie] = field(default_factory=list)
    missing: list[ListedFilm] = field(default_factory=list)
    ambiguous: list[ListedFilm] = field(default_factory=list)
    rows: dict[int, Movie] = field(default_factory=dict)

    @property
    def movies(self) -> list[Movie]:
        return [*self.watchable, *self.unwatchable]


def match_films(films: Sequence[ListedFilm], movies: MovieQuerySet) -> ListMatch:
    """Find the films among these movies, whose `working_count` is set."""
    ids = TextList(film.imdb_id for film in films if film.imdb_id)
    by_id = {movie.imdb_id: movie for movie in movies.filter(imdb_id__in=ids)} if ids.texts else {}
    by_title = _by_title([film for film in films if not film.imdb_id], movies)
    found, seen = ListMatch(), set[int]()
    for film in films:
        movie = by_id.get(film.imdb_id) or by_title.get(film.row)
        if movie is None:
            (found.ambiguous if film.row in by_title else found.missing).append(film)
            continue
        found.rows[film.row] = movie
        if movie.pk not in seen:
            seen.add(movie.pk)
            (found.watchable if movie.active_link_count else found.unwatchable).append(movie)
    attach_working_counts(found.movies)
    return found


def _by_title(films: Sequence[ListedFilm], movies: MovieQuerySet) -> dict[int, Movie | None]:
    """The movie of each row whose title the catalogue has; None if several may be meant.

    Few movies are loaded: the commonest titles, without years, may be those of tens of thousands.
    """
    wanted = [WantedTitle(film.row, key, film.year) for film in films if (key := parse_search(film.title).key)]
    if not wanted:
        return {}
    candidates = defaultdict[int, list[TitledMovie]](list)
    for found in TitleIndex(movies.db).titled_many(wanted, years_apart=YEARS_APART):
        candidates[found.number].append(found)
    best = {film.row: _best(film, candidates[film.row]) for film in films if film.row in candidates}
    few = {row: several for row, several in best.items() if len(several) <= MAX_CANDIDATES}
    ids = IdList({found.pk for several in few.values() for found in several})
    loaded = {movie.pk: movie for movie in movies.filter(pk__in=ids)}
    meant: dict[int, Movie | None] = dict.fromkeys(best)
    for row, several in few.items():
        shown = [loaded[found.pk] for found in several if found.pk in loaded]
        if shown:
            meant[row] = shown[0] if len(shown) == 1 else None
        else:
            del meant[row]
    return meant


def _best(film: ListedFilm, candidates: list[TitledMovie]) -> list[TitledMovie]:
    """The movies that may be meant: those of the year, otherwise those of a year beside it."""
    of_type = [movie for movie in candidates if film.type in ("", movie.type)]
    return [movie for movie in of_type if movie.year == film.year] or of_type
