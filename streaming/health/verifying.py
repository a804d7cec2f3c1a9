"""Good news is verified: where a source can vouch for a link, its own interface is asked before the news is believed.

The prober does not wait for it: links that wait for a source's word are put aside while others are asked and written,
and the interfaces are asked by threads that know no database. Turns at a source are reserved here, in the database.
See docs/decisions/0009-what-sources-say-of-their-links.md.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from queue import Empty, SimpleQueue
from typing import NamedTuple

from django.conf import settings

from scraper.reading import Unreadable
from scraper.vouching import MISSING, Subject, Told, Voucher, vouchers
from streaming.health.due import DueLink, Selection, longest_unverified
from streaming.health.heard import Heard
from streaming.health.interface import Interface, Reply
from streaming.health.manners import Manners
from streaming.health.verdict import VOUCHED_REASONS, Verdict, gone
from streaming.models import HostPause, StreamingLink
from streaming.reason_codes import Reason
from streaming.retry_after import paused_until
from streaming.turns import pause_of, reserve

logger = logging.getLogger(__name__)

MOST_QUESTIONS = 300
"""To one interface in a run: at one a second (the archive) that is five minutes."""
MOST_WAITING = 5_000
"""Links put aside at a time; more are believed without a word and come first next time."""
MOST_FAILURES = 2
MOST_PARTS_KEPT = 2_000
LOOKED_AT = 20
DOUBTED_FROM, DOUBTED_SHARE = 5, 0.5
"""An interface that misses so many names, and more than this share of all, has more likely lost its own data."""
TAIL_OF_RUN, TAIL_OF_FEW = 300.0, 10.0
"""Seconds after the last link was asked: whatever has no word by then goes without."""
PATIENCE = 0.1
LOOKED_AFTER = 0.02
"""Seconds between two looks at the interfaces while links are asked, thousands a second."""


class Waiting(NamedTuple):
    """A link that HTTP calls alive and that waits for its source's word; `before`: the word that it stands by now."""

    heard: Heard
    subject: Subject
    before: str

    def without_word(self) -> Heard:
        """What HTTP says stands; only what a source has said itself is not taken back by HTTP."""
        return self.heard._replace(judgement=gone(Reason(self.before))) if self.before else self.heard

    def with_word(self, told: Told | None) -> Heard:
        word = told.word_of(self.subject.part) if told else None
        if word is None:
            return self.without_word()
        judged = self.heard._replace(judgement=gone(Reason(word))) if word else self.heard
        return judged._replace(vouched=True)


@dataclass(slots=True)
class Line:
    """One interface in this run, opened when the first link comes for which it can vouch. `chosen`: the names that are
    asked about, None: whichever come first.

    `waiting` and `asked` are links by name; only one question is on its way. `told`: what was answered, for links of
    the same item that come later. `missed` are links whose names the source does not know; they wait for the end of the
    run, for an empty answer is what a broken source says too. `has_control`: it is asked what it knew lately, too.
    """

    number: int
    voucher: Voucher
    opened: bool = False
    chosen: frozenset[str] | None = None
    questions: int = 0
    failures: int = 0
    closed: bool = False
    waiting: dict[str, list[Waiting]] = field(default_factory=dict)
    asked: dict[str, list[Waiting]] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    missed: dict[str, list[Waiting]] = field(default_factory=dict)
    names_told: int = 0
    names_there: int = 0
    has_control: bool = False
    interface: Interface | None = None

    def takes(self, name: str) -> bool:
        """Whether a link of this name may wait."""
        if name in self.asked:
            return True
        if self.closed or self.questions >= MOST_QUESTIONS:
            return False
        if self.chosen is not None:
            return name in self.chosen
        return name in self.waiting or len(self.waiting) < (MOST_QUESTIONS - self.questions) * self.voucher.at_once

    def put_aside(self, link: Waiting) -> None:
        name = link.subject.name
        (self.asked if name in self.asked else self.waiting).setdefault(name, []).append(link)

    def hear(self, told: Mapping[str, Told]) -> list[Heard]:
        """The links of the question that was on its way, each with what was said of it."""
        self.told |= {name: one for name, one in told.items() if len(one.parts or ()) <= MOST_PARTS_KEPT}
        self.names_told += len(told)
        self.names_there += sum(one.word != MISSING for one in told.values())
        links, self.asked = self.asked, {}
        return [
            heard
            for name, waiting in links.items()
            for link in waiting
            if (heard := self.told_of(link, told.get(name))) is not None
        ]

    def told_of(self, link: Waiting, told: Told | None) -> Heard | None:
        """The link with what was said of its name; None: it is missed."""
        if told is None or told.word != MISSING:
            return link.with_word(told)
        self.missed.setdefault(link.subject.name, []).append(link)
        return None

    def release(self) -> list[Heard]:
        """All links that wait, without a word."""
        links = chain.from_iterable([*self.waiting.values(), *self.asked.values()])
        self.waiting, self.asked = {}, {}
        return [link.without_word() for link in links]

    def settle(self) -> list[Heard]:
        """The links that are missed, when all was asked: believed unless the source misses nearly everything, or all
        that it knew lately."""
        many = len(self.missed) >= DOUBTED_FROM and len(self.missed) > DOUBTED_SHARE * self.names_told
        doubted = many or (self.has_control and not self.names_there)
        if doubted and self.missed:
            logger.warning("%s misses %d of %d: not believed", self.voucher.host, len(self.missed), self.names_told)
        told = None if doubted else Told(MISSING)
        links, self.missed = self.missed, {}
        return [link.with_word(told) for link in chain.from_iterable(links.values())]

    def is_ready(self, *, ended: bool) -> bool:
        """Whether a question can go: a full one, or whatever there is when no more will come."""
        if self.asked or self.closed or self.questions >= MOST_QUESTIONS:
            return False
        return len(self.waiting) >= (1 if ended else self.voucher.at_once)


