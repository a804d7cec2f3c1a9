"""Moments that sources state: whether something is over or has begun. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

PERIOD = re.compile(r"\+?([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
MAX_DATE_LENGTH = 40


def is_over(stated: str, *, now: datetime) -> bool:
    """Return whether a stated end has passed; a day, month or year ends with its last moment. False if unreadable."""
    period = _period(stated)
    return period is not None and period[1] <= now


def has_begun(stated: str, *, now: datetime) -> bool:
    """Return whether a stated beginning has passed. True if unreadable."""
    period = _period(stated)
    return period is None or period[0] <= now


def _period(stated: str) -> tuple[datetime, datetime] | None:
    """Return first moment and end of an ISO 8601 date or time; without a zone it is UTC. None if unreadable."""
    text = stated.strip()[:MAX_DATE_LENGTH]
    try:
        if found := PERIOD.fullmatch(text):
            return _calendar_period(*(int(part or 0) for part in found.groups()))
        moment = datetime.fromisoformat(text.removeprefix("+"))
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment, moment


def _calendar_period(year: int, month: int, day: int) -> tuple[datetime, datetime]:
    """Return the bounds of a year, or of a month or day in it; zero stands for a part that is not stated."""
    first = datetime(year, month or 1, day or 1, tzinfo=UTC)
    if month and day:
        return first, first + timedelta(days=1)
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC) if month else None
    return first, following or datetime(year + 1, 1, 1, tzinfo=UTC)
