"""The list query of the catalogue page and the API: filters, search and order, each with one meaning.

A list walks the index of its order and tests the filters on the way. If the counters say that this would be long, the
index of the rarest filter yields its movies instead, and they are sorted: see `ListPlan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Count, Exists, F, Func, OuterRef, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

from streaming.models import LinkCount, Movie, MovieCount, MovieFacet, MovieQuerySet, StreamingLink
from streaming.models.counters import SHOWN_FACETS
from streaming.models.movie import has_active_link
from streaming.models.movie_sample import first_movies, is_sparse, spread_movies
from streaming.models.sorted_years import YearOrFirst, YearOrLast
from streaming.models.title_search import MAX_FOUND
from streaming.search_words import parse_search

LINK_FILTERS = SHOWN_FACETS
FACET_FILTERS = tuple(str(kind) for kind in MovieFacet.Kind)
PAGE_ROWS = 24
MAX_EXACT = 5_000
SAMPLED_MOVIES = 500
MIN_SAMPLED_HITS = 100
ALWAYS_CHEAP = 2_000
MAX_RUNTIME = 32_767
"""Beyond all runtimes: the largest number of their column."""


@dataclass(frozen=True, slots=True)
class SortTerm:
    """One term of an order: a column, or an expression of it that has no NULL."""

    column: str
    is_descending: bool = False
    function: type[Func] | None = None
    if_unknown: int = 0

    @property
    def expression(self) -> F | Func:
        """The sorted value."""
        return self.function(F(self.column)) if self.function else F(self.column)

    def reversed(self) -> SortTerm:
        """The same, in the other direction."""
        return SortTerm(self.column, not self.is_descending, self.function, self.if_unknown)

    def order_by(self) -> OrderBy:
        """The argument for `QuerySet.order_by`."""
        return OrderBy(self.expression, descending=self.is_descending)

    def value_of(self, movie: Movie) -> Any:
        """What the column of this movie has."""
        return getattr(movie, self.column)

    def beyond(self, value: Any, *, or_equal: bool = False) -> Q:
        """The condition for rows after (`or_equal`: or at) a value of the column."""
        lookup: Any = GreaterThanOrEqual if or_equal else GreaterThan
        if self.is_descending:
            lookup = LessThanOrEqual if or_equal else LessThan
        return Q(lookup(self.expression, self._known(value)))

    def equals(self, value: Any) -> Q:
        """The condition for rows with the same value of the column."""
        return Q(Exact(self.expression, self._known(value)))

    def _known(self, value: Any) -> Any:
        return self.if_unknown if value is None else value


TITLE, ROW_ID = SortTerm("search_title"), SortTerm("id")
YEAR = SortTerm("year", function=YearOrFirst)
OLDEST = SortTerm("year", function=YearOrLast, if_unknown=9999)
MOST_LINKS = SortTerm("active_link_count", is_descending=True)
# The orders of the API, which an index serves both ways; the last term makes each of them total.
INDEXED_ORDERS: Mapping[str, tuple[SortTerm, ...]] = {
    "title": (TITLE, ROW_ID),
    "year": (YEAR, TITLE, ROW_ID),
    "created_at": (SortTerm("created_at"), ROW_ID),
}
ORDERINGS = tuple(f"{sign}{name}" for name in INDEXED_ORDERS for sign in ("", "-"))
# Orders in which ties are always broken by ascending title, for people; each has an index.
READING_ORDERS: Mapping[str, tuple[SortTerm, ...]] = {
    "known": (SortTerm("fame", is_descending=True), MOST_LINKS, OLDEST, TITLE, ROW_ID),
    "newest": (YEAR.reversed(), TITLE, ROW_ID),
    "oldest": (OLDEST, TITLE, ROW_ID),
    "added": (SortTerm("created_at", is_descending=True), TITLE, ROW_ID),
    "links": (MOST_LINKS, TITLE, ROW_ID),
}


def order_terms(order: str) -> tuple[SortTerm, ...]:
    """The terms of one of `ORDERINGS` or `READING_ORDERS`. Unknown years come first in "year", last in "-year"."""
    if order in READING_ORDERS:
        return READING_ORDERS[order]
    terms = INDEXED_ORDERS[order.removeprefix("-")]
    return tuple(term.reversed() for term in terms) if order.startswith("-") else terms


def order_by(order: str) -> list[OrderBy]:
    """The arguments for `QuerySet.order_by`."""
    return [term.order_by() for term in order_terms(order)]


def rows_after(
    movies: MovieQuerySet, terms: Sequence[SortTerm], values: Sequence[Any], *, backwards: bool = False
) -> MovieQuerySet:
    """The movies after the row with these values of the terms' columns, in order; all of them without values.

    With `backwards` those before it, the nearest first. It costs the same at any depth.
    """
    directed = [term.reversed() for term in terms] if backwards else list(terms)
    condition = _after(directed, values) if values else Q()
    return movies.filter(condition).order_by(*(term.order_by() for term in directed))


def _after(terms: Sequence[SortTerm], values: Sequence[Any]) -> Q:
    """The condition for rows after the values in lexicographic order.

    The outer comparison with the first term lets the database use the index.
    """
    first, value = terms[0], values[0]
    if len(terms) == 1:
        return first.beyond(value)
    same = first.equals(value) & _after(terms[1:], values[1:])
    return first.beyond(value, or_equal=True) & (first.beyond(value) | same)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieTotal:
    """How many movies match; an estimate unless `is_exact`."""

    number: int
    is_exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueQuery:
    """Which movies to list, and in which order; an empty value or None means any.

    `source`, `quality`, `language` and `licence` together require one active link that has all of them.
    `year_min`, `year_max`, `runtime_min`, `runtime_max` (minutes) and `updated_since` include their own value.
    `has_links` False: no active link. `genre`, `country`, `person` and `captions` are values of `MovieFacet`.
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
    genre: str = ""
    country: str = ""
    person: str = ""
    captions: str = ""
    runtime_min: int | None = None
    runtime_max: int | None = None
    has_links: bool | None = None
    updated_since: datetime | None = None
    order: str = ""

    def apply(self, movies: MovieQuerySet) -> MovieQuerySet:
        """The movies of `movies` that match, in order."""
        return ListPlan(self).apply(movies)

    @property
    def link_filters(self) -> dict[str, str]:
        """The filters over links that are set."""
        return {name: value for name in LINK_FILTERS if (value := getattr(self, name))}

    @property
    def facets(self) -> dict[str, str]:
        """The filters over facets that are set, by kind; a language of captions is in lower case."""
        return {
            kind: value.lower() if kind == "captions" else value
            for kind in FACET_FILTERS
            if (value := getattr(self, kind))
        }

    @property
    def is_counted(self) -> bool:
        """Whether the counters know how many movies match."""
        others = (self.runtime_min, self.runtime_max, self.updated_since, self.search)
        return not (self.link_filters or self.facets or any(others))

    @property
    def years(self) -> tuple[int, int] | None:
        """The first and last year that match all filters of the year; None if no such filter is set."""
        if not (self.year or self.year_min or self.year_max):
            return None
        first = max(self.year or 1, self.year_min or 1)
        return first, min(self.year or 9998, self.year_max or 9998)


