"""Counts of a run so far: results to write, verdicts, and what each host did. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Protocol

from streaming.health.judging.causes import CommonCauses
from streaming.health.judging.guard import BREAKER_MIN_LINKS, HostTally, is_suspicious, merge_tallies
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.verdict import Verdict
from streaming.health.probe_types import ProbeRequest
from streaming.reason_codes import Reason
from streaming.retry_after import PauseSet

WINDOW_SIZE = 500
MAX_CONTROL_LINKS = 20
# A run waits for its control links: slow ones are taken only while there are few others.
SLOW_MS, MIN_CONTROL_LINKS = 1000, 5
MIN_REFUSALS = 3
REFUSAL_REASONS = frozenset({Reason.HTTP_403, Reason.HTTP_999, Reason.BOT_WALL, Reason.REFUSED, Reason.THROTTLED})


class ResultSink(Protocol):
    """Where failures wait until the whole run is accepted."""

    def append(self, result: CheckResult) -> None: ...


class ControlLinks:
    """The links that responded last, one a host: they are expected to respond again while this machine is online."""

    def __init__(self) -> None:
        self.by_netloc: dict[str, ProbeRequest] = {}

    def add(self, netloc: str, request: ProbeRequest) -> None:
        """Take a link as the latest; the oldest goes when there are too many."""
        self.by_netloc.pop(netloc, None)
        self.by_netloc[netloc] = request
        if len(self.by_netloc) > MAX_CONTROL_LINKS:
            del self.by_netloc[next(iter(self.by_netloc))]

    def add_result(self, link: LinkState, response_ms: int | None) -> None:
        """Take a link that is alive, unless its host is slow and there are enough others."""
        if (response_ms or 0) < SLOW_MS or len(self.by_netloc) < MIN_CONTROL_LINKS:
            self.add(link.netloc, link.request())

    def merge(self, other: ControlLinks) -> None:
        """Add the control links of another part of the run."""
        for netloc, request in other.by_netloc.items():
            self.add(netloc, request)


class _Refusal(NamedTuple):
    """A link that a host refused, and when, in seconds of the monotonic clock."""

    responded_at: float
    link_id: int


class Refusals:
    """What hosts refused after they had served other links of the same run: the checker was too fast for them.

    By the times of the responses and not by their order here, for links that are alive may wait for their source's API.
    """

    def __init__(self) -> None:
        self._served_until: dict[str, float] = {}
        self._refused: dict[str, list[_Refusal]] = {}
        self._merged: dict[str, set[int]] = {}

    def add(self, link: LinkState, result: CheckResult) -> None:
        """Take a result; only links that were active can be refused suddenly."""
        netloc, moment = link.netloc, result.responded_at
        if result.judgement.reason in REFUSAL_REASONS:
            if link.is_active and not result.redirect_target:
                self._refused.setdefault(netloc, []).append(_Refusal(moment, link.id))
        elif result.http_status is not None:
            self._served_until[netloc] = max(moment, self._served_until.get(netloc, moment))

    def add_earlier(self, netloc: str, ids: Iterable[int]) -> None:
        """Take what another part of the run found."""
        self._merged.setdefault(netloc, set()).update(ids)

    def merge(self, other: Refusals) -> None:
        """Add those of another part of the run."""
        for netloc, ids in other.by_host().items():
            self.add_earlier(netloc, ids)

    def by_host(self) -> dict[str, set[int]]:
        """Return the ids of the links that hosts refused in the end, three or more, after they had served others."""
        found = {netloc: set(ids) for netloc, ids in self._merged.items()}
        for netloc, refused in self._refused.items():
            served_until = self._served_until.get(netloc)
            last = [] if served_until is None else [one.link_id for one in refused if one.responded_at > served_until]
            if len(last) >= MIN_REFUSALS:
                found.setdefault(netloc, set()).update(last)
        return found


class RunTally:
    """The counts of a run, or of a part of one; parts are merged.

    `failures` receives the results that count only when the run is accepted: failures, and links that work again, for
    that may be the page of a captive portal. `successes` may be written at once;
    whoever writes them empties the list. `private`: ids of links whose address may not be opened. `hosts`: by netloc,
    what the guard needs to know; `new_host_tally` makes the tally of a new host. `checked_active`: the ids of the
    active links checked at a host while they are too few for the breaker. `redirect_targets`: by target netloc, the
    hosts whose redirects led there in vain. `causes`, `refusals`: failures that may not be those of their links.
    """

    def __init__(self, *, now: datetime, new_host_tally: Callable[[str], HostTally], sink: ResultSink) -> None:
        self.now, self.new_host_tally, self.failures = now, new_host_tally, sink
        self.verdicts: Counter[str] = Counter()
        self.successes: list[CheckResult] = []
        self.private: list[int] = []
        self.hosts: dict[str, HostTally] = {}
        self.checked_active: dict[str, list[int]] = {}
        self.redirect_targets: dict[str, set[str]] = {}
        self.causes, self.refusals = CommonCauses(), Refusals()
        self.pauses = PauseSet()
        self.control_links = ControlLinks()
        self._started: float | None = None
        self._window_checked = self._window_failures = 0

    @property
    def done(self) -> int:
        """The number of links with a verdict, skipped ones included."""
        return self.verdicts.total()

    def add_skipped(self) -> None:
        """Count a link that may not be checked."""
        self.verdicts[Verdict.NOT_CHECKED] += 1

    def add(self, result: CheckResult) -> None:
        """Count one result. Raises ValueError when its link is not set."""
        link, verdict = result.require_link(), result.judgement.verdict
        self.verdicts[verdict] += 1
        if verdict is Verdict.NOT_CHECKED:
            if result.judgement.reason == Reason.PRIVATE_ADDRESS:
                self.private.append(result.id)
            if not result.is_transport_failure:
                return
        elif verdict.is_bad or result.is_revival:
            self.failures.append(result)
            if self._host_tally(link.netloc).public:
                self.causes.add(result)
        else:
            self.successes.append(result)
        self._add_to_host(link, result)
        self._add_host_signals(link, result)

    def _add_to_host(self, link: LinkState, result: CheckResult) -> None:
        tally, verdict = self._host_tally(link.netloc), result.judgement.verdict
        tally.checked += 1
        tally.transport_failures += result.is_transport_failure
        tally.alive += verdict is Verdict.ALIVE
        if result.date and tally.clock_offset is None:
            tally.clock_offset = self._clock_offset(result)
        self._window_checked += 1
        self._window_failures += result.is_transport_failure
        if link.is_active:
            tally.active += 1
            self._add_checked_active(link, tally)
            tally.active_gone += verdict is Verdict.GONE
            tally.active_failed += verdict in (Verdict.BLOCKED, Verdict.UNREACHABLE)
        else:
            tally.off_lately += verdict.is_bad and link.is_off_lately(self.now)

    def _clock_offset(self, result: CheckResult) -> float | None:
        """How many seconds the clock of a host is ahead of the run's, which began at `now`; None: it is no date."""
        self._started = result.responded_at if self._started is None else self._started
        with suppress(ValueError, OverflowError):
            date = parsedate_to_datetime(result.date)
            elapsed = result.responded_at - self._started
            return (date.replace(tzinfo=date.tzinfo or UTC) - self.now).total_seconds() - elapsed
        return None

    def _add_checked_active(self, link: LinkState, tally: HostTally) -> None:
        if tally.known < BREAKER_MIN_LINKS:
            self.checked_active.setdefault(link.netloc, []).append(link.id)
        else:
            self.checked_active.pop(link.netloc, None)

    def _add_host_signals(self, link: LinkState, result: CheckResult) -> None:
        verdict, target = result.judgement.verdict, result.redirect_target
        if verdict is Verdict.THROTTLED:
            # The host that redirects led to is the one that requests the pause.
            self.pauses.add_requested(target or link.netloc, result.retry_after, now=self.now)
        elif verdict is Verdict.ALIVE:
            self.control_links.add_result(link, result.response_ms)
        self.refusals.add(link, result)
        if target and target != link.netloc and verdict.is_bad:
            self.redirect_targets.setdefault(target, set()).add(link.netloc)

    def _host_tally(self, netloc: str) -> HostTally:
        tally = self.hosts.get(netloc)
        if tally is None:
            tally = self.hosts[netloc] = self.new_host_tally(netloc)
        return tally

    def extra_links_needed(self) -> dict[str, int]:
        """By netloc, how many more active links must be checked before the breaker can judge the host."""
        return {netloc: tally.extra_links_needed for netloc, tally in self.hosts.items() if tally.extra_links_needed}

    def add_written(self, netloc: str, verdict: Verdict, *, was_active: bool) -> None:
        """Count a success that a previous worker of this part wrote before it stopped."""
        self.verdicts[verdict] += 1
        tally = self._host_tally(netloc)
        tally.checked += 1
        tally.alive += verdict is Verdict.ALIVE
        tally.active += was_active
        if verdict is Verdict.THROTTLED:
            self.pauses.add_requested(netloc, "", now=self.now)

    def merge(self, part: RunTally) -> None:
        """Add another part of the same run; the order of the parts does not matter."""
        self.verdicts += part.verdicts
        self.successes += part.successes
        self.private += part.private
        for netloc, tally in part.hosts.items():
            self.hosts[netloc] = merge_tallies(self.hosts[netloc], tally) if netloc in self.hosts else tally
        for target, netlocs in part.redirect_targets.items():
            self.redirect_targets.setdefault(target, set()).update(netlocs)
        self.causes.merge(part.causes)
        self.refusals.merge(part.refusals)
        self.pauses.merge(part.pauses)
        self.control_links.merge(part.control_links)

    def discount(self, result: CheckResult, verdict: Verdict) -> None:
        """Count a result as this verdict after all, which says nothing of its link or its host."""
        link, found = result.require_link(), result.judgement.verdict
        self.verdicts[found] -= 1
        self.verdicts[verdict] += 1
        tally = self._host_tally(link.netloc)
        tally.alive -= found is Verdict.ALIVE
        if link.is_active:
            tally.active -= 1
            tally.active_gone -= found is Verdict.GONE
            tally.active_failed -= found in (Verdict.BLOCKED, Verdict.UNREACHABLE)
        else:
            tally.off_lately -= found.is_bad and link.is_off_lately(self.now)

    def slice_is_suspicious(self) -> bool:
        """Return whether so many of the last results are transport failures that this machine may be offline.

        Called after each result; it decides once a window of 500 results and starts a new window.
        """
        if self._window_checked < WINDOW_SIZE:
            return False
        suspicious = is_suspicious(checked=self._window_checked, transport_failures=self._window_failures)
        self._window_checked = self._window_failures = 0
        return suspicious
