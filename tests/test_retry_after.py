"""The length of a pause that a host requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streaming.models import HostPause
from streaming.retry_after import Pause, PauseKind, PauseSet, pause_until

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "pause"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta(0)),
        ("", timedelta(minutes=15)),
        ("soon", timedelta(minutes=15)),
        ("99999999", timedelta(hours=24)),
        ("999999999", timedelta(hours=24)),
        ("9" * 5000, timedelta(hours=24)),
        ("-5", timedelta(minutes=15)),
        ("Mon, 99999999999999999999 Jan 2026 00:00:00 GMT", timedelta(minutes=15)),
        ("Mon, 01 Jan 2026 99999999999:00:00 GMT", timedelta(minutes=15)),
        ("Sun, 22 Nov 2026 13:00:00 GMT", timedelta(hours=1)),
        ("Sun, 22 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("Sun, 22 Nov 2099 11:00:00 GMT", timedelta(hours=24)),
        ("٣", timedelta(minutes=15)),
        ("Sun, 22 Nov 2026 13:00:00 +99999999999999999999", timedelta(minutes=15)),
        ("Sun, 22 Nov 2026 99999999999999999999:00:00 GMT", timedelta(minutes=15)),
    ],
)
def test_a_pause_is_as_long_as_stated_and_at_most_a_day(stated, pause):
    assert pause_until(stated, now=NOW) == NOW + pause


def pauses_of(*pauses):
    pause_set = PauseSet()
    for host, minutes, kind in pauses:
        pause_set.add(host, NOW + timedelta(minutes=minutes), kind=kind)
    return pause_set


@pytest.mark.parametrize(
    ("pauses", "minutes", "kind"),
    [
        ([(10, PauseKind.RETRY_AFTER), (20, PauseKind.BREAKER)], 20, PauseKind.BREAKER),
        ([(20, PauseKind.RETRY_AFTER), (10, PauseKind.BREAKER)], 20, PauseKind.RETRY_AFTER),
        ([(20, PauseKind.RETRY_AFTER), (20, PauseKind.BREAKER)], 20, PauseKind.RETRY_AFTER),
        (
            [(20, PauseKind.BREAKER), (10, PauseKind.RETRY_AFTER), (30, PauseKind.RETRY_AFTER)],
            30,
            PauseKind.RETRY_AFTER,
        ),
    ],
)  # fmt: skip
def test_of_several_pauses_of_a_host_the_one_that_ends_last_counts_with_its_kind(pauses, minutes, kind):
    end = Pause(until=NOW + timedelta(minutes=minutes), kind=kind)
    others = ("other.example.org", 5, PauseKind.BREAKER)
    whole = pauses_of(*(("films.example.org", *pause) for pause in pauses), others)
    merged = pauses_of(others)
    for pause in pauses:
        merged.merge(pauses_of(("films.example.org", *pause)))
    assert dict(whole) == dict(merged)
    assert dict(whole)["films.example.org"] == end
    assert ("films.example.org" in whole.of_kind(PauseKind.BREAKER)) is (kind is PauseKind.BREAKER)


def test_a_host_that_sends_no_time_is_paused_for_the_usual_one():
    pauses = PauseSet()
    pauses.add_requested("films.example.org", "", now=NOW)
    pauses.add_requested("films.example.org", "60", now=NOW)
    assert pauses.of_kind(PauseKind.RETRY_AFTER) == {"films.example.org": NOW + timedelta(minutes=15)}


def test_each_kind_of_an_automatic_pause_can_be_stored():
    assert {HostPause.Kind(kind) for kind in PauseKind} == set(HostPause.Kind) - {HostPause.Kind.MANUAL}
