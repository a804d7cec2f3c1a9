"""Scrape jobs from request to end. Every change of state filters on the old one and counts the rows it changed.

Leases use the database's time, so that machines whose clocks differ agree.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Now
from django.utils import timezone

from streaming.leases import LeaseClaim, expired, lease_end, seconds_from_now
from streaming.models import Binding, Movie, ScrapeJob, ScrapeJobQuerySet, SourceResultCount, TitleRequest
from streaming.models.job import FINISHED, SourceResult, SourceState
from streaming.scraping import notification, outcomes
from streaming.scraping.freshness import (
    Action,
    FreshnessRules,
    MovieFacts,
    Requester,
    ScrapeReason,
    cooldown_after,
    decide,
    is_cooling_down,
)
from streaming.scraping.outcomes import JobOutcome
from streaming.scraping.title_answers import record_answer
from streaming.write_wait import is_unavailable, limited_write_wait

logger = logging.getLogger(__name__)

State = ScrapeJob.State
RETRY_AFTER_SECONDS = 30
PRIORITY_BY_REQUESTER = {"discover": -10, "command": 0}
CLICK_PRIORITY = 10
PAGE_PRIORITY = 0
STALLED_AFTER = timedelta(seconds=2)
MAX_FRUITLESS_SCRAPES = 1000
LOST_WORKER_ERROR = f"{outcomes.PROCESS_DIED_ERROR} (the machine or its supervisor went away)."
CANCELLED_ERROR = "Cancelled."
# Parts of `SCRAPE_QUEUE_LIMIT`: what page views may fill, what is kept free for clicks, and what one client may use.
VISITS_DIVISOR, CLICK_RESERVE_DIVISOR, CLIENT_DIVISOR = 2, 4, 10
MIN_CLIENT_JOBS = 3
# PostgreSQL counts open jobs and adds one under this advisory lock, so that no limit is overrun; SQLite has one writer.
QUEUE_LOCK_ID = 7_205_013


class QueueFull(Exception):
    """`SCRAPE_QUEUE_LIMIT` jobs are open; try again after `retry_after` seconds."""

    def __init__(self, retry_after: int = RETRY_AFTER_SECONDS) -> None:
        super().__init__("Too many scrape jobs are waiting.")
        self.retry_after = retry_after


class ClientQueueFull(QueueFull):
    """This client has as many open jobs as one client may have; others may still start some."""


class QueueUnavailable(QueueFull):
    """The database takes no job now: another writer lasts long, or the disk is full."""


@dataclass(frozen=True, slots=True)
class JobClaim(LeaseClaim):
    """The right to run one job."""

    job_id: int

    def rows(self) -> ScrapeJobQuerySet:
        """Return the job's row while the claim holds; no row once it is lost."""
        return self.restrict(ScrapeJob.objects.filter(pk=self.job_id))


@dataclass(frozen=True, slots=True)
class JobRequest:
    """The job that a requester wants. `sources` None: all enabled ones; `target_url` empty: no particular page.

    `client` is the key of the visitor's network, empty for commands and staff; `max_wait` is how many seconds it may
    wait for other writers, None: as long as any write.
    """

    requested_by: str
    priority: int = CLICK_PRIORITY
    target_url: str = ""
    sources: Sequence[str] | None = None
    client: str = ""
    max_wait: float | None = None


@dataclass(frozen=True, slots=True)
class ScrapeResponse:
    """What came of a request, and why.

    `job` is the job that was started or joined, None when neither; `next_allowed_at` is the end of the movie's cooldown
    as the request found it, None outside one.
    """

    action: Action
    reason: ScrapeReason
    job: ScrapeJob | None = None
    next_allowed_at: datetime | None = None


# --- requests


def always() -> bool:
    """Allow every start; the default for requesters whose requests are counted elsewhere."""
    return True


