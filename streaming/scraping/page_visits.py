"""Start a scrape when a person views the page of a movie whose links are missing or stale."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from streaming.client_throttle import client_key, page_view_may_start
from streaming.models import Movie, ScrapeJob
from streaming.scraping import jobs
from streaming.scraping.freshness import Action, Requester, ScrapeReason, is_person
from streaming.scraping.jobs import ClientQueueFull, QueueFull, QueueUnavailable, ScrapeResponse
from streaming.write_wait import OPTIONAL_WRITE_SECONDS

log = logging.getLogger(__name__)


class RefreshStatus(StrEnum):
    """The state of a movie's links as a page view leaves it. The values are published in the API."""

    FRESH = "fresh"
    QUEUED = "queued"
    RUNNING = "running"
    STALE = "stale"
    COOLING_DOWN = "cooling_down"


STATUS_WITHOUT_JOB = {
    Action.FRESH: RefreshStatus.FRESH,
    Action.REFUSE: RefreshStatus.STALE,
    Action.COOLING_DOWN: RefreshStatus.COOLING_DOWN,
    # The job that this view would have started was started by another one and has already ended.
    Action.START: RefreshStatus.COOLING_DOWN,
}


@dataclass(frozen=True, slots=True)
class RefreshState:
    """What a page says about a movie's links.

    `job` is the open job, None without one; `next_allowed_at` is when a page view may next start one, None: at once.
    """

    state: RefreshStatus
    job: ScrapeJob | None
    reason: ScrapeReason
    next_allowed_at: datetime | None


def refresh_on_request(request: HttpRequest, movie: Movie, *, requested_by: str) -> RefreshState:
    """Refresh a movie for this page view; robots and prefetches start nothing, each client a limited number."""
    person = is_person(method=request.method or "", headers=request.headers)
    return refresh_on_page_view(
        movie,
        person=person,
        requested_by=requested_by,
        client=client_key(request),
        may_start=partial(page_view_may_start, request),
    )


def refresh_on_page_view(
    movie: Movie, *, person: bool, requested_by: str, client: str, may_start: Callable[[], bool]
) -> RefreshState:
    """Start a scrape if this page view needs one and `may_start` allows it; three queries when it needs none.

    `may_start` counts the scrapes that one client's page views start, so it is called only when one would start. A
    scrape that cannot be started (full queue, locked database, full disk) leaves the page readable, and waits for other
    writers for 0.3 seconds at most.
    """
    wanted = jobs.JobRequest(
        requested_by=requested_by, priority=jobs.PAGE_PRIORITY, client=client, max_wait=OPTIONAL_WRITE_SECONDS
    )
    try:
        response = jobs.request_scrape(
            movie,
            requester=Requester.PAGE if person else Requester.ROBOT,
            request=wanted,
            now=timezone.now(),
            may_start=may_start,
        )
    except ClientQueueFull:
        return RefreshState(RefreshStatus.STALE, None, ScrapeReason.TOO_MANY, None)
    except QueueUnavailable:
        return RefreshState(RefreshStatus.STALE, None, ScrapeReason.UNAVAILABLE, None)
    except QueueFull:
        return RefreshState(RefreshStatus.STALE, None, ScrapeReason.QUEUE_FULL, None)
    except (DatabaseError, OSError, Movie.DoesNotExist) as error:
        log.error("%s is shown, but no scrape could be started: %s", movie.imdb_id, error)
        return RefreshState(RefreshStatus.STALE, None, ScrapeReason.UNAVAILABLE, None)
    return _refresh_state(response)


def _refresh_state(response: ScrapeResponse) -> RefreshState:
    job = response.job if response.job is not None and response.job.is_open else None
    status = RefreshStatus(job.state) if job is not None else STATUS_WITHOUT_JOB[response.action]
    return RefreshState(status, job, response.reason, response.next_allowed_at)
