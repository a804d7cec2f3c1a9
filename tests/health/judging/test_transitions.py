"""A link's next state, and when it is due again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from streaming.health.judging.removal import counts_towards_removal
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.transitions import HostNews, link_update, next_check_at
from streaming.health.judging.verdict import Judgement, Verdict
from streaming.reason_codes import MAX_CHECK_HISTORY, Reason

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


def updated(verdict, reason, /, *, host_down=False, host_changed=False, outage=0, mass_loss=False, **fields):
    before = {"is_active": True, "reason": "ok", "failures": 0, "state_since": None, "checks": "aa", **fields}
    link = LinkState(id=1, movie_id=2, netloc="films.example.org", **before)
    result = CheckResult(id=1, judgement=Judgement(verdict, reason), http_status=200, response_ms=30, link=link)
    host = HostNews(is_down=host_down, is_changed=host_changed, outage_seconds=outage, is_mass_loss=mass_loss)
    return link_update(result, now=NOW, host=host)


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


@pytest.mark.parametrize(("changed", "reason"), [(True, "host_changed"), (False, "http_404")])
def test_a_link_that_is_gone_turns_off_even_if_its_host_is_down(changed, reason):
    update = updated(Verdict.GONE, "http_404", host_down=True, host_changed=changed)
    assert (update.is_active, update.reason) == (False, reason)


@pytest.mark.parametrize(
    ("hours_off", "failures", "reason"),
    [(0, 1, "host_changed"), (24, 3, "host_changed"), (24.1, 3, "http_404"), (-1, 1, "http_404"), (1, 0, "http_404")],
)
def test_links_that_turned_off_within_a_day_are_part_of_what_their_host_does(hours_off, failures, reason):
    since = NOW - timedelta(hours=hours_off)
    before = {"is_active": False, "reason": "http_404", "strength": "proven", "failures": failures}
    update = updated(Verdict.GONE, Reason.HTTP_404, host_changed=True, state_since=since, **before)
    assert update.reason == reason


@pytest.mark.parametrize(
    ("verdict", "reason", "changed", "before", "expected"),
    [
        (Verdict.GONE, "http_404", True, {}, (False, "host_changed", "proven")),
        (Verdict.UNREACHABLE, "timeout", True, {}, (False, "host_changed", "unreachable")),
        (Verdict.ALIVE, "ok", True, {}, (True, "ok", "")),
        (Verdict.GONE, "dark", True, {}, (False, "dark", "proven")),  # its source says so of each film
        # It was turned off before its host changed.
        (Verdict.GONE, "http_404", True, {"is_active": False, "reason": "soft_404"}, (False, "http_404", "proven")),
        # It fails on when the rest of the host is well again, or when too few of its links are checked.
        (
            Verdict.GONE,
            "soft_404",
            False,
            {"is_active": False, "reason": "host_changed"},
            (False, "host_changed", "soft"),
        ),
        (Verdict.ALIVE, "ok", False, {"is_active": False, "reason": "host_changed"}, (True, "ok", "")),
    ],
)
def test_a_link_of_a_host_that_changed_turns_off_and_has_that_reason_while_it_fails(
    verdict, reason, changed, before, expected
):
    update = updated(verdict, Reason(reason), host_changed=changed, **before)
    assert (update.is_active, update.reason, update.strength) == expected


@pytest.mark.parametrize("before", [{"reason": "ok"}, {"is_active": False, "reason": "timeout", "failures": 3}])
def test_a_link_that_is_not_judged_keeps_everything_and_is_due_again(before):
    update = updated(Verdict.NOT_CHECKED, Reason.WRONG_TYPE, failing_seconds=60, last_checked=BEFORE, **before)
    link = {"is_active": True, "failures": 0, **before}
    assert (update.is_active, update.reason, update.failures) == (link["is_active"], link["reason"], link["failures"])
    assert (update.checks, update.failing_seconds, update.next_check_at) == ("aa", 60, NOW)


def test_a_link_that_turned_off_with_very_many_others_does_not_count_as_failing_for_a_while():
    again = {"is_active": False, "failures": 1, "failing_seconds": 60, "last_checked": NOW - timedelta(hours=1)}
    update = updated(Verdict.GONE, Reason.HTTP_404, mass_loss=True, **again)
    assert (update.failures, update.failing_seconds, update.reason) == (2, 60, "http_404")
    assert updated(Verdict.GONE, Reason.HTTP_404, **again).failing_seconds == 3660
    assert updated(Verdict.ALIVE, Reason.OK, mass_loss=True, **again).failing_seconds == 0


def test_a_link_has_failed_for_as_long_as_the_outage_of_its_host_that_was_accepted():
    assert updated(Verdict.UNREACHABLE, Reason.TIMEOUT, outage=700_000, last_checked=BEFORE).failing_seconds == 700_000
    again = {"is_active": False, "failures": 1, "failing_seconds": 700_000, "last_checked": NOW - timedelta(hours=1)}
    assert updated(Verdict.UNREACHABLE, Reason.TIMEOUT, outage=703_600, **again).failing_seconds == 703_600
    assert updated(Verdict.ALIVE, Reason.OK, outage=700_000, last_checked=BEFORE).failing_seconds == 0


def test_the_check_history_has_a_maximum_length():
    assert len(updated(Verdict.ALIVE, "ok", checks="g" * MAX_CHECK_HISTORY).checks) == MAX_CHECK_HISTORY


HALF_A_DAY = 12 * 3600


@pytest.mark.parametrize(
    ("hours", "seconds"),
    [(None, 0), (-1000, 0), (-1, 0), (0, 0), (0.5, 1800), (6, 6 * 3600), (12, HALF_A_DAY), (13, HALF_A_DAY),
     (24 * 365, HALF_A_DAY)],
)  # fmt: skip
def test_the_time_between_two_failures_counts_for_half_a_day_at_most(hours, seconds):
    checked = None if hours is None else NOW - timedelta(hours=hours)
    update = updated(
        Verdict.GONE, Reason.HTTP_404, is_active=False, failures=1, failing_seconds=60, last_checked=checked
    )
    assert update.failing_seconds == 60 + seconds


@pytest.mark.parametrize(
    ("verdict", "reason", "before", "expected"),
    [
        (Verdict.GONE, Reason.HTTP_404, {}, ("proven", 0)),
        (Verdict.UNREACHABLE, Reason.DNS, {"is_active": False, "failures": 2}, ("unreachable", 7 + HALF_A_DAY)),
        (Verdict.BLOCKED, Reason.HTTP_403, {"is_active": False, "failures": 0, "failing_seconds": 0}, ("blocked", 0)),
        (Verdict.THROTTLED, Reason.THROTTLED, {"is_active": False, "failures": 2}, ("soft", 7)),
        (Verdict.ALIVE, Reason.OK, {"is_active": False, "failures": 2}, ("", 0)),
        (Verdict.ALIVE, Reason.OK, {"strength": "", "failing_seconds": 0}, ("", 0)),
    ],
)  # fmt: skip
def test_strength_and_failing_time_follow_the_results(verdict, reason, before, expected):
    fields = {"strength": "soft", "failing_seconds": 7, "last_checked": NOW - timedelta(days=1), **before}
    update = updated(verdict, reason, **fields)
    assert (update.strength, update.failing_seconds) == expected


@pytest.mark.parametrize(
    ("earlier", "now", "seconds"),
    [
        (("http_404", "proven"), (Verdict.GONE, Reason.HTTP_410), 3000 + 3600),
        (("http_403", "blocked"), (Verdict.GONE, Reason.HTTP_404), 100 + 3600),  # a month of 403 is no month of 404
        (("timeout", "unreachable"), (Verdict.GONE, Reason.HTTP_404), 1000 + 3600),
        (("timeout", "unreachable"), (Verdict.GONE, Reason.SOFT_404), 3000 + 3600),
        (("http_404", "proven"), (Verdict.BLOCKED, Reason.HTTP_403), 90_000 + 3600),  # nor is what was seen forgotten
        (("host_changed", "proven"), (Verdict.GONE, Reason.SOFT_404), 9000 + 3600),
        (("", ""), (Verdict.GONE, Reason.HTTP_404), 3000 + 3600),
    ],
)
def test_the_failing_time_is_the_same_fraction_of_the_grace_when_the_strength_changes(earlier, now, seconds):
    before = {"is_active": False, "failures": 2, "failing_seconds": 3000, "last_checked": NOW - timedelta(hours=1)}
    before |= {"reason": earlier[0], "strength": earlier[1]}
    assert updated(*now, **before).failing_seconds == seconds
    assert updated(*now, mass_loss=True, **before).failing_seconds == seconds - 3600


def test_a_host_that_is_down_adds_no_failing_time():
    fields = {"is_active": False, "failures": 3, "strength": "unreachable", "failing_seconds": 7}
    update = updated(Verdict.UNREACHABLE, Reason.TIMEOUT, host_down=True, last_checked=BEFORE, **fields)
    assert (update.strength, update.failing_seconds) == ("unreachable", 7)


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("reason", "failing_hours", "grace_hours", "expected"),
    [
        (Reason.HTTP_404, 0, 24, 11 * HOUR), (Reason.HTTP_404, 12, 24, 11 * HOUR), (Reason.HTTP_404, 20, 24, 4 * HOUR),
        (Reason.HTTP_404, 24, 24, 24 * HOUR), (Reason.HTTP_404, 0, 1, HOUR), (Reason.HTTP_404, 0, 0, 24 * HOUR),
        (Reason.DNS, 24, 24, 11 * HOUR), (Reason.DNS, 71, 24, HOUR), (Reason.DNS, 72, 24, 24 * HOUR),
        (Reason.HTTP_403, 700, 24, 11 * HOUR), (Reason.HTTP_403, 720, 24, 24 * HOUR),
        (Reason.MISSING, 0, 24, 24 * HOUR),
    ],
)  # fmt: skip
def test_a_failing_link_is_due_so_often_that_it_counts_in_time(reason, failing_hours, grace_hours, expected):
    link = LinkState(
        id=1, movie_id=2, netloc="films.example.org", is_active=False, reason="ok", failures=3, state_since=NOW,
        checks="g", failing_seconds=failing_hours * 3600, last_checked=NOW,
    )  # fmt: skip
    result = CheckResult(id=1, judgement=Judgement(Verdict.GONE, reason), link=link)
    assert link_update(result, now=NOW, grace=grace_hours * HOUR).next_check_at == NOW + expected


@pytest.mark.parametrize(
    ("grace_hours", "hours_between_runs"), [(1, 0.25), (1, 1), (5, 1), (24, 0.25), (24, 6), (24, 12), (100, 12)]
)
@pytest.mark.parametrize(
    ("verdict", "reason", "factor"),
    [(Verdict.GONE, Reason.HTTP_404, 1), (Verdict.GONE, Reason.SOFT_404, 3), (Verdict.BLOCKED, Reason.HTTP_403, 30)],
)
def test_a_link_checked_when_due_counts_within_four_times_its_grace(
    verdict, reason, factor, grace_hours, hours_between_runs
):
    link = LinkState(1, 2, "films.example.org", True, "ok", 0, None, "a")
    now, checked, update = NOW, 0, None
    while update is None or not counts_towards_removal(
        is_active=update.is_active, reason=update.reason, strength=update.strength, failures=update.failures,
        failing_seconds=update.failing_seconds, grace=grace_hours * HOUR,
    ):  # fmt: skip
        if update is None or update.next_check_at < now:
            update = link_update(
                CheckResult(id=1, judgement=Judgement(verdict, reason), link=link), now=now, grace=grace_hours * HOUR
            )
            state = {name: getattr(update, name) for name in STATE}
            link, checked = link._replace(**state, last_checked=now), checked + 1
        now += hours_between_runs * HOUR
    assert checked >= 2
    assert grace_hours * factor * HOUR <= now - NOW <= 4 * grace_hours * factor * HOUR


STATE = ("is_active", "reason", "strength", "failures", "failing_seconds", "state_since", "checks")
