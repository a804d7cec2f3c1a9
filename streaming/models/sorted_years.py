"""Years as the indexes of movies sort them: written without parameters, or SQLite would not take them for the same."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, QuerySet


class YearOrFirst(Func):
    """The year, or 0 if it is unknown."""

    template = "COALESCE(%(expressions)s, 0)"


class YearOrLast(Func):
    """The year, or 9999 if it is unknown."""

    template = "COALESCE(%(expressions)s, 9999)"


def movies_of_year(movies: QuerySet[Any], year: int) -> QuerySet[Any]:
    """The movies of a year by title, which is the order of its index."""
    of_year: QuerySet[Any] = movies.alias(known_year=YearOrFirst("year")).filter(known_year=year)
    return of_year.order_by("search_title", "pk")
