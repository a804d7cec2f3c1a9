"""Pages of one movie and of one job, and the Refresh button."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_http_methods, require_safe

from streaming.client_throttle import client_key, refresh_retry_after
from streaming.formatting import display_text
from streaming.localization import seconds_text
from streaming.models import Movie, ScrapeJob, StreamingLink
from streaming.scraper_utils import Visitor, scrape_movie_on_demand
from streaming.scraping.freshness import ScrapeReason
from streaming.scraping.jobs import ClientQueueFull, QueueFull, QueueUnavailable, renotify_if_stalled
from streaming.scraping.page_visits import refresh_on_request
from streaming.web.captions import caption_tracks
from streaming.web.content_security import policy_header
from streaming.web.error_pages import not_found
from streaming.web.link_rows import LinkView
from streaming.web.movie_context import display_name, job_context, links_context, structured_data
from streaming.web.movie_facts import ShownFacts
from streaming.web.oembed import oembed_url
from streaming.web.player import player_choices, player_policy
from streaming.web.rendering import HtmxHttpRequest, render_page
from streaming.web.report_form import report_context
from streaming.web.similar_movies import similar_movies
from streaming.web.titles import shown_synopsis

ID_PATTERN = re.compile(r"[0-9]{1,18}", re.ASCII)
MAX_PREVIEW_LENGTH = 110
QUEUE_FULL = gettext_noop("Many searches are waiting. Open this page again in a minute.")
REFUSALS = {
    QueueFull: gettext_noop("Many searches are waiting."),
    ClientQueueFull: gettext_noop("Many of your searches are waiting."),
    QueueUnavailable: gettext_noop("The catalogue takes no searches right now."),
}


@require_http_methods(["GET", "HEAD", "OPTIONS"])
def movie_detail(request: HttpRequest, identifier: str) -> HttpResponse:
    """The page of a movie; opened by a person it may start a scrape job, which the page then shows."""
    found = Movie.objects.shown().by_identifier(identifier).first()
    if found is None:
        return not_found(request, None)
    if request.method == "OPTIONS":
        return HttpResponse(headers={"Allow": "GET, HEAD, OPTIONS"})
    refresh = refresh_on_request(request, found, requested_by="page")
    notice = gettext(QUEUE_FULL) if refresh.reason is ScrapeReason.QUEUE_FULL else ""
    return _movie_page(request, found, job=_requested_job(request, found) or refresh.job, notice=notice)


@require_http_methods(["GET", "HEAD", "POST"])
def refresh_links(request: HtmxHttpRequest, identifier: str) -> HttpResponse:
    """Start a scrape job for the Refresh button: the job panel for htmx, otherwise a redirect to the movie page.

    429 or 503 with Retry-After if the client or the queue is over its limit, or the database takes no write. Whoever
    opens the address gets the movie's page, and starts nothing by that.
    """
    visitor = Visitor(client_key(request), sent_at=timezone.now())
    found = Movie.objects.shown().by_identifier(identifier).first()
    if found is None:
        return not_found(request, None)
    if request.method != "POST":
        return HttpResponseRedirect(found.get_absolute_url())
    if wait := refresh_retry_after(request):
        return _try_again_later(request, found, wait=wait, status=429, reason=gettext("Too many refreshes."))
    try:
        job = scrape_movie_on_demand(found, requested_by="page", visitor=visitor)
    except QueueFull as full:
        status = 429 if isinstance(full, ClientQueueFull) else 503
        return _try_again_later(
            request, found, wait=full.retry_after, status=status, reason=gettext(REFUSALS[type(full)])
        )
    except Movie.DoesNotExist:  # Removed since it was read.
        return not_found(request, None)
    if request.htmx:
        return _job_fragment(request, job, movie=job.movie or found, status=202)
    # 303: the browser gets the page with GET, so that reloading it does not start another job.
    query = LinkView.from_query_string(request.GET).query_string_with(job=job.pk)
    return HttpResponseRedirect(f"{found.get_absolute_url()}{query}#refresh", status=303)


def _try_again_later(request: HtmxHttpRequest, found: Movie, *, wait: int, status: int, reason: str) -> HttpResponse:
    message = f"{reason} {seconds_text(wait)}"
    if request.htmx:
        response = HttpResponse(message, content_type="text/plain; charset=utf-8", status=status)
    else:
        response = _movie_page(request, found, job=None, notice=message, status=status)
    response.headers["Retry-After"] = str(wait)
    return response


@require_safe
def job_detail(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The progress of a job: the panel for htmx, together with the new links once the job is finished."""
    shown = ScrapeJob.objects.select_related("movie").filter(movie__in=Movie.objects.shown())
    found = shown.filter(pk=pk).first() if pk < 2**63 else None
    if found is None or found.movie is None:
        return not_found(request, None)
    renotify_if_stalled(found, now=timezone.now())
    if request.htmx:
        return _job_fragment(request, found, movie=found.movie)
    context = {
        "movie": found.movie,
        "name": display_name(found.movie),
        **job_context(request, found, movie=found.movie),
    }
    return render_page(request, "job.html", context)


