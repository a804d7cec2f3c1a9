"""The door for people: each page parses the question, makes a call or two, and shows the answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import dropwhile
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.defaultfilters import pluralize
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import dateformat, timezone
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.middleware import HtmxDetails

from scraper.sources import LICENCES
from streaming import charts, metrics, posters
from streaming.browse import PAGE_SIZE, SORT_LABELS, CatalogueQuery, filter_choices
from streaming.ingest.works import find_work, work_key
from streaming.models import HealthRun, HostPause, Movie, RemovedMovie, ScrapeJob, StreamingLink
from streaming.ranking import accepted_languages, best_first, group_links
from streaming.reason_codes import Reason
from streaming.scraper_utils import scrape_movie_on_demand
from streaming.scraping.jobs import QueueFull
from streaming.scraping.throttle import refresh_retry_after
from streaming.scraping.visits import refresh_on_request, watch
from streaming.web.job_view import job_view
from streaming.words import display_text, duration_text

EXTERNAL_REL = "noopener noreferrer nofollow ugc"
WITHDRAWN_REASONS = (Reason.TAKEN_DOWN, Reason.BLOCKED_HOST)
RISKS_SHOWN, FAILURES_SHOWN, DAYS_SHOWN, HOSTS_SHOWN = 8, 8, 30, 12
MORE_SHOWN = 6
HEARTBEAT_TIMEOUT = timedelta(minutes=5)
ID_PATTERN = re.compile(r"[0-9]{1,18}", re.ASCII)
POLL_COUNT_PATTERN = re.compile(r"[0-9]{1,4}", re.ASCII)
MOVIE_PATH_PATTERN = re.compile(r"/streaming/(tt[0-9]{7,9})/", re.ASCII)
MIN_SUCCESS_RATE = 0.8
QUEUE_FULL = "Many searches are waiting. Open this page again in a minute."
IMMUTABLE_SECONDS, SHORT_CACHE_SECONDS = 31_536_000, 300


class HtmxHttpRequest(HttpRequest):
    """A request that went through django-htmx's middleware."""

    htmx: HtmxDetails


def render_page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page, or a part of one: never kept without asking, and different for the theme's cookie and for htmx."""
    shared = {"theme": _theme(request), "rel": EXTERNAL_REL}
    response = render(request, template, shared | context, status=status)
    response.headers["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie", "HX-Request", "HX-Target"])
    return response


def _theme(request: HttpRequest) -> str:
    """The colour theme of the visitor's cookie; empty to follow the system."""
    theme = request.COOKIES.get("theme", "")
    return theme if theme in ("light", "dark") else ""


# --- the catalogue


@require_safe
def catalogue(request: HtmxHttpRequest) -> HttpResponse:
    """Browse: search, filters, sort, pages. htmx gets the results or, for "Show more", the next cards alone."""
    query = CatalogueQuery.from_query_string(request.GET)
    page = Paginator(query.movies(), PAGE_SIZE).get_page(request.GET.get("page"))
    totals = metrics.totals()
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
    """When the last check that was believed ended: one that still runs, or was withheld, vouches for no link."""
    if newest is None:
        return None
    if newest.outcome in (HealthRun.Outcome.COMPLETED, HealthRun.Outcome.INTERRUPTED):
        return newest.finished_at
    accepted = HealthRun.objects.with_results().order_by("-started_at")
    return accepted.values_list("finished_at", flat=True).first()


def _htmx_fragment(request: HtmxHttpRequest) -> str:
    if not request.htmx or request.htmx.history_restore_request:
        return ""
    return "more" if request.htmx.target == "more" else "results"


# --- a movie


