"""How certain the death of a failing link is, and when it counts towards the removal of its movie. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from streaming.reason_codes import Reason, Strength

GONE_AT_SOURCE = frozenset({Reason.DARK, Reason.MISSING, Reason.PRIVATE})
"""Reasons with which a source's API calls a film gone."""
SOURCE_API_REASONS = GONE_AT_SOURCE | {Reason.NOT_FOUND, Reason.NOT_PUBLIC, Reason.EMBED_OFF}
"""Reasons that only a source's API gives: by HTTP the link is alive."""
DOUBTED_REASONS = SOURCE_API_REASONS - {Reason.DARK, Reason.PRIVATE}
"""Those that an API in error gives, too: what it says of films that it does not have."""
IMMEDIATE_REASONS = GONE_AT_SOURCE | {Reason.MOVED}
"""Reasons with which a link counts towards removal at once."""
STRENGTH_BY_REASON: Mapping[Reason, Strength] = MappingProxyType(
    {
        Reason.HTTP_404: Strength.PROVEN,
        Reason.HTTP_410: Strength.PROVEN,
        Reason.DARK: Strength.PROVEN,
        Reason.MISSING: Strength.PROVEN,
        Reason.PRIVATE: Strength.PROVEN,
        Reason.MOVED: Strength.PROVEN,
        Reason.NOT_FOUND: Strength.SOFT,
        Reason.SOFT_404: Strength.SOFT,
        Reason.REDIRECT_HOME: Strength.SOFT,
        Reason.REDIRECT_LOOP: Strength.SOFT,
        Reason.WRONG_TYPE: Strength.SOFT,
        Reason.EMPTY: Strength.SOFT,
        Reason.PARKED: Strength.SOFT,
        Reason.UNKNOWN_PAGE: Strength.SOFT,
        Reason.NOT_PUBLIC: Strength.BLOCKED,
        Reason.EMBED_OFF: Strength.BLOCKED,
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
GRACE_FACTORS: Mapping[str, int] = MappingProxyType(
    {Strength.PROVEN: 1, Strength.SOFT: 3, Strength.UNREACHABLE: 3, Strength.BLOCKED: 30}
)
"""How many times `LINK_GRACE_HOURS` a link has to fail, by its strength."""
SLOWEST_FACTOR = max(GRACE_FACTORS.values())
"""For links without a strength, which no check has judged since it is stored."""
HOST_CHANGED_FACTOR = 3
"""How many times more when most links of the host went at once."""
MIN_FAILURES = 2
REMOVAL_WINDOW = timedelta(hours=24)
MIN_REMOVALS = 10
MAX_REMOVAL_RATIO = 0.05
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


def grace_factor(*, reason: str, strength: str) -> int:
    """How many times `LINK_GRACE_HOURS` a link with this reason and strength has to fail."""
    factor = HOST_CHANGED_FACTOR if reason == Reason.HOST_CHANGED else 1
    return GRACE_FACTORS.get(strength, SLOWEST_FACTOR) * factor


def carried_seconds(seconds: int, *, before: int, after: int) -> int:
    """The failing time of a link whose grace factor changes from `before` to `after`: the same fraction of its grace.

    Else a month of 403 and one 404 would be a month of 404.
    """
    return seconds * after // before


def required_failing_time(*, reason: str, strength: str, grace: timedelta) -> timedelta:
    """How long a link with this reason and strength has to fail before it counts towards removal."""
    return timedelta(0) if reason in IMMEDIATE_REASONS else grace_factor(reason=reason, strength=strength) * grace


def required_failures(grace: timedelta) -> int:
    """Two failed checks in a row; one without a grace, for then each dead link counts at once."""
    return MIN_FAILURES if grace else 1


def counts_towards_removal(
    *, is_active: bool, reason: str, strength: str, failures: int, failing_seconds: int, grace: timedelta
) -> bool:
    """Whether a link is dead enough for its movie to be removed; `removable_movies` is the same rule in SQL."""
    if is_active or reason in IMMEDIATE_REASONS:
        return not is_active
    required = required_failing_time(reason=reason, strength=strength, grace=grace)
    return failures >= required_failures(grace) and timedelta(seconds=failing_seconds) >= required


def removal_allowance(*, movies: int, removed: int) -> int:
    """How many more movies may be removed now: 5 % of all in 24 hours, but at least ten.

    `movies`: those in the catalogue; `removed`: those that runs have removed within the last 24 hours.
    """
    return max(0, max(MIN_REMOVALS, int((movies + removed) * MAX_REMOVAL_RATIO)) - removed)
