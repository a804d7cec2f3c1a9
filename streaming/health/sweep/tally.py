"""What a run has heard so far: findings to write at once, findings that wait, and what each host did. Pure."""

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
from streaming.retry_after import pause_until

WINDOW_SIZE = 500
MAX_CONTROL_LINKS = 20
# Who takes longer (milliseconds) is asked only while there are few others: a run waits for its witnesses.
SLOW_MS, MIN_CONTROL_LINKS = 1000, 5


class ResultSink(Protocol):
    """Where bad news waits until the whole run is believed."""

    def append(self, result: CheckResult) -> None: ...


class RunTally:
    """The ears of a run, or of a part of one: parts are joined. `good` is emptied by whoever writes it; bad news goes
    to the shelf.

    `hosts`: by place, what the guard wants to know of it; `opened` makes the tally of a place met for the first time.
    `first_active`: the active links that were asked of a host while they are too few for the breaker.
    `landings`: at which hosts redirects of others ended. `witnesses`: links that answered a moment ago, by place.
    `pauses`: until when a host asked to be left alone.
    """

    def __init__(self, *, now: datetime, opened: Callable[[str], HostTally], sink: ResultSink) -> None:
        self.now, self.opened, self.failures = now, opened, sink
        self.verdicts: Counter[str] = Counter()
        self.successes: list[CheckResult] = []
        self.private: list[int] = []
        self.hosts: dict[str, HostTally] = {}
        self.checked_active: dict[str, list[int]] = {}
        self.redirect_targets: dict[str, set[str]] = {}
        self.pauses: dict[str, datetime] = {}
        self.control_links: dict[str, ProbeRequest] = {}
        self._slice_asked = self._slice_failed = 0

    @property
    def done(self) -> int:
        return self.verdicts.total()

    def add_skipped(self) -> None:
        """A link that may not be asked."""
        self.verdicts[Verdict.NOT_CHECKED] += 1

    def add(self, result: CheckResult) -> None:
        """Count one result; its link must be set."""
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
        self._tally(link, result, verdict)
        self._note_host(link, result, verdict)

    def _tally(self, link: LinkState, result: CheckResult, verdict: Verdict) -> None:
        tally = self._of(link.netloc)
        tally.asked += 1
        tally.below_http += result.is_transport_failure
        self._slice_asked += 1
        self._slice_failed += result.is_transport_failure
        if link.is_active:
            tally.active += 1
            self._note_active(link.netloc, link.id, tally)
            tally.active_gone += verdict is Verdict.GONE
            tally.active_failed += verdict in (Verdict.BLOCKED, Verdict.UNREACHABLE)

    def _note_active(self, place: str, link_id: int, tally: HostTally) -> None:
        if tally.known < BREAKER_MIN_LINKS:
            self.checked_active.setdefault(place, []).append(link_id)
        else:
            self.checked_active.pop(place, None)

    def extra_links_needed(self) -> dict[str, int]:
        """At which hosts how many more links are to be asked before the breaker can judge."""
        return {place: tally.extra_links_needed for place, tally in self.hosts.items() if tally.extra_links_needed}

    def _of(self, place: str) -> HostTally:
        tally = self.hosts.get(place)
        if tally is None:
            tally = self.hosts[place] = self.opened(place)
        return tally

    def add_written(self, place: str, verdict: Verdict, *, was_active: bool) -> None:
        """Good news that was written already, by whoever began this part and died."""
        self.verdicts[verdict] += 1
        tally = self._of(place)
        tally.asked += 1
        tally.active += was_active
        if verdict is Verdict.THROTTLED:
            self._pause(place, pause_until("", now=self.now))

    def merge(self, part: RunTally) -> None:
        """Add what another part of the same run has heard. In which order parts come does not matter."""
        self.verdicts += part.verdicts
        self.successes += part.successes
        self.private += part.private
        for place, tally in part.hosts.items():
            self.hosts[place] = merge_tallies(self.hosts[place], tally) if place in self.hosts else tally
        for landed, places in part.redirect_targets.items():
            self.redirect_targets.setdefault(landed, set()).update(places)
        for place, until in part.pauses.items():
            self._pause(place, until)
        for place, question in part.control_links.items():
            self._witness(place, question)

    def _pause(self, place: str, until: datetime) -> None:
        self.pauses[place] = max(until, self.pauses.get(place, until))

    def _witness(self, place: str, question: ProbeRequest) -> None:
        self.control_links.pop(place, None)
        self.control_links[place] = question
        if len(self.control_links) > MAX_CONTROL_LINKS:
            del self.control_links[next(iter(self.control_links))]

    def _note_host(self, link: LinkState, result: CheckResult, verdict: Verdict) -> None:
        place = link.netloc
        if verdict is Verdict.THROTTLED:
            # Where redirects led is who asks for it.
            self._pause(result.redirect_target or place, pause_until(result.retry_after, now=self.now))
        elif verdict is Verdict.ALIVE and (
            (result.response_ms or 0) < SLOW_MS or len(self.control_links) < MIN_CONTROL_LINKS
        ):
            self._witness(place, link.request())
        if result.redirect_target and result.redirect_target != place:
            self.redirect_targets.setdefault(result.redirect_target, set()).add(place)

    def slice_is_suspicious(self) -> bool:
        """Looked at after each answer: whether the last slice of them is full, and failed so much that it may be us."""
        if self._slice_asked < WINDOW_SIZE:
            return False
        bad = is_suspicious(asked=self._slice_asked, below_http=self._slice_failed)
        self._slice_asked = self._slice_failed = 0
        return bad