def _job_fragment(request: HttpRequest, found: ScrapeJob, *, movie: Movie, status: int = 200) -> HttpResponse:
    if found.is_open:
        context = {"movie": movie, **job_context(request, found, movie=movie)}
        return render_page(request, "movie.html#job", context, status=status)
    links = links_context(request, movie)
    context = {
        "movie": movie,
        "plays_here": bool(player_choices(links["shown_links"], {})),
        **links,
        **report_context(request, movie),
        **job_context(request, found, movie=movie, working_links=links["working"]),
    }
    return render_page(request, "movie.html#ended", context, status=status)


def _movie_page(
    request: HttpRequest, found: Movie, *, job: ScrapeJob | None, notice: str = "", status: int = 200
) -> HttpResponse:
    canonical = request.build_absolute_uri(found.get_absolute_url())
    context = {
        "movie": found,
        "name": display_name(found),
        "canonical": canonical,
        "oembed_url": oembed_url(request, canonical),
        "notice": notice,
        "more": similar_movies(found),
        "facts": ShownFacts.of(found),
        "synopsis": shown_synopsis(found),
        "edit_url": _edit_url(request, found),
        **links_context(request, found),
        **report_context(request, found),
    }
    context |= job_context(request, job or _job_without_links(found, context["active"]), movie=found)
    context["preview"] = display_text(context["synopsis"].text, max_length=MAX_PREVIEW_LENGTH)
    context["structured_data"] = structured_data(found, context["active"], canonical)
    choices = player_choices(context["shown_links"], caption_tracks(context["shown_links"]))
    context["player"] = {"key": found.imdb_id, "choices": [choice.as_data() for choice in choices]}
    response = render_page(request, "movie.html", context, status=status)
    if choices:
        response.headers["Content-Security-Policy"] = policy_header(player_policy(choices))
    patch_vary_headers(response, ["Accept-Language"])
    if context["edit_url"]:
        response.headers["Cache-Control"] = "private, no-store"
    return response


def _job_without_links(found: Movie, active: Sequence[StreamingLink]) -> ScrapeJob | None:
    """The last search for a movie without active links, which its page then tells of."""
    return None if active else found.jobs.order_by("-id").first()


def _edit_url(request: HttpRequest, found: Movie) -> str:
    """The movie's page in the admin, for staff who may change it; empty for everybody else, and without an admin."""
    user = request.user
    if not (settings.ADMIN_ENABLED and user.is_staff and user.has_perm("streaming.change_movie")):
        return ""
    return reverse("admin:streaming_movie_change", args=[found.pk])


def _requested_job(request: HttpRequest, found: Movie) -> ScrapeJob | None:
    pk = request.GET.get("job", "")
    return found.jobs.filter(pk=int(pk)).first() if ID_PATTERN.fullmatch(pk) else None