def request_scrape(
    movie: Movie,
    *,
    requester: Requester,
    request: JobRequest,
    now: datetime,
    sent_at: datetime | None = None,
    may_start: Callable[[], bool] = always,
) -> ScrapeResponse:
    """Start a job, join the movie's open one, or do neither; clicks and page views all end here.

    A click always gets a job; `sent_at` is when a visitor's arrived, None: it is no visitor's. `may_start` is called
    only when a job would start, so it can count starts. Three queries when nothing starts. Raises QueueFull when no
    more jobs may wait.
    """
    facts, job = load_facts(movie.pk)
    decision = decide(facts, requester=requester, now=now, rules=freshness_rules(), sent_at=sent_at)
    allowed_at = facts.next_scrape_at if is_cooling_down(facts.next_scrape_at, now=now) else None
    if decision.action is Action.JOIN and job is not None and (job.is_open or matches_request(job, request)):
        renotify_if_stalled(job, now=now)
        return ScrapeResponse(Action.JOIN, decision.reason, _mark_joined(job), allowed_at)
    if decision.action not in (Action.JOIN, Action.START):
        return ScrapeResponse(decision.action, decision.reason, None, allowed_at)
    if not may_start():
        return ScrapeResponse(Action.REFUSE, ScrapeReason.TOO_MANY)
    return ScrapeResponse(Action.START, decision.reason, enqueue(movie.pk, facts, request=request, now=now))


def freshness_rules() -> FreshnessRules:
    """Return the rules as the settings state them."""
    return FreshnessRules(
        stale_after=timedelta(hours=settings.STALE_HOURS), click_window=timedelta(seconds=settings.SCRAPE_CLICK_SECONDS)
    )


def load_facts(movie_id: int) -> tuple[MovieFacts, ScrapeJob | None]:
    """Return what `decide` needs to know, and the movie's newest job.

    The movie is read before its job: a job that closes in between is then noticed and no second one starts.
    """
    is_active = Q(links__is_active=True, links__is_published=True)  # as in `StreamingLinkQuerySet.active`
    next_at, checked, seen = (
        Movie.objects.filter(pk=movie_id)
        .annotate(checked=Max("links__last_checked", filter=is_active))
        .annotate(seen=Max("links__last_seen", filter=is_active))
        .values_list("next_scrape_at", "checked", "seen")
        .get()
    )
    job = newest_job(movie_id)
    newest = max((at for at in (checked, seen) if at is not None), default=None)
    if job is None:
        return MovieFacts(newest, next_at), None
    return MovieFacts(newest, next_at, job.state, job.queued_at, job.finished_at), job


def newest_job(movie_id: int) -> ScrapeJob | None:
    """Return the movie's newest job without its log, which may have 64 KiB and is not needed here."""
    return ScrapeJob.objects.filter(movie=movie_id).defer("log").order_by("-pk").first()


def matches_request(job: ScrapeJob, request: JobRequest) -> bool:
    """Whether a job does, or did, what this request wants: it reads the same page, searches all the sources, and knows
    all bindings of its movie."""
    searched = {row["source"] for row in job.sources}
    if job.target_url != request.target_url or not searched.issuperset(_sources_of(request)):
        return False
    return not _was_bound_since_start(job)


def _was_bound_since_start(job: ScrapeJob) -> bool:
    """Whether the movie was bound to a page after this job had read its bindings, which one for a page never does."""
    if job.started_at is None or job.target_url:
        return False
    return Binding.objects.filter(movie=job.movie_id, created_at__gt=job.started_at).exists()


def _sources_of(request: JobRequest) -> Sequence[str]:
    return settings.SOURCES if request.sources is None else request.sources


def _mark_joined(job: ScrapeJob) -> ScrapeJob:
    job.joined = True
    return job


def enqueue(movie_id: int, facts: MovieFacts, *, request: JobRequest, now: datetime) -> ScrapeJob:
    """Create a job; of several requests that decided by the same facts one creates it and the others join it.

    A request that loses gets the winner's job even if that has ended meanwhile. Raises QueueFull, and QueueUnavailable
    when other writers last longer than the request may wait.
    """
    wait = nullcontext() if request.max_wait is None else limited_write_wait(request.max_wait)
    try:
        with wait, transaction.atomic():
            job = _insert_job(movie_id, facts, request=request, now=now)
    except IntegrityError:
        job = None
    except OperationalError as error:
        if not is_unavailable(error):
            raise
        logger.error("no scrape of movie %s could be started: %s", movie_id, error)
        raise QueueUnavailable from error
    if job is not None:
        transaction.on_commit(partial(notification.notify, job.pk))
        return job
    winner = newest_job(movie_id)
    if winner is None:
        raise Movie.DoesNotExist(f"movie {movie_id} has been removed")
    return _mark_joined(winner)


