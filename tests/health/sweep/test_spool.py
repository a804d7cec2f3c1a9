"""Failures that wait until the run is accepted come back as they were."""

from __future__ import annotations

from datetime import UTC, datetime

from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.verdict import Judgement, Verdict
from streaming.health.sweep.spool import PACK_SIZE, ResultSpool
from streaming.reason_codes import Reason

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def failed(number, **texts):
    link = LinkState(
        id=number,
        movie_id=number // 5,
        netloc="films.example.org",
        is_active=True,
        reason="ok",
        failures=0,
        state_since=NOW if number % 2 else None,
        checks="aaa",
        **texts,
    )
    judgement = Judgement(Verdict.GONE, Reason.HTTP_404)
    return CheckResult(id=number, judgement=judgement, http_status=404, response_ms=number, link=link)


def test_all_come_back_in_order_and_more_than_once():
    given = [failed(number) for number in range(2 * PACK_SIZE + 7)]
    spool = ResultSpool()
    for one in given:
        spool.append(one)
    assert list(spool) == list(spool) == given
    assert [len(batch) for batch in spool.batches()] == [PACK_SIZE, PACK_SIZE, 7]
    assert next(iter(spool)).judgement.verdict is Verdict.GONE


def test_failures_wait_without_the_texts_of_their_links():
    texts = {"url": "https://films.example.org/watch/a-film", "title": "A film", "imdb_id": "tt0013442"}
    spool, bare = ResultSpool(), ResultSpool()
    for number in range(PACK_SIZE + 1):
        spool.append(failed(number, **texts, media=True, verified_at=NOW))
        bare.append(failed(number))
    assert list(spool) == list(bare)


def test_an_empty_spool_has_no_batches():
    assert list(ResultSpool().batches()) == []