@dataclass(frozen=True, slots=True)
class MovieLinks:
    """A movie's links as the page shows them: active ones best first, the others folded away."""

    active: list[StreamingLink]
    inactive: list[StreamingLink]
    checked: datetime | None
    stale: bool

    @classmethod
    def of(cls, movie: Movie, *, languages: Sequence[str], now: datetime) -> MovieLinks:
        links = best_first(list(movie.links.published().exclude(reason__in=WITHDRAWN_REASONS)), languages=languages)
        links = group_links(links, of=lambda link: work_key(link.source_url))
        active = [link for link in links if link.is_active]
        looked_at = [moment for link in active for moment in (link.last_checked, link.last_seen) if moment]
        return cls(
            active=active,
            inactive=[link for link in links if not link.is_active],
            checked=max((link.last_checked for link in links if link.last_checked), default=None),
            stale=bool(active) and max(looked_at) < now - timedelta(hours=settings.STALE_HOURS),
        )

    @property
    def best(self) -> StreamingLink | None:
        return self.active[0] if self.active else None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A row of the table; the first of several links to one work has that work's name above it."""

    link: StreamingLink
    heading: str
    is_grouped: bool


def link_rows(links: Sequence[StreamingLink]) -> list[LinkRow]:
    works = [find_work(link.source_url) for link in links]
    counted = Counter(works)
    before = [None, *works][: len(works)]
    return [
        LinkRow(link, work.display_name if work != last else "", is_grouped=True)
        if work is not None and counted[work] > 1
        else LinkRow(link, "", is_grouped=False)
        for link, work, last in zip(links, works, before, strict=True)
    ]


@require_http_methods(["GET", "HEAD", "OPTIONS"])
def movie_detail(request: HttpRequest, identifier: str) -> HttpResponse:
    """A movie. Opened by a person, it may start a search; the panel then shows it from the first moment."""
    found = Movie.objects.named(identifier).first()
    if found is None:
        return not_found(request, None)
    if request.method == "OPTIONS":
        return HttpResponse(headers={"Allow": "GET, HEAD, OPTIONS"})
    refresh = refresh_on_request(request, found, requested_by="page")
    notice = QUEUE_FULL if refresh.reason == "queue_full" else ""
    return _movie_page(request, found, job=_requested_job(request, found) or refresh.job, notice=notice)


@require_POST
def refresh_links(request: HtmxHttpRequest, identifier: str) -> HttpResponse:
    """The button: a panel for htmx, a redirect back to the movie without it. Too many are answered kindly."""
    found = Movie.objects.named(identifier).first()
    if found is None:
        return not_found(request, None)
    if wait := refresh_retry_after(request):
        return _try_again_later(request, found, wait=wait, status=429, why="Too many refreshes.")
    try:
        job = scrape_movie_on_demand(found, requested_by="page")
    except QueueFull as full:
        return _try_again_later(request, found, wait=full.retry_after, status=503, why="Many searches are waiting.")
    if request.htmx:
        return _job_fragment(request, job, status=202)
    # 303: the browser asks for the page with GET, and reloading it does not press the button again.
    return HttpResponseRedirect(f"{found.get_absolute_url()}?job={job.pk}#refresh", status=303)


def _try_again_later(request: HtmxHttpRequest, found: Movie, *, wait: int, status: int, why: str) -> HttpResponse:
    message = f"{why} Try again in {wait} second{'' if wait == 1 else 's'}."
    if request.htmx:
        response = HttpResponse(message, content_type="text/plain; charset=utf-8", status=status)
    else:
        response = _movie_page(request, found, job=None, notice=message, status=status)
    response.headers["Retry-After"] = str(wait)
    return response


