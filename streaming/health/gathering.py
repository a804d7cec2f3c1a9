"""What a run has heard so far: findings to write at once, findings that wait, and what each host did. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from streaming.health.answers import Question
from streaming.health.changes import Finding
from streaming.health.guard import HostTally, is_suspicious
from streaming.health.heard import Heard
from streaming.health.held import Held
from streaming.health.verdict import Verdict
from streaming.retry_after import paused_until
from streaming.words import ASKED

SLICE = 500
WITNESSES_KEPT = 20


class Gathering:
    """The ears of a run. `good` is emptied by whoever writes it; `held` waits until the whole run is believed.

    `hosts`: by place, what the guard wants to know of it; `opened` makes the tally of a place met for the first time.
    `landings`: at which hosts redirects of others ended. `witnesses`: links that answered a moment ago, by place.
    """

    def __init__(self, *, now: datetime, opened: Callable[[str], HostTally]) -> None:
        self.now, self.opened = now, opened
        self.verdicts: Counter[str] = Counter()
        self.good: list[Finding] = []
        self.held = Held()
        self.private: list[int] = []
        self.hosts: dict[str, HostTally] = {}
        self.landings: dict[str, set[str]] = {}
        self.pauses: dict[str, tuple[datetime, str]] = {}
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
            if heard.judgement.reason == "private_address":
                self.private.append(heard.id)
            if not heard.below_http:
                return
        elif verdict.is_bad:
            self.held.append(finding)
        else:
            self.good.append(finding)
        self._tally(finding, heard, verdict)
        self._note_host(finding.standing.place, heard, verdict, question)

    def _tally(self, finding: Finding, heard: Heard, verdict: Verdict) -> None:
        place = finding.standing.place
        tally = self.hosts.get(place)
        if tally is None:
            tally = self.hosts[place] = self.opened(place)
        tally.asked += 1
        tally.below_http += heard.below_http
        self._slice_asked += 1
        self._slice_failed += heard.below_http
        if finding.standing.is_active:
            tally.active += 1
            tally.turned_gone += verdict is Verdict.GONE
            tally.turned_soft += verdict in (Verdict.BLOCKED, Verdict.UNREACHABLE)

    def _note_host(self, place: str, heard: Heard, verdict: Verdict, question: Question) -> None:
        if verdict is Verdict.THROTTLED:
            until = paused_until(heard.retry_after, now=self.now)
            self.pauses[place] = (max(until, self.pauses.get(place, (until, ""))[0]), ASKED)
        elif verdict is Verdict.ALIVE:
            self.witnesses.pop(place, None)
            self.witnesses[place] = question
            if len(self.witnesses) > WITNESSES_KEPT:
                del self.witnesses[next(iter(self.witnesses))]
        if heard.landed and heard.landed != place:
            self.landings.setdefault(heard.landed, set()).add(place)

    def slice_is_suspicious(self) -> bool:
        """Looked at after each answer: whether the last slice of them is full, and failed so much that it may be us."""
        if self._slice_asked < SLICE:
            return False
        bad = is_suspicious(asked=self._slice_asked, below_http=self._slice_failed)
        self._slice_asked = self._slice_failed = 0
        return bad
