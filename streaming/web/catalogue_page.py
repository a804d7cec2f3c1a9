"""The catalogue page: search, filters, order and pages of movies."""

from __future__ import annotations

from datetime import datetime

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from streaming import statistics
from streaming.models import HealthRun, Movie
from streaming.web.filter_bar import PAGE_SIZE, SORT_LABELS, FilterSelection, filter_choices
from streaming.web.rendering import HtmxHttpRequest, render_page


@require_safe
def catalogue(request: HtmxHttpRequest) -> HttpResponse:
    """The catalogue page; htmx gets only the results, or for "Show more" only the next cards."""
    query = FilterSelection.from_query_string(request.GET)
    movies = query.catalogue_query().apply(Movie.objects.shown().with_active_count().defer("synopsis"))
    page = Paginator(movies, PAGE_SIZE).get_page(request.GET.get("page"))
    totals = statistics.totals()
    context = {
        "query": query,
        "page": page,
        "active_filters": query.active_filters(),
        "sorts": SORT_LABELS,
        "totals": totals,
        "checked": _last_accepted_run_end(totals.last_run),
        "canonical": request.build_absolute_uri(reverse("home") + query.url().rstrip("?")),
    }
    if part := _htmx_fragment(request):
        return render_page(request, f"home.html#{part}", context)
    return render_page(request, "home.html", context | {"filter_choices": filter_choices(query)})


def _last_accepted_run_end(newest: HealthRun | None) -> datetime | None:
    """When the last accepted run ended; a running or withheld one says nothing about the links. None: no such run."""
    if newest is None or newest.outcome in (HealthRun.Outcome.COMPLETED, HealthRun.Outcome.INTERRUPTED):
        return newest.finished_at if newest else None
    accepted = HealthRun.objects.accepted().latest_started()
    return accepted.finished_at if accepted else None


def _htmx_fragment(request: HtmxHttpRequest) -> str:
    if not request.htmx or request.htmx.history_restore_request:
        return ""
    return "more" if request.htmx.target == "more" else "results"
