"""Scrapes that page views start."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from streaming.models import Movie, ScrapeJob
from streaming.scraping.page_visits import refresh_on_page_view
from tests.helpers.factories import make_job, make_link, make_movie

pytestmark = pytest.mark.django_db


def visit(movie: Movie, *, person: bool = True, may_start=lambda: True):
    return refresh_on_page_view(movie, person=person, requested_by="page", client="visitor", may_start=may_start)


def test_a_movie_without_an_active_link_is_scraped_at_the_priority_of_page_views():
    refresh = visit(make_movie())
    job = ScrapeJob.objects.get()
    assert (refresh.state, refresh.job, refresh.reason) == ("queued", job, "no_active_link")
    assert (job.priority, job.requested_by) == (0, "page")


def test_stale_links_start_a_scrape():
    link = make_link(last_seen=timezone.now() - timedelta(hours=30))
    assert visit(link.movie).reason == "stale"


def test_fresh_links_start_nothing_and_cost_three_queries(django_assert_max_num_queries):
    movie = make_link().movie
    with django_assert_max_num_queries(3):
        refresh = visit(movie)
    assert (refresh.state, refresh.job, refresh.reason, refresh.next_allowed_at) == ("fresh", None, "fresh", None)


def test_a_robot_starts_nothing_but_sees_the_open_job():
    movie = make_movie()
    refresh = visit(movie, person=False)
    assert (refresh.state, refresh.job, refresh.reason) == ("stale", None, "robot")
    job = make_job(movie, state="running", lease_until=timezone.now() + timedelta(seconds=9))
    assert visit(movie, person=False).job == job
    assert ScrapeJob.objects.count() == 1


def test_every_visitor_joins_the_open_job():
    movie = make_movie()
    first, second = visit(movie), visit(movie)
    assert (second.state, second.job, second.reason) == ("queued", first.job, "already_open")


def test_a_movie_in_its_cooldown_states_its_end():
    until = timezone.now() + timedelta(minutes=5)
    refresh = visit(make_movie(next_scrape_at=until))
    assert (refresh.state, refresh.job, refresh.reason) == ("cooling_down", None, "cooling_down")
    assert refresh.next_allowed_at == until


def test_a_full_queue_leaves_the_page_as_it_is(settings):
    settings.SCRAPE_QUEUE_LIMIT = 1
    make_job()
    refresh = visit(make_movie())
    assert (refresh.state, refresh.job, refresh.reason) == ("stale", None, "queue_full")


def test_the_page_views_of_one_client_start_a_limited_number_of_scrapes(client, settings):
    settings.VISIT_RATE = (3, 60)
    movies = [make_movie() for _ in range(5)]
    answers = [client.get(f"/api/streaming/movies/{movie.imdb_id}/") for movie in movies]
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["refresh"]["reason"] for answer in answers] == ["no_active_link"] * 3 + ["too_many"] * 2
    assert ScrapeJob.objects.count() == 3


def test_views_of_fresh_movies_are_not_counted():
    asked = []
    link = make_link()
    visit(link.movie, may_start=lambda: asked.append(1) or True)
    assert asked == []


@pytest.fixture
def locked_database(transactional_db):
    """A database that another process locks for writing, so that it can only be read."""
    if connection.vendor != "sqlite":
        pytest.skip("readers and writers of other databases do not wait for each other")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=50")
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        yield lambda: other.execute("BEGIN IMMEDIATE")
    connection.close()


@pytest.mark.parametrize("address", ["/streaming/{0}/", "/api/streaming/movies/{0}/"])
def test_a_movie_is_shown_although_its_job_cannot_be_saved(locked_database, client, address, caplog):
    link = make_link(last_seen=timezone.now() - timedelta(hours=30))
    locked_database()
    answer = client.get(address.format(link.movie.imdb_id))
    assert answer.status_code == 200
    assert link.source_url in answer.text
    assert "could be started: database is locked" in caplog.text


@pytest.mark.parametrize("address", ["/streaming/{0}/", "/api/streaming/movies/{0}/"])
def test_a_movie_is_searched_although_its_clients_cannot_be_counted(client, address, settings, tmp_path, caplog):
    (tmp_path / "scrape").write_text("a file where a folder should be")
    settings.SCRAPE_DIR = tmp_path / "scrape"
    answer = client.get(address.format(make_movie().imdb_id))
    assert (answer.status_code, ScrapeJob.objects.count()) == (200, 1)
    assert "Requests of clients are not counted: " in caplog.text
