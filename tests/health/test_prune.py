"""Which movies are removed, and when."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from streaming.health.judging.removal import counts_towards_removal, strength_of
from streaming.health.judging.transitions import LinkUpdate
from streaming.health.prune import CheckRemoval, prune_after_check, prune_by_hand, removable_movies, would_remove
from streaming.models import HealthRun, Movie, RemovedMovie
from streaming.reason_codes import Reason, Strength
from tests.helpers.factories import make_job, make_link, make_movie

pytestmark = pytest.mark.django_db
DAY = timedelta(hours=25)


def inactive_link(movie, reason, *, strength=None, failures=2, hours=25.0, **fields):
    strength = strength_of(Reason(reason)) if strength is None else strength
    health = {"reason": reason, "strength": strength, "failures": failures, "failing_seconds": int(hours * 3600)}
    return make_link(movie, is_active=False, last_checked=timezone.now(), **health, **fields)


LINKS = [
    ([{"reason": "http_404", "hours": 24}], True),
    ([{"reason": "http_404", "hours": 23.9}], False),
    ([{"reason": "http_404", "hours": 99, "failures": 1}], False),
    ([{"reason": "http_410", "hours": 24}], True),
    ([{"reason": "soft_404", "hours": 72}], True),
    ([{"reason": "soft_404", "hours": 71.9}], False),
    ([{"reason": "unknown_page", "hours": 71.9}], False),
    ([{"reason": "timeout", "hours": 72, "failures": 9}], True),
    ([{"reason": "timeout", "hours": 71.9, "failures": 9}], False),
    ([{"reason": "http_403", "hours": 720}], True),
    ([{"reason": "http_403", "hours": 719.9, "failures": 99}], False),
    ([{"reason": "host_changed", "strength": "proven", "hours": 72}], True),
    ([{"reason": "host_changed", "strength": "proven", "hours": 71.9}], False),
    ([{"reason": "host_changed", "strength": "soft", "hours": 216}], True),
    ([{"reason": "host_changed", "strength": "soft", "hours": 215.9}], False),
    ([{"reason": "dark", "failures": 1, "hours": 0}], True),
    ([{"reason": "missing", "failures": 1, "hours": 0}], True),
    ([{"reason": "private", "failures": 1, "hours": 0}], True),
    ([{"reason": "moved", "failures": 0, "hours": 0}], True),
    ([{"reason": "http_404", "strength": "", "hours": 719.9}], False),
    ([{"reason": "http_404"}, {"reason": "http_403"}], False),
    ([{"reason": "http_404"}, {"reason": "dark", "failures": 1, "hours": 0}], True),
    ([{"reason": "http_404"}, {"reason": "http_404", "failures": 1, "hours": 0}], False),
    ([{"reason": "imported", "failures": 0, "hours": 0}], False),
    ([{"reason": "taken_down", "failures": 0, "hours": 0}], False),
]


@pytest.mark.parametrize(("links", "removed"), LINKS)
def test_a_movie_without_active_links(links, removed):
    movie = make_movie()
    for link in links:
        inactive_link(movie, **link)
    now = timezone.now()
    assert removable_movies().exists() is removed
    assert would_remove([], now=now).removed == removed
    assert prune_after_check(now=now).removed == removed
    assert RemovedMovie.objects.filter(cause="check").count() == removed


@pytest.mark.parametrize("grace", [0, 1, 24])
def test_the_rule_is_the_same_in_the_database_and_in_memory(settings, grace):
    settings.LINK_GRACE_HOURS = grace
    reasons = ["http_404", "host_changed", "missing", "moved", "by_hand"]
    states = itertools.product(reasons, Strength, (0, 1, 2), (0, 1, 3, 9, 30, 90, 270, 2160), (True, False))
    expected, updates = set(), []
    for reason, strength, failures, hours, is_active in states:
        seconds = max(0, hours * max(grace, 1) * 3600 - (failures == 2))
        values = {"reason": reason, "strength": strength, "failures": failures, "failing_seconds": seconds}
        link = make_link(is_active=is_active, **values)
        if counts_towards_removal(is_active=is_active, **values, grace=timedelta(hours=grace)):
            expected.add(link.movie_id)
        updates.append(unchanged(link))
    assert set(removable_movies().values_list("pk", flat=True)) == expected
    assert would_remove([], now=timezone.now(), force=True).removed == len(expected)
    assert would_remove(updates, now=timezone.now(), force=True).removed == len(expected)


def unchanged(link):
    """An update that changes nothing."""
    columns = (
        "id",
        "movie_id",
        "is_active",
        "reason",
        "http_status",
        "response_ms",
        "failures",
        "state_since",
        "checks",
    )
    values = {name: getattr(link, name) for name in (*columns, "strength", "failing_seconds")}
    return LinkUpdate(was_active=link.is_active, was_reason=link.reason, **values)


# --- at most so many in a day
def dead_movies(count):
    """Movies that may be removed; the later one has failed longer."""
    return [inactive_link(make_movie(), "http_404", hours=25 + number).movie_id for number in range(count)]


def test_those_that_failed_longest_are_removed_first_and_the_others_wait():
    ids = dead_movies(14)
    removal = prune_after_check(now=timezone.now())
    assert (removal.removed, removal.waiting) == (10, 4)
    assert sorted(Movie.objects.values_list("pk", flat=True)) == sorted(ids[:4])


def test_the_limit_holds_over_all_runs_of_a_day():
    now = timezone.now()
    dead_movies(25)
    left = []
    for hours in (0, 1, 23, 25, 26, 51):
        removal = prune_after_check(now=now + timedelta(hours=hours))
        left.append((removal.removed, removal.waiting))
    assert left == [(10, 15), (0, 15), (0, 15), (10, 5), (0, 5), (5, 0)]


@pytest.mark.parametrize(("living", "removed"), [(0, 10), (185, 10), (204, 10), (205, 11), (300, 15)])
def test_the_limit_is_a_part_of_the_catalogue(living, removed):
    Movie.objects.bulk_create(Movie(imdb_id=f"tt{number:08d}", title="A") for number in range(living))
    dead_movies(15)
    assert prune_after_check(now=timezone.now()).removed == removed


def test_force_lifts_the_limit():
    dead_movies(14)
    assert prune_after_check(now=timezone.now(), force=True) == CheckRemoval(removed=14)
    assert Movie.objects.count() == 0


def test_a_dry_run_counts_within_the_limit():
    dead_movies(14)
    now = timezone.now()
    assert would_remove([], now=now) == CheckRemoval(removed=10, waiting=4)
    assert would_remove([], now=now, force=True) == CheckRemoval(removed=14)


def test_a_removal_by_hand_has_no_limit_and_takes_none_from_the_checker():
    dead_movies(14)
    assert prune_by_hand(now=timezone.now()).removed == 14
    assert set(RemovedMovie.objects.values_list("cause", flat=True)) == {"cleanup"}
    dead_movies(14)
    assert prune_after_check(now=timezone.now()).removed == 10


def test_one_active_link_keeps_a_movie():
    movie = make_movie()
    inactive_link(movie, "http_404")
    make_link(movie)
    assert prune_after_check(now=timezone.now()).removed == 0


def test_an_open_scrape_job_keeps_a_movie():
    movie = make_movie()
    inactive_link(movie, "http_404")
    bare = make_movie(created_at=timezone.now() - DAY)
    make_job(movie)
    make_job(bare)
    assert prune_by_hand(now=timezone.now()).removed == 0


def test_without_grace_one_failed_check_is_enough(settings):
    settings.LINK_GRACE_HOURS = 0
    inactive_link(make_movie(), "http_403", failures=1, hours=0)
    assert prune_after_check(now=timezone.now()).removed == 1


def test_a_movie_that_never_had_a_link_is_removed_only_by_hand_and_when_it_is_old():
    make_movie(), make_movie(created_at=timezone.now() - DAY)
    assert prune_after_check(now=timezone.now()).removed == 0
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
    off = {"is_active": False, "reason": "missing", "failures": 1, "strength": "proven"}
    change = unchanged(dying)._replace(**off)
    revived = unchanged(returning)._replace(is_active=True, reason="ok", failures=0, strength="", failing_seconds=0)
    assert would_remove([change, revived], now=timezone.now()).removed == 1
    assert dead.pk
