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

from streaming.models import Movie, ScrapeJob
from streaming.scraping import jobs
from streaming.scraping.freshness import Act, Asker, Decision, Facts, decide, is_cooling_down, is_person
from streaming.scraping.jobs import QueueFull
from streaming.scraping.throttle import visit_may_start

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a page says of its links. `state`: fresh, queued, running, stale or cooling_down; `reason` a word.

    `job` is the open one, None without; `next_allowed_at`: when a page may start one again, None: at once.
    """

    state: str
    job: ScrapeJob | None
    reason: str
    next_allowed_at: datetime | None


def visit(request: HttpRequest, movie: Movie, *, requested_by: str) -> Refresh:
    """What this request for a movie does: robots and prefetches start nothing, one client not too much."""
    person = is_person(method=request.method or "", headers=request.headers)
    return on_visit(movie, person=person, requested_by=requested_by, may_start=partial(visit_may_start, request))


def on_visit(movie: Movie, *, person: bool, requested_by: str, may_start: Callable[[], bool]) -> Refresh:
    """Start a search if this visit calls for one and `may_start` agrees; three queries when it does not.

    `may_start` is asked only when a search would start: it counts the searches that one client's visits have started.
    """
    now = timezone.now()
    facts, job = jobs.facts_of(movie.pk)
    decision = decide(facts, asker=Asker.PAGE if person else Asker.ROBOT, now=now, rules=jobs.rules())
    allowed_at = facts.next_scrape_at if is_cooling_down(facts.next_scrape_at, now=now) else None
    if decision.act is Act.JOIN and job is not None:
        jobs.wake_for(job, now=now)
        return Refresh(job.state, job, decision.reason, allowed_at)
    if decision.act is Act.START:
        try:
            return _start(movie, facts, decision, requested_by=requested_by, now=now, may_start=may_start)
        except (DatabaseError, OSError) as error:  # somebody writes for long, or the disk is full: we can read
            log.error("%s is shown, but no search could be started: %s", movie.imdb_id, error)
            return Refresh("stale", None, "unavailable", None)
    state = "stale" if decision.act is Act.REFUSE else str(decision.act)
    return Refresh(state, None, decision.reason, allowed_at)


def watch(job: ScrapeJob) -> None:
    """What looking at a search does: nothing, mostly; when nobody cares for it any more it is rung for."""
    jobs.wake_for(job, now=timezone.now())


def _start(
    movie: Movie,
    facts: Facts,
    decision: Decision,
    *,
    requested_by: str,
    now: datetime,
    may_start: Callable[[], bool],
) -> Refresh:
    if not may_start():
        return Refresh("stale", None, "too_many", None)
    request = jobs.Request(requested_by=requested_by, priority=jobs.PAGE_PRIORITY)
    try:
        job = jobs.enqueue(movie.pk, facts, request=request, now=now)
    except QueueFull:
        return Refresh("stale", None, "queue_full", None)
    state = job.state if job.is_open else "cooling_down"
    return Refresh(state, job if job.is_open else None, decision.reason, None)
