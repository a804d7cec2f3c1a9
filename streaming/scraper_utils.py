"""Request fresh links of a movie: the call behind every button, command and API endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from scraper.net.url_policy import normalize_url
from streaming.models import Movie, ScrapeJob
from streaming.scraping import jobs
from streaming.scraping.freshness import Requester
from streaming.write_wait import REQUESTED_WRITE_SECONDS


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who clicked: the key of the client's network, and when the click arrived."""

    client: str
    sent_at: datetime


def scrape_movie_on_demand(
    movie: Movie,
    *,
    requested_by: str,
    target_url: str | None = None,
    sources: Sequence[str] | None = None,
    visitor: Visitor | None = None,
) -> ScrapeJob:
    """Return the movie's open job, a new one, or the one that has just finished for the same click; never waits for it.

    `joined` is True on a job that this call did not start. `sources` None: all enabled ones. `visitor` None: a command
    or staff; a visitor waits for other writers for a second at most. Raises `jobs.QueueFull` or one of its subclasses,
    and `scraper.net.url_policy.InvalidValue` for a `target_url` that may not be fetched.
    """
    request = job_request(requested_by, target_url=target_url, sources=sources, visitor=visitor)
    sent_at = visitor.sent_at if visitor else None
    response = jobs.request_scrape(
        movie, requester=Requester.CLICK, request=request, now=timezone.now(), sent_at=sent_at
    )
    assert response.job is not None, "a click starts a job or joins one"
    return response.job


def job_request(
    requested_by: str,
    *,
    target_url: str | None = None,
    sources: Sequence[str] | None = None,
    visitor: Visitor | None = None,
) -> jobs.JobRequest:
    """The job that a call of `scrape_movie_on_demand` with these arguments wants."""
    return jobs.JobRequest(
        requested_by=requested_by,
        priority=jobs.PRIORITY_BY_REQUESTER.get(requested_by, jobs.CLICK_PRIORITY),
        target_url=normalize_url(target_url, allowed=settings.ALLOW_PRIVATE_HOSTS) if target_url else "",
        sources=sources,
        client=visitor.client if visitor else "",
        max_wait=REQUESTED_WRITE_SECONDS if visitor else None,
    )