def _insert_job(movie_id: int, facts: MovieFacts, *, request: JobRequest, now: datetime) -> ScrapeJob | None:
    """Insert the job after a compare-and-set on the movie's `next_scrape_at`; None when another request was first.

    The constraint (one open job per movie) is not enough: a request that read "no job" may insert after the first job
    has already closed.
    """
    next_scrape_at = now + timedelta(minutes=settings.SCRAPE_COOLDOWN_MINUTES, microseconds=1)
    unchanged = Movie.objects.filter(pk=movie_id, next_scrape_at=facts.next_scrape_at)
    if unchanged.update(next_scrape_at=next_scrape_at) == 0:
        return None
    require_place_in_queue(request)
    return _new_job(request, movie_id=movie_id, now=now)


def _new_job(request: JobRequest, *, movie_id: int | None, now: datetime) -> ScrapeJob:
    return ScrapeJob.objects.create(
        movie_id=movie_id,
        requested_by=request.requested_by[:40],
        priority=request.priority,
        target_url=request.target_url,
        sources=outcomes.waiting_results(_sources_of(request)),
        queued_at=now,
        client=request.client,
    )


def require_place_in_queue(request: JobRequest) -> None:
    """Raise QueueFull unless this request may add a job to the open ones."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [QUEUE_LOCK_ID])
    visits, limit = ~Q(client="") & Q(priority__lt=CLICK_PRIORITY), settings.SCRAPE_QUEUE_LIMIT
    counts = ScrapeJob.objects.open().aggregate(
        all=Count("pk"), visits=Count("pk", filter=visits), own=Count("pk", filter=Q(client=request.client))
    )
    is_click = request.priority >= CLICK_PRIORITY
    if counts["all"] >= (limit if is_click else limit - limit // CLICK_RESERVE_DIVISOR):
        raise QueueFull
    if request.client and not is_click and counts["visits"] >= max(1, limit // VISITS_DIVISOR):
        raise QueueFull
    if request.client and counts["own"] >= max(MIN_CLIENT_JOBS, limit // CLIENT_DIVISOR):
        raise ClientQueueFull


def renotify_if_stalled(job: ScrapeJob, *, now: datetime) -> None:
    """Notify a worker again when an open job makes no progress: a notification was lost, or its worker died.

    Never raises; does nothing for a job that runs or has ended.
    """
    # A date in the future, from a fast clock, says nothing either.
    waits = job.state == State.QUEUED and abs(now - job.queued_at) > STALLED_AFTER
    if waits or (job.state == State.RUNNING and job.lease_until is not None and job.lease_until < now):
        notification.notify(job.pk)


# --- runs


def _abandoned(*, exclude: Collection[int] = ()) -> Q:
    """Match jobs whose lease expired. `exclude`: jobs the caller runs itself; after a clock change their leases may
    look expired until it renews them."""
    return expired() & ~Q(pk__in=exclude) if exclude else expired()


def has_claimable_jobs(*, exclude: Collection[int] = ()) -> bool:
    """Whether a job can be claimed; a cheap query that takes no write lock."""
    return ScrapeJob.objects.open().filter(Q(state=State.QUEUED) | _abandoned(exclude=exclude)).exists()


def overlooked_jobs() -> list[int]:
    """Return the jobs that no worker has taken for the length of a lease, the most urgent first."""
    lease = settings.SCRAPE_LEASE_SECONDS
    is_old = Q(queued_at__lt=seconds_from_now(-lease)) | Q(queued_at__gt=seconds_from_now(lease))  # or by a fast clock
    overdue = Q(state=State.QUEUED) & is_old
    rows = ScrapeJob.objects.open().filter(overdue | _abandoned()).order_by("-priority", "pk")
    return list(rows.values_list("pk", flat=True)[: settings.SCRAPE_QUEUE_LIMIT])


def claim_jobs(*, owner: str, limit: int, exclude: Collection[int] = ()) -> list[JobClaim]:
    """Claim up to `limit` jobs, clicks first, then by id, abandoned ones included.

    A job is never claimed by two owners, and never by an owner that runs it already (`exclude`).
    """
    if limit <= 0 or not has_claimable_jobs(exclude=exclude):
        return []
    with transaction.atomic():
        abandoned = _abandoned(exclude=exclude)
        _fail_abandoned(abandoned)
        claimable = Q(state=State.QUEUED) | abandoned
        rows = ScrapeJob.objects.open().filter(claimable, attempt__lt=settings.SCRAPE_MAX_ATTEMPTS)
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        candidates = list(rows.order_by("-priority", "pk")[:limit])
        return [claim for job in candidates if (claim := _claim_one(job, claimable, owner=owner))]


def _claim_one(job: ScrapeJob, claimable: Q, *, owner: str) -> JobClaim | None:
    claimed = ScrapeJob.objects.filter(claimable, pk=job.pk, attempt=job.attempt).update(
        state=State.RUNNING,
        owner=owner,
        attempt=F("attempt") + 1,
        lease_until=lease_end(),
        started_at=Now(),
        sources=outcomes.results_for_retry(job.sources),
    )
    return JobClaim(job.pk, owner=owner, attempt=job.attempt + 1) if claimed else None


def _fail_abandoned(abandoned: Q) -> None:
    """Close abandoned jobs that have no attempt left or were to be cancelled."""
    hopeless = Q(attempt__gte=settings.SCRAPE_MAX_ATTEMPTS) | Q(cancel_requested=True)
    results: list[SourceResult] = []
    for job in ScrapeJob.objects.open().filter(abandoned, hopeless):
        lost = outcomes.forced_outcome(State.FAILED, job.sources, error=LOST_WORKER_ERROR)
        outcome = cancelled_outcome(job) if job.cancel_requested else lost
        if _write_outcome(ScrapeJob.objects.filter(abandoned, pk=job.pk), job, outcome=outcome, log=job.log):
            results += _stated_results(job, outcome)
    SourceResultCount.objects.add(results)


def renew_leases(claims: Sequence[JobClaim]) -> None:
    """Renew the leases of the claims that still hold."""
    for claim in claims:
        claim.rows().update(lease_until=lease_end())


def claims_to_continue(claims: Sequence[JobClaim]) -> dict[JobClaim, bool]:
    """Return the claims that still hold, each with whether its job should go on (False: it was cancelled)."""
    rows = ScrapeJob.objects.filter(pk__in=[claim.job_id for claim in claims], state=State.RUNNING)
    running = {
        JobClaim(pk, owner=owner, attempt=attempt): not cancelled
        for pk, owner, attempt, cancelled in rows.values_list("pk", "owner", "attempt", "cancel_requested")
    }
    return {claim: running[claim] for claim in claims if claim in running}


@transaction.atomic
def finish(claim: JobClaim, *, outcome_of: Callable[[ScrapeJob], JobOutcome], log: str) -> bool:
    """Close the job with the outcome that `outcome_of` reads from its row; False, unchanged, when the claim is lost.

    If staff bound the movie to a page while it ran, which it then does not know, another search follows at once.
    """
    job = claim.rows().first()
    if job is None or not _close(claim.rows(), job, outcome=outcome_of(job), log=log):
        return False
    if not job.cancel_requested and _was_bound_since_start(job):
        _queue_again(job)
    return True


def _queue_again(job: ScrapeJob) -> None:
    """Queue a search like this one, for nobody in particular, unless the queue is full."""
    sources = [row["source"] for row in job.sources]
    request = JobRequest(job.requested_by, priority=job.priority, sources=sources)
    try:
        require_place_in_queue(request)
    except QueueFull:
        logger.warning("%s: no place to search again for what was bound during job %s", job.imdb_id, job.pk)
        return
    again = _new_job(request, movie_id=job.movie_id, now=timezone.now())
    transaction.on_commit(partial(notification.notify, again.pk))


@transaction.atomic
def requeue(claim: JobClaim, *, counted: bool, log: str = "") -> bool:
    """Queue the job again, or close it if it was to be cancelled; False when the claim is lost.

    `counted`: its process died, which uses up an attempt. Not counted: the supervisor had to stop it.
    """
    job = claim.rows().select_for_update().first()
    if job is None:
        return False
    if job.cancel_requested:
        return _close(claim.rows(), job, outcome=cancelled_outcome(job), log=log)
    results = outcomes.results_for_retry(job.sources)
    attempt = claim.attempt if counted else claim.attempt - 1
    claim.rows().update(state=State.QUEUED, owner="", lease_until=None, attempt=attempt, sources=results, log=log)
    return True


@transaction.atomic
def cancel(job_id: int) -> bool:
    """Cancel a queued job at once, a running one within a second through its supervisor; False when it has ended."""
    rows = ScrapeJob.objects.open().filter(pk=job_id)
    job = rows.select_for_update().first()
    if job is None:
        return False
    if job.state == State.QUEUED:
        return _close(rows, job, outcome=cancelled_outcome(job), log=job.log)
    # The lease stays: the job's supervisor, or one that finds it abandoned, closes it.
    return bool(rows.update(cancel_requested=True))


def cancelled_outcome(job: ScrapeJob) -> JobOutcome:
    """Return the outcome of a cancelled job."""
    return outcomes.forced_outcome(State.CANCELLED, job.sources, error=CANCELLED_ERROR)


def _close(rows: ScrapeJobQuerySet, job: ScrapeJob, *, outcome: JobOutcome, log: str) -> bool:
    """Write the outcome and the log on `rows` and count its results; False, without any effect, when none is left.

    For one job in a transaction: see `SourceResultCountQuerySet.add`.
    """
    closed = _write_outcome(rows, job, outcome=outcome, log=log)
    if closed:
        SourceResultCount.objects.add(_stated_results(job, outcome))
    return closed


def _write_outcome(rows: ScrapeJobQuerySet, job: ScrapeJob, *, outcome: JobOutcome, log: str) -> bool:
    closed = rows.update(
        state=outcome.state,
        outcome=outcome.outcome,
        error=outcome.error,
        sources=list(outcome.sources),
        links_found=outcome.links_found,
        links_new=outcome.links_new,
        finished_at=Now(),
        lease_until=None,
        client="",
        log=log,
    )
    if closed:
        if job.movie_id is not None:
            _start_cooldown(job.movie_id, outcome, now=timezone.now())
        if job.title_request_id is not None:
            record_answer(job.title_request_id, state=outcome.state, outcome=outcome.outcome, now=timezone.now())
        if failed := _failed_results(job, outcome):
            transaction.on_commit(partial(_log_failed_sources, job, failed))
    return bool(closed)


def _stated_results(job: ScrapeJob, outcome: JobOutcome) -> list[SourceResult]:
    """Return the results of sources that have finished; one that was only cancelled has none."""
    results = job.sources if outcome.state == State.CANCELLED else outcome.sources
    return [row for row in results if row["state"] in FINISHED]


def _failed_results(job: ScrapeJob, outcome: JobOutcome) -> list[SourceResult]:
    failed = (SourceState.FAILED, SourceState.BLOCKED)
    return [row for row in _stated_results(job, outcome) if row["state"] in failed]


def _log_failed_sources(job: ScrapeJob, failed: Sequence[SourceResult]) -> None:
    """Log one warning per failed source, in the process that closed the job."""
    movies, titles = Movie.objects.filter(jobs=job.pk), TitleRequest.objects.filter(jobs=job.pk)
    ids = (*movies.values_list("imdb_id", flat=True), *titles.values_list("imdb_id", flat=True))
    imdb_id = next(iter(ids), f"movie {job.movie_id}")
    for row in failed:
        reason = outcomes.redact(row["error"]) or "no reason given"
        logger.warning("%s: source %s %s: %s", imdb_id, row["source"], row["state"], reason)


def _start_cooldown(movie_id: int, outcome: JobOutcome, *, now: datetime) -> None:
    """Start the movie's cooldown; only a job that succeeded counts as a scrape."""
    movie = Movie.objects.only("fruitless_scrapes", "last_scraped_at").filter(pk=movie_id).first()
    if movie is None:  # it was removed just now
        return
    succeeded = outcome.state == State.SUCCEEDED
    fruitless = movie.fruitless_scrapes
    if succeeded:
        found_nothing = outcome.outcome == ScrapeJob.Outcome.NOTHING
        fruitless = min(fruitless + 1, MAX_FRUITLESS_SCRAPES) if found_nothing else 0
    wait = cooldown_after(
        outcome.outcome,
        fruitless=fruitless,
        found=timedelta(minutes=settings.SCRAPE_COOLDOWN_MINUTES),
        nothing=timedelta(minutes=settings.SCRAPE_COOLDOWN_NOTHING_MINUTES),
    )
    Movie.objects.filter(pk=movie_id).update(
        next_scrape_at=now + wait,
        fruitless_scrapes=fruitless,
        last_scraped_at=now if succeeded else movie.last_scraped_at,
    )
