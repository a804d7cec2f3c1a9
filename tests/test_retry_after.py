"""The length of a pause that a host requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streaming.retry_after import pause_until

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
