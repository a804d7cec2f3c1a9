"""How certain the death of a failing link is, and when it counts towards the removal of its movie. Pure.

See docs/decisions, number 13.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from streaming.reason_codes import Reason, Strength

SOURCE_API_REASONS = frozenset({Reason.DARK, Reason.MISSING, Reason.PRIVATE})
"""Reasons that only a source's API gives: by HTTP the link is alive."""
IMMEDIATE_REASONS = SOURCE_API_REASONS | {Reason.MOVED}
"""Reasons with which a link counts towards removal at once."""
STRENGTH_BY_REASON: Mapping[Reason, Strength] = MappingProxyType(
    {
        Reason.HTTP_404: Strength.PROVEN,
        Reason.HTTP_410: Strength.PROVEN,
        Reason.DARK: Strength.PROVEN,
        Reason.MISSING: Strength.PROVEN,
        Reason.PRIVATE: Strength.PROVEN,
        Reason.MOVED: Strength.PROVEN,
        Reason.SOFT_404: Strength.SOFT,
        Reason.REDIRECT_HOME: Strength.SOFT,
        Reason.REDIRECT_LOOP: Strength.SOFT,
        Reason.WRONG_TYPE: Strength.SOFT,
        Reason.EMPTY: Strength.SOFT,
        Reason.PARKED: Strength.SOFT,
        Reason.UNKNOWN_PAGE: Strength.SOFT,
        Reason.HTTP_401: Strength.BLOCKED,
        Reason.HTTP_403: Strength.BLOCKED,
        Reason.HTTP_451: Strength.BLOCKED,
        Reason.HTTP_999: Strength.BLOCKED,
        Reason.HTTP_4XX: Strength.BLOCKED,
        Reason.BOT_WALL: Strength.BLOCKED,
        Reason.LOGIN: Strength.BLOCKED,
        Reason.ABROAD: Strength.BLOCKED,
        Reason.MAINTENANCE: Strength.UNREACHABLE,
        Reason.TIMEOUT: Strength.UNREACHABLE,
        Reason.REFUSED: Strength.UNREACHABLE,
        Reason.RESET: Strength.UNREACHABLE,
        Reason.DNS: Strength.UNREACHABLE,
        Reason.TLS: Strength.UNREACHABLE,
        Reason.HTTP_5XX: Strength.UNREACHABLE,
        Reason.PROTOCOL: Strength.UNREACHABLE,
        Reason.TOO_MANY_REDIRECTS: Strength.UNREACHABLE,
        Reason.BAD_REDIRECT: Strength.UNREACHABLE,
    }
)
MAX_COUNTED_INTERVAL = timedelta(hours=12)
"""No interval between two checks counts for more, so that neither a jump of the clock nor a long break kills a link."""


def strength_of(reason: Reason) -> Strength:
    """How certain a death with this reason is; none for a reason that turns no link off."""
    return STRENGTH_BY_REASON.get(reason, Strength.NONE)


def counted_seconds(*, since: datetime | None, now: datetime) -> int:
    """The seconds that count between two failing checks: half a day at most, and never less than nothing."""
    if since is None:
        return 0
    return int(max(timedelta(0), min(now - since, MAX_COUNTED_INTERVAL)).total_seconds())
