"""The list query of the catalogue page and the API: filters, search and order, each with one meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F
from django.db.models.expressions import OrderBy

from streaming.models import MovieQuerySet
from streaming.search_words import parse_search

LINK_FILTERS = ("source", "quality", "language", "licence")
# The columns of each order that a cursor can follow: the last one makes it total, and an index serves it both ways.
INDEXED_ORDERS: Mapping[str, tuple[str, ...]] = {
    "title": ("search_title", "id"),
    "year": ("year", "search_title", "id"),
    "created_at": ("created_at", "id"),
}
ORDERINGS = tuple(f"{sign}{name}" for name in INDEXED_ORDERS for sign in ("", "-"))
# Orders in which ties are always broken by ascending title, for people. "links" needs `active_count`.
READING_ORDERS: Mapping[str, tuple[str | OrderBy, ...]] = {
    "newest": (F("year").desc(nulls_last=True), "search_title", "id"),
    "oldest": (F("year").asc(nulls_last=True), "search_title", "id"),
    "added": ("-created_at", "search_title", "id"),
    "links": ("-active_count", "search_title", "id"),
}


def order_columns(ordering: str) -> list[str]:
    """The columns of one of `ORDERINGS`, each with a minus sign if it descends."""
    sign = "-" if ordering.startswith("-") else ""
    return [f"{sign}{column}" for column in INDEXED_ORDERS[ordering.removeprefix("-")]]


def order_by(order: str) -> list[str | OrderBy]:
    """The arguments for `QuerySet.order_by`.

    Of `ORDERINGS`, "year" begins with unknown years and "-year" ends with them, on every database.
    """
    if order in READING_ORDERS:
        return list(READING_ORDERS[order])
    nulls: dict[str, OrderBy] = {"year": F("year").asc(nulls_first=True), "-year": F("year").desc(nulls_last=True)}
    return [nulls.get(column, column) for column in order_columns(order)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueQuery:
    """Which movies to list, and in which order; an empty value or None means any.

    `source`, `quality`, `language` and `licence` together require one active link that has all of them.
    `year_min`, `year_max` and `updated_since` include their own value. `has_links` False: no active link.
    `order`: a key of `ORDERINGS` or `READING_ORDERS`; empty: the best first if there is a search, otherwise by title.
    """

    search: str = ""
    type: str = ""
    year: int | None = None
    year_min: int | None = None
    year_max: int | None = None
    source: str = ""
    quality: str = ""
    language: str = ""
    licence: str = ""
    has_links: bool | None = None
    updated_since: datetime | None = None
    order: str = ""

    def apply(self, movies: MovieQuerySet) -> MovieQuerySet:
        """The movies of `movies` that match, in order."""
        matching = self._with_links(movies.filter(**self._conditions()))
        if self.order or not parse_search(self.search):
            matching = matching.order_by(*order_by(self.order or "title"))
        return matching.search(self.search)

    def _conditions(self) -> dict[str, object]:
        values = {
            "type": self.type,
            "year": self.year,
            "year__gte": self.year_min,
            "year__lte": self.year_max,
            "updated_at__gte": self.updated_since,
        }
        return {lookup: value for lookup, value in values.items() if value}

    def _with_links(self, movies: MovieQuerySet) -> MovieQuerySet:
        wanted = {name: value for name in LINK_FILTERS if (value := getattr(self, name))}
        if self.has_links is False:
            movies = movies.unwatchable()
        if wanted:
            return movies.with_active_link(**wanted)
        return movies.watchable() if self.has_links else movies
