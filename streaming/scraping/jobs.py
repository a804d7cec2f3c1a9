"""The life of a scrape job, kept by the database: every change of state filters on the old one and counts its rows.

Moments that two machines must agree on (leases) are the database's time, never a host's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from streaming.leases import LeaseClaim, expired, lease_end, seconds_from_now
from streaming.models import Movie, ScrapeJob, ScrapeJobQuerySet, StreamingLink
from streaming.scraping import notification, outcomes
from streaming.scraping.freshness import Action, FreshnessRules, MovieFacts, Requester, cooldown_after, decide
from streaming.scraping.outcomes import JobOutcome

State = ScrapeJob.State
RETRY_AFTER = 30
PRIORITY_BY_REQUESTER = {"discover": -10, "command": 0}
CLICK_PRIORITY = 10
PAGE_PRIORITY = 0
STALLED_AFTER = timedelta(seconds=2)
LOST_WORKER_ERROR = f"{outcomes.PROCESS_DIED_ERROR} (the machine or its supervisor went away)."
CANCELLED = "Cancelled."


class QueueFull(Exception):
    """As many jobs are open as `SCRAPE_QUEUE_LIMIT` allows; try again after `retry_after` seconds."""

    def __init__(self, retry_after: int = RETRY_AFTER) -> None:
        super().__init__("Too many searches are waiting.")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class JobClaim(LeaseClaim):
    """The right to run one job."""

    job_id: int

    def rows(self) -> ScrapeJobQuerySet:
        """Return the job's row while the claim holds; no row once it is lost."""
        return self.restrict(ScrapeJob.objects.filter(pk=self.job_id))


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What is asked for. `sources` None: all that are enabled."""

    requested_by: str
    priority: int = CLICK_PRIORITY
    target_url: str = ""
    sources: Sequence[str] | None = None


# --- asking


def freshness_rules() -> FreshnessRules:
    return FreshnessRules(
        stale_after=timedelta(hours=settings.STALE_HOURS), click_window=timedelta(seconds=settings.SCRAPE_CLICK_SECONDS)
    )


def load_facts(movie_id: int) -> tuple[MovieFacts, ScrapeJob | None]:
    """What `decide` wants to know, and the movie's newest job.

    The movie is read before its job: a job that is closed in between is then seen, and cannot be started twice.
    """
    active = StreamingLink.objects.active().filter(movie=OuterRef("pk")).order_by().values("movie")
    next_at, checked, seen = (
        Movie.objects.filter(pk=movie_id)
        .annotate(checked=Subquery(active.annotate(newest=Max("last_checked")).values("newest")))
        .annotate(seen=Subquery(active.annotate(newest=Max("last_seen")).values("newest")))
        .values_list("next_scrape_at", "checked", "seen")
        .get()
    )
    job = newest_job(movie_id)
    newest = max((look for look in (checked, seen) if look is not None), default=None)
    return MovieFacts(newest, next_at, job.state if job else "", job.queued_at if job else None), job


def newest_job(movie_id: int) -> ScrapeJob | None:
    """The movie's newest job, without its log: that may be 64 KiB, and whoever asks shows it to nobody."""
    return ScrapeJob.objects.filter(movie=movie_id).defer("log").order_by("-pk").first()


def start_or_join(movie_id: int, *, request: JobRequest, now: datetime) -> ScrapeJob:
    """What a click gets: the open job, the one that has just answered, or a new one."""
    facts, job = load_facts(movie_id)
    decision = decide(facts, asker=Requester.CLICK, now=now, rules=freshness_rules())
    if decision.action is Action.JOIN and job is not None and (job.is_open or _matches_request(job, request)):
        renotify_if_stalled(job, now=now)
        return _mark_joined(job)
    return enqueue(movie_id, facts, request=request, now=now)


def _matches_request(job: ScrapeJob, request: JobRequest) -> bool:
    """Whether a job that is over was asked the same: another page, or a source it did not search, is another search."""
    searched = {row["source"] for row in job.sources}
    return job.target_url == request.target_url and searched.issuperset(_sources_of(request))


def _sources_of(request: JobRequest) -> Sequence[str]:
    return settings.SOURCES if request.sources is None else request.sources


def _mark_joined(job: ScrapeJob) -> ScrapeJob:
    job.joined = True
    return job


