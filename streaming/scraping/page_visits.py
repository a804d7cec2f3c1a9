"""What looking at a movie's page does: nothing, mostly; a search when its links are missing or stale. What looking at a
search does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from streaming.client_throttle import page_view_may_start
from streaming.models import Movie, ScrapeJob
from streaming.scraping import jobs
from streaming.scraping.freshness import (
    Action,
    MovieFacts,
    Requester,
    ScrapeDecision,
    decide,
    is_cooling_down,
    is_person,
)
from streaming.scraping.jobs import QueueFull

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RefreshState:
    """What a page says of its links. `state`: fresh, queued, running, stale or cooling_down; `reason` a word.

    `job` is the open one, None without; `next_allowed_at`: when a page may start one again, None: at once.
    """

    state: str
    job: ScrapeJob | None
    reason: str
    next_allowed_at: datetime | None


def refresh_on_request(request: HttpRequest, movie: Movie, *, requested_by: str) -> RefreshState:
    """What this request for a movie does: robots and prefetches start nothing, one client not too much."""
    person = is_person(method=request.method or "", headers=request.headers)
    return refresh_on_page_view(
        movie, person=person, requested_by=requested_by, may_start=partial(page_view_may_start, request)
    )


def refresh_on_page_view(
    movie: Movie, *, person: bool, requested_by: str, may_start: Callable[[], bool]
) -> RefreshState:
    """Start a search if this visit calls for one and `may_start` agrees; three queries when it does not.

    `may_start` is asked only when a search would start: it counts the searches that one client's visits have started.
    """
    now = timezone.now()
    facts, job = jobs.load_facts(movie.pk)
    decision = decide(facts, asker=Requester.PAGE if person else Requester.ROBOT, now=now, rules=jobs.freshness_rules())
    allowed_at = facts.next_scrape_at if is_cooling_down(facts.next_scrape_at, now=now) else None
    if decision.action is Action.JOIN and job is not None:
        jobs.renotify_if_stalled(job, now=now)
        return RefreshState(job.state, job, decision.reason, allowed_at)
    if decision.action is Action.START:
        try:
            return _start_search(movie, facts, decision, requested_by=requested_by, now=now, may_start=may_start)
        except (DatabaseError, OSError) as error:  # somebody writes for long, or the disk is full: we can read
            log.error("%s is shown, but no search could be started: %s", movie.imdb_id, error)
            return RefreshState("stale", None, "unavailable", None)
    state = "stale" if decision.action is Action.REFUSE else str(decision.action)
    return RefreshState(state, None, decision.reason, allowed_at)


def watch(job: ScrapeJob) -> None:
    """What looking at a search does: nothing, mostly; when nobody cares for it any more it is rung for."""
    jobs.renotify_if_stalled(job, now=timezone.now())


def _start_search(
    movie: Movie,
    facts: MovieFacts,
    decision: ScrapeDecision,
    *,
    requested_by: str,
    now: datetime,
    may_start: Callable[[], bool],
) -> RefreshState:
    if not may_start():
        return RefreshState("stale", None, "too_many", None)
    request = jobs.JobRequest(requested_by=requested_by, priority=jobs.PAGE_PRIORITY)
    try:
        job = jobs.enqueue(movie.pk, facts, request=request, now=now)
    except QueueFull:
        return RefreshState("stale", None, "queue_full", None)
    state = job.state if job.is_open else "cooling_down"
    return RefreshState(state, job if job.is_open else None, decision.reason, None)
