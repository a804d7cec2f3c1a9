"""Removed movies return when one of their links works again, unless somebody removed them on purpose."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.verdict import ALIVE
from streaming.health.runner import run_check
from streaming.health.selection import Selection
from streaming.health.sweep import removed_movies
from streaming.health.sweep.checker import LinkChecker
from streaming.health.sweep.options import CheckOptions
from streaming.health.sweep.removed_movies import alive_by_movie
from streaming.health.sweep.spool import ResultSpool
from streaming.ingest.takedown import block
from streaming.ingest.tombstones import remove_movies
from streaming.models import HealthRun, HostPause, LinkFlip, Movie, RemovedMovie, StreamingLink
from streaming.models.removed import next_removed_check
from tests.helpers.factories import make_link, make_movie
from tests.helpers.http_origin import Origin

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def server():
    with Origin() as origin:
        link_at(origin, "page/alive")  # Without any link that responds a run is withheld.
        yield origin


def link_at(server, path, movie=None, **fields):
    return make_link(movie, source_url=server.url(path), host=server.server_address[0], **fields)


def removed_movie(server, *paths, cause=RemovedMovie.Cause.CHECK, **fields):
    """A movie that was removed a day ago because of these links; return its IMDb id."""
    now = timezone.now() - DAY
    failing = {"is_active": False, "reason": "http_404", "strength": "proven", "failures": 9, "failing_seconds": 99_999}
    movie = make_movie(title="Nosferatu", **fields)
    for path in paths:
        LinkFlip.objects.create(
            link=link_at(server, path, movie, **failing), is_active=False, reason="http_404", at=now
        )
    remove_movies(Movie.objects.filter(pk=movie.pk), reason="no working link", cause=cause)
    RemovedMovie.objects.filter(imdb_id=movie.imdb_id).update(removed_at=now)
    due = RemovedMovie.objects.filter(imdb_id=movie.imdb_id, next_check_at__isnull=False)
    due.update(next_check_at=timezone.now() - timedelta(minutes=1))
    return movie.imdb_id


def run(*, now=None, **options):
    report = run_check(CheckOptions(timeout=1.0, **options), now=now or timezone.now())
    assert report is not None
    return report


def is_back(imdb_id):
    return Movie.objects.filter(imdb_id=imdb_id).exists()


def test_a_movie_with_a_link_that_is_alive_again_returns_with_its_history(server):
    imdb_id = removed_movie(server, "page/1", "404/1")
    report = run()
    assert report.returned == [f"Nosferatu ({imdb_id})"]
    assert f"1 removed movies are back: Nosferatu ({imdb_id})." in report.summary_lines()
    alive, dead = StreamingLink.objects.filter(movie__imdb_id=imdb_id).order_by("pk")
    assert (alive.is_active, alive.reason, alive.strength, alive.failures, alive.failing_seconds) == (
        True,
        "ok",
        "",
        0,
        0,
    )
    assert (dead.is_active, dead.reason, dead.failures, dead.failing_seconds) == (False, "http_404", 9, 99_999)
    assert list(LinkFlip.objects.filter(link=alive).order_by("pk").values_list("is_active", flat=True)) == [False, True]
    assert RemovedMovie.objects.get().restored_at is not None


def test_a_movie_whose_links_are_still_dead_is_checked_again_later(server):
    imdb_id, now = removed_movie(server, "404/1", "soft/1"), timezone.now()
    report = run(now=now)
    assert (report.returned, is_back(imdb_id), report.checked) == ([], False, 1)
    assert RemovedMovie.objects.get().next_check_at == now + DAY


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, 1), (1, 1), (6.9, 1), (7, 7), (8, 7), (100, 7), (186.9, 7), (187, None), (400, None), (-5, 1)],
)
def test_daily_for_a_week_then_weekly_for_half_a_year(days, expected):
    now = timezone.now()
    due = next_removed_check(removed_at=now - timedelta(days=days), now=now)
    assert due == (None if expected is None else now + timedelta(days=expected))


@pytest.mark.parametrize(
    ("cause", "returns"), [("check", True), ("cleanup", True), ("staff", False), ("takedown", False)]
)
def test_what_somebody_removed_on_purpose_does_not_return(server, cause, returns):
    imdb_id = removed_movie(server, "page/1", cause=RemovedMovie.Cause(cause))
    run()
    assert is_back(imdb_id) is returns
    requested = any("page/1" in str(one) for one in server.log)
    assert requested is returns


def test_what_was_taken_down_meanwhile_does_not_return(server):
    movie, other = removed_movie(server, "page/1"), removed_movie(server, "page/2")
    block(movie, reason="asked")
    block(server.url("page/2"), reason="asked")
    run()
    assert not is_back(movie)
    assert not is_back(other)


def test_a_dry_run_says_it_and_changes_nothing(server):
    imdb_id = removed_movie(server, "page/1")
    before = RemovedMovie.objects.values().get()
    report = run(dry_run=True)
    assert f"1 removed movies would be back: Nosferatu ({imdb_id})." in report.summary_lines()
    assert not is_back(imdb_id)
    assert RemovedMovie.objects.values().get() == before


def test_after_a_withheld_run_nothing_returns(server):
    imdb_id = removed_movie(server, "page/1")
    StreamingLink.objects.all().delete()
    link_at(server, "reset/1")
    report = run()
    assert report.withheld
    assert not is_back(imdb_id)
    assert RemovedMovie.objects.due(timezone.now()).count() == 1


def test_a_movie_returns_although_too_many_links_fail_in_the_run(server):
    imdb_id = removed_movie(server, "page/1")
    for number in range(30):
        link_at(server, f"404/{number}")
    report = run()
    assert (report.withheld, report.died) == (True, 0)
    assert f"1 removed movies are back: Nosferatu ({imdb_id})." in report.summary_lines()
    assert is_back(imdb_id)


def test_a_paused_host_is_not_asked_but_soon(server):
    imdb_id, now = removed_movie(server, "page/1"), timezone.now()
    HostPause.objects.create(host=server.server_address[0], paused_until=now + DAY)
    run(now=now)
    assert not is_back(imdb_id)
    assert not server.log
    assert RemovedMovie.objects.get().next_check_at == now + timedelta(hours=1)


def test_a_host_that_is_busy_is_asked_soon(server):
    removed_movie(server, "429/1", "404/1")
    now = timezone.now()
    run(now=now)
    assert RemovedMovie.objects.get().next_check_at == now + timedelta(hours=1)


def result_of(number, *, host, page):
    link = LinkState(-number, 0, host, False, "http_404", 3, None, "", imdb_id=f"tt{number:07d}")
    return CheckResult(id=-number, judgement=ALIVE, page_hash=page, link=link)


def test_the_page_of_a_captive_portal_brings_no_movie_back():
    """Three hosts that have the same page, or that of a cause which the run has found."""
    checker = LinkChecker(CheckOptions(), now=timezone.now(), sink=ResultSpool())
    own = [result_of(number, host=f"films{number}.example.org", page=f"own {number}") for number in range(3)]
    same = [result_of(3 + number, host=f"films{number}.example.org", page="same") for number in range(3)]
    assert set(alive_by_movie([*own, *same], checker)) == {"tt0000000", "tt0000001", "tt0000002"}
    for number in range(3):
        checker.tally.causes.add_host("pown 0", f"h{number}")
    assert set(alive_by_movie(own, checker)) == {"tt0000001", "tt0000002"}


@pytest.mark.parametrize(
    ("options", "returns"),
    [({"selection": Selection(source="example")}, False), ({"selection": Selection(movie="tt0000001")}, True),
     ({"selection": Selection(movie="tt0000002")}, False), ({"prune": False}, True), ({"limit": 1}, True),
     ({"selection": Selection(due=True)}, True)],
)  # fmt: skip
def test_a_run_for_some_links_checks_no_other_movies(server, options, returns):
    removed_movie(server, "page/1", imdb_id="tt0000001")
    run(**options)
    assert is_back("tt0000001") is returns


def test_a_run_checks_so_many_links_at_most_and_the_next_run_continues(server, monkeypatch):
    monkeypatch.setattr(removed_movies, "MAX_LINKS", 5)
    imdb_ids = [removed_movie(server, f"page/{number}", f"404/{number}") for number in range(5)]
    back = []
    for _ in range(3):
        run()
        back.append(sum(map(is_back, imdb_ids)))
    assert back == [2, 4, 5]


def test_a_movie_that_exists_again_is_not_checked(server):
    imdb_id = removed_movie(server, "page/1")
    make_movie(imdb_id=imdb_id)
    assert not RemovedMovie.objects.due(timezone.now()).exists()


def test_a_returned_movie_is_not_removed_before_its_links_were_checked_again(server):
    imdb_id = removed_movie(server, "page/1", "404/1")
    run()
    StreamingLink.objects.filter(source_url=server.url("page/1")).update(source_url=server.url("404/2"))
    run(now=timezone.now() + timedelta(hours=1))
    assert is_back(imdb_id)


def test_a_movie_leaves_and_returns_by_itself(server):
    """A life at the entry point: its host answers 404 for days, and then has the film again."""
    with Origin("127.0.0.2", everything="404") as host:
        link, start = link_at(host, "film"), timezone.now()
        hours = 0
        while is_back(link.movie.imdb_id):
            assert hours < 4 * 24
            run(now=start + timedelta(hours=hours))
            hours += 6
        assert hours > 24
        host.everything = "page"
        run(now=start + timedelta(hours=hours))
        assert not is_back(link.movie.imdb_id)
        run(now=start + timedelta(hours=hours + 24))
        assert is_back(link.movie.imdb_id)
    assert not HealthRun.objects.filter(withheld=True).exists()
