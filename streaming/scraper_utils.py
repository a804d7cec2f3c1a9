"""The one call by which every door asks for fresh links of a movie."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone

from scraper.net.url_policy import normalize_url
from streaming.models import Movie, ScrapeJob
from streaming.scraping import jobs


def scrape_movie_on_demand(
    movie: Movie, *, requested_by: str, target_url: str | None = None, sources: Sequence[str] | None = None
) -> ScrapeJob:
    """The movie's open job, a new one, or the one that has just answered the same click; returns at once.

    `joined` on it is True when nothing was started. `sources` None: all that are enabled. Raises `jobs.QueueFull`, and
    `scraper.net.url_policy.InvalidValue` for a `target_url` that may not be opened.
    """
    request = jobs.JobRequest(
        requested_by=requested_by,
        priority=jobs.PRIORITY_BY_REQUESTER.get(requested_by, jobs.CLICK_PRIORITY),
        target_url=normalize_url(target_url, allowed=settings.ALLOW_PRIVATE_HOSTS) if target_url else "",
        sources=sources,
    )
    return jobs.start_or_join(movie.pk, request=request, now=timezone.now())
