"""Asking links and writing the good news while it comes: what a run does with all links, a part of it with its own.

Bad news goes to the `shelf`, where it waits until the whole run is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from scraper.addresses import host_of
from streaming.health import canaries
from streaming.health.answers import Question, Underway
from streaming.health.asking import ask
from streaming.health.broken import Before
from streaming.health.changes import Change, Finding, change_of
from streaming.health.due import DueLink, is_private, others_at, these_links
from streaming.health.gathering import Gathering, Shelf
from streaming.health.guard import Belief, HostTally
from streaming.health.heard import Heard
from streaming.health.options import Options
from streaming.health.probe import never
from streaming.health.verifying import Verifier
from streaming.health.writing import Written, flips_of, write
from streaming.ingest.blocklist import Blocklist
from streaming.models import HostPause
from streaming.reason_codes import Reason
from streaming.turns import reserve

BATCH = 500


def _turn(place: str, pause: float) -> float | None:
    """The seconds until this host is ours to ask: spiders and other machines ask it too."""
    return reserve(urlsplit(f"//{place}").hostname or place, pause=pause)


class Hearing:
    """`before`: what broken runs left; `canaries`: whom to ask when our own side may be down.

    `noted`: the reason of each link, for the few of `check_now`; None: not wanted. `onward`: links that led to another
    worker's host, emptied by whoever hands them on. `would`: what a dry run would change.
    """

    def __init__(self, options: Options, *, now: datetime, shelf: Shelf, noted: dict[int, str] | None = None) -> None:
        self.options, self.now, self.noted = options, now, noted
        self.manners = options.manners()
        self.heard = Gathering(now=now, opened=self._opened, shelf=shelf)
        self.before = Before()
        self.canaries: list[Question] = []
        self.onward: list[tuple[int, Underway]] = []
        self.written = Written()
        self.would: list[Change] = []
        self._asked: dict[int, DueLink] = {}

    def others(self) -> Iterator[DueLink]:
        """More links of hosts of which few were due and some failed: without them a host that is down would be taken
        for links that died, a few in every run."""
        asked, ids = self.heard.first_active, list[int]()
        for place, most in self.heard.more_wanted().items():
            ids += others_at(place, besides=asked[place], most=most, now=self.now)
        for start in range(0, len(ids), BATCH):
            yield from these_links(ids[start : start + BATCH])

    def hear(
        self, links: Iterable[DueLink], *, stop: Callable[[], bool], few: bool = False, beyond: bool = False
    ) -> Iterator[None]:
        """Ask these; stands still after each answer, so that whoever wants to know can look. `few`: a person waits.
        `beyond`: they are asked although the run's limit may be reached."""
        among = None if few or self.options.limit is not None else self.options.selection
        verifier = Verifier(self.manners, now=self.now, stop=stop, pauses=self.heard.pauses, among=among, few=few)
        all_heard = ask(
            self._questions(links, None if beyond else self.options.limit),
            self.manners,
            turn=_turn,
            stop=stop,
            known=self.before.answered,
        )
        for heard in verifier.verified(all_heard, self._asked):
            self._take(heard)
            yield

    def our_side_is_down(self, *, stop: Callable[[], bool] = never) -> bool:
        again = canaries.to_ask_again(self.canaries, self.heard.witnesses, allowed=self.manners.allowed)
        return canaries.none_answers(again, self.manners, stop=stop)

    # --- asking
    def _questions(self, links: Iterable[DueLink], left: int | None) -> Iterator[Question]:
        """The links as questions; those that may not be asked are counted and passed over."""
        blocklist = Blocklist.load()
        taken_down = bool(blocklist.hosts or blocklist.prefixes or blocklist.imdb_ids)
        paused = set(HostPause.objects.standing(self.now).values_list("host", flat=True))
        for link in links:
            if left == 0:
                return
            if link.standing.id in self._asked:
                continue  # Somebody checked it by hand while it waits here, so it was drawn once more.
            if taken_down and blocklist.forbids(url=link.url, imdb_id=link.imdb_id):
                self._pass_over(link.standing.id, Reason.BLOCKED_HOST)
            elif paused and {link.standing.place, host_of(link.url)} & paused:
                self._pass_over(link.standing.id, Reason.PAUSED)
            else:
                left = None if left is None else left - 1
                self._asked[link.standing.id] = link
                yield link.question()

    def _pass_over(self, link_id: int, reason: str) -> None:
        self.heard.pass_over()
        self._note_reason(link_id, reason)

    def _note_reason(self, link_id: int, reason: str) -> None:
        if self.noted is not None:
            self.noted[link_id] = reason

    def _opened(self, place: str) -> HostTally:
        """The tally of a host that is met for the first time."""
        return HostTally(public=not is_private(place, self.manners.allowed), before=self.before.not_asked[place])

    def _take(self, heard: Heard) -> None:
        link = self._asked.pop(heard.id)
        if heard.underway is not None:
            self.onward.append((heard.id, heard.underway))
            return
        self._note_reason(heard.id, heard.judgement.reason)
        finding = Finding(
            link.standing,
            heard.judgement,
            heard.status,
            heard.response_ms,
            heard.moved_to,
            heard.vouched,
            heard.unasked,
        )
        self.heard.take(finding, heard, link.question())
        if len(self.heard.good) >= BATCH:
            self.write_good(Belief())

    # --- writing
    def write_good(self, belief: Belief) -> None:
        good, self.heard.good = self.heard.good, []
        self.write(good, belief)

    def write(self, findings: Iterable[Finding], belief: Belief) -> None:
        changes = [self._change(finding, belief) for finding in findings]
        if self.options.dry_run:
            self.would.extend(change for change in changes if change.is_flip or not change.is_active)
            self.written.add(flips_of(changes))
        else:
            self.written.add(write(changes, now=self.now))

    def _change(self, finding: Finding, belief: Belief) -> Change:
        down = finding.standing.place in belief.down
        return change_of(finding, now=self.now, host_down=down, adaptive=settings.HEALTH_ADAPTIVE)