def enqueue(movie_id: int, facts: MovieFacts, *, request: JobRequest, now: datetime) -> ScrapeJob:
    """One job for all who decided by the same facts: who loses the race gets the winner's, even if closed again."""
    try:
        with transaction.atomic():
            job = _insert_job(movie_id, facts, request=request, now=now)
    except IntegrityError:
        job = None
    if job is not None:
        transaction.on_commit(partial(notification.notify, job.pk))
        return job
    winner = newest_job(movie_id)
    if winner is None:
        raise Movie.DoesNotExist(f"movie {movie_id} was removed meanwhile")
    return _mark_joined(winner)


def _insert_job(movie_id: int, facts: MovieFacts, *, request: JobRequest, now: datetime) -> ScrapeJob | None:
    """Compare-and-set on the movie's next moment, then the row; None when somebody else was first.

    The constraint (one open job a movie) alone is not enough: a request that read "no job" may insert after the first
    job has been closed again.
    """
    mine = now + timedelta(minutes=settings.SCRAPE_COOLDOWN_MINUTES, microseconds=1)
    gate = Movie.objects.filter(pk=movie_id, next_scrape_at=facts.next_scrape_at)
    if gate.update(next_scrape_at=mine) == 0:
        return None
    if ScrapeJob.objects.open().count() >= settings.SCRAPE_QUEUE_LIMIT:
        raise QueueFull
    return ScrapeJob.objects.create(
        movie_id=movie_id,
        requested_by=request.requested_by[:40],
        priority=request.priority,
        target_url=request.target_url,
        sources=outcomes.waiting_results(_sources_of(request)),
        queued_at=now,
    )


def renotify_if_stalled(job: ScrapeJob, *, now: datetime) -> None:
    """Ring again for an open job that nobody seems to care for: its bell was lost, or its runner died."""
    asleep = job.state == State.QUEUED and now - job.queued_at > STALLED_AFTER
    if asleep or (job.state == State.RUNNING and job.lease_until is not None and job.lease_until < now):
        notification.notify(job.pk)


# --- running


def _abandoned(*, besides: Collection[int] = ()) -> Q:
    """Running, but nobody renews its lease; a lease that lies too far ahead was given before the clock was set back.

    `besides`: jobs that the asker has in hand. When the clock jumps, their leases look so before he renews them.
    """
    return expired() & ~Q(pk__in=besides) if besides else expired()


def has_claimable_jobs(*, besides: Collection[int] = ()) -> bool:
    """Whether anything could be claimed; a cheap look that takes no write lock."""
    return ScrapeJob.objects.open().filter(Q(state=State.QUEUED) | _abandoned(besides=besides)).exists()


def overlooked_jobs() -> list[int]:
    """Jobs that nobody has cared for in a lease's time, the most urgent first: not begun, or left by their runner."""
    late = Q(state=State.QUEUED, queued_at__lt=seconds_from_now(-settings.SCRAPE_LEASE_SECONDS))
    rows = ScrapeJob.objects.open().filter(late | _abandoned()).order_by("-priority", "queued_at", "pk")
    return list(rows.values_list("pk", flat=True)[: settings.SCRAPE_QUEUE_LIMIT])


def claim_jobs(*, owner: str, limit: int, exclude: Collection[int] = ()) -> list[JobClaim]:
    """Take up to `most` jobs, clicks first, abandoned ones too. No job is ever given to two, nor one of those that the
    claimant has in hand (`besides`) to himself."""
    if limit <= 0 or not has_claimable_jobs(besides=exclude):
        return []
    with transaction.atomic():
        abandoned = _abandoned(besides=exclude)
        _fail_abandoned(abandoned)
        claimable = Q(state=State.QUEUED) | abandoned
        rows = ScrapeJob.objects.open().filter(claimable, attempt__lt=settings.SCRAPE_MAX_ATTEMPTS)
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        found = list(rows.order_by("-priority", "queued_at", "pk")[:limit])
        return [mine for job in found if (mine := _claim_one(job, claimable, owner=owner))]


def _claim_one(job: ScrapeJob, claimable: Q, *, owner: str) -> JobClaim | None:
    taken = ScrapeJob.objects.filter(claimable, pk=job.pk, attempt=job.attempt).update(
        state=State.RUNNING,
        owner=owner,
        attempt=F("attempt") + 1,
        lease_until=lease_end(),
        started_at=Now(),
        sources=outcomes.results_for_retry(job.sources),
    )
    return JobClaim(job.pk, owner=owner, attempt=job.attempt + 1) if taken else None


