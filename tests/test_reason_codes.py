"""Reason codes: each has a text, and judgements use no other codes."""

from __future__ import annotations

import pytest

from scraper import source_apis
from streaming.health.judging.removal import SOURCE_API_REASONS
from streaming.health.judging.transitions import CODE_BY_VERDICT
from streaming.health.judging.verdict import Verdict, is_conclusive, judge, source_judgement
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse
from streaming.models.reasons import REASON_TEXT, reason_text
from streaming.reason_codes import CheckCode, Reason
from tests.health.judging.test_verdict import TABLE

URL = "https://films.example.org/watch/nosferatu"


@pytest.mark.parametrize("reason", Reason)
def test_every_code_has_a_text(reason):
    assert reason_text(reason) == REASON_TEXT[reason]
    assert REASON_TEXT[reason][0].isupper()


def test_every_text_belongs_to_a_code():
    assert set(REASON_TEXT) == set(Reason)


@pytest.mark.parametrize("failure", Failure)
def test_each_transport_failure_is_judged_with_a_code(failure):
    judgement = judge(ProbeResponse(1, URL, failure=failure, final_url=URL), ProbeRequest(id=1, url=URL))
    assert isinstance(judgement.reason, Reason)
    assert judgement.reason == (failure or Reason.PROTOCOL)


@pytest.mark.parametrize("media", [False, True])
def test_each_status_is_judged_with_a_code(media):
    responses = [ProbeResponse(1, URL, status=status, final_url=URL, body=b"") for status in range(100, 1000)]
    request = ProbeRequest(id=1, url=URL, media=media)
    assert {type(judge(response, request).reason) for response in responses} == {Reason}
    assert any(is_conclusive(response, media=media) for response in responses)


def test_every_case_of_the_verdict_table_is_judged_with_a_code():
    assert {type(judge(response, facts).reason) for response, facts, *_ in TABLE} == {Reason}


@pytest.mark.parametrize("status", [source_apis.WITHDRAWN, source_apis.PRIVATE, *sorted(source_apis.DOUBTED_STATUSES)])
def test_each_status_of_a_missing_item_at_a_source_has_a_code(status):
    judgement = source_judgement(Reason(status))
    assert judgement.verdict.is_bad
    assert judgement.reason in SOURCE_API_REASONS


def test_each_verdict_that_counts_has_its_own_check_code():
    judged = {verdict for verdict in Verdict if verdict.is_bad} | {Verdict.ALIVE}
    assert set(CODE_BY_VERDICT) == judged
    assert sorted(CODE_BY_VERDICT.values()) == sorted(CheckCode)
