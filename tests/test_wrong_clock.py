"""One table of all readers of dates: what a clock that was wrong once has written changes none of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from streaming import statistics
from streaming.health.prune import prune_by_hand
from streaming.health.selection import Selection, count_due
from streaming.ingest.tombstones import remove_movies
from streaming.models import HealthRun, HostPause, LinkFlip, Movie, RemovedMovie, StreamingLink
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db
NOW = timezone.now()
YEAR = timedelta(days=365)
JUMPS = [YEAR, -YEAR]
API_LIST = "/api/streaming/movies/"


def text(address):
    return Client().get(address).content.decode()


def jump_of_a_run(jump, **fields):
    """A run of now, then one by a clock that is off."""
    two_hours_ago = timezone.now() - timedelta(hours=2)
    HealthRun.objects.create(started_at=two_hours_ago, finished_at=two_hours_ago, checked=1)
    moment = NOW + jump
    return HealthRun.objects.create(started_at=moment, heartbeat_at=moment, **fields)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_the_last_run_is_the_one_with_the_highest_id(jump):
    run = jump_of_a_run(jump, finished_at=NOW + jump, withheld=True, reason="offline", outcome="withheld")
    assert statistics.totals().last_run == run
    make_link(is_active=False)
    assert "withheld" in prune_by_hand(now=NOW, dry_run=True).note


def test_a_run_of_the_future_does_not_make_the_checks_look_fresh():
    jump_of_a_run(YEAR, finished_at=NOW + YEAR, outcome="completed")
    assert 7200 <= Client().get("/readyz").json()["health_run_age_seconds"] < 7300
    assert "openreel_health_run_age_seconds 72" in text("/metrics")
    assert "Checks are running on time" not in text("/health/")


def test_alone_it_has_no_age():
    HealthRun.objects.create(started_at=NOW + YEAR)
    assert Client().get("/readyz").json()["health_run_age_seconds"] is None
    assert "openreel_health_run_age_seconds" not in text("/metrics")


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_killed_run_with_a_wrong_heartbeat_is_not_under_way(jump):
    jump_of_a_run(jump)
    make_link(is_active=False)
    assert prune_by_hand(now=NOW, dry_run=True).note == ""
    assert "A check is running" not in text("/health/")


def test_dates_in_the_future_are_left_out_of_feeds_and_sitemap():
    early, late = make_movie(title="Early"), make_movie(title="Late", created_at=NOW + YEAR)
    Movie.objects.filter(pk=late.pk).update(updated_at=NOW + YEAR)
    LinkFlip.objects.create(link=make_link(early), at=NOW + YEAR, is_active=False, reason="http_404")
    gone = make_movie(title="Gone")
    remove_movies(Movie.objects.filter(pk=gone.pk), reason="gone")
    RemovedMovie.objects.update(removed_at=NOW + YEAR)
    new = Client().get("/feeds/new.xml")
    assert ("Early" in new.content.decode(), "Late" in new.content.decode()) == (True, False)
    assert "<item>" not in text("/feeds/lost.xml")
    year = f"{NOW + YEAR:%Y}"
    assert year not in new["Last-Modified"]
    assert year not in Client().get("/feeds/lost.xml")["Last-Modified"]
    assert f"<lastmod>{year}" not in text("/sitemap.xml") + text("/sitemap-movies.xml")
    assert statistics.recently_failed_links(5, now=NOW) == []


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_an_edit_after_the_jump_is_not_answered_with_304(jump):
    movie, other = make_movie(), make_movie()
    link = make_link(movie)
    Movie.objects.update(updated_at=NOW + YEAR)
    StreamingLink.objects.update(last_checked=NOW + YEAR)
    addresses = (API_LIST, f"{API_LIST}{movie.imdb_id}/")
    before = [Client().get(address) for address in addresses]
    for page in before:
        assert f"{NOW + YEAR:%Y}" not in page.get("Last-Modified", "")
    Movie.objects.filter(pk=movie.pk).update(title="Renamed", updated_at=NOW + jump / 2)
    Movie.objects.filter(pk=other.pk).delete()
    link.delete()
    for address, page in zip(addresses, before, strict=True):
        assert Client().get(address, headers={"If-None-Match": page["ETag"]}).status_code == 200


def test_links_and_pauses_of_the_future_are_due_and_over():
    link = make_link(last_checked=NOW + YEAR, next_check_at=NOW + YEAR)
    assert count_due(Selection(), now=NOW) == 1
    assert count_due(Selection(due=True), now=NOW) == 1
    HostPause.objects.create(host=link.host, paused_until=NOW + YEAR, kind=HostPause.Kind.RETRY_AFTER)
    assert not HostPause.objects.active(NOW).exists()
