"""What a run remembers of what it heard."""

from __future__ import annotations

from datetime import UTC, datetime

from streaming.health.judging.guard import HostTally
from streaming.health.judging.results import Finding, Heard, Standing
from streaming.health.judging.verdict import ALIVE, gone_judgement
from streaming.health.probe_types import ProbeRequest
from streaming.health.sweep.spool import ResultSpool
from streaming.health.sweep.tally import MAX_CONTROL_LINKS, MIN_CONTROL_LINKS, RunTally

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def hear(result, number, *, milliseconds=30, judgement=ALIVE):
    place = f"films{number}.example.org"
    link_state = Standing(number, number, place, True, "ok", 0, None, "aa")
    stated = Heard(number, judgement, 200, milliseconds, "", False, "", "")
    question = ProbeRequest(number, f"http://{place}/")
    result.add(Finding(link_state, judgement, 200, milliseconds), stated, question)


def a_run():
    return RunTally(now=NOW, opened=lambda place: HostTally(), sink=ResultSpool())


def test_the_last_links_that_were_alive_are_its_witnesses():
    run = a_run()
    for number in range(MAX_CONTROL_LINKS + 3):
        hear(run, number)
    hear(run, 99, judgement=gone_judgement("http_404"))
    assert [question.id for question in run.control_links.values()] == list(range(3, MAX_CONTROL_LINKS + 3))


def test_who_takes_long_is_a_witness_only_while_there_are_few():
    run = a_run()
    for number in range(MIN_CONTROL_LINKS + 3):
        hear(run, number, milliseconds=3500)
    assert len(run.control_links) == MIN_CONTROL_LINKS
    for number in range(100, 105):
        hear(run, number)
    hear(run, 200, milliseconds=3500)
    assert [question.id for question in run.control_links.values()][-5:] == [100, 101, 102, 103, 104]
