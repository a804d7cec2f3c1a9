"""What old history is deleted and what stays."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming import retention
from streaming.health.runner import run_check
from streaming.health.selection import Selection
from streaming.health.sweep.options import CheckOptions
from streaming.models import HealthRun, LinkFlip, LinkReport, LoginCounter, PendingChange, ScrapeJob
from streaming.models.change import number_all_changes
from streaming.retention import delete_old_history
from tests.helpers.factories import make_link, make_movie
from tests.helpers.http_origin import Origin

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def days_ago(days: int):
    return NOW - timedelta(days=days)


def flip(link, days, *, is_active=False):
    return LinkFlip.objects.create(link=link, at=days_ago(days), is_active=is_active, reason="http_404")


def closed_job(movie, days, *, log="a log"):
    return ScrapeJob.objects.create(
        movie=movie, state="failed", queued_at=days_ago(days), finished_at=days_ago(days), log=log
    )


def test_old_flips_go_but_the_newest_of_each_link_stays(settings):
    settings.HISTORY_DAYS = 365
    turned, steady = make_link(), make_link()
    flip(turned, 400)
    kept = [flip(turned, 364, is_active=True), flip(steady, 900)]
    delete_old_history(now=NOW)
    assert set(LinkFlip.objects.all()) == set(kept)


def test_old_runs_go_but_the_newest_stays():
    for days in (500, 400):
        HealthRun.objects.create(started_at=days_ago(days), finished_at=days_ago(days), outcome="completed")
    delete_old_history(now=NOW)
    assert [run.started_at for run in HealthRun.objects.all()] == [days_ago(400)]


def test_reports_go_long_after_somebody_has_handled_them():
    link = make_link()
    for kind, days in (("broken", 400), ("unwanted", 300)):
        LinkReport.objects.create(link=link, kind=kind, last_at=days_ago(900), handled_at=days_ago(days))
    LinkReport.objects.create(link=link, kind="wrong_film", last_at=days_ago(900))
    delete_old_history(now=NOW)
    assert sorted(LinkReport.objects.values_list("kind", flat=True)) == ["unwanted", "wrong_film"]


def test_old_jobs_go_but_the_newest_of_each_movie_and_open_ones_stay():
    movie, lonely = make_movie(), make_movie()
    closed_job(movie, 500)
    kept = [
        ScrapeJob.objects.create(movie=movie, queued_at=days_ago(450)),
        closed_job(movie, 10),
        closed_job(lonely, 800),
    ]
    delete_old_history(now=NOW)
    assert set(ScrapeJob.objects.all()) == set(kept)


def pages_in_use():
    with connection.cursor() as cursor:
        cursor.execute("SELECT page_count - freelist_count FROM pragma_page_count(), pragma_freelist_count()")
        return cursor.fetchone()[0]


def test_what_old_logs_filled_is_free_for_others_and_nothing_else_of_their_jobs_changes():
    """SQLite keeps the page of a row that becomes shorter: a year of searches was twice as large as its rows."""
    movies = [make_movie() for _ in range(40)]
    jobs = [closed_job(movie, 40, log="a line of a log\n" * 150) for movie in movies for _ in range(10)]
    fresh = closed_job(movies[0], 20)
    before, stated = pages_in_use(), list(ScrapeJob.objects.order_by("pk").defer("log").values())
    delete_old_history(now=NOW)
    assert before - pages_in_use() > len(jobs) // 3
    after = list(ScrapeJob.objects.order_by("pk").values())
    assert [{**row, "log": ""} for row in stated] == [{**row, "log": ""} for row in after]
    assert {row["pk"] for row in ScrapeJob.objects.exclude(log="").values("pk")} == {fresh.pk}
    assert closed_job(movies[0], 1).pk > fresh.pk


def test_logs_are_emptied_after_30_days():
    movie = make_movie()
    old, young = closed_job(movie, 31), closed_job(movie, 29)
    delete_old_history(now=NOW)
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.log, young.log) == ("", "a log")


def test_however_many_rows_there_are_they_go_a_batch_at_a_time(monkeypatch):
    monkeypatch.setattr(retention, "BATCH_SIZE", 10)
    link = make_link()
    LinkFlip.objects.bulk_create(
        LinkFlip(link=link, at=days_ago(400), is_active=False, reason="http_404") for _ in range(25)
    )
    number_all_changes()
    with CaptureQueriesContext(connection) as queries:
        delete_old_history(now=NOW)
    assert LinkFlip.objects.count() == 1
    assert sum(query["sql"].startswith("DELETE") for query in queries) == 3


def test_history_days_decides(settings):
    settings.HISTORY_DAYS = 10
    link = make_link()
    flip(link, 11)
    kept = flip(link, 9)
    delete_old_history(now=NOW)
    assert LinkFlip.objects.get() == kept


def test_expired_sessions_go():
    for key, days in (("old", 1), ("live", -1)):
        Session.objects.create(session_key=key, session_data="", expire_date=days_ago(days))
    delete_old_history(now=NOW)
    assert [session.session_key for session in Session.objects.all()] == ["live"]


def test_counts_of_wrong_passwords_go_after_a_day():
    for hours in (23, 25):
        LoginCounter.objects.create(key=str(hours), attempts=1, opened_at=NOW - timedelta(hours=hours))
    delete_old_history(now=NOW)
    assert LoginCounter.objects.get().key == "23"


@pytest.fixture
def link_that_responds():
    """A link whose host tells the time with its response; its first flip is old."""
    with Origin("127.0.0.2") as server:
        link = make_link(source_url=server.url("page/1"), host=server.server_address[0])
        flip(link, 900)
        flip(link, 1)
        yield link


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("dry_run", "left"), [(True, 2), (False, 1)])
def test_a_check_deletes_old_history_unless_it_only_says_what_it_would_do(link_that_responds, dry_run, left):
    call_command("check_link_health", dry_run=dry_run, stdout=StringIO())
    assert LinkFlip.objects.count() == left


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_check_that_no_host_tells_the_time_deletes_nothing(link_that_responds):
    """Its clock may be years ahead, and nothing in the run would say so."""
    lonely = make_movie()
    run_check(CheckOptions(selection=Selection(movie=lonely.imdb_id)), now=NOW + timedelta(days=4000))
    assert LinkFlip.objects.count() == 2
    assert not PendingChange.objects.exists()
