"""What a judgement changes in a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streaming.health.changes import Finding, Standing, link_update
from streaming.health.verdict import Judgement, Verdict
from streaming.reason_codes import MAX_CHECK_HISTORY

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=3)


def changed(verdict, why, /, *, host_down=False, **standing):
    fields = {"is_active": True, "reason": "ok", "failures": 0, "state_since": None, "checks": "aa", **standing}
    finding = Finding(Standing(1, 2, "films.example.org", **fields), Judgement(verdict, why), 200, 30)
    return link_update(finding, now=NOW, host_down=host_down)


@pytest.mark.parametrize(
    ("verdict", "standing", "expected"),
    [
        (Verdict.ALIVE, {}, (True, "ok", 0, None, "aaa")),
        (Verdict.ALIVE, {"is_active": False, "failures": 5, "state_since": BEFORE}, (True, "ok", 0, NOW, "aaa")),
        (Verdict.GONE, {}, (False, "why", 1, NOW, "aag")),
        (Verdict.BLOCKED, {}, (False, "why", 1, NOW, "aab")),
        (Verdict.UNREACHABLE, {}, (False, "why", 1, NOW, "aau")),
        (Verdict.GONE, {"is_active": False, "failures": 1, "state_since": BEFORE}, (False, "why", 2, BEFORE, "aag")),
        (Verdict.GONE, {"is_active": False}, (False, "why", 1, NOW, "aag")),
        (Verdict.THROTTLED, {}, (True, "why", 0, None, "aa")),
        (Verdict.THROTTLED, {"is_active": False, "reason": "http_404", "failures": 2, "state_since": BEFORE},
         (False, "http_404", 2, BEFORE, "aa")),
    ],
)  # fmt: skip
def test_what_a_verdict_changes(verdict, link_state, expected):
    change = changed(verdict, "ok" if verdict == Verdict.ALIVE else "why", **link_state)
    assert (change.is_active, change.reason, change.failures, change.state_since, change.checks) == expected
    assert change.is_flip is (link_state.get("is_active", True) != change.is_active)


def test_a_host_that_is_down_leaves_its_links_as_they_are():
    change = changed(Verdict.UNREACHABLE, "timeout", host_down=True)
    assert (change.is_active, change.reason, change.failures, change.checks) == (True, "host_down", 0, "aau")


def test_gone_is_believed_even_of_a_host_that_is_down():
    assert not changed(Verdict.GONE, "http_404", host_down=True).is_active


def test_the_checks_do_not_grow():
    assert len(changed(Verdict.ALIVE, "ok", checks="g" * MAX_CHECK_HISTORY).checks) == MAX_CHECK_HISTORY