def _fail_abandoned(abandoned: Q) -> None:
    """Close abandoned jobs that may not be tried again, or that somebody wanted cancelled."""
    hopeless = Q(attempt__gte=settings.SCRAPE_MAX_ATTEMPTS) | Q(cancel_requested=True)
    for job in ScrapeJob.objects.open().filter(abandoned, hopeless):
        lost = outcomes.forced_outcome(State.FAILED, job.sources, error=LOST_WORKER_ERROR)
        ending = cancelled_outcome(job) if job.cancel_requested else lost
        _finish(ScrapeJob.objects.filter(abandoned, pk=job.pk), job, ending=ending, log=job.log)


def renew_leases(claims: Sequence[JobClaim]) -> None:
    """Renew the leases of what is still ours."""
    for one in claims:
        one.rows().update(lease_until=lease_end())


def claims_to_continue(claims: Sequence[JobClaim]) -> dict[JobClaim, bool]:
    """The claims that still stand, each with whether it is to go on (False: somebody cancelled it)."""
    rows = ScrapeJob.objects.filter(pk__in=[one.job_id for one in claims], state=State.RUNNING)
    fence = rows.values_list("pk", "owner", "attempt", "cancel_requested")
    running = {JobClaim(pk, owner=owner, attempt=attempt): not off for pk, owner, attempt, off in fence}
    return {one: running[one] for one in claims if one in running}


def finish(claim: JobClaim, *, outcome_of: Callable[[ScrapeJob], JobOutcome], log: str) -> bool:
    """End the job as `judge` reads it; False when the claim is no longer ours: then nothing is changed."""
    with transaction.atomic():
        job = claim.rows().first()
        return job is not None and _finish(claim.rows(), job, ending=outcome_of(job), log=log)


@transaction.atomic
def requeue(claim: JobClaim, *, counted: bool, log: str = "") -> bool:
    """Queue the job again, unless somebody wanted it cancelled; `counted`: its process died (an attempt is used up),
    else we only had to leave it."""
    job = claim.rows().select_for_update().first()
    if job is None:
        return False
    if job.cancel_requested:
        return _finish(claim.rows(), job, ending=cancelled_outcome(job), log=log)
    again = outcomes.results_for_retry(job.sources)
    attempt = claim.attempt if counted else claim.attempt - 1
    claim.rows().update(state=State.QUEUED, owner="", lease_until=None, attempt=attempt, sources=again, log=log)
    return True


@transaction.atomic
def cancel(job_id: int) -> bool:
    """A waiting job is cancelled at once, a running one by its runner within a second. False: it was over already."""
    row = ScrapeJob.objects.open().filter(pk=job_id)
    job = row.select_for_update().first()
    if job is None:
        return False
    if job.state == State.QUEUED:
        return _finish(row, job, ending=cancelled_outcome(job), log=job.log)
    # The lease of a running job is left alone: its runner, or whoever finds it abandoned, ends it.
    return bool(row.update(cancel_requested=True))


def cancelled_outcome(job: ScrapeJob) -> JobOutcome:
    """How a job ends that somebody wanted cancelled."""
    return outcomes.forced_outcome(State.CANCELLED, job.sources, error=CANCELLED)


def _finish(rows: ScrapeJobQuerySet, job: ScrapeJob, *, ending: JobOutcome, log: str) -> bool:
    closed = rows.update(
        state=ending.state,
        outcome=ending.outcome,
        error=ending.error,
        sources=list(ending.sources),
        links_found=ending.links_found,
        links_new=ending.links_new,
        finished_at=Now(),
        lease_until=None,
        log=log,
    )
    if closed:
        _start_cooldown(job.movie_id, ending, now=timezone.now())
    return bool(closed)


def _start_cooldown(movie_id: int, ending: JobOutcome, *, now: datetime) -> None:
    """Let the movie cool down; only a search that ended with an answer counts as one."""
    movie = Movie.objects.only("fruitless_scrapes", "last_scraped_at").filter(pk=movie_id).first()
    if movie is None:  # removed in this moment
        return
    searched = ending.state == State.SUCCEEDED
    fruitless = movie.fruitless_scrapes
    if searched:
        fruitless = min(fruitless + 1, 1000) if ending.outcome == ScrapeJob.Outcome.NOTHING else 0
    wait = cooldown_after(
        ending.outcome,
        fruitless=fruitless,
        found=timedelta(minutes=settings.SCRAPE_COOLDOWN_MINUTES),
        nothing=timedelta(minutes=settings.SCRAPE_COOLDOWN_NOTHING_MINUTES),
    )
    Movie.objects.filter(pk=movie_id).update(
        next_scrape_at=now + wait,
        fruitless_scrapes=fruitless,
        last_scraped_at=now if searched else movie.last_scraped_at,
    )
