"""How long to pause a host that responds with 429 or 503. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_PAUSE = timedelta(hours=24)
DEFAULT_PAUSE = timedelta(minutes=15)


def pause_until(retry_after: str, *, now: datetime) -> datetime:
    """Return when the pause of a host that sent this `Retry-After` ends: after a day at most.

    Without a readable value it ends after 15 minutes.
    """
    stated = retry_after.strip()
    if stated.isascii() and stated.isdigit():
        # Nine digits of seconds are decades: more digits change nothing.
        return now + min(timedelta(seconds=int(stated[:9])), MAX_PAUSE)
    try:
        until = parsedate_to_datetime(stated)
    except (ValueError, OverflowError):  # Impossible dates overflow.
        return now + DEFAULT_PAUSE
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until, now), now + MAX_PAUSE)
