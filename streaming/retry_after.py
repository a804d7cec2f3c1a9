"""How long a host that answers "not now" (429, 503) wants to be left alone. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_PAUSE = timedelta(hours=24)
DEFAULT_PAUSE = timedelta(minutes=15)


def pause_until(retry_after: str, *, now: datetime) -> datetime:
    """When a host may be asked again that sent this `Retry-After`: in 15 minutes without one, in a day at most."""
    stated = retry_after.strip()
    if stated.isascii() and stated.isdigit():
        # Nine digits are years: more of them change nothing.
        return now + min(timedelta(seconds=int(stated[:9])), MAX_PAUSE)
    try:
        moment = parsedate_to_datetime(stated)
    except (ValueError, OverflowError):  # Numbers that no calendar has overflow.
        return now + DEFAULT_PAUSE
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment, now), now + MAX_PAUSE)
