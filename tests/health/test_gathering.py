"""What a run remembers of what it heard."""

from __future__ import annotations

from datetime import UTC, datetime

from streaming.health.answers import Question
from streaming.health.changes import Finding, Standing
from streaming.health.gathering import FEW_WITNESSES, WITNESSES_KEPT, Gathering
from streaming.health.guard import HostTally
from streaming.health.heard import Heard
from streaming.health.held import Held
from streaming.health.verdict import ALIVE, gone

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def hear(heard, number, *, milliseconds=30, judgement=ALIVE):
    place = f"films{number}.example.org"
    standing = Standing(number, number, place, True, "ok", 0, None, "aa")
    told = Heard(number, judgement, 200, milliseconds, "", False, "", "")
    question = Question(number, f"http://{place}/")
    heard.take(Finding(standing, judgement, 200, milliseconds), told, question)


def a_run():
    return Gathering(now=NOW, opened=lambda place: HostTally(), shelf=Held())


def test_the_last_links_that_were_alive_are_its_witnesses():
    run = a_run()
    for number in range(WITNESSES_KEPT + 3):
        hear(run, number)
    hear(run, 99, judgement=gone("http_404"))
    assert [question.id for question in run.witnesses.values()] == list(range(3, WITNESSES_KEPT + 3))


def test_who_takes_long_is_a_witness_only_while_there_are_few():
    run = a_run()
    for number in range(FEW_WITNESSES + 3):
        hear(run, number, milliseconds=3500)
    assert len(run.witnesses) == FEW_WITNESSES
    for number in range(100, 105):
        hear(run, number)
    hear(run, 200, milliseconds=3500)
    assert [question.id for question in run.witnesses.values()][-5:] == [100, 101, 102, 103, 104]
