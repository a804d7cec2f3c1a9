"""Which movies are removed, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from streaming.health.judging.transitions import LinkUpdate
from streaming.health.prune import prune_after_check, prune_by_hand, removable_movies, would_remove
from streaming.models import HealthRun, Movie, RemovedMovie
from tests.helpers.factories import make_job, make_link, make_movie

pytestmark = pytest.mark.django_db
DAY = timedelta(hours=25)


def inactive_link(movie, reason, *, failures=2, since=DAY, checked=timedelta(0)):
    now = timezone.now()
    health = {"failures": failures, "state_since": now - since, "last_checked": now - checked}
    return make_link(movie, is_active=False, reason=reason, **health)


@pytest.mark.parametrize(
    ("links", "removed"),
    [
        ([{"reason": "http_404", "failures": 1, "since": timedelta(0)}], True),
        ([{"reason": "soft_404", "failures": 1, "since": timedelta(0)}], True),
        ([{"reason": "http_403"}], True),
        ([{"reason": "http_403", "failures": 1}], False),
        ([{"reason": "http_403", "since": timedelta(hours=23)}], False),
        ([{"reason": "timeout", "failures": 9}], True),
        ([{"reason": "timeout", "failures": 9, "checked": timedelta(hours=20)}], False),
        ([{"reason": "timeout", "since": 3 * DAY, "checked": timedelta(hours=20)}], True),
        ([{"reason": "http_404", "checked": timedelta(hours=20)}], True),
        ([{"reason": "http_404"}, {"reason": "http_403"}], True),
        ([{"reason": "http_404"}, {"reason": "http_403", "failures": 1}], False),
        ([{"reason": "imported", "failures": 0}], False),
        ([{"reason": "taken_down", "failures": 0}], False),
    ],
)
def test_a_movie_without_active_links(links, removed):
    movie = make_movie()
    for link in links:
        inactive_link(movie, **link)
    now = timezone.now()
    assert removable_movies(now=now).exists() is removed
    assert would_remove([], now=now) == removed
    assert prune_after_check(now=now) == removed
    assert RemovedMovie.objects.count() == removed


def test_one_active_link_keeps_a_movie():
    movie = make_movie()
    inactive_link(movie, "http_404")
    make_link(movie)
    assert prune_after_check(now=timezone.now()) == 0


def test_an_open_scrape_job_keeps_a_movie():
    movie = make_movie()
    inactive_link(movie, "http_404")
    bare = make_movie(created_at=timezone.now() - DAY)
    make_job(movie)
    make_job(bare)
    assert prune_by_hand(now=timezone.now()).removed == 0


def test_without_grace_one_failed_check_is_enough(settings):
    settings.LINK_GRACE_HOURS = 0
    inactive_link(make_movie(), "http_403", failures=1, since=timedelta(0))
    assert prune_after_check(now=timezone.now()) == 1


def test_a_movie_that_never_had_a_link_is_removed_only_by_hand_and_when_it_is_old():
    make_movie(), make_movie(created_at=timezone.now() - DAY)
    assert prune_after_check(now=timezone.now()) == 0
    report = prune_by_hand(now=timezone.now())
    assert (report.never_linked, report.unwatchable, Movie.objects.count()) == (1, 0, 1)


def test_statistics_before_and_after():
    inactive_link(make_movie(), "http_404")
    make_link()
    text = "\n".join(prune_by_hand(now=timezone.now()).summary_lines())
    assert "Before: 2 movies, 2 links, 1 active links, 1 movies without active link, 0 removed." in text
    assert "After: 1 movies, 1 links, 1 active links, 0 movies without active link, 1 removed." in text


def test_a_dry_run_removes_nothing():
    inactive_link(make_movie(), "http_404")
    report = prune_by_hand(now=timezone.now(), dry_run=True)
    assert (report.removed, Movie.objects.count(), RemovedMovie.objects.count()) == (1, 1, 0)


def test_after_a_withheld_run_only_movies_that_never_had_a_link_are_removed():
    HealthRun.objects.create(withheld=True, outcome="withheld", reason="no canary", finished_at=timezone.now())
    inactive_link(make_movie(), "http_404")
    make_movie(created_at=timezone.now() - DAY)
    report = prune_by_hand(now=timezone.now())
    assert (report.unwatchable, report.never_linked) == (0, 1)
    assert "withheld" in report.note


def test_what_a_check_would_remove_is_counted_with_its_updates():
    movie, back = make_movie(), make_movie()
    dying, dead = make_link(movie), inactive_link(movie, "http_404")
    returning = inactive_link(back, "http_404")
    change = LinkUpdate(dying.pk, movie.pk, True, "ok", False, "http_404", 404, 9, 1, timezone.now(), "g")
    revived = LinkUpdate(returning.pk, back.pk, False, "http_404", True, "ok", 200, 9, 0, timezone.now(), "a")
    assert would_remove([change, revived], now=timezone.now()) == 1
    assert dead.pk
