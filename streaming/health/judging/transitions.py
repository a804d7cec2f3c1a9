"""Derive a link's next state and the time of its next check from its state and a result. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from streaming.health.judging.removal import (
    SOURCE_API_REASONS,
    carried_seconds,
    counted_seconds,
    grace_factor,
    required_failing_time,
)
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.verdict import Verdict
from streaming.reason_codes import MAX_CHECK_HISTORY, CheckCode, Reason

MAX_TIMES_SEEN = 1000
INCONCLUSIVE = frozenset({Verdict.THROTTLED, Verdict.NOT_CHECKED})
"""Verdicts after which a link keeps its state and is due in the next run."""
CODE_BY_VERDICT = {
    Verdict.ALIVE: CheckCode.ALIVE,
    Verdict.GONE: CheckCode.GONE,
    Verdict.BLOCKED: CheckCode.BLOCKED,
    Verdict.UNREACHABLE: CheckCode.UNREACHABLE,
}


class LinkUpdate(NamedTuple):
    """A link's health after a check.

    `was_active` and `was_reason` are from before it, so that the writer does not overwrite changes by others.
    `next_check_at` None: in the next run.
    """

    id: int
    movie_id: int
    was_active: bool
    was_reason: str
    is_active: bool
    reason: str
    http_status: int | None
    response_ms: int | None
    failures: int
    state_since: datetime | None
    checks: str
    next_check_at: datetime | None = None
    moved_to: str = ""
    moved_seen: int = 0
    is_verified: bool = False
    strength: str = ""
    failing_seconds: int = 0

    @property
    def is_flip(self) -> bool:
        """Whether the link turns on or off."""
        return self.was_active != self.is_active

    def as_row(
        self, checked_at: datetime, *, adapt: Callable[[datetime | None], str | None]
    ) -> tuple[str | int | bool | None, ...]:
        """The values of the writer's UPDATE statement in its order; `adapt` gives a date as the database wants it."""
        now = adapt(checked_at)
        return (
            now, self.reason, self.http_status, self.response_ms, self.failures,
            adapt(self.state_since), self.checks, adapt(self.next_check_at), self.moved_to, self.moved_seen,
            self.strength, self.failing_seconds, self.id, self.was_active, self.was_reason, now,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class HostNews:
    """What is known about the host of a link, or about many hosts, when its result is written.

    `is_down`: links that failed keep their state, for the host is at fault, not the film. `is_changed`: most of its
    links went within a day, so those that it calls gone turn off but count later. `outage_seconds`: the host has been
    down for so long that its failures count, with that time. `is_mass_loss`: the link turned off with so many others,
    of any host, that it does not count as failing yet.
    """

    is_down: bool = False
    is_changed: bool = False
    outage_seconds: int = 0
    is_mass_loss: bool = False


NO_NEWS = HostNews()


def link_update(
    result: CheckResult,
    *,
    now: datetime,
    host: HostNews = NO_NEWS,
    adaptive: bool = False,
    grace: timedelta = timedelta(0),
) -> LinkUpdate:
    """Return the link's health after this result.

    `adaptive`: links that were alive many times are checked less often. `grace`: `LINK_GRACE_HOURS`; links are checked
    so often that they count towards removal in time.
    """
    update = _with_result(result, now=now, host=host)
    return update._replace(
        next_check_at=_next_check(update, result.judgement.verdict, now=now, adaptive=adaptive, grace=grace)
    )


def _with_result(result: CheckResult, *, now: datetime, host: HostNews) -> LinkUpdate:
    """The link's health after this result, without the time of its next check."""
    link, verdict = result.require_link(), result.judgement.verdict
    keeps = verdict in INCONCLUSIVE or (host.is_down and verdict in (Verdict.BLOCKED, Verdict.UNREACHABLE))
    is_active = link.is_active if keeps else verdict == Verdict.ALIVE
    moved_to, moved_seen = _redirect_state(link, result)
    reason = _next_reason(link, result, keeps=keeps, host=host, now=now)
    strength = link.strength if keeps else result.judgement.strength
    factor = grace_factor(reason=reason, strength=strength)
    return LinkUpdate(
        id=link.id,
        movie_id=link.movie_id,
        was_active=link.is_active,
        was_reason=link.reason,
        is_active=is_active,
        reason=reason,
        http_status=result.http_status,
        response_ms=result.response_ms,
        failures=_next_failures(link, is_active=is_active, keeps=keeps),
        state_since=_state_since(link, is_active=is_active, keeps=keeps, now=now),
        checks=(link.checks + CODE_BY_VERDICT.get(verdict, ""))[-MAX_CHECK_HISTORY:],
        moved_to=moved_to,
        moved_seen=moved_seen,
        is_verified=result.is_verified,
        strength=strength,
        failing_seconds=link.failing_seconds
        if keeps
        else _failing_seconds(link, is_active=is_active, host=host, factor=factor, now=now),
    )


def _next_reason(link: LinkState, result: CheckResult, *, keeps: bool, host: HostNews, now: datetime) -> str:
    verdict, reason = result.judgement.verdict, result.judgement.reason
    if keeps:
        if verdict == Verdict.NOT_CHECKED or not link.is_active:
            return link.reason
        return Reason.HOST_DOWN if host.is_down else reason
    if reason in SOURCE_API_REASONS:
        return reason  # Its source says so of each film.
    was_changed = not link.is_active and link.reason == Reason.HOST_CHANGED
    is_part_of_it = link.is_active or link.is_off_lately(now)
    if verdict.is_bad and (was_changed or (host.is_changed and is_part_of_it)):
        return Reason.HOST_CHANGED
    return reason


def _next_failures(link: LinkState, *, is_active: bool, keeps: bool) -> int:
    if keeps:
        return link.failures
    return 0 if is_active else link.failures + 1


def _failing_seconds(link: LinkState, *, is_active: bool, host: HostNews, factor: int, now: datetime) -> int:
    """How long the link has been failing: a first failure counts nothing, each further one the time since the last.

    `factor`: the grace factor of this failure.
    """
    if is_active:
        return 0
    is_frozen = host.is_mass_loss and not link.is_active
    if not (link.failures or is_frozen):
        return host.outage_seconds
    before = grace_factor(reason=link.reason, strength=link.strength) if link.strength else factor
    carried = carried_seconds(link.failing_seconds, before=before, after=factor)
    return carried if is_frozen else carried + counted_seconds(since=link.last_checked, now=now)


def _state_since(link: LinkState, *, is_active: bool, keeps: bool, now: datetime) -> datetime | None:
    """Return when the state began: now if it changed, or if an inactive link has no such time yet."""
    starts = is_active != link.is_active or (link.state_since is None and not is_active and not keeps)
    return now if starts else link.state_since


def _next_check(update: LinkUpdate, verdict: Verdict, *, now: datetime, adaptive: bool, grace: timedelta) -> datetime:
    if verdict in INCONCLUSIVE:
        return now
    required = required_failing_time(reason=update.reason, strength=update.strength, grace=grace)
    return next_check_at(
        is_active=update.is_active,
        checks=update.checks,
        state_since=update.state_since,
        now=now,
        adaptive=adaptive,
        until_counted=required - timedelta(seconds=update.failing_seconds),
    )


def _redirect_state(link: LinkState, result: CheckResult) -> tuple[str, int]:
    """Return where the URL redirects permanently, and in how many checks in a row it did; failures change neither."""
    if result.judgement.verdict != Verdict.ALIVE:
        return link.moved_to, link.moved_seen
    if not result.moved_to:
        return "", 0
    return result.moved_to, min(link.moved_seen + 1, MAX_TIMES_SEEN) if result.moved_to == link.moved_to else 1


# After this many checks in a row that were alive, the next one is after this time.
STEADY_INTERVALS = (
    (18, timedelta(days=7)),
    (14, timedelta(days=3)),
    (10, timedelta(days=1)),
    (6, timedelta(hours=6)),
)


# Until a link counts towards removal; a little less than half a day, so that a run every twelve hours meets it.
MAX_UNCOUNTED_INTERVAL = timedelta(hours=11)
# While a link has failed for less than an interval, the next check is after it; later every 30 days: it may come back.
FAILING_INTERVALS = (timedelta(days=1), timedelta(days=3), timedelta(days=7), timedelta(days=30))


def next_check_at(
    *,
    is_active: bool,
    checks: str,
    state_since: datetime | None,
    now: datetime,
    adaptive: bool,
    until_counted: timedelta = timedelta(0),
) -> datetime:
    """Return when a link that was just checked is due again; `now` means in the next run.

    `checks` are the codes of its last results, the newest last. Active links are checked less often only with
    `adaptive`; one that was not alive this time, because its host was busy or down, is due in the next run.
    `until_counted`: how much longer a failing link has to fail to count towards removal; nothing if it counts.
    """
    if is_active:
        return now + (_steady_interval(len(checks) - len(checks.rstrip(CheckCode.ALIVE))) if adaptive else timedelta(0))
    if until_counted > timedelta(0):
        return now + min(until_counted, MAX_UNCOUNTED_INTERVAL)
    failing_for = now - state_since if state_since else timedelta(0)
    return now + next((span for span in FAILING_INTERVALS if failing_for < span), FAILING_INTERVALS[-1])


def _steady_interval(alive_in_a_row: int) -> timedelta:
    return next((span for minimum, span in STEADY_INTERVALS if alive_in_a_row >= minimum), timedelta(0))
