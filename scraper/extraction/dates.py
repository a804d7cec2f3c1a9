"""Moments that sources state: whether something is over or has begun. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

PERIOD = re.compile(r"\+?([0-9]{4})(?:[-/.]([0-9]{2})(?:[-/.]([0-9]{2}))?)?")
UNKNOWN_PARTS = re.compile(r"(?:-00)?-00T00:00:00Z\Z")
"""The month and day of a time of which only the year is known."""
SECONDS, MILLISECONDS = re.compile(r"[1-9][0-9]{9}"), re.compile(r"[1-9][0-9]{12}")
UTC_NAME = re.compile(r" ?(?:UTC|GMT|Z)\Z", re.IGNORECASE)
MAX_DATE_LENGTH = 40
FIRST_YEAR = 1900
"""Earlier years stand for "never": `0001-01-01` is what programs write for no date."""


def is_over(stated: str, *, now: datetime) -> bool:
    """Return whether a stated end has passed; a day, month or year ends with its last moment. False if unreadable."""
    period = _period(stated)
    return period is not None and period[1] <= now


def has_begun(stated: str, *, now: datetime) -> bool:
    """Return whether a stated beginning has passed. True if unreadable."""
    period = _period(stated)
    return period is None or period[0] <= now


def _period(stated: str) -> tuple[datetime, datetime] | None:
    """Return first moment and end of a date or time; without a zone it is UTC. None if unreadable."""
    text = UNKNOWN_PARTS.sub("", stated.strip()[:MAX_DATE_LENGTH])
    try:
        if found := PERIOD.fullmatch(text):
            period = _calendar_period(*(int(part or 0) for part in found.groups()))
        else:
            moment = _moment(text)
            period = moment, moment
    except (ValueError, OverflowError, OSError):
        return None
    return period if period[0].year >= FIRST_YEAR else None


def _moment(text: str) -> datetime:
    """Return the moment of an ISO 8601 time, of one as in headers, or of a number of seconds. Raises ValueError."""
    if SECONDS.fullmatch(text) or MILLISECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text[:10]), UTC)
    if "," in text:
        moment = parsedate_to_datetime(text)
    else:
        moment = datetime.fromisoformat(UTC_NAME.sub("+00:00", text.removeprefix("+")).replace("/", "-"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _calendar_period(year: int, month: int, day: int) -> tuple[datetime, datetime]:
    """Return the bounds of a year, or of a month or day in it; zero stands for a part that is not stated."""
    first = datetime(year, month or 1, day or 1, tzinfo=UTC)
    if month and day:
        return first, first + timedelta(days=1)
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC) if month else None
    return first, following or datetime(year + 1, 1, 1, tzinfo=UTC)