@dataclass(frozen=True, slots=True)
class _Filter:
    """A filter in two forms: tested row by row, and as a range of an index; `movies` match it.

    `in_title_order`: the range is in the order of titles.
    """

    tested: Q
    indexed: Q
    movies: int
    in_title_order: bool = False


class QueryCounts:
    """What the counters say about a query."""

    def __init__(self, query: CatalogueQuery) -> None:
        self.query = query

    @cached_property
    def facets(self) -> list[tuple[str, str, str, str, int]]:
        """Each kind of active links that matches the filters over links, with their number."""
        wanted = self.query.link_filters
        language = wanted.pop("language", "")
        counts = LinkCount.objects.filter(**wanted)
        return (counts.in_language(language) if language else counts).active_facets()

    @property
    def links(self) -> int:
        """The active links that match the filters over links."""
        return sum(row[-1] for row in self.facets)

    @cached_property
    def rows(self) -> list[tuple[str, int, bool, int]]:
        """Type, year, whether there is an active link, and how many movies have these."""
        return MovieCount.objects.sums()

    @property
    def movies(self) -> int:
        """All movies."""
        return sum(row[3] for row in self.rows)

    @property
    def matching(self) -> int:
        """The movies that match type, years and `has_links`."""
        query, years = self.query, self.query.years
        return sum(
            number
            for kind, year, is_watchable, number in self.rows
            if (not query.type or kind == query.type)
            and (years is None or years[0] <= year <= years[1])
            and query.has_links in (None, is_watchable)
        )

    def sampled(self, *conditions: Q) -> tuple[int, int]:
        """How many of the movies of the sample match, and how many there are."""
        movies, is_part = spread_movies(SAMPLED_MOVIES)
        hits, number = _matching(movies, conditions)
        if is_part and is_sparse(number, number=SAMPLED_MOVIES):
            hits, number = _matching(first_movies(SAMPLED_MOVIES), conditions)
        return hits, number

    def number_of(self, rows: QuerySet[Any], tested: Q) -> int:
        """How many movies a filter finds: these rows, counted if they are few, or estimated."""
        number = rows.order_by()[: MAX_EXACT + 1].count()
        if number <= MAX_EXACT:
            return number
        hits, sampled = self.sampled(tested)
        return max(number, self.movies * hits // max(1, sampled))


def _matching(sample: QuerySet[Movie], conditions: Sequence[Q]) -> tuple[int, int]:
    """How many movies of a sample match, and how many there are."""
    found = sample.filter(*conditions)
    counts = sample.aggregate(all=Count("pk"), hits=Count("pk", filter=Q(pk__in=found.values("pk"))))
    return counts["hits"], counts["all"]


class ListPlan:
    """How a query is answered: which filter drives it, if any, and how many movies it finds."""

    def __init__(self, query: CatalogueQuery) -> None:
        self.query, self.counts = query, QueryCounts(query)
        self._searched: MovieQuerySet | None = None

    def apply(self, movies: MovieQuerySet) -> MovieQuerySet:
        """The movies of `movies` that match, in order."""
        query = self.query
        is_search = parse_search(query.search)
        if is_search and any(one.movies == 0 for one in self._filters):
            return movies.none()  # Otherwise thousands that the search finds are tested for what no movie has.
        driver = None if is_search else self._driver  # The few movies that a search finds are tested one by one.
        movies = self._filtered(movies, driver=driver)
        if query.order or not is_search:
            movies = movies.order_by(*order_by(query.order or "title"))
        found = movies.search(query.search)
        self._searched = found if is_search else None
        return found

    def total(self) -> MovieTotal:
        """How many shown movies match: exactly if the counters know or few are candidates, otherwise estimated.

        Of a search that `apply` has made, what that found counts.
        """
        query = self.query
        if query.is_counted:
            return MovieTotal(number=self.counts.matching - self._hidden())
        if query.search:
            found = self.apply(Movie.objects.shown()) if self._searched is None else self._searched
            number = found.order_by().values("pk").count()
            return MovieTotal(number=number, is_exact=number < MAX_FOUND)
        rarest = min(self._filters, key=lambda one: one.movies)
        if rarest.movies <= MAX_EXACT:
            # Of the rarest filter even where the list walks its order: a page ends early, a count does not.
            found = self._filtered(Movie.objects.shown(), driver=rarest)
            return MovieTotal(number=found.order_by().values("pk").count())
        return self._estimated()

    def _filtered(self, movies: MovieQuerySet, *, driver: _Filter | None) -> MovieQuerySet:
        """The movies that match all filters; the index of the `driver`, if any, yields them."""
        for one in self._filters:
            movies = movies.filter(one.indexed if one is driver else one.tested)
        return movies

    def _estimated(self) -> MovieTotal:
        """The total by a sample of movies whose ids are evenly spread, or if few match by the counters of links."""
        hits, sampled = self.counts.sampled(*(one.tested for one in self._filters))
        number = self.counts.movies * hits // max(1, sampled)
        if hits < MIN_SAMPLED_HITS and self.query.link_filters:
            number = min(self.counts.movies, self.counts.links) * self.counts.matching // max(1, self.counts.movies)
        return MovieTotal(number=_rounded(number), is_exact=False)

    def _hidden(self) -> int:
        """How many of the counted movies are taken down: nearly always none.

        Their ids are read first: together with a filter, the database may walk all movies that match that one.
        """
        hidden = list(Movie.objects.taken_down().order_by().values_list("pk", flat=True))
        tested = (one.tested for one in self._filters)
        return Movie.objects.filter(*tested, pk__in=hidden).count() if hidden else 0

    @cached_property
    def _driver(self) -> _Filter | None:
        """The filter whose index yields the movies; None: the index of the order does."""
        if not self._filters:
            return None
        rarest = min(self._filters, key=lambda one: one.movies)
        matching = float(self.counts.movies or 1)
        for one in self._filters:
            matching *= one.movies / (self.counts.movies or 1)
        walked = PAGE_ROWS * self.counts.movies / matching if matching >= 1 else self.counts.movies
        if rarest.movies <= max(walked, ALWAYS_CHEAP):
            return rarest
        sorted_alike = [
            one for one in self._filters if one.in_title_order and self.query.order in ("", "title", "-title")
        ]
        return min(sorted_alike, key=lambda one: one.movies, default=None)

    @cached_property
    def _filters(self) -> list[_Filter]:
        query = self.query
        found = []
        if query.type:
            found.append(self._by_type())
        if query.years:
            found.append(self._by_years(*query.years))
        if query.has_links is not None:
            found.append(self._by_has_links(has_links=query.has_links))
        if query.link_filters:
            found.append(self._by_links())
        found += [self._by_facet(kind, value) for kind, value in query.facets.items()]
        if query.runtime_min or query.runtime_max:
            found.append(self._by_runtime(query.runtime_min or 1, query.runtime_max or MAX_RUNTIME))
        if query.updated_since:
            found.append(self._by_change(query.updated_since))
        return found

    def _by_type(self) -> _Filter:
        number = sum(row[3] for row in self.counts.rows if row[0] == self.query.type)
        return _Filter(_hidden_from_index("type", Exact, self.query.type), Q(type=self.query.type), number, True)

    def _by_years(self, first: int, last: int) -> _Filter:
        number = sum(row[3] for row in self.counts.rows if first <= row[1] <= last)
        if first == last:
            tested = _hidden_from_index("year", Exact, first)
            return _Filter(tested, Q(Exact(YEAR.expression, first)), number, True)
        tested = _hidden_from_index("year", GreaterThanOrEqual, first) & _hidden_from_index(
            "year", LessThanOrEqual, last
        )
        indexed = Q(GreaterThanOrEqual(YEAR.expression, first)) & Q(LessThanOrEqual(YEAR.expression, last))
        return _Filter(tested, indexed, number)

    def _by_has_links(self, *, has_links: bool) -> _Filter:
        number = sum(row[3] for row in self.counts.rows if row[2] == has_links)
        lookup = GreaterThan if has_links else Exact
        tested = _hidden_from_index("active_link_count", lookup, 0)
        indexed = Q(active_link_count__gt=0) if has_links else Q(active_link_count=0)
        return _Filter(tested, indexed, number, not has_links)

    def _by_links(self) -> _Filter:
        wanted = {
            f"{name}__in": sorted({row[place] for row in self.counts.facets}) for place, name in enumerate(LINK_FILTERS)
        }
        links = StreamingLink.objects.active().order_by().filter(**wanted).values("movie_id")
        return _Filter(Q(has_active_link(**self.query.link_filters)), Q(pk__in=links), self.counts.links)

    def _by_facet(self, kind: str, value: str) -> _Filter:
        facets = MovieFacet.objects.order_by().filter(kind=kind, value=value)
        tested = Q(Exists(facets.filter(movie=OuterRef("pk"))))
        return _Filter(tested, Q(pk__in=facets.values("movie_id")), self.counts.number_of(facets, tested))

    def _by_runtime(self, shortest: int, longest: int) -> _Filter:
        tested = _hidden_from_index("runtime_minutes", GreaterThanOrEqual, shortest) & _hidden_from_index(
            "runtime_minutes", LessThanOrEqual, longest
        )
        indexed = Q(runtime_minutes__gte=shortest, runtime_minutes__lte=longest)
        return _Filter(tested, indexed, self.counts.number_of(Movie.objects.filter(indexed), tested))

    def _by_change(self, since: datetime) -> _Filter:
        changed = Movie.objects.order_by().filter(updated_at__gte=since).values("pk")
        number = changed[: MAX_EXACT + 1].count()
        tested = _hidden_from_index("updated_at", GreaterThanOrEqual, since)
        return _Filter(tested, Q(pk__in=changed), number if number <= MAX_EXACT else self.counts.movies)


def _hidden_from_index(column: str, lookup: Any, value: object) -> Q:
    """A condition on a column for which no index is used: for a filter that is tested while another index is walked."""
    return Q(lookup(Coalesce(F(column), F(column)), value))


def _rounded(number: int) -> int:
    """The number with three significant digits."""
    step: int = 10 ** max(0, len(str(number)) - 3)
    return number // step * step
