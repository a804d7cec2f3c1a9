"""Reason codes: each has a text, and no judge gives any other."""

from __future__ import annotations

import pytest

from scraper import source_apis
from streaming.health.judging.transitions import CODE_BY_VERDICT
from streaming.health.judging.verdict import GONE_REASONS, Verdict, gone_judgement, is_conclusive, judge
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse
from streaming.models.reasons import REASON_TEXT, reason_text
from streaming.reason_codes import CheckCode, Reason
from tests.health.judging.test_verdict import TABLE

URL = "https://films.example.org/watch/nosferatu"


@pytest.mark.parametrize("reason", Reason)
def test_every_code_has_a_text(reason):
    assert reason_text(reason) == REASON_TEXT[reason]
    assert REASON_TEXT[reason][0].isupper()


def test_no_text_is_left_without_its_code():
    assert set(REASON_TEXT) == set(Reason)


@pytest.mark.parametrize("trouble", Failure)
def test_each_failure_below_http_is_judged_with_a_code(trouble):
    judgement = judge(ProbeResponse(1, URL, failure=trouble, final_url=URL), ProbeRequest(id=1, url=URL))
    assert isinstance(judgement.reason, Reason)
    assert judgement.reason == (trouble or Reason.PROTOCOL)


@pytest.mark.parametrize("media", [False, True])
def test_each_status_is_judged_with_a_code(media):
    answers = [ProbeResponse(1, URL, status=status, final_url=URL, body=b"") for status in range(100, 1000)]
    assert {type(judge(answer, ProbeRequest(id=1, url=URL, media=media)).reason) for answer in answers} == {Reason}
    assert any(is_conclusive(answer, media=media) for answer in answers)


def test_all_that_the_table_of_verdicts_knows_is_judged_with_a_code():
    assert {type(judge(answer, facts).reason) for answer, facts, *_ in TABLE} == {Reason}


@pytest.mark.parametrize("word", [source_apis.WITHDRAWN, source_apis.MISSING, source_apis.PRIVATE])
def test_what_a_source_says_is_gone_has_a_code(word):
    assert gone_judgement(Reason(word)).reason in GONE_REASONS


def test_each_verdict_that_counts_has_a_letter_of_its_own():
    judged = {verdict for verdict in Verdict if verdict.is_bad} | {Verdict.ALIVE}
    assert set(CODE_BY_VERDICT) == judged
    assert sorted(CODE_BY_VERDICT.values()) == sorted(CheckCode)
