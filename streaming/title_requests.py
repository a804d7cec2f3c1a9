"""Ask the sources for a title that the catalogue does not have: one request and one search, however many ask.

The title becomes a movie of the catalogue only with a link that was found and that the rules of its source admit. See
decision 0034 in docs/decisions.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction

from scraper.extraction.wikidata_titles import TitleMatch
from streaming.ingest.blocklist import Blocklist
from streaming.models import RemovedMovie, ScrapeJob, TitleRequest
from streaming.scraping import jobs, notification, outcomes
from streaming.scraping.jobs import JobRequest, QueueFull, QueueUnavailable
from streaming.write_wait import REQUESTED_WRITE_SECONDS, is_unavailable, limited_write_wait

log = logging.getLogger(__name__)

MAX_UNANSWERED = 2000
"""Titles that no source has: further ones are refused, so that searching them again stays a small part of the work."""
QUEUE_DIVISOR = 10
"""At most this part of the queue is for titles that the catalogue does not have; its own films come first."""
START_SECONDS = timedelta(minutes=10)


class TitleRefused(Exception):
    """A title that is not searched, because it was taken down or removed by staff; `is_taken_down` says which."""

    def __init__(self, *, is_taken_down: bool) -> None:
        super().__init__("taken down" if is_taken_down else "removed by staff")
        self.is_taken_down = is_taken_down


class TooManyTitles(Exception):
    """`MAX_UNANSWERED` titles that no source has are remembered already."""


def require_searchable(imdb_id: str) -> None:
    """Raise TitleRefused for a title that was taken down, or that staff removed."""
    if Blocklist.load().is_blocked(imdb_id=imdb_id):
        raise TitleRefused(is_taken_down=True)
    removals = (
        RemovedMovie.objects.removed().filter(imdb_id=imdb_id).exclude(cause__in=RemovedMovie.CAUSES_UNDONE_BY_LINKS)
    )
    if removal := removals.first():
        raise TitleRefused(is_taken_down=removal.cause == RemovedMovie.Cause.TAKEDOWN)


def ask_for_title(
    imdb_id: str, *, about: TitleMatch | None, requested_by: str, client: str = "", now: datetime
) -> TitleRequest:
    """Return the title's request, with a search that runs, waits or has answered it; never waits for the search.

    `is_started` is True on a request whose search this call has started.
    `about`: what Wikidata knows of the title; `client`: the key of the visitor, empty for commands. Raises
    TitleRefused, TooManyTitles, and `jobs.QueueFull` or one of its subclasses; then nothing is stored.
    """
    require_searchable(imdb_id)
    try:
        with limited_write_wait(REQUESTED_WRITE_SECONDS), transaction.atomic():
            request = _remember(imdb_id, about, now=now)
            if not request.is_answered(now=now):
                _start_search(request, requested_by=requested_by, client=client, now=now)
    except IntegrityError:  # Another request for the title was first: this one gets its answer.
        request = TitleRequest.objects.get(imdb_id=imdb_id)
    except OperationalError as error:
        if not is_unavailable(error):
            raise
        log.error("%s could not be searched: %s", imdb_id, error)
        raise QueueUnavailable from error
    return request


def repeat_search(request: TitleRequest, *, requested_by: str, now: datetime) -> None:
    """Start a search whose date has come, unless another process has done so.

    Raises TitleRefused, and `jobs.QueueFull` or one of its subclasses.
    """
    require_searchable(request.imdb_id)
    with transaction.atomic():
        _start_search(request, requested_by=requested_by, client="", now=now)


def newest_search(request: TitleRequest) -> ScrapeJob | None:
    """The newest job of the request, without its log."""
    return request.jobs.defer("log").order_by("-pk").first()


def _remember(imdb_id: str, about: TitleMatch | None, *, now: datetime) -> TitleRequest:
    """The request for the title, new or asked again. Raises TooManyTitles if it would be one too many."""
    request = TitleRequest.objects.filter(imdb_id=imdb_id).first()
    stated = {"title": about.title[:200], "year": about.year, "type": about.type} if about else {}
    if request is None:
        if TitleRequest.objects.unanswered()[:MAX_UNANSWERED].count() == MAX_UNANSWERED:
            raise TooManyTitles
        return TitleRequest.objects.create(imdb_id=imdb_id, asked_at=now, **stated)
    TitleRequest.objects.filter(pk=request.pk).update(asked_at=now, **stated)
    return request


def _start_search(request: TitleRequest, *, requested_by: str, client: str, now: datetime) -> None:
    """Start a job unless one is open; of several requests that decide at once, the first one starts it.

    The date of the next search is compared and set: a request that saw no job may arrive after the job has ended.
    """
    job = newest_search(request)
    if job is not None and job.is_open:
        jobs.renotify_if_stalled(job, now=now)
        return
    undecided = TitleRequest.objects.filter(pk=request.pk, next_ask_at=request.next_ask_at)
    if undecided.update(next_ask_at=now + START_SECONDS) == 0:
        return
    # As page views: these may fill half of the queue, and one visitor a tenth of it.
    wanted = JobRequest(requested_by, priority=jobs.PAGE_PRIORITY, client=client)
    _require_place_for_titles()
    jobs.require_place_in_queue(wanted)
    job = ScrapeJob.objects.create(
        title_request=request,
        requested_by=requested_by,
        priority=wanted.priority,
        sources=outcomes.waiting_results(settings.SOURCES),
        queued_at=now,
        client=client,
    )
    request.is_started = True
    transaction.on_commit(partial(notification.notify, job.pk))


def _require_place_for_titles() -> None:
    limit = max(1, settings.SCRAPE_QUEUE_LIMIT // QUEUE_DIVISOR)
    if ScrapeJob.objects.open().filter(movie=None)[:limit].count() == limit:
        raise QueueFull
