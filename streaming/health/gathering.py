"""What a run has heard so far: findings to write at once, findings that wait, and what each host did. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from streaming.health.answers import Question
from streaming.health.changes import Finding
from streaming.health.guard import BREAKER_LEAST_LINKS, HostTally, is_suspicious, joined
from streaming.health.heard import Heard
from streaming.health.verdict import Verdict
from streaming.reason_codes import Reason
from streaming.retry_after import paused_until

SLICE = 500
WITNESSES_KEPT = 20
# Who takes longer (milliseconds) is asked only while there are few others: a run waits for its witnesses.
SLOW, FEW_WITNESSES = 1000, 5


class Shelf(Protocol):
    """Where bad news waits until the whole run is believed."""

    def append(self, finding: Finding) -> None: ...


class Gathering:
    """The ears of a run, or of a part of one: parts are joined. `good` is emptied by whoever writes it; bad news goes
    to the shelf.

    `hosts`: by place, what the guard wants to know of it; `opened` makes the tally of a place met for the first time.
    `first_active`: the active links that were asked of a host while they are too few for the breaker.
    `landings`: at which hosts redirects of others ended. `witnesses`: links that answered a moment ago, by place.
    `pauses`: until when a host asked to be left alone.
    """

    def __init__(self, *, now: datetime, opened: Callable[[str], HostTally], shelf: Shelf) -> None:
        self.now, self.opened, self.shelf = now, opened, shelf
        self.verdicts: Counter[str] = Counter()
        self.good: list[Finding] = []
        self.private: list[int] = []
        self.hosts: dict[str, HostTally] = {}
        self.first_active: dict[str, list[int]] = {}
        self.landings: dict[str, set[str]] = {}
        self.pauses: dict[str, datetime] = {}
        self.witnesses: dict[str, Question] = {}
        self._slice_asked = self._slice_failed = 0

    @property
    def done(self) -> int:
        return self.verdicts.total()

    def pass_over(self) -> None:
        """A link that may not be asked."""
        self.verdicts[Verdict.NOT_CHECKED] += 1

    def take(self, finding: Finding, heard: Heard, question: Question) -> None:
        """What was heard of one link."""
        verdict = heard.judgement.verdict
        self.verdicts[verdict] += 1
        if verdict is Verdict.NOT_CHECKED:
            if heard.judgement.reason == Reason.PRIVATE_ADDRESS:
                self.private.append(heard.id)
            if not heard.below_http:
                return
        elif verdict.is_bad:
            self.shelf.append(finding)
        else:
            self.good.append(finding)
        self._tally(finding, heard, verdict)
        self._note_host(finding.standing.place, heard, verdict, question)

    def _tally(self, finding: Finding, heard: Heard, verdict: Verdict) -> None:
        place = finding.standing.place
        tally = self._of(place)
        tally.asked += 1
        tally.below_http += heard.below_http
        self._slice_asked += 1
        self._slice_failed += heard.below_http
        if finding.standing.is_active:
            tally.active += 1
            self._note_active(place, heard.id, tally)
            tally.turned_gone += verdict is Verdict.GONE
            tally.turned_soft += verdict in (Verdict.BLOCKED, Verdict.UNREACHABLE)

    def _note_active(self, place: str, link_id: int, tally: HostTally) -> None:
        if tally.known < BREAKER_LEAST_LINKS:
            self.first_active.setdefault(place, []).append(link_id)
        else:
            self.first_active.pop(place, None)

    def more_wanted(self) -> dict[str, int]:
        """At which hosts how many more links are to be asked before the breaker can judge."""
        return {place: tally.more_wanted for place, tally in self.hosts.items() if tally.more_wanted}

    def _of(self, place: str) -> HostTally:
        tally = self.hosts.get(place)
        if tally is None:
            tally = self.hosts[place] = self.opened(place)
        return tally

    def remember(self, place: str, verdict: Verdict, *, was_active: bool) -> None:
        """Good news that was written already, by whoever began this part and died."""
        self.verdicts[verdict] += 1
        tally = self._of(place)
        tally.asked += 1
        tally.active += was_active
        if verdict is Verdict.THROTTLED:
            self._pause(place, paused_until("", now=self.now))

    def join(self, part: Gathering) -> None:
        """Add what another part of the same run has heard. In which order parts come does not matter."""
        self.verdicts += part.verdicts
        self.good += part.good
        self.private += part.private
        for place, tally in part.hosts.items():
            self.hosts[place] = joined(self.hosts[place], tally) if place in self.hosts else tally
        for landed, places in part.landings.items():
            self.landings.setdefault(landed, set()).update(places)
        for place, until in part.pauses.items():
            self._pause(place, until)
        for place, question in part.witnesses.items():
            self._witness(place, question)

    def _pause(self, place: str, until: datetime) -> None:
        self.pauses[place] = max(until, self.pauses.get(place, until))

    def _witness(self, place: str, question: Question) -> None:
        self.witnesses.pop(place, None)
        self.witnesses[place] = question
        if len(self.witnesses) > WITNESSES_KEPT:
            del self.witnesses[next(iter(self.witnesses))]

    def _note_host(self, place: str, heard: Heard, verdict: Verdict, question: Question) -> None:
        if verdict is Verdict.THROTTLED:
            # Where redirects led is who asks for it.
            self._pause(heard.landed or place, paused_until(heard.retry_after, now=self.now))
        elif verdict is Verdict.ALIVE and ((heard.response_ms or 0) < SLOW or len(self.witnesses) < FEW_WITNESSES):
            self._witness(place, question)
        if heard.landed and heard.landed != place:
            self.landings.setdefault(heard.landed, set()).add(place)

    def slice_is_suspicious(self) -> bool:
        """Looked at after each answer: whether the last slice of them is full, and failed so much that it may be us."""
        if self._slice_asked < SLICE:
            return False
        bad = is_suspicious(asked=self._slice_asked, below_http=self._slice_failed)
        self._slice_asked = self._slice_failed = 0
        return bad
