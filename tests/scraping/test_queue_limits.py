"""What page views, one client and clicks may add to the queue of scrape jobs, by HTTP."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from streaming.models import ScrapeJob
from streaming.scraping import jobs
from streaming.scraping.outcomes import forced_outcome
from tests.helpers.factories import make_job, make_movie

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits(settings):
    settings.SCRAPE_QUEUE_LIMIT, settings.REFRESH_RATE, settings.VISIT_RATE = 20, (999, 60), (999, 60)


def failed(job):
    return forced_outcome("failed", job.sources, error="why")


def visit(client, address, movie=None):
    return client.get(f"/api/streaming/movies/{(movie or make_movie()).pk}/", REMOTE_ADDR=address)


def click(client, address, movie=None, **options):
    movie = movie or make_movie()
    return client.post(f"/api/streaming/movies/{movie.pk}/refresh_links/", REMOTE_ADDR=address, **options)


def test_page_views_fill_half_of_the_queue_and_clicks_the_rest(client):
    answers = [visit(client, f"10.0.0.{number}") for number in range(12)]
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["refresh"]["reason"] for answer in answers[9:]] == ["no_active_link"] + ["queue_full"] * 2
    clicks = [click(client, f"10.0.1.{number}") for number in range(12)]
    assert [answer.status_code for answer in clicks] == [202] * 10 + [503] * 2
    assert int(clicks[-1]["Retry-After"]) > 0
    assert ScrapeJob.objects.open().count() == 20


def test_commands_leave_a_reserve_for_clicks(client):
    for _ in range(15):
        make_job()
    with pytest.raises(jobs.QueueFull):
        jobs.enqueue(*_facts(make_movie()), request=jobs.JobRequest("command", priority=0), now=timezone.now())
    assert visit(client, "10.0.0.1").json()["refresh"]["reason"] == "queue_full"
    assert click(client, "10.0.0.1").status_code == 202


def _facts(movie):
    return movie.pk, jobs.load_facts(movie.pk)[0]


@pytest.mark.parametrize(("limit", "most"), [(20, 3), (60, 6)])
def test_one_client_gets_a_tenth_and_at_least_three(client, settings, limit, most):
    settings.SCRAPE_QUEUE_LIMIT = limit
    answers = [click(client, "10.0.0.1") for _ in range(most + 1)]
    assert [answer.status_code for answer in answers] == [202] * most + [429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert visit(client, "10.0.0.1").json()["refresh"]["reason"] == "too_many"
    page = client.post(f"{make_movie().get_absolute_url()}refresh/", REMOTE_ADDR="10.0.0.1")
    assert (page.status_code, "your searches are waiting" in page.content.decode()) == (429, True)
    assert click(client, "10.0.0.2").status_code == 202
    assert click(client, "10.0.0.1", ScrapeJob.objects.first().movie).status_code == 200


def test_addresses_of_one_48_are_one_client(client):
    answers = [click(client, f"2001:db8:1:{number}::1").status_code for number in range(4)]
    assert answers == [202] * 3 + [429]


def test_an_ended_job_counts_no_more_and_says_nothing_of_its_client(client):
    for _ in range(3):
        click(client, "10.0.0.1")
    assert len(set(ScrapeJob.objects.values_list("client", flat=True)) - {""}) == 1
    jobs.cancel(ScrapeJob.objects.first().pk)
    assert ScrapeJob.objects.first().client == ""
    assert [click(client, "10.0.0.1").status_code for _ in range(2)] == [202, 429]


def test_a_hundred_clicks_at_once_on_a_movie_whose_sources_fail_at_once_are_one_job(transactional_db, settings):
    settings.SCRAPE_NOTIFIER = "tests.helpers.notifications.silent"
    movie, done = make_movie(), threading.Event()

    def send(number):
        try:
            return click(APIClient(), f"10.0.{number}.1", movie)
        finally:
            connection.close()

    def fail_all():
        while not done.wait(0.01):
            for claim in jobs.claim_jobs(owner="tests", limit=9):
                jobs.finish(claim, outcome_of=failed, log="")
        connection.close()

    with ThreadPoolExecutor(9) as threads:
        failing = threads.submit(fail_all)
        answers = list(threads.map(send, range(100)))
        done.set()
        failing.result(timeout=30)
    assert ScrapeJob.objects.count() == 1
    assert sorted({answer.status_code for answer in answers}) == [200, 202]
    assert [answer.status_code for answer in answers].count(202) == 1


def test_clicks_soon_after_a_failure_get_its_answer_and_later_ones_a_new_job(client):
    movie = make_movie()
    click(client, "10.0.0.1", movie)
    (claim,) = jobs.claim_jobs(owner="tests", limit=1)
    jobs.finish(claim, outcome_of=failed, log="")
    answers = [click(client, f"10.0.1.{number}", movie) for number in range(9)]
    assert {(answer.status_code, answer.json()["state"]) for answer in answers} == {(200, "failed")}
    ScrapeJob.objects.update(finished_at=timezone.now() - timedelta(seconds=11))
    assert click(client, "10.0.0.1", movie).status_code == 202
