"""When a link is due again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from streaming.health.rhythm import next_check_at

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def wait(checks, *, is_active=True, failing=None, adaptive=True):
    since = None if failing is None else NOW - timedelta(days=failing)
    return next_check_at(is_active=is_active, checks=checks, state_since=since, now=NOW, adaptive=adaptive) - NOW


@pytest.mark.parametrize(
    ("checks", "hours"),
    [
        ("", 0), ("a", 0), ("aaaaa", 0), ("a" * 6, 6), ("a" * 9, 6), ("a" * 10, 24), ("a" * 13, 24), ("a" * 14, 72),
        ("a" * 17, 72), ("a" * 18, 168), ("a" * 24, 168), ("a" * 20 + "u", 0), ("u" + "a" * 6, 6),
        ("a" * 10 + "g" + "a" * 5, 0),
    ],
)  # fmt: skip
def test_steady_links_become_rarer(checks, hours):
    assert wait(checks) == timedelta(hours=hours)


@pytest.mark.parametrize("checks", ["", "a" * 24, "aaaaag"])
def test_without_the_setting_active_links_are_due_in_every_run(checks):
    assert wait(checks, adaptive=False) == timedelta(0)


@pytest.mark.parametrize("adaptive", [True, False])
@pytest.mark.parametrize(
    ("failing", "days"),
    [(None, 1), (0, 1), (0.99, 1), (1, 3), (2.9, 3), (3, 7), (4, 7), (6.9, 7), (7, 30), (11, 30), (41, 30), (180, 30),
     (2000, 30)],
)  # fmt: skip
def test_failing_links_back_off_and_are_never_given_up(failing, days, adaptive):
    assert wait("aaau", is_active=False, failing=failing, adaptive=adaptive) == timedelta(days=days)


def test_a_link_that_fails_is_asked_five_times_in_the_first_month_and_a_half():
    day, asked = 0.0, []
    while day < 180:
        asked.append(day)
        day += wait("u", is_active=False, failing=day).days
    assert asked[:5] == [0, 1, 4, 11, 41]
    assert max(late - early for early, late in pairwise(asked)) == 30
