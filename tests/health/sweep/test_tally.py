"""What a tally keeps of the results: control links, refusals, and the clocks of hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from streaming.health.judging.guard import HostTally
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.verdict import ALIVE, THROTTLED, Judgement, Verdict, gone_judgement
from streaming.health.sweep.spool import ResultSpool
from streaming.health.sweep.tally import MAX_CONTROL_LINKS, MIN_CONTROL_LINKS, RunTally
from streaming.reason_codes import Reason

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def add(tally, number, *, milliseconds=30, judgement=ALIVE):
    link = LinkState(
        id=number,
        movie_id=number,
        netloc=f"films{number}.example.org",
        url=f"http://films{number}.example.org/",
        is_active=True,
        reason="ok",
        failures=0,
        state_since=None,
        checks="aa",
    )
    tally.add(CheckResult(id=number, judgement=judgement, http_status=200, response_ms=milliseconds, link=link))


def new_tally():
    return RunTally(now=NOW, new_host_tally=lambda netloc: HostTally(), sink=ResultSpool())


def test_the_last_links_that_were_alive_are_control_links():
    tally = new_tally()
    for number in range(MAX_CONTROL_LINKS + 3):
        add(tally, number)
    add(tally, 99, judgement=gone_judgement("http_404"))
    assert [request.id for request in tally.control_links.by_netloc.values()] == list(range(3, MAX_CONTROL_LINKS + 3))


def test_a_slow_link_is_a_control_link_only_while_there_are_few():
    tally = new_tally()
    for number in range(MIN_CONTROL_LINKS + 3):
        add(tally, number, milliseconds=3500)
    assert len(tally.control_links.by_netloc) == MIN_CONTROL_LINKS
    for number in range(100, 105):
        add(tally, number)
    add(tally, 200, milliseconds=3500)
    assert [request.id for request in tally.control_links.by_netloc.values()][-5:] == [100, 101, 102, 103, 104]


BLOCKED, REFUSED = Judgement(Verdict.BLOCKED, Reason.HTTP_403), Judgement(Verdict.UNREACHABLE, Reason.REFUSED)
TIMEOUT = Judgement(Verdict.UNREACHABLE, Reason.TIMEOUT)
LETTERS = {
    "a": (ALIVE, 200), "g": (gone_judgement(Reason.HTTP_404), 404), "b": (BLOCKED, 403), "r": (REFUSED, None),
    "t": (THROTTLED, 429), "u": (TIMEOUT, None),
}  # fmt: skip


def add_at(tally, number, letter, *, moment, is_active=True, host="films.example.org", **fields):
    link = LinkState(number, number, host, is_active, "ok", 0, None, "aa", url=f"http://{host}/{number}")
    judgement, status = LETTERS[letter]
    tally.add(CheckResult(id=number, judgement=judgement, http_status=status, link=link, responded_at=moment, **fields))


def refused(letters, *, order=None, is_active=True):
    """Which of these results, by the times of their responses, perhaps added in another order, are refusals."""
    tally = new_tally()
    for position in order or range(len(letters)):
        add_at(tally, position, letters[position], moment=100.0 + position, is_active=is_active)
    return tally.refusals.by_host().get("films.example.org", set())


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("aabbb", {2, 3, 4}),
        ("gbrt", {1, 2, 3}),  # a 404 is a response, too
        ("aabb", set()),
        ("bbb", set()),  # it never responded
        ("bbba", set()),  # it let us in again
        ("abbbab", set()),
        ("babbb", {2, 3, 4}),
        ("abubb", {1, 3, 4}),  # a timeout says neither
        ("rrr", set()),
    ],
)
def test_a_host_that_served_links_and_then_refuses_three_was_asked_too_much(letters, expected):
    assert refused(letters) == expected


def test_the_time_of_a_response_decides_and_not_when_its_result_came():
    assert refused("aabbb", order=[2, 3, 4, 0, 1]) == {2, 3, 4}


def test_links_that_were_refused_before_are_no_sudden_refusal():
    assert refused("aabbb", is_active=False) == set()


def test_refusals_of_parts_are_merged():
    whole, part = new_tally(), new_tally()
    for number, letter in enumerate("abbb"):
        add_at(part, number, letter, moment=number)
    whole.merge(part)
    assert whole.refusals.by_host() == {"films.example.org": {1, 2, 3}}


@pytest.mark.parametrize(
    ("date", "offset"),
    [
        (format_datetime(NOW, usegmt=True), 0.0),
        (format_datetime(NOW + timedelta(days=2), usegmt=True), 2 * 86400.0),
        (format_datetime(NOW - timedelta(hours=5), usegmt=True), -5 * 3600.0),
        ("yesterday", None),
        ("Sat, 99 Nov 2026 12:00:00 GMT", None),
        ("Sun, 22 Nov 2026 12:00:00", 0.0),
        ("", None),
        ("1" * 5000, None),
    ],
)
def test_the_first_date_of_a_host_tells_how_far_its_clock_is_ahead(date, offset):
    tally = new_tally()
    add_at(tally, 1, "a", moment=50.0, date=date)
    assert tally.hosts["films.example.org"].clock_offset == offset


def test_the_time_that_a_run_takes_is_no_difference_of_clocks():
    tally = new_tally()
    add_at(tally, 1, "a", moment=1000.0, date=format_datetime(NOW, usegmt=True))
    later = format_datetime(NOW + timedelta(hours=30), usegmt=True)
    add_at(tally, 2, "a", moment=1000.0 + 30 * 3600, host="other.example.org", date=later)
    assert tally.hosts["other.example.org"].clock_offset == 0.0


@pytest.mark.parametrize(("letter", "targets"), [("g", {"new.example": {"films.example.org"}}), ("a", {})])
def test_only_redirects_that_lead_nowhere_are_a_portal(letter, targets):
    """Hosts may have moved to one new name."""
    tally = new_tally()
    add_at(tally, 1, letter, moment=1.0, redirect_target="new.example")
    assert tally.redirect_targets == targets


def off_since(hours, letter, *, failures=1):
    link = LinkState(
        id=1, movie_id=1, netloc="films.example.org", is_active=False, reason="http_404", failures=failures,
        state_since=NOW - timedelta(hours=hours), checks="ag",
    )  # fmt: skip
    judgement, status = LETTERS[letter]
    return CheckResult(id=1, judgement=judgement, http_status=status, link=link)


@pytest.mark.parametrize(
    ("hours", "letter", "failures", "counted"),
    [(1, "g", 1, 1), (24, "u", 9, 1), (24.1, "g", 9, 0), (-1, "g", 1, 0), (1, "a", 1, 0), (1, "g", 0, 0)],
)
def test_links_that_checks_turned_off_within_a_day_are_known_of_their_host(hours, letter, failures, counted):
    tally, result = new_tally(), off_since(hours, letter, failures=failures)
    tally.add(result)
    host = tally.hosts["films.example.org"]
    assert (host.off_lately, host.known, host.active) == (counted, counted, 0)
    tally.discount(result, Verdict.NOT_CHECKED)
    assert (host.off_lately, host.known) == (0, 0)


def test_a_link_that_works_again_waits_until_the_run_is_accepted():
    tally = new_tally()
    add_at(tally, 1, "a", moment=1.0)
    tally.add(off_since(1, "a"))
    assert ([one.id for one in tally.successes], [one.is_revival for one in tally.failures]) == ([1], [True])


def test_a_discounted_failure_says_nothing_of_its_host():
    tally = new_tally()
    for number, letter in enumerate("agu"):
        add_at(tally, number, letter, moment=number)
    for result, verdict in zip(tally.failures, (Verdict.NOT_CHECKED, Verdict.THROTTLED), strict=True):
        tally.discount(result, verdict)
    host = tally.hosts["films.example.org"]
    assert (host.active, host.active_gone, host.active_failed, host.alive) == (1, 0, 0, 1)
    assert {verdict: number for verdict, number in tally.verdicts.items() if number} == {
        Verdict.ALIVE: 1, Verdict.NOT_CHECKED: 1, Verdict.THROTTLED: 1,
    }  # fmt: skip
