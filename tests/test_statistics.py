"""Figures for pages and API."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from streaming import statistics
from streaming.models import HealthRun, LinkFlip
from tests.helpers.factories import make_job, make_link, make_movie

pytestmark = pytest.mark.django_db


def result(source, state, error=""):
    return {"source": source, "state": state, "links": 0, "new": 0, "seconds": 1.0, "error": error}


def by_slug():
    return {row.slug: row for row in statistics.source_stats()}


def test_totals_count_everything_once():
    movie = make_movie()
    make_link(movie)
    make_link(movie, is_active=False)
    make_job(movie)
    make_job(movie, state="failed")
    HealthRun.objects.create(started_at=timezone.now() - timedelta(days=1))
    latest = HealthRun.objects.create()
    assert statistics.totals() == statistics.CatalogueTotals(
        movies=1, links=2, active_links=1, unchecked_links=2, last_run=latest, open_jobs=1
    )


def test_the_success_rate_of_a_source_comes_from_its_recent_searches():
    movie = make_movie()
    make_job(movie, state="failed", sources=[result("example", "failed", "timed out")])
    good = make_job(movie, state="succeeded", outcome="nothing", sources=[result("example", "nothing")])
    last = make_job(movie, state="failed", sources=[result("example", "blocked", "robots.txt")])
    make_job(movie, state="running", sources=[result("example", "found")])
    example = by_slug()["example"]
    assert example.success_rate == pytest.approx(1 / 3, abs=0.001)
    assert (example.last_success, example.last_search) == (good.finished_at, last.finished_at)
    assert example.last_error == "robots.txt"


def test_a_source_that_was_never_searched_has_no_rate(settings):
    settings.SOURCES = ["example"]
    commons = by_slug()["commons"]
    assert (commons.enabled, commons.success_rate, commons.last_search, commons.last_error) == (False, None, None, "")
    assert by_slug()["example"].enabled


def test_a_source_known_from_links_only_is_listed_last():
    make_link(source="my_archive", is_active=False)
    last = statistics.source_stats()[-1]
    assert (last.slug, last.name, last.links, last.active, last.licences) == ("my_archive", "my_archive", 1, 0, ())


def test_reasons_are_counted_by_their_text():
    movie = make_movie()
    for reason in ("http_404", "http_404", "http_403", "http_999"):
        make_link(movie, is_active=False, reason=reason)
    make_link(movie, reason="timeout")
    assert statistics.inactive_reasons() == [("Blocked by the site", 2), ("Not found", 2)]


def test_movies_at_risk_have_one_link_or_none():
    none, one, two = make_movie(title="None"), make_movie(title="One"), make_movie(title="Two")
    for movie, number in ((one, 1), (two, 2)):
        for _ in range(number):
            make_link(movie)
    make_link(none, is_active=False)
    assert [(movie, movie.active_count) for movie in statistics.at_risk(10)] == [(none, 0), (one, 1)]
    assert statistics.at_risk(1) == [none]


def test_recently_failed_links_are_those_that_are_still_inactive():
    now = timezone.now()
    early, late, back = (make_link(is_active=False), make_link(is_active=False), make_link())
    for hours, link in ((3, early), (2, late), (1, back), (5, late)):
        LinkFlip.objects.create(link=link, at=now - timedelta(hours=hours), is_active=False, reason="http_404")
    LinkFlip.objects.create(link=early, at=now, is_active=True, reason="ok")
    assert statistics.recently_failed_links(5, now=now) == [late, early]
    assert statistics.recently_failed_links(1, now=now) == [late]


def test_runs_are_summed_by_day_including_days_without_a_run():
    now = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    for hours, numbers in ((1, {"checked": 10, "died": 2}), (2, {"checked": 5, "died": 1}), (100, {"checked": 99})):
        HealthRun.objects.create(started_at=now - timedelta(hours=hours), **numbers)
    HealthRun.objects.create(started_at=now, checked=7, withheld=True)
    days = statistics.runs_by_day(3, now)
    assert [(day.day, day.runs, day.checked, day.died) for day in days] == [
        (date(2026, 2, 28), 0, 0, 0),
        (date(2026, 3, 1), 2, 15, 3),
        (date(2026, 3, 2), 0, 0, 0),
    ]


@pytest.mark.parametrize(
    ("compute", "queries"),
    [
        (statistics.totals, 4),
        (statistics.source_stats, 2),
        (statistics.inactive_reasons, 1),
        (lambda: statistics.at_risk(50), 2),
        (lambda: statistics.recently_failed_links(50, now=timezone.now()), 1),
        (lambda: statistics.runs_by_day(30, timezone.now()), 1),
        (lambda: statistics.catalogue_fingerprint(now=timezone.now()), 1),
    ],
)
def test_the_number_of_queries_does_not_depend_on_the_rows(compute, queries, django_assert_num_queries):
    for number in range(12):
        link = make_link(source=f"archive_{number}", is_active=number % 2 == 0)
        LinkFlip.objects.create(link=link, is_active=False, reason="http_404")
        make_job(link.movie, state="succeeded", sources=[result(f"archive_{number}", "found")])
        HealthRun.objects.create()
    with django_assert_num_queries(queries):
        compute()


@pytest.mark.django_db
def test_a_source_that_was_only_cancelled_did_not_fail(settings):
    settings.SOURCES = ["example", "commons"]
    for _ in range(3):
        rows = [
            {"source": "example", "state": "failed", "links": 0, "new": 0, "seconds": 1.5, "error": "Refused"},
            {"source": "commons", "state": "failed", "links": 0, "new": 0, "seconds": None, "error": "Cancelled."},
        ]
        make_job(state="cancelled", sources=rows)
    assert statistics.failing_sources(3) == {"example": "Refused"}
    rows = {row.slug: row for row in statistics.source_stats()}
    assert (rows["example"].success_rate, rows["commons"].success_rate) == (0, None)
