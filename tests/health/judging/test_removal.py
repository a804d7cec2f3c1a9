"""How certain the death of a link is, and when it counts towards the removal of its movie."""

from __future__ import annotations

import pytest

from streaming.health.judging.removal import GONE_AT_SOURCE, STRENGTH_BY_REASON, strength_of
from streaming.health.judging.verdict import Judgement, Verdict
from streaming.models.reasons import STRENGTH_TEXT
from streaming.reason_codes import Reason, Strength

WITHOUT_STRENGTH = {
    Reason.UNCHECKED, Reason.OK, Reason.THROTTLED, Reason.PRIVATE_ADDRESS, Reason.BLOCKED_HOST, Reason.PAUSED,
    Reason.ROBOTS, Reason.HOST_DOWN, Reason.HOST_CHANGED, Reason.LOCAL, Reason.ELSEWHERE, Reason.IMPORTED,
    Reason.TAKEN_DOWN, Reason.BY_HAND,
}  # fmt: skip


def test_each_reason_has_a_strength_or_turns_no_link_off():
    assert set(STRENGTH_BY_REASON) == set(Reason) - WITHOUT_STRENGTH


@pytest.mark.parametrize("reason", Reason)
def test_only_bad_verdicts_have_a_strength(reason):
    for verdict in Verdict:
        strength = Judgement(verdict, reason).strength
        assert strength == (strength_of(reason) if verdict.is_bad else Strength.NONE)


def test_what_the_url_or_the_source_itself_says_is_proven_and_nothing_else():
    proven = {reason for reason in Reason if strength_of(reason) is Strength.PROVEN}
    assert proven == GONE_AT_SOURCE | {Reason.HTTP_404, Reason.HTTP_410, Reason.MOVED}


def test_each_strength_has_a_text():
    assert set(STRENGTH_TEXT) == set(Strength)
