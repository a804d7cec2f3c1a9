"""Which links a tally keeps as control links."""

from __future__ import annotations

from datetime import UTC, datetime

from streaming.health.judging.guard import HostTally
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.verdict import ALIVE, gone_judgement
from streaming.health.sweep.spool import ResultSpool
from streaming.health.sweep.tally import MAX_CONTROL_LINKS, MIN_CONTROL_LINKS, RunTally

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
