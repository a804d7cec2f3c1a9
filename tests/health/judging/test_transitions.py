"""A link's next state, and when it is due again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.transitions import link_update, next_check_at
from streaming.health.judging.verdict import Judgement, Verdict
from streaming.reason_codes import MAX_CHECK_HISTORY

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
def test_steady_links_are_checked_less_often(checks, hours):
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
def test_failing_links_are_checked_less_often_but_always_again(failing, days, adaptive):
    assert wait("aaau", is_active=False, failing=failing, adaptive=adaptive) == timedelta(days=days)


def test_a_failing_link_is_checked_five_times_in_the_first_six_weeks():
    day, checked = 0.0, []
    while day < 180:
        checked.append(day)
        day += wait("u", is_active=False, failing=day).days
    assert checked[:5] == [0, 1, 4, 11, 41]
    assert max(late - early for early, late in pairwise(checked)) == 30


BEFORE = NOW - timedelta(days=3)


def updated(verdict, reason, /, *, host_down=False, **fields):
    before = {"is_active": True, "reason": "ok", "failures": 0, "state_since": None, "checks": "aa", **fields}
    link = LinkState(id=1, movie_id=2, netloc="films.example.org", **before)
    result = CheckResult(id=1, judgement=Judgement(verdict, reason), http_status=200, response_ms=30, link=link)
    return link_update(result, now=NOW, host_down=host_down)


@pytest.mark.parametrize(
    ("verdict", "before", "expected"),
    [
        (Verdict.ALIVE, {}, (True, "ok", 0, None, "aaa")),
        (Verdict.ALIVE, {"is_active": False, "failures": 5, "state_since": BEFORE}, (True, "ok", 0, NOW, "aaa")),
        (Verdict.GONE, {}, (False, "why", 1, NOW, "aag")),
        (Verdict.BLOCKED, {}, (False, "why", 1, NOW, "aab")),
        (Verdict.UNREACHABLE, {}, (False, "why", 1, NOW, "aau")),
        (Verdict.GONE, {"is_active": False, "failures": 1, "state_since": BEFORE}, (False, "why", 2, BEFORE, "aag")),
        (Verdict.GONE, {"is_active": False}, (False, "why", 1, NOW, "aag")),
        (Verdict.THROTTLED, {}, (True, "why", 0, None, "aa")),
        (Verdict.THROTTLED, {"is_active": False, "reason": "http_404", "failures": 2, "state_since": BEFORE},
         (False, "http_404", 2, BEFORE, "aa")),
    ],
)  # fmt: skip
def test_what_a_verdict_changes(verdict, before, expected):
    update = updated(verdict, "ok" if verdict == Verdict.ALIVE else "why", **before)
    assert (update.is_active, update.reason, update.failures, update.state_since, update.checks) == expected
    assert update.is_flip is (before.get("is_active", True) != update.is_active)


def test_links_of_a_host_that_is_down_keep_their_state():
    update = updated(Verdict.UNREACHABLE, "timeout", host_down=True)
    assert (update.is_active, update.reason, update.failures, update.checks) == (True, "host_down", 0, "aau")


def test_a_link_that_is_gone_turns_off_even_if_its_host_is_down():
    assert not updated(Verdict.GONE, "http_404", host_down=True).is_active


def test_the_check_history_has_a_maximum_length():
    assert len(updated(Verdict.ALIVE, "ok", checks="g" * MAX_CHECK_HISTORY).checks) == MAX_CHECK_HISTORY
