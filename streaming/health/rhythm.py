"""When a link is due again: steady ones ever more rarely, failing ones after 1, 3, 7, then each 30 days. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from streaming.reason_codes import CheckCode

# After so many checks in a row that were alive, so long until the next.
STEADY_INTERVALS = (
    (18, timedelta(days=7)),
    (14, timedelta(days=3)),
    (10, timedelta(days=1)),
    (6, timedelta(hours=6)),
)
# While it has failed for less than the span, so long until the next; then each 30 days: a link may come back any time.
FAILING_INTERVALS = (timedelta(days=1), timedelta(days=3), timedelta(days=7), timedelta(days=30))


def next_check_at(
    *, is_active: bool, checks: str, state_since: datetime | None, now: datetime, adaptive: bool
) -> datetime:
    """When a link that was just checked wants to be asked again; `now`: in the very next run.

    `checks` are its last results, the newest last. Active links become rarer with `adaptive` alone; one that did not
    answer well this time (its host was busy or down) is asked in the next run.
    """
    if is_active:
        return now + (_steady_interval(len(checks) - len(checks.rstrip(CheckCode.ALIVE))) if adaptive else timedelta(0))
    failing_for = now - state_since if state_since else timedelta(0)
    return now + next((span for span in FAILING_INTERVALS if failing_for < span), FAILING_INTERVALS[-1])


def _steady_interval(alive_in_a_row: int) -> timedelta:
    return next((span for minimum, span in STEADY_INTERVALS if alive_in_a_row >= minimum), timedelta(0))
