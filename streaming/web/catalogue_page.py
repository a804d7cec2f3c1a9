"""The catalogue page: search, filters, order and pages of movies."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from streaming import statistics
from streaming.api.pagination import MAX_NUMBERED_ROWS, Cursor
from streaming.catalogue_query import ListPlan, MovieTotal, order_terms, rows_after
from streaming.localization import DEFAULT_LANGUAGE, active_language, links_text, number_text, titles_text
from streaming.models import HealthRun, Movie, MovieQuerySet
from streaming.models.movie import attach_working_counts
from streaming.search_words import parse_search
from streaming.web.filter_bar import PAGE_SIZE, SORT_LABELS, FilterSelection, filter_choices
from streaming.web.home_rows import home_rows
from streaming.web.rendering import HtmxHttpRequest, render_page

MAX_PAGES_AT_ONCE = 20
RANDOM_TRIES, RANDOM_ROWS = 5, 50
NOT_ON_CARDS = ("synopsis", "synopses", "directors", "cast", "genres", "countries")


@require_safe
def catalogue(request: HtmxHttpRequest) -> HttpResponse:
    """The catalogue page; htmx gets only the results, or for "Show more" only the next cards."""
    query = FilterSelection.from_query_string(request.GET)
    page = read_page(query, **{name: request.GET.get(name, "") for name in ("page", "after", "pages")})
    rows = home_rows(excluded_fields=fields_not_on_cards()) if query == FilterSelection() and not page.start else []
    attach_working_counts([*page.movies, *(movie for row in rows for movie in row.movies)])
    totals = statistics.totals()
    context = {
        "query": query,
        "page": page,
        "previous": page.previous(query),
        "rows": rows,
        "results_text": page.total_text,
        "show_text": gettext("Show %(titles)s") % {"titles": page.total_text},
        "active_filters": query.active_filters(),
        "filters_set": query.filters_set,
        "sorts": query.sorts(),
        "all_sorts": SORT_LABELS,
        "list_links": query.list_links(),
        "totals": totals,
        "titles_text": _titles_text(totals),
        "links_text": _links_text(totals),
        "checked": _last_accepted_run_end(totals.last_run),
        "canonical": request.build_absolute_uri(reverse("home") + query.url().rstrip("?")),
    }
    if part := _htmx_fragment(request):
        return render_page(request, f"home.html#{part}", context)
    return render_page(request, "home.html", context | {"filter_choices": filter_choices(query)})


@require_safe
@never_cache
def random_movie(request: HttpRequest) -> HttpResponseRedirect:
    """Lead to some movie with an active link, another one each time; to the catalogue if none is found nearby."""
    last = Movie.objects.aggregate(last=Max("pk", default=0))["last"]
    for _ in range(RANDOM_TRIES):
        near = Movie.objects.shown().filter(pk__gte=random.randint(1, max(1, last))).order_by("pk")  # noqa: S311
        movies = [movie for movie in near.only("imdb_id", "active_link_count")[:RANDOM_ROWS] if movie.active_link_count]
        if movies:
            return redirect(random.choice(movies))  # noqa: S311  no secret depends on it
    return redirect("home")


def fields_not_on_cards() -> tuple[str, ...]:
    """The long fields that no card of the page's language shows."""
    return (*NOT_ON_CARDS, "other_titles") if active_language() == DEFAULT_LANGUAGE else NOT_ON_CARDS


@dataclass(frozen=True, slots=True)
class MoviePage:
    """One page of movies; `start` is how many come before it, `next` the query string of the next page, if any."""

    movies: list[Movie]
    start: int
    total: MovieTotal
    next: str

    def __iter__(self) -> Iterator[Movie]:
        return iter(self.movies)

    def previous(self, query: FilterSelection) -> str:
        """The query string of the page before, of the first one if that has no number; empty on the first page.

        For who came by a link or without scripts: elsewhere pages are appended to the first.
        """
        if not self.start:
            return ""
        number = self.start // PAGE_SIZE
        return query.url(page=number) if number > 1 and self.start <= MAX_NUMBERED_ROWS else query.url()

    @property
    def total_text(self) -> str:
        """How many movies there are in all: `12 titles`, `about 12,400 titles`."""
        return titles_text(self.total.number, is_exact=self.total.is_exact)

    @property
    def position_text(self) -> str:
        """How far the page reaches: `48 of 75`, `48 of about 12,400`."""
        text = gettext("%(end)s of %(total)s") if self.total.is_exact else gettext("%(end)s of about %(total)s")
        return text % {"end": number_text(self.end), "total": number_text(self.total.number)}

    @property
    def end(self) -> int:
        """How many movies there are up to the end of the page."""
        return self.start + len(self.movies)


