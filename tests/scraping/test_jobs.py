"""Jobs in the database: one open job per movie, exclusive claims, outcomes that are written once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from scraper.net.url_policy import InvalidValue
from streaming.ingest.bindings import bind, unbind
from streaming.models import Movie, ScrapeJob, SourceResultCount
from streaming.models.job import MAX_STORED_ATTEMPTS
from streaming.scraper_utils import Visitor, scrape_movie_on_demand
from streaming.scraping import jobs
from streaming.scraping.freshness import Requester
from streaming.scraping.jobs import JobRequest, QueueFull
from streaming.scraping.outcomes import outcome_of_sources, waiting_results
from tests.helpers import notifications
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def notified(settings) -> list[int]:
    """Record the jobs that were notified; no supervisor starts."""
    settings.SCRAPE_NOTIFIER = "tests.helpers.notifications.remember"
    notifications.NOTIFIED.clear()
    return notifications.NOTIFIED


def ask(movie: Movie, **request: object) -> ScrapeJob:
    response = jobs.request_scrape(
        movie, requester=Requester.CLICK, request=JobRequest("click", **request), now=timezone.now()
    )
    return response.job


def claim_one(owner: str = "a") -> jobs.JobClaim:
    (claim,) = jobs.claim_jobs(owner=owner, limit=1)
    return claim


def found(job: ScrapeJob):
    return outcome_of_sources([{**row, "state": "found", "links": 1, "new": 1} for row in job.sources])


def nothing(job: ScrapeJob):
    return outcome_of_sources([{**row, "state": "nothing"} for row in job.sources])


def expire(job_id: int, **fields: object) -> None:
    ScrapeJob.objects.filter(pk=job_id).update(lease_until=timezone.now() - timedelta(seconds=1), **fields)


# --- requests


def test_a_click_queues_a_job_with_its_sources_waiting(django_capture_on_commit_callbacks, notified):
    with django_capture_on_commit_callbacks(execute=True):
        job = ask(make_movie())
    job.refresh_from_db()
    assert (job.state, job.requested_by, job.priority, job.attempt) == ("queued", "click", 10, 0)
    assert job.sources == [
        {"source": "example", "state": "waiting", "links": 0, "new": 0, "seconds": None, "error": ""}
    ]
    assert job.joined is False
    assert notified == [job.pk]


def test_the_next_click_joins_without_a_notification(django_capture_on_commit_callbacks):
    movie = make_movie()
    job = ask(movie)
    with django_capture_on_commit_callbacks() as callbacks:
        again = ask(movie)
    assert (again.pk, again.joined) == (job.pk, True)
    assert callbacks == []


@pytest.mark.parametrize(
    ("state", "queued_ago", "ended_ago", "sent_ago", "joined"),
    [
        ("succeeded", 5, 4, 0, True),
        ("succeeded", 15, 4, 0, False),
        ("succeeded", 15, 4, 5, True),
        ("failed", 60, 4, 0, True),
        ("failed", 60, 12, 0, False),
        ("failed", 60, 12, 13, True),
        ("cancelled", 5, 4, 0, False),
        ("cancelled", 5, 4, 4.5, True),
    ],
)
def test_a_click_after_the_end(state, queued_ago, ended_ago, sent_ago, joined):
    movie, now = make_movie(), timezone.now()
    outcome = "found" if state == "succeeded" else ""
    dates = {"queued_at": now - timedelta(seconds=queued_ago), "finished_at": now - timedelta(seconds=ended_ago)}
    make_job(movie, state=state, outcome=outcome, sources=waiting_results(["example"]), **dates)
    visitor = Visitor("client", sent_at=now - timedelta(seconds=sent_ago))
    assert scrape_movie_on_demand(movie, requested_by="page", visitor=visitor).joined is joined


def test_a_click_for_another_page_or_source_starts_its_own_job():
    movie = make_movie()
    just = {
        "state": "succeeded", "outcome": "found", "queued_at": timezone.now(), "sources": waiting_results(["example"]),
    }  # fmt: skip
    job = make_job(movie, target_url="http://127.0.0.1/a", **just)
    assert ask(movie, target_url="http://127.0.0.1/a").pk == job.pk
    assert ask(movie, target_url="http://127.0.0.1/b").joined is False
    other = make_movie()
    make_job(other, **just)
    assert ask(other, sources=["example"]).joined is True
    assert ask(other, sources=["wikidata"]).joined is False


def test_a_click_for_all_sources_does_not_join_a_job_for_one(settings):
    settings.SOURCES = ["example", "commons"]
    movie = make_movie()
    ask(movie, sources=["example"])
    jobs.finish(claim_one(), outcome_of=found, log="")
    job = ask(movie)
    assert (job.joined, [row["source"] for row in job.sources]) == (False, ["example", "commons"])


def test_what_was_bound_while_a_search_ran_is_read_by_one_more(django_capture_on_commit_callbacks, notified):
    movie = make_movie()
    bind(movie, url="https://video.blender.org/w/before")
    job = ask(movie, sources=["example"])
    claim = claim_one()
    bind(movie, url="https://video.blender.org/w/meanwhile")
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs.finish(claim, outcome_of=nothing, log="")
    again = jobs.newest_job(movie.pk)
    assert (again.pk != job.pk, again.state, again.client, again.priority) == (True, "queued", "", job.priority)
    assert ([row["source"] for row in again.sources], notified) == (["example"], [again.pk])
    assert jobs.finish(claim_one(), outcome_of=nothing, log="")
    assert jobs.newest_job(movie.pk).pk == again.pk, "that one knows all bindings"


@pytest.mark.parametrize("bound_url", ["https://video.blender.org/w/new", "https://video.blender.org/w/known"])
def test_a_binding_made_just_after_a_search_is_not_answered_by_it(bound_url):
    movie = make_movie()
    bind(movie, url="https://video.blender.org/w/known")
    ask(movie)
    jobs.finish(claim_one(), outcome_of=nothing, log="")
    assert ask(movie).joined is True
    bind(movie, url=bound_url, source="peertube")
    assert ask(movie).joined is False


@pytest.mark.parametrize("why", ["cancelled", "full", "page", "unbound"])
def test_no_search_follows_one_that(why, settings):
    movie = make_movie()
    job = ask(movie, target_url="http://127.0.0.1/a" if why == "page" else "")
    claim = claim_one()
    bind(movie, url="https://video.blender.org/w/meanwhile")
    if why == "cancelled":
        jobs.cancel(job.pk)
    elif why == "full":
        settings.SCRAPE_QUEUE_LIMIT = 1
        make_job()
    elif why == "unbound":
        unbind(movie, url="https://video.blender.org/w/meanwhile")
    assert jobs.finish(claim, outcome_of=nothing, log="")
    assert movie.jobs.count() == 1


def test_a_request_with_outdated_facts_joins_the_other_job_even_if_it_has_ended():
    movie = make_movie()
    facts, _ = jobs.load_facts(movie.pk)
    first = ask(movie)
    assert jobs.finish(claim_one(), outcome_of=nothing, log="")
    late = jobs.enqueue(movie.pk, facts, request=JobRequest("click"), now=timezone.now())
    assert (late.pk, late.joined) == (first.pk, True)
    assert ScrapeJob.objects.count() == 1


def test_the_constraint_catches_what_the_compare_and_set_misses():
    movie = make_movie()
    job = make_job(movie)
    facts, _ = jobs.load_facts(movie.pk)
    again = jobs.enqueue(movie.pk, facts, request=JobRequest("click"), now=timezone.now())
    assert (again.pk, again.joined) == (job.pk, True)
    assert Movie.objects.get().next_scrape_at is None, "the lost insert takes its mark on the movie back"
    with pytest.raises(IntegrityError), transaction.atomic():
        make_job(movie)


def test_a_full_queue_refuses_and_leaves_no_trace(settings):
    settings.SCRAPE_QUEUE_LIMIT = 2
    make_job()
    make_job(state="running")
    movie = make_movie()
    with pytest.raises(QueueFull) as refused:
        ask(movie)
    assert refused.value.retry_after > 0
    assert not movie.jobs.exists()
    movie.refresh_from_db()
    assert movie.next_scrape_at is None


def test_a_removed_movie_gets_no_job():
    movie = make_movie()
    Movie.objects.all().delete()
    with pytest.raises(Movie.DoesNotExist):
        ask(movie)


def test_the_facts_count_active_links_only():
    movie = make_movie()
    now = timezone.now()
    make_link(movie, is_active=False, last_seen=now, last_checked=now)
    assert jobs.load_facts(movie.pk)[0].last_seen_at is None
    make_link(movie, last_seen=now - timedelta(hours=3), last_checked=None)
    assert jobs.load_facts(movie.pk)[0].last_seen_at == now - timedelta(hours=3)
    make_link(movie, last_seen=now - timedelta(hours=9), last_checked=now - timedelta(hours=1))
    assert jobs.load_facts(movie.pk)[0].last_seen_at == now - timedelta(hours=1)


@pytest.mark.parametrize(("by", "priority"), [("click", 10), ("api", 10), ("command", 0), ("discover", -10)])
def test_the_requester_decides_the_priority(by, priority):
    assert scrape_movie_on_demand(make_movie(), requested_by=by).priority == priority


def test_a_target_url_is_checked_and_normalized():
    job = scrape_movie_on_demand(make_movie(), requested_by="click", target_url="HTTP://127.0.0.1:80/film#top")
    assert job.target_url == "http://127.0.0.1/film"
    for hostile in ("file:///etc/passwd", "http://10.0.0.5/", "--set=X", "http://user:pw@example.org/"):
        with pytest.raises(InvalidValue):
            scrape_movie_on_demand(make_movie(), requested_by="click", target_url=hostile)


# --- runs


def test_clicks_go_first_then_page_views_then_discoveries_each_in_order():
    now = timezone.now()
    given = [make_job(priority=p, queued_at=now + timedelta(seconds=i)) for i, p in enumerate([0, -10, 10, 0, 10])]
    order = [given[i].pk for i in (2, 4, 0, 3, 1)]
    assert [claim_one().job_id for _ in given] == order
    assert jobs.claim_jobs(owner="a", limit=1) == []


def test_only_the_owner_renews_a_claim_and_nobody_claims_it_meanwhile():
    job = make_job()
    claim = claim_one("a")
    assert jobs.claim_jobs(owner="b", limit=5) == []
    expire(job.pk)
    jobs.renew_leases([jobs.JobClaim(job.pk, owner="b", attempt=1)])
    assert jobs.has_claimable_jobs()
    jobs.renew_leases([claim])
    assert not jobs.has_claimable_jobs()


def test_a_lease_from_before_the_clock_was_set_back_is_not_waited_for():
    job = make_job()
    claim_one("a")
    ScrapeJob.objects.filter(pk=job.pk).update(lease_until=timezone.now() + timedelta(hours=1))
    assert claim_one("b").attempt == 2


def test_an_abandoned_job_is_tried_twice_and_then_fails_with_the_reason():
    job = make_job(make_movie())
    claim_one("a")
    expire(job.pk)
    assert claim_one("b").attempt == 2
    expire(job.pk)
    assert jobs.claim_jobs(owner="c", limit=1) == []
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("failed", 2)
    assert job.error.startswith("The scrape stopped unexpectedly")
    assert ask(job.movie).joined is False


def test_an_abandoned_job_is_tried_as_often_as_the_setting_says(settings):
    settings.SCRAPE_MAX_ATTEMPTS = 3
    job = make_job(make_movie())
    for attempt, owner in enumerate("abc", start=1):
        assert claim_one(owner).attempt == attempt
        expire(job.pk)
    assert jobs.claim_jobs(owner="d", limit=1) == []
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("failed", 3)


CELERY_WITH_THREE_ATTEMPTS = """
import MovieBackend.settings
MovieBackend.settings.SCRAPE_MAX_ATTEMPTS = 3
from MovieBackend.celery import TASK_TIME_LIMIT_SECONDS
from django.conf import settings
print(TASK_TIME_LIMIT_SECONDS - 3 * settings.SCRAPE_TIMEOUT)
"""


@pytest.mark.slow
def test_celery_lets_a_task_last_as_long_as_all_its_attempts():
    broker = {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}
    environment = {**os.environ, **broker, "DJANGO_SETTINGS_MODULE": "MovieBackend.settings"}
    command = [sys.executable, "-c", CELERY_WITH_THREE_ATTEMPTS]
    said = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert 0 < int(said) <= 60, "three attempts, and some seconds around them"


def test_the_database_stores_as_many_attempts_as_the_setting_asks_for(settings):
    assert settings.SCRAPE_MAX_ATTEMPTS <= MAX_STORED_ATTEMPTS


def test_an_owner_that_lost_its_lease_closes_nothing():
    job = ask(make_movie())
    zombie = claim_one("a")
    expire(job.pk)
    heir = claim_one("b")
    assert not jobs.finish(zombie, outcome_of=found, log="late")
    assert not jobs.requeue(zombie, counted=True)
    assert jobs.claims_to_continue([zombie, heir]) == {heir: True}
    assert jobs.finish(heir, outcome_of=found, log="")
    assert not jobs.finish(heir, outcome_of=nothing, log="twice")
    job.refresh_from_db()
    assert (job.state, job.log, job.attempt) == ("succeeded", "", 2)


def test_a_retried_job_searches_only_the_sources_that_did_not_respond():
    states = ("found", "nothing", "failed", "searching")
    rows = [{"source": x, "state": x, "links": 1, "new": 1, "seconds": 1.0, "error": ""} for x in states]
    job = make_job()
    claim = claim_one()
    ScrapeJob.objects.filter(pk=job.pk).update(sources=rows)
    assert jobs.requeue(claim, counted=True, log="first try")
    job.refresh_from_db()
    assert (job.state, job.attempt, job.log) == ("queued", 1, "first try")
    assert [row["state"] for row in job.sources] == ["found", "nothing", "waiting", "waiting"]
    assert [row["links"] for row in job.sources] == [1, 1, 0, 0]


def test_the_cooldown_grows_with_each_scrape_that_finds_nothing():
    movie = make_movie()
    waits = []
    for judge in (nothing, nothing, found, nothing):
        ScrapeJob.objects.all().delete()
        before = timezone.now()
        ask(movie)
        jobs.finish(claim_one(), outcome_of=judge, log="")
        movie.refresh_from_db()
        waits.append(round((movie.next_scrape_at - before).total_seconds() / 60))
    assert waits == [60, 120, 10, 60]
    assert movie.last_scraped_at is not None


def test_cancelling_ends_a_queued_job_at_once_and_marks_a_running_one():
    waiting = make_job()
    assert jobs.cancel(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error, waiting.cancel_requested) == ("cancelled", "Cancelled.", False)
    assert not jobs.cancel(waiting.pk)
    running = make_job()
    claim = claim_one()
    assert jobs.cancel(running.pk)
    assert jobs.claims_to_continue([claim]) == {claim: False}
    expire(running.pk)
    assert jobs.claim_jobs(owner="b", limit=1) == []
    running.refresh_from_db()
    assert running.state == "cancelled"
    assert not jobs.cancel(10**9)


@pytest.mark.parametrize("counted", [True, False], ids=["its process died", "its runner left"])
def test_a_cancelled_job_that_is_requeued_is_closed_instead(counted):
    job = make_job()
    claim = claim_one()
    assert jobs.cancel(job.pk)
    assert jobs.requeue(claim, counted=counted, log="so far")
    job.refresh_from_db()
    assert (job.state, job.error, job.log) == ("cancelled", "Cancelled.", "so far")
    assert jobs.claim_jobs(owner="b", limit=1) == []


def test_a_stalled_job_is_notified_again(notified):
    now = timezone.now()
    given = [
        make_job(**fields)
        for fields in (
            {"queued_at": now},
            {"queued_at": now - timedelta(seconds=3)},
            {"state": "running", "lease_until": now + timedelta(seconds=9)},
            {"state": "running", "lease_until": now - timedelta(seconds=1)},
            {"state": "failed", "queued_at": now - timedelta(hours=1)},
        )
    ]
    for job in given:
        jobs.renotify_if_stalled(job, now=now)
    assert notified == [given[1].pk, given[3].pk]


# --- concurrency


@pytest.fixture
def threads(transactional_db):
    """Run a function in this many threads at once, each with its own connection."""

    def run(count, function):
        start = threading.Barrier(count)

        def one(number):
            try:
                start.wait(20)
                return function(number)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    return run


@pytest.mark.parametrize("ending", [None, found, nothing], ids=["still open", "found at once", "nothing at once"])
@pytest.mark.slow
def test_two_hundred_clicks_at_once_are_one_job(threads, ending, settings):
    settings.SCRAPE_CLICK_SECONDS = 600  # However long the machine takes for "at once".
    movie = make_movie()

    def click(number):
        if number % 20 == 0 and ending:  # a runner that is faster than the clicks
            for claim in jobs.claim_jobs(owner=f"runner {number}", limit=1):
                jobs.finish(claim, outcome_of=ending, log="")
        return ask(movie)

    answers = threads(200, click)
    assert ScrapeJob.objects.count() == 1
    assert len({job.pk for job in answers}) == 1
    assert sum(not job.joined for job in answers) == 1


def test_a_job_that_runs_between_the_two_reads_is_not_started_twice(threads):
    movie = make_movie()
    ran: list[object] = []

    def run_one(number):
        ask(movie)
        return jobs.finish(claim_one(), outcome_of=nothing, log="")

    def in_between(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if not ran:
            ran.extend(threads(1, run_one))
        return result

    with connection.execute_wrapper(in_between):
        job = ask(movie)
    assert ran == [True]
    assert job.joined
    assert ScrapeJob.objects.count() == 1


@pytest.mark.slow
def test_concurrent_owners_never_claim_the_same_job(threads):
    given = {make_job().pk for _ in range(60)}
    taken = threads(
        6, lambda number: [x for _ in range(20) for x in jobs.claim_jobs(owner=f"runner {number}", limit=3)]
    )
    claimed = [claim.job_id for claims in taken for claim in claims]
    assert sorted(claimed) == sorted(given)
    assert set(ScrapeJob.objects.values_list("attempt", flat=True)) == {1}


@pytest.mark.sqlite
def test_open_jobs_are_found_by_their_index_however_many_have_ended():
    assert "job_one_open_a_movie" in ScrapeJob.objects.open().explain()


MANY = """
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100000)
INSERT INTO streaming_scrapejob (movie_id, state, outcome, requested_by, priority, target_url, sources, links_found,
  links_new, queued_at, started_at, finished_at, error, attempt, owner, cancel_requested, log)