class Verifier:
    """What sources say of the links of one run. `among`: the run's whole selection, of which the longest unverified
    are chosen; None: whichever come first. `few`: a person waits for these links, and asks about them now.

    `pauses` gets the hosts that want to be left alone.
    """

    def __init__(
        self,
        manners: Manners,
        *,
        now: datetime,
        stop: Callable[[], bool],
        pauses: dict[str, datetime],
        among: Selection | None,
        few: bool = False,
    ) -> None:
        self.manners, self.now, self.stop, self.pauses, self.among, self.few = manners, now, stop, pauses, among, few
        self.before = now if few else now - timedelta(hours=settings.HEALTH_VERIFY_HOURS)
        self.replies: SimpleQueue[tuple[int, Reply]] = SimpleQueue()
        known = vouchers(
            archive=settings.INTERNET_ARCHIVE_URL, commons=settings.COMMONS_API_URL, instances=settings.PEERTUBE_URLS
        )
        self.lines = [Line(number, voucher) for number, voucher in enumerate(known)]
        self.at: dict[str, list[Line]] = {}
        for line in self.lines:
            for place in line.voucher.places:
                self.at.setdefault(place, []).append(line)
        self.aside = 0
        self.looked = 0.0

    def verified(self, all_heard: Iterable[Heard], links: Mapping[int, DueLink]) -> Iterator[Heard]:
        """What was heard, each link once, in the order in which it is certain. `links` are those still awaited."""
        if not settings.HEALTH_VERIFY_HOURS:
            yield from all_heard
            return
        try:
            for heard in all_heard:
                told = self._taken(heard, links[heard.id]) if heard.judgement.verdict is Verdict.ALIVE else heard
                if told is not None:
                    yield told
                if self.aside and time.monotonic() - self.looked > LOOKED_AFTER:
                    self._ask(ended=False)
                    yield from self._answered(0.0)
                    self.looked = time.monotonic()
            yield from self._rest()
        finally:
            for line in self.lines:
                if line.interface is not None:
                    line.interface.end()

    # --- which links wait
    def _taken(self, heard: Heard, link: DueLink) -> Heard | None:
        """What is to be believed of a link that HTTP calls alive; None: it waits for its source's word."""
        line, subject = self._line_of(link)
        if line is None or subject is None:
            return heard
        standing = link.standing
        before = standing.reason if not standing.is_active and standing.reason in VOUCHED_REASONS else ""
        waiting = Waiting(heard, subject, before)
        if subject.name in line.told:
            told = line.told_of(waiting, line.told[subject.name])
            self.aside += told is None
            return told
        if not self._is_stale(link.verified_at) or self.aside >= MOST_WAITING or not line.takes(subject.name):
            return waiting.without_word()
        line.put_aside(waiting)
        self.aside += 1
        return None

    def _line_of(self, link: DueLink) -> tuple[Line | None, Subject | None]:
        for line in self.at.get(link.standing.place, ()):
            if subject := line.voucher.subject_of(link.url):
                if not line.opened:
                    self._open(line)
                return line, subject
        return None, None

    def _open(self, line: Line) -> None:
        pause = HostPause.objects.standing(self.now).filter(host=line.voucher.host)
        line.opened, line.closed = True, pause.exists()
        if self.among is not None:
            line.chosen = _longest_unverified(line.voucher, self.among, before=self.before, now=self.now)

    def _is_stale(self, verified_at: datetime | None) -> bool:
        return verified_at is None or not self.before <= verified_at <= self.now or self.few

    # --- asking
    def _ask(self, *, ended: bool) -> None:
        for line in self.lines:
            if line.is_ready(ended=ended):
                self._ask_one(line)

    def _ask_one(self, line: Line) -> None:
        url, count = line.voucher.question(line.voucher.base, list(line.waiting)[: line.voucher.at_once])
        wait = self._turn(line.voucher)
        if wait is None:
            line.closed = True
            return
        line.questions += 1
        line.asked = {name: line.waiting.pop(name) for name in list(line.waiting)[:count]}
        if line.interface is None:
            line.interface = Interface(line.number, self.replies, self.manners)
            line.interface.start()
        line.interface.ask(url, after=wait)

    def _turn(self, voucher: Voucher) -> float | None:
        """Seconds until this source may be asked; None: so many others ask it that we leave it alone."""
        pause = pause_of(voucher.host, source=voucher.slug)
        if not pause:
            return 0.0
        return reserve(voucher.host, pause=pause, patience=timedelta(seconds=TAIL_OF_FEW if self.few else 60))

    # --- hearing
    def _answered(self, patience: float) -> Iterator[Heard]:
        """The links of which something was said, waiting so long for it, and those that no word will reach."""
        told: list[Heard] = []
        with suppress(Empty):
            number, reply = self.replies.get(timeout=patience) if patience else self.replies.get_nowait()
            line = self.lines[number]
            told += line.hear(self._said(line, reply))
        for line in self.lines:
            if line.waiting and not line.asked and (line.closed or line.questions >= MOST_QUESTIONS):
                told += line.release()
        self.aside -= len(told)
        yield from told

    def _said(self, line: Line, reply: Reply) -> dict[str, Told]:
        """What the source said. One that is busy, or fails twice running, is not asked again in this run."""
        if reply.status == 429 or reply.retry_after is not None:
            line.closed = True
            self._pause(line.voucher.host, paused_until(reply.retry_after or "", now=self.now))
            return {}
        try:
            if reply.status is None or reply.answer is None:
                raise Unreadable("no answer that is data")
            told = line.voucher.says(reply.status, reply.answer, line.asked.keys())
        except Unreadable:
            line.failures += 1
            line.closed = line.failures >= MOST_FAILURES
            return {}
        line.failures = 0
        return told

    def _pause(self, host: str, until: datetime) -> None:
        self.pauses[host] = max(until, self.pauses.get(host, until))

    def _rest(self) -> Iterator[Heard]:
        """All that still waits, when no more links come."""
        end = time.monotonic() + (TAIL_OF_FEW if self.few else TAIL_OF_RUN)
        yield from self._asked_until(end)
        for line in self.lines:
            if line.missed and not line.names_there:
                _add_control(line)
        yield from self._asked_until(end)
        for line in self.lines:
            yield from line.release()
            yield from line.settle()

    def _asked_until(self, end: float) -> Iterator[Heard]:
        while self._some_wait() and time.monotonic() < end and not self.stop():
            self._ask(ended=True)
            yield from self._answered(PATIENCE)

    def _some_wait(self) -> bool:
        return any(line.waiting or line.asked for line in self.lines)


def _add_control(line: Line) -> None:
    """Let a name wait for which the source vouched lately and no link waits: one that says of it that it is missing, or
    nothing, is not believed in what else it misses. Most runs ask about a few items only."""
    known = (
        StreamingLink.objects.active().filter(host__in=line.voucher.hosts, reason=Reason.OK).exclude(verified_at=None)
    )
    for url in known.order_by("-verified_at", "-pk").values_list("source_url", flat=True)[:LOOKED_AT]:
        subject = line.voucher.subject_of(url)
        if subject and subject.name not in line.missed:
            line.has_control, line.waiting[subject.name] = True, []
            return


def _longest_unverified(voucher: Voucher, among: Selection, *, before: datetime, now: datetime) -> frozenset[str]:
    """The names that this run asks about: as many as go into its questions, over all hosts of this interface."""
    names: dict[str, None] = {}
    for host in voucher.hosts:
        for url in longest_unverified(among, host, before=before, now=now):
            if subject := voucher.subject_of(url):
                names[subject.name] = None
            if len(names) >= MOST_QUESTIONS * voucher.at_once:
                return frozenset(names)
    return frozenset(names)