def read_page(query: FilterSelection, *, page: str, after: str, pages: str = "") -> MoviePage:
    """The page after a cursor or, without a valid one, with a number. An invalid number counts as 1.

    A number that is too high gives the last page, or the last that has a number; `page` beside a cursor only says
    how many movies come before, and no more than there are. `pages`: so many first pages at once, to which "Show more"
    has led before.
    """
    plan, number = ListPlan(query.catalogue_query()), _page_number(page)
    movies = plan.apply(Movie.objects.shown().with_active_count().defer(*fields_not_on_cards()))
    order = _cursor_order(query)
    if (cursor := _cursor(after, order=order)) is not None:
        following = rows_after(movies.order_by(), order_terms(order), cursor.values)
        return _page_after_cursor(query, plan, list(following[: PAGE_SIZE + 1]), claimed=(number - 1) * PAGE_SIZE)
    if number == 1 and (several := min(_page_number(pages), MAX_PAGES_AT_ONCE)) > 1:
        rows = _rows_from(movies, 0, size=several * PAGE_SIZE)
        return _page(query, plan, rows, start=0, size=several * PAGE_SIZE)
    start = min((number - 1) * PAGE_SIZE, (MAX_NUMBERED_ROWS - 1) // PAGE_SIZE * PAGE_SIZE)
    rows = _rows_from(movies, start)
    if not rows and start:
        start = min(start, max(0, plan.total().number - 1) // PAGE_SIZE * PAGE_SIZE)
        rows = _rows_from(movies, start)
    return _page(query, plan, rows, start=start)


def _rows_from(movies: MovieQuerySet, start: int, *, size: int = PAGE_SIZE) -> list[Movie]:
    """A page and the first movie of the next."""
    return list(movies[start : start + size + 1])


def _page_after_cursor(query: FilterSelection, plan: ListPlan, rows: list[Movie], *, claimed: int) -> MoviePage:
    """The page of these rows; `claimed`: how many movies come before them by the address, which anybody may write."""
    total = plan.total()
    most = total.number - len(rows)
    if total.is_exact and len(rows) <= PAGE_SIZE:
        claimed = most
    start = max(0, min(claimed, most))
    return MoviePage(rows[:PAGE_SIZE], start, total, _following(query, rows, start=start, size=PAGE_SIZE))


def _page(query: FilterSelection, plan: ListPlan, rows: list[Movie], *, start: int, size: int = PAGE_SIZE) -> MoviePage:
    movies = rows[:size]
    if len(rows) == len(movies) and (movies or not start):
        return MoviePage(movies, start, MovieTotal(number=start + len(movies)), "")
    return MoviePage(movies, start, plan.total(), _following(query, rows, start=start, size=size))


def _following(query: FilterSelection, rows: list[Movie], *, start: int, size: int) -> str:
    """The query string of the next page; empty if `rows` has no movie more than the page, of `size` movies."""
    if len(rows) <= size:
        return ""
    order = _cursor_order(query)
    after = Cursor.at(rows[size - 1], order) if order else ""
    return query.url(page=(start + size) // PAGE_SIZE + 1, after=after)


def _cursor_order(query: FilterSelection) -> str:
    """The order that a cursor follows; empty for the best matches of a search, whose pages have numbers only."""
    wanted = query.catalogue_query()
    return wanted.order or ("" if parse_search(wanted.search) else "title")


def _page_number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) <= 9 else 1


def _cursor(text: str, *, order: str) -> Cursor | None:
    """The cursor of this order; None if the text is none."""
    try:
        cursor = Cursor.decode(text)
    except ValueError:
        return None
    return cursor if cursor.ordering == order and cursor.values and not cursor.backwards else None


def _titles_text(totals: statistics.CatalogueTotals) -> str:
    return ngettext(
        "%(number)s public-domain and openly licensed title",
        "%(number)s public-domain and openly licensed titles",
        totals.movies,
    ) % {"number": number_text(totals.movies)}


def _links_text(totals: statistics.CatalogueTotals) -> str:
    """How many links work, and how many nobody has checked yet."""
    if totals.unchecked_links and not totals.working_links:
        return gettext("%(links)s, not checked yet") % {"links": links_text(totals.active_links)}
    values = {"number": number_text(totals.working_links)}
    working = ngettext("%(number)s working link", "%(number)s working links", totals.working_links) % values
    if not totals.unchecked_links:
        return working
    values = {"links": working, "number": number_text(totals.unchecked_links)}
    return gettext("%(links)s, %(number)s not checked yet") % values


def _last_accepted_run_end(newest: HealthRun | None) -> datetime | None:
    """When the last accepted run of all links ended; a running or withheld one says nothing. None: no such run."""
    if newest is None:
        return None
    if not newest.is_partial and newest.outcome in (HealthRun.Outcome.COMPLETED, HealthRun.Outcome.INTERRUPTED):
        return newest.finished_at
    accepted = HealthRun.objects.accepted().latest_started()
    return accepted.finished_at if accepted else None


def _htmx_fragment(request: HtmxHttpRequest) -> str:
    if not request.htmx or request.htmx.history_restore_request:
        return ""
    return "more" if request.htmx.target == "more" else "results"