@require_safe
def job_detail(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """How a search goes: the panel for htmx; when it has ended, all that it changed, and no more polling."""
    found = ScrapeJob.objects.select_related("movie").filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        return not_found(request, None)
    watch(found)
    if request.htmx:
        return _job_fragment(request, found)
    context = {
        "movie": found.movie,
        "name": display_name(found.movie),
        **job_context(request, found, movie=found.movie),
    }
    return render_page(request, "job.html", context)


def _job_fragment(request: HttpRequest, found: ScrapeJob, *, status: int = 200) -> HttpResponse:
    movie = found.movie
    if found.is_open:
        context = {"movie": movie, **job_context(request, found, movie=movie)}
        return render_page(request, "movie.html#job", context, status=status)
    links = links_context(request, movie)
    context = {"movie": movie, **links, **job_context(request, found, movie=movie, working_links=len(links["active"]))}
    return render_page(request, "movie.html#ended", context, status=status)


def _movie_page(
    request: HttpRequest, found: Movie, *, job: ScrapeJob | None, notice: str = "", status: int = 200
) -> HttpResponse:
    canonical = request.build_absolute_uri(found.get_absolute_url())
    context = {
        "movie": found,
        "name": display_name(found),
        "canonical": canonical,
        "notice": notice,
        "more": related_movies(found),
        **links_context(request, found),
    }
    if job is None and not context["active"]:
        job = found.jobs.order_by("-id").first()
    context |= job_context(request, job, movie=found)
    number = len(context["active"])
    context["working_links"] = f"{number} working link{pluralize(number)}"
    context["structured_data"] = structured_data(found, context["active"], canonical)
    response = render_page(request, "movie.html", context, status=status)
    patch_vary_headers(response, ["Accept-Language"])
    return response


def links_context(request: HttpRequest, found: Movie) -> dict[str, Any]:
    links = MovieLinks.of(found, languages=viewer_languages(request), now=timezone.now())
    is_staff = request.user.is_authenticated and request.user.is_staff
    return {
        "waiting": found.links.waiting().count() if is_staff else 0,
        "links": [*links.active, *links.inactive],
        "active_rows": link_rows(links.active),
        "inactive_rows": link_rows(links.inactive),
        "active": links.active,
        "inactive": links.inactive,
        "best": links.best,
        "checked": links.checked,
        "stale": links.stale,
    }


def job_context(
    request: HttpRequest, job: ScrapeJob | None, *, movie: Movie, working_links: int | None = None
) -> dict[str, Any]:
    """`poll_count` is part of the link for browsers without scripts: they load an address again when it changes."""
    polls = request.GET.get("look", "")
    grace = duration_text(settings.LINK_GRACE_HOURS)
    return {
        "job": job,
        "job_view": job_view(job, movie=movie, grace=grace, working_links=working_links) if job else None,
        "poll_count": int(polls) + 1 if POLL_COUNT_PATTERN.fullmatch(polls) else 1,
    }


def _requested_job(request: HttpRequest, found: Movie) -> ScrapeJob | None:
    pk = request.GET.get("job", "")
    return found.jobs.filter(pk=int(pk)).first() if ID_PATTERN.fullmatch(pk) else None


def display_name(found: Movie) -> str:
    return f"{display_text(found.title)} ({found.year})" if found.year else display_text(found.title)


def viewer_languages(request: HttpRequest) -> list[str]:
    return accepted_languages(request.headers.get("Accept-Language", ""))


def structured_data(found: Movie, active: Sequence[StreamingLink], canonical: str) -> dict[str, Any]:
    """schema.org's Movie with a WatchAction for every working link."""
    about = {
        "@context": "https://schema.org",
        "@type": "TVSeries" if found.type == Movie.Type.SHOW else "Movie",
        "name": display_text(found.title),
        "url": canonical,
        "sameAs": f"https://www.imdb.com/title/{found.imdb_id}/",
        "datePublished": str(found.year) if found.year else "",
        "description": display_text(found.synopsis, max_length=500),
        "image": found.poster_url,
        "potentialAction": [{"@type": "WatchAction", "target": link.source_url} for link in active],
    }
    return {key: value for key, value in about.items() if value}


def related_movies(found: Movie) -> list[Movie]:
    """A few others that can be watched, of about the same time."""
    others = Movie.objects.watchable().exclude(pk=found.pk).with_active_count().defer("synopsis")
    if found.year is None:
        return list(others.order_by("search_title", "id")[:MORE_SHOWN])
    later = others.filter(year__gte=found.year).order_by("year", "search_title", "id")[:MORE_SHOWN]
    earlier = others.filter(year__lt=found.year).order_by("-year", "-search_title", "-id")[:MORE_SHOWN]
    near = sorted([*later, *earlier], key=lambda other: (abs((other.year or 0) - (found.year or 0)), other.title))
    return near[:MORE_SHOWN]


# --- how it stands


@require_safe
def link_health(request: HttpRequest) -> HttpResponse:
    """Whether the checks run, what they found, what is at risk."""
    now, totals = timezone.now(), metrics.totals()
    days = metrics.runs_by_day(DAYS_SHOWN, now)
    reasons = metrics.inactive_reasons()
    oldest = StreamingLink.objects.published().aggregate(
        at=Min("last_checked"), never_checked=Count("pk", filter=Q(last_checked=None))
    )
    run = _run_status(totals.last_run, now=now)
    context = {
        "totals": totals,
        "changed": metrics.changes_of_run(run.ended if run else None),
        "inactive": totals.links - totals.active_links,
        "share": f"{100 * totals.active_links / totals.links:.1f}" if totals.links else "",
        "run": run,
        "oldest": oldest["at"],
        "never_checked": oldest["never_checked"],
        "days": [day for day in reversed(days) if day.runs],
        "bars": [_chart_bar(day) for day in dropwhile(lambda day: not day.runs, days)],
        "alive_a_day": [day.alive for day in days if day.runs],
        "died_a_day": [day.died for day in days if day.runs],
        "checked_a_day": [day.checked for day in days if day.runs],
        "reasons": reasons,
        "most": max((number for _, number in reasons), default=0),
        "at_risk": metrics.at_risk(RISKS_SHOWN),
        "recent_failures": metrics.recently_failed_links(FAILURES_SHOWN),
        "paused": list(HostPause.objects.standing(now).order_by("-paused_until")[:HOSTS_SHOWN]),
        "grace": duration_text(settings.LINK_GRACE_HOURS),
    }
    return render_page(request, "health.html", context)


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The newest run, and the newest that came to an end; `is_late`: the next one should have come long ago."""

    newest: HealthRun
    ended: HealthRun | None
    is_running: bool
    is_late: bool


def _run_status(newest: HealthRun | None, *, now: datetime) -> RunStatus | None:
    """None: the checker has never run."""
    if newest is None:
        return None
    is_running = newest.finished_at is None and now - newest.heartbeat_at < HEARTBEAT_TIMEOUT
    has_ended = newest.finished_at is not None and newest.outcome != HealthRun.Outcome.FAILED
    ended = newest if has_ended else HealthRun.objects.finished().order_by("-started_at").first()
    last = ended.finished_at if ended else None
    is_late = not is_running and (last is None or now - last > timedelta(hours=settings.STALE_HOURS))
    return RunStatus(newest=newest, ended=ended, is_running=is_running, is_late=is_late)


def _chart_bar(day: metrics.DailyRunStats) -> charts.ChartBar:
    return charts.ChartBar(dateformat.format(day.day, "j M"), day.alive, max(0, day.checked - day.alive))


@require_safe
def source_list(request: HttpRequest) -> HttpResponse:
    """Where links come from, how each source answers, what it holds."""
    rows = [_source_card(stats) for stats in metrics.source_stats() if stats.enabled or stats.links]
    context = {
        "rows": rows,
        "troubled": sum(row.is_troubled for row in rows),
        "searched": any(row.stats.last_search for row in rows),
    }
    return render_page(request, "sources.html", context)


@dataclass(frozen=True, slots=True)
class SourceCard:
    """A source as its card shows it; `answered` in per cent, None: not searched lately."""

    stats: metrics.SourceStats
    answered: int | None
    is_troubled: bool
    licences: str


def _source_card(stats: metrics.SourceStats) -> SourceCard:
    return SourceCard(
        stats=stats,
        answered=None if stats.success_rate is None else round(100 * stats.success_rate),
        is_troubled=stats.enabled and _is_failing(stats),
        licences=", ".join(LICENCES.get(licence, licence) for licence in stats.licences),
    )


def _is_failing(stats: metrics.SourceStats) -> bool:
    """Its last search had no answer, or too many of the last ones had none."""
    if stats.success_rate is None:
        return False
    return stats.success_rate < MIN_SUCCESS_RATE or stats.last_success != stats.last_search


@require_safe
def api_guide(request: HttpRequest) -> HttpResponse:
    """How programs are served, with lines to copy."""
    example = Movie.objects.order_by("search_title", "id").values_list("imdb_id", flat=True).first() or "tt0013442"
    return render_page(request, "api.html", {"base": request.build_absolute_uri("/api/streaming/"), "example": example})


# --- pictures and signposts


def _poster_version(movie: Movie) -> str:
    return posters.poster_version(
        movie.imdb_id, title=movie.title, year=movie.year, is_show=movie.type == Movie.Type.SHOW
    )


@require_safe
def poster_image(request: HttpRequest, imdb_id: str) -> HttpResponse:
    """The drawn poster. Under the address that names its version it may be kept for ever, else for some minutes."""
    found = Movie.objects.named(imdb_id).first()
    if found is None or found.imdb_id != imdb_id:
        return not_found(request, None)
    version, is_glow = _poster_version(found), bool(request.GET.get("glow"))
    etag = f'"{version}{"-glow" if is_glow else ""}"'
    response = get_conditional_response(request, etag=etag) or HttpResponse(
        _render_poster(found, is_glow=is_glow), content_type="image/svg+xml"
    )
    response.headers["ETag"] = etag
    if request.GET.get("v") == version:
        patch_cache_control(response, public=True, max_age=IMMUTABLE_SECONDS, immutable=True)
    else:
        patch_cache_control(response, public=True, max_age=SHORT_CACHE_SECONDS)
    return response


def _render_poster(movie: Movie, *, is_glow: bool) -> str:
    if is_glow:
        return posters.render_glow(movie.imdb_id)
    is_show = movie.type == Movie.Type.SHOW
    return posters.render_poster(movie.imdb_id, title=display_text(movie.title), year=movie.year, is_show=is_show)


@require_safe
@cache_control(public=True, max_age=3600)
def robots_txt(request: HttpRequest) -> HttpResponse:
    """What crawlers may read: the pages, not the jobs nor the API."""
    lines = ["User-agent: *", "Disallow: /jobs/", "Disallow: /api/", "Disallow: /admin/"]
    lines += ["Disallow: /*?", f"Sitemap: {request.build_absolute_uri(reverse('sitemap'))}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


# --- errors: pages in our look, JSON under /api/


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for what Django refuses to process, such as an unknown host name."""
    if _is_for_api(request):
        return _json_error("Bad request.", status=400)
    return render_page(request, "400.html", {}, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 for visitors and staff who lack a permission."""
    if _is_for_api(request):
        return _json_error("Permission denied.", status=403)
    return render_page(request, "403.html", {}, status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was not sent from our own pages."""
    if _is_for_api(request):
        return _json_error("Not sent from our own pages.", status=403)
    return render_page(request, "403_csrf.html", {}, status=403)


def not_found(request: HttpRequest, exception: Exception | None) -> HttpResponse:
    """404; the page of a removed movie says when it was removed and why."""
    if _is_for_api(request):
        return _json_error("Not found.", status=404)
    match = MOVIE_PATH_PATTERN.match(request.path)
    removed = match and RemovedMovie.objects.filter(imdb_id=match[1], restored_at=None).first()
    return render_page(request, "404.html", {"removed": removed}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 without database and context processors: whatever broke, this page does not need it."""
    if _is_for_api(request):
        return _json_error("Something failed on our side.", status=500)
    page = render_to_string("500.html", {"theme": _theme(request)})
    return HttpResponse(page, status=500, headers={"Cache-Control": "no-store", "Vary": "Cookie"})


def _is_for_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _json_error(detail: str, *, status: int) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status, headers={"Cache-Control": "no-store"})
