"""Samples of movies, for estimates that must not read the whole table."""

from __future__ import annotations

from itertools import accumulate, repeat

from django.db import connection
from django.db.models import QuerySet

from streaming.models.movie import Movie

# Apart from each other: SQLite finds one end of the key at once, but reads all rows for both.
ENDS = "SELECT (SELECT MIN(id) FROM streaming_movie), (SELECT MAX(id) FROM streaming_movie)"
SPREAD, MODULUS = 2_654_435_761, 2**32


def spread_movies(number: int) -> tuple[QuerySet[Movie], bool]:
    """About `number` movies whose ids are spread over all, always the same ones; and whether that leaves any out.

    One of each run of ids, at a changing place: a fixed distance would always meet the same kind where an import
    repeats itself, for instance links in four languages by turns.
    """
    with connection.cursor() as cursor:
        cursor.execute(ENDS)
        first, last = (end or 0 for end in cursor.fetchone())
    step = max(1, (last - first + 1) // number)
    places = accumulate(repeat(SPREAD), lambda place, more: (place + more) % MODULUS)
    ids = [start + place % step for start, place in zip(range(first, last + 1, step), places, strict=False)]
    return Movie.objects.filter(pk__in=ids), step > 1


def is_sparse(found: int, *, number: int) -> bool:
    """Return whether so few of a sample exist that most ids are of removed movies: `first_movies` say more then."""
    return found < number // 4


def first_movies(number: int) -> QuerySet[Movie]:
    """Return the movies with the lowest ids."""
    return Movie.objects.filter(pk__in=Movie.objects.order_by("pk").values("pk")[:number])