SELECT {movie}, 'succeeded', 'found', 'click', 10, '', '[]', 1, 1, datetime('now'), datetime('now'), datetime('now'),
  '', 1, 'gone', 0, '' FROM number
"""


@pytest.mark.sqlite
@pytest.mark.slow
def test_finding_work_reads_none_of_a_hundred_thousand_ended_jobs():
    """With parameters, as in production, SQLite cannot tell that a partial index suffices."""
    with connection.cursor() as cursor:
        cursor.execute(MANY.format(movie=make_movie().pk))
    waiting, left = make_job(), make_job(state="running", lease_until=timezone.now() - timedelta(hours=1))
    asked = []

    def look_on(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look_on):
        assert jobs.has_claimable_jobs()
        assert set(jobs.overlooked_jobs()) == {left.pk}
        claims = jobs.claim_jobs(owner="a", limit=5, exclude=[0])
        jobs.renew_leases(claims)
        jobs.claims_to_continue(claims)
        jobs.load_facts(waiting.movie_id)
        jobs.finish(claims[0], outcome_of=found, log="")
    assert {claim.job_id for claim in claims} == {waiting.pk, left.pk}
    plans = []
    with connection.cursor() as cursor:
        for sql, params in asked:
            if "streaming_scrapejob" in sql:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
                plans += [(row[3], sql) for row in cursor.fetchall() if "streaming_scrapejob" in row[3]]
    assert len(plans) > 8
    of_open_jobs = ("job_one_open_a_movie", "job_next_queued", "job_by_lease")
    assert [plan for plan in plans if plan[0].startswith("SCAN") and not plan[0].endswith(of_open_jobs)] == []


# --- failed sources in Django's log

SECRET_URL = "https://user:password@films.example.org/page?token=hidden"


def source_row(state: str, error: str = "", source: str = "example") -> dict[str, object]:
    return {"source": source, "state": state, "links": 0, "new": 0, "seconds": None, "error": error}


@pytest.mark.parametrize(
    ("rows", "warnings"),
    [
        ([source_row("failed", "Connection refused")], ["source example failed: Connection refused"]),
        ([source_row("blocked", "robots.txt")], ["source example blocked: robots.txt"]),
        ([source_row("failed")], ["source example failed: no reason given"]),
        ([source_row("waiting")], ["source example failed: The scrape ended before this source responded."]),
        (
            [source_row("failed", "x"), source_row("found", source="commons"), source_row("failed", "y", "wikidata")],
            ["source example failed: x", "source wikidata failed: y"],
        ),
        (
            [source_row("failed", f"No page at {SECRET_URL}")],
            ["source example failed: No page at https://films.example.org/page"],
        ),
        ([source_row("failed", "first\x1b[31m")], ["source example failed: first\\x1b[31m"]),
        ([source_row("found", "2 links were refused: domain")], []),
        ([source_row("nothing")], []),
    ],
)
def test_each_failed_source_of_a_job_is_one_warning(rows, warnings, caplog, django_capture_on_commit_callbacks):
    job = ask(make_movie())
    with django_capture_on_commit_callbacks(execute=True):
        jobs.finish(claim_one(), outcome_of=lambda _: outcome_of_sources(rows), log="")
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("streaming.scraping.jobs", "WARNING", f"{job.movie.imdb_id}: {text}") for text in warnings
    ]


def test_a_source_that_failed_before_the_job_was_cancelled_is_a_warning_a_cancelled_one_is_not(
    caplog, django_capture_on_commit_callbacks
):
    rows = [source_row("failed", "Connection refused"), source_row("searching", source="commons")]
    job = make_job(sources=rows)
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs.cancel(job.pk)
    assert [record.getMessage() for record in caplog.records] == [
        f"{job.movie.imdb_id}: source example failed: Connection refused"
    ]


def test_a_job_that_is_tried_again_warns_of_its_source_once(caplog, django_capture_on_commit_callbacks):
    ask(make_movie())
    with django_capture_on_commit_callbacks(execute=True):
        claim = claim_one()
        claim.rows().update(sources=[source_row("failed", "Connection refused")])
        assert jobs.requeue(claim, counted=True)
        assert jobs.finish(claim_one(), outcome_of=found, log="")
    assert caplog.records == []


def test_a_claim_that_was_lost_warns_of_nothing(caplog, django_capture_on_commit_callbacks):
    ask(make_movie())
    claim = claim_one()
    expire(claim.job_id)
    claim_one("b")
    with django_capture_on_commit_callbacks(execute=True):
        assert not jobs.finish(claim, outcome_of=lambda _: outcome_of_sources([source_row("failed", "x")]), log="")
    assert caplog.records == []


# --- counters of results


def counts() -> dict[tuple[str, str], int]:
    return SourceResultCount.objects.by_source_and_result()


def test_each_result_of_a_job_is_counted_once_when_the_job_ends():
    ask(make_movie())
    claim = claim_one()
    claim.rows().update(sources=[source_row("failed", "Connection refused"), source_row("found", source="commons")])
    assert jobs.requeue(claim, counted=True)
    assert counts() == {}
    last, rows = claim_one(), [source_row("blocked"), source_row("found", source="commons")]
    for _ in range(2):
        jobs.finish(last, outcome_of=lambda _: outcome_of_sources(rows), log="")
    assert counts() == {("example", "blocked"): 1, ("commons", "found"): 1}


def test_a_source_that_was_only_cancelled_has_no_result():
    job = make_job(sources=[source_row("failed", "x"), source_row("waiting", source="commons")])
    assert jobs.cancel(job.pk)
    assert counts() == {("example", "failed"): 1}


def test_results_of_jobs_whose_worker_died_are_counted_together(settings):
    for _ in range(2):
        rows = [source_row("searching"), source_row("nothing", source="commons")]
        job = make_job(state="running", attempt=settings.SCRAPE_MAX_ATTEMPTS, sources=rows)
        expire(job.pk)
    assert jobs.claim_jobs(owner="b", limit=1) == []
    assert counts() == {("example", "failed"): 2, ("commons", "nothing"): 2}


def test_no_result_is_lost_when_jobs_end_at_once(threads):
    """The sources of every second job come in another order: who locks a counter first waits for nobody."""
    both = [source_row("nothing"), source_row("nothing", source="commons")]
    rows = [both, both[::-1]]
    for _ in range(20):
        make_job(state="running", owner="a", attempt=1, lease_until=timezone.now() + timedelta(minutes=5))
    claims = [jobs.JobClaim(pk, owner="a", attempt=1) for pk in ScrapeJob.objects.values_list("pk", flat=True)]

    def end(number: int) -> bool:
        return jobs.finish(claims[number], outcome_of=lambda _: outcome_of_sources(rows[number % 2]), log="")

    assert all(threads(20, end))
    assert counts() == {("example", "nothing"): 20, ("commons", "nothing"): 20}
