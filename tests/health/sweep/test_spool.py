"""What waits until the run is judged comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime

from streaming.health.judging.results import Finding, Standing
from streaming.health.judging.verdict import Judgement, Verdict
from streaming.health.sweep.spool import PACK_SIZE, ResultSpool

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def finding(number):
    link_state = Standing(number, number // 5, "films.example.org", True, "ok", 0, NOW if number % 2 else None, "aaa")
    return Finding(link_state, Judgement(Verdict.GONE, "http_404"), 404, number)


def test_all_come_back_in_order_and_twice():
    given = [finding(number) for number in range(2 * PACK_SIZE + 7)]
    held = ResultSpool()
    for one in given:
        held.append(one)
    assert list(held) == given
    assert [len(batch) for batch in held.batches()] == [PACK_SIZE, PACK_SIZE, 7]
    assert next(iter(held)).judgement.verdict is Verdict.GONE


def test_nothing_held_is_nothing():
    assert list(ResultSpool().batches()) == []
