"""Counts of a run so far: results to write, verdicts, and what each host did. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

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


class RunTally:
    """The counts of a run, or of a part of one; parts are merged.

    `failures` receives the results that count only when the run is accepted. `successes` may be written at once;
    whoever writes them empties the list. `private`: ids of links whose address may not be opened. `hosts`: by netloc,
    what the guard needs to know; `new_host_tally` makes the tally of a new host. `checked_active`: the ids of the
    active links checked at a host while they are too few for the breaker. `redirect_targets`: by target netloc, the
    hosts whose redirects led there.
    """

    def __init__(self, *, now: datetime, new_host_tally: Callable[[str], HostTally], sink: ResultSink) -> None:
        self.now, self.new_host_tally, self.failures = now, new_host_tally, sink
        self.verdicts: Counter[str] = Counter()
        self.successes: list[CheckResult] = []
        self.private: list[int] = []
        self.hosts: dict[str, HostTally] = {}
        self.checked_active: dict[str, list[int]] = {}
        self.redirect_targets: dict[str, set[str]] = {}
        self.pauses = PauseSet()
        self.control_links = ControlLinks()
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
        elif verdict.is_bad:
            self.failures.append(result)
        else:
            self.successes.append(result)
        self._add_to_host(link, result)
        self._add_host_signals(link, result)

    def _add_to_host(self, link: LinkState, result: CheckResult) -> None:
        tally, verdict = self._host_tally(link.netloc), result.judgement.verdict
        tally.checked += 1
        tally.transport_failures += result.is_transport_failure
        self._window_checked += 1
        self._window_failures += result.is_transport_failure
        if link.is_active:
            tally.active += 1
            self._add_checked_active(link, tally)
            tally.active_gone += verdict is Verdict.GONE
            tally.active_failed += verdict in (Verdict.BLOCKED, Verdict.UNREACHABLE)

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
        if target and target != link.netloc:
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
        self.pauses.merge(part.pauses)
        self.control_links.merge(part.control_links)

    def slice_is_suspicious(self) -> bool:
        """Return whether so many of the last results are transport failures that this machine may be offline.

        Called after each result; it decides once a window of 500 results and starts a new window.
        """
        if self._window_checked < WINDOW_SIZE:
            return False
        suspicious = is_suspicious(checked=self._window_checked, transport_failures=self._window_failures)
        self._window_checked = self._window_failures = 0
        return suspicious
