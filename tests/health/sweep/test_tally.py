"""What a run remembers of what it heard."""

from __future__ import annotations

from datetime import UTC, datetime

from streaming.health.judging.guard import HostTally
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.verdict import ALIVE, gone_judgement
from streaming.health.sweep.spool import ResultSpool
from streaming.health.sweep.tally import MAX_CONTROL_LINKS, MIN_CONTROL_LINKS, RunTally

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def hear(run, number, *, milliseconds=30, judgement=ALIVE):
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
    run.add(CheckResult(id=number, judgement=judgement, http_status=200, response_ms=milliseconds, link=link))


def a_run():
    return RunTally(now=NOW, new_host_tally=lambda netloc: HostTally(), sink=ResultSpool())


def test_the_last_links_that_were_alive_are_its_witnesses():
    run = a_run()
    for number in range(MAX_CONTROL_LINKS + 3):
        hear(run, number)
    hear(run, 99, judgement=gone_judgement("http_404"))
    assert [question.id for question in run.control_links.by_netloc.values()] == list(range(3, MAX_CONTROL_LINKS + 3))


def test_who_takes_long_is_a_witness_only_while_there_are_few():
    run = a_run()
    for number in range(MIN_CONTROL_LINKS + 3):
        hear(run, number, milliseconds=3500)
    assert len(run.control_links.by_netloc) == MIN_CONTROL_LINKS
    for number in range(100, 105):
        hear(run, number)
    hear(run, 200, milliseconds=3500)
    assert [question.id for question in run.control_links.by_netloc.values()][-5:] == [100, 101, 102, 103, 104]
