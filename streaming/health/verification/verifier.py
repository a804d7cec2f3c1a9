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

from scraper.extraction.json_values import UnreadableResponse
from scraper.net.throttling import is_throttled
from scraper.source_apis import MISSING, ApiStatus, ItemRef, SourceApi, source_apis
from streaming.health.judging.results import Heard
from streaming.health.judging.verdict import SOURCE_API_REASONS, Verdict, gone_judgement
from streaming.health.probing.config import ProbeConfig
from streaming.health.selection import DueLink, Selection, longest_unverified
from streaming.health.verification.api_client import ApiClient, ApiReply
from streaming.host_rate_limit import request_delay_for, reserve_slot
from streaming.models import HostPause, StreamingLink
from streaming.reason_codes import Reason
from streaming.retry_after import pause_until

logger = logging.getLogger(__name__)

MAX_QUERIES_PER_RUN = 300
"""To one interface in a run: at one a second (the archive) that is five minutes."""
MAX_PENDING_LINKS = 5_000
"""Links put aside at a time; more are believed without a word and come first next time."""
MAX_API_FAILURES = 2
MAX_CACHED_FILES = 2_000
CONTROL_CANDIDATES = 20
SUSPICIOUS_MIN_MISSING, SUSPICIOUS_MISSING_RATIO = 5, 0.5
"""An interface that misses so many names, and more than this share of all, has more likely lost its own data."""
DRAIN_SECONDS, INTERACTIVE_DRAIN_SECONDS = 300.0, 10.0
"""Seconds after the last link was asked: whatever has no word by then goes without."""
POLL_SECONDS = 0.1
POLL_INTERVAL_SECONDS = 0.02
"""Seconds between two looks at the interfaces while links are asked, thousands a second."""


class PendingLink(NamedTuple):
    """A link that HTTP calls alive and that waits for its source's word; `before`: the word that it stands by now."""

    result: Heard
    subject: ItemRef
    before: str

    def without_status(self) -> Heard:
        """What HTTP says stands; only what a source has said itself is not taken back by HTTP."""
        return self.result._replace(judgement=gone_judgement(Reason(self.before))) if self.before else self.result

    def with_status(self, status: ApiStatus | None) -> Heard:
        word = status.reason_for(self.subject.part) if status else None
        if word is None:
            return self.without_status()
        judged = self.result._replace(judgement=gone_judgement(Reason(word))) if word else self.result
        return judged._replace(is_verified=True)


@dataclass(slots=True)
class VerificationQueue:
    """One interface in this run, opened when the first link comes for which it can vouch. `chosen`: the names that are
    asked about, None: whichever come first.

    `waiting` and `asked` are links by name; only one question is on its way. `told`: what was answered, for links of
    the same item that come later. `missed` are links whose names the source does not know; they wait for the end of the
    run, for an empty answer is what a broken source says too. `has_control`: it is asked what it knew lately, too.
    """

    number: int
    source_api: SourceApi
    opened: bool = False
    selected_names: frozenset[str] | None = None
    questions: int = 0
    failures: int = 0
    closed: bool = False
    pending: dict[str, list[PendingLink]] = field(default_factory=dict)
    asked: dict[str, list[PendingLink]] = field(default_factory=dict)
    statuses: dict[str, ApiStatus] = field(default_factory=dict)
    missing: dict[str, list[PendingLink]] = field(default_factory=dict)
    names_answered: int = 0
    names_there: int = 0
    has_control: bool = False
    client: ApiClient | None = None

    def accepts(self, name: str) -> bool:
        """Whether a link of this name may wait."""
        if name in self.asked:
            return True
        if self.closed or self.questions >= MAX_QUERIES_PER_RUN:
            return False
        if self.selected_names is not None:
            return name in self.selected_names
        return (
            name in self.pending
            or len(self.pending) < (MAX_QUERIES_PER_RUN - self.questions) * self.source_api.batch_size
        )

    def add(self, link: PendingLink) -> None:
        name = link.subject.name
        (self.asked if name in self.asked else self.pending).setdefault(name, []).append(link)

    def apply_reply(self, statuses: Mapping[str, ApiStatus]) -> list[Heard]:
        """The links of the question that was on its way, each with what was said of it."""
        self.statuses |= {name: one for name, one in statuses.items() if len(one.parts or ()) <= MAX_CACHED_FILES}
        self.names_answered += len(statuses)
        self.names_there += sum(one.reason != MISSING for one in statuses.values())
        links, self.asked = self.asked, {}
        return [
            result
            for name, waiting in links.items()
            for link in waiting
            if (result := self.resolve(link, statuses.get(name))) is not None
        ]

    def resolve(self, link: PendingLink, status: ApiStatus | None) -> Heard | None:
        """The link with what was said of its name; None: it is missed."""
        if status is None or status.reason != MISSING:
            return link.with_status(status)
        self.missing.setdefault(link.subject.name, []).append(link)
        return None

    def release(self) -> list[Heard]:
        """All links that wait, without a word."""
        links = chain.from_iterable([*self.pending.values(), *self.asked.values()])
        self.pending, self.asked = {}, {}
        return [link.without_status() for link in links]

    def settle(self) -> list[Heard]:
        """The links that are missed, when all was asked: believed unless the source misses nearly everything, or all
        that it knew lately."""
        many = (
            len(self.missing) >= SUSPICIOUS_MIN_MISSING
            and len(self.missing) > SUSPICIOUS_MISSING_RATIO * self.names_answered
        )
        doubted = many or (self.has_control and not self.names_there)
        if doubted and self.missing:
            logger.warning(
                "%s misses %d of %d: not believed", self.source_api.host, len(self.missing), self.names_answered
            )
        resolved = None if doubted else ApiStatus(MISSING)
        links, self.missing = self.missing, {}
        return [link.with_status(resolved) for link in chain.from_iterable(links.values())]

    def is_ready(self, *, ended: bool) -> bool:
        """Whether a question can go: a full one, or whatever there is when no more will come."""
        if self.asked or self.closed or self.questions >= MAX_QUERIES_PER_RUN:
            return False
        return len(self.pending) >= (1 if ended else self.source_api.batch_size)


class Verifier:
    """What sources say of the links of one run. `among`: the run's whole selection, of which the longest unverified
    are chosen; None: whichever come first. `few`: a person waits for these links, and asks about them now.

    `pauses` gets the hosts that want to be left alone.
    """

    def __init__(
        self,
        config: ProbeConfig,
        *,
        now: datetime,
        stop: Callable[[], bool],
        pauses: dict[str, datetime],
        among: Selection | None,
        few: bool = False,
    ) -> None:
        self.manners, self.now, self.stop, self.pauses, self.selection, self.is_interactive = (
            config,
            now,
            stop,
            pauses,
            among,
            few,
        )
        self.before = now if few else now - timedelta(hours=settings.HEALTH_VERIFY_HOURS)
        self.replies: SimpleQueue[tuple[int, ApiReply]] = SimpleQueue()
        known = source_apis(
            archive=settings.INTERNET_ARCHIVE_URL, commons=settings.COMMONS_API_URL, instances=settings.PEERTUBE_URLS
        )
        self.queues = [VerificationQueue(number, source_api) for number, source_api in enumerate(known)]
        self.at: dict[str, list[VerificationQueue]] = {}
        for line in self.queues:
            for place in line.source_api.netlocs:
                self.at.setdefault(place, []).append(line)
        self.aside = 0
        self.looked = 0.0

    def verify(self, results: Iterable[Heard], links: Mapping[int, DueLink]) -> Iterator[Heard]:
        """What was heard, each link once, in the order in which it is certain. `links` are those still awaited."""
        if not settings.HEALTH_VERIFY_HOURS:
            yield from results
            return
        try:
            for result in results:
                resolved = (
                    self._enqueue_or_pass(result, links[result.id])
                    if result.judgement.verdict is Verdict.ALIVE
                    else result
                )
                if resolved is not None:
                    yield resolved
                if self.aside and time.monotonic() - self.looked > POLL_INTERVAL_SECONDS:
                    self._ask(ended=False)
                    yield from self._answered(0.0)
                    self.looked = time.monotonic()
            yield from self._drain()
        finally:
            for line in self.queues:
                if line.client is not None:
                    line.client.close()

    # --- which links wait
    def _enqueue_or_pass(self, result: Heard, link: DueLink) -> Heard | None:
        """What is to be believed of a link that HTTP calls alive; None: it waits for its source's word."""
        line, subject = self._queue_for(link)
        if line is None or subject is None:
            return result
        link_state = link.link_state
        before = link_state.reason if not link_state.is_active and link_state.reason in SOURCE_API_REASONS else ""
        waiting = PendingLink(result, subject, before)
        if subject.name in line.statuses:
            status = line.resolve(waiting, line.statuses[subject.name])
            self.aside += status is None
            return status
        if not self._is_stale(link.verified_at) or self.aside >= MAX_PENDING_LINKS or not line.accepts(subject.name):
            return waiting.without_status()
        line.add(waiting)
        self.aside += 1
        return None

    def _queue_for(self, link: DueLink) -> tuple[VerificationQueue | None, ItemRef | None]:
        for line in self.at.get(link.link_state.place, ()):
            if subject := line.source_api.item_for_url(link.url):
                if not line.opened:
                    self._open(line)
                return line, subject
        return None, None

    def _open(self, line: VerificationQueue) -> None:
        pause = HostPause.objects.active(self.now).filter(host=line.source_api.host)
        line.opened, line.closed = True, pause.exists()
        if self.selection is not None:
            line.selected_names = _longest_unverified(line.source_api, self.selection, before=self.before, now=self.now)

    def _is_stale(self, verified_at: datetime | None) -> bool:
        return verified_at is None or not self.before <= verified_at <= self.now or self.is_interactive

    # --- asking
    def _ask(self, *, ended: bool) -> None:
        for line in self.queues:
            if line.is_ready(ended=ended):
                self._ask_one(line)

    def _ask_one(self, line: VerificationQueue) -> None:
        url, count = line.source_api.build_query(line.source_api.base, list(line.pending)[: line.source_api.batch_size])
        wait = self._reserve_slot(line.source_api)
        if wait is None:
            line.closed = True
            return
        line.questions += 1
        line.asked = {name: line.pending.pop(name) for name in list(line.pending)[:count]}
        if line.client is None:
            line.client = ApiClient(line.number, self.replies, self.manners)
            line.client.start()
        line.client.submit(url, after=wait)

    def _reserve_slot(self, source_api: SourceApi) -> float | None:
        """Seconds until this source may be asked; None: so many others ask it that we leave it alone."""
        pause = request_delay_for(source_api.host, source=source_api.slug)
        if not pause:
            return 0.0
        return reserve_slot(
            source_api.host,
            delay=pause,
            max_wait=timedelta(seconds=INTERACTIVE_DRAIN_SECONDS if self.is_interactive else 60),
        )

    # --- hearing
    def _answered(self, patience: float) -> Iterator[Heard]:
        """The links of which something was said, waiting so long for it, and those that no word will reach."""
        statuses: list[Heard] = []
        with suppress(Empty):
            number, reply = self.replies.get(timeout=patience) if patience else self.replies.get_nowait()
            line = self.queues[number]
            statuses += line.apply_reply(self._parse_reply(line, reply))
        for line in self.queues:
            if line.pending and not line.asked and (line.closed or line.questions >= MAX_QUERIES_PER_RUN):
                statuses += line.release()
        self.aside -= len(statuses)
        yield from statuses

    def _parse_reply(self, line: VerificationQueue, reply: ApiReply) -> dict[str, ApiStatus]:
        """What the source said. One that is busy, or fails twice running, is not asked again in this run."""
        if reply.retry_after is not None or is_throttled(reply.status, {}):
            line.closed = True
            self._pause(line.source_api.host, pause_until(reply.retry_after or "", now=self.now))
            return {}
        try:
            if reply.status is None or reply.data is None:
                raise UnreadableResponse("no answer that is data")
            statuses = line.source_api.parse_statuses(reply.status, reply.data, line.asked.keys())
        except UnreadableResponse:
            line.failures += 1
            line.closed = line.failures >= MAX_API_FAILURES
            return {}
        line.failures = 0
        return statuses

    def _pause(self, host: str, until: datetime) -> None:
        self.pauses[host] = max(until, self.pauses.get(host, until))

    def _drain(self) -> Iterator[Heard]:
        """All that still waits, when no more links come."""
        end = time.monotonic() + (INTERACTIVE_DRAIN_SECONDS if self.is_interactive else DRAIN_SECONDS)
        yield from self._asked_until(end)
        for line in self.queues:
            if line.missing and not line.names_there:
                _add_control_sample(line)
        yield from self._asked_until(end)
        for line in self.queues:
            yield from line.release()
            yield from line.settle()

    def _asked_until(self, end: float) -> Iterator[Heard]:
        while self._some_wait() and time.monotonic() < end and not self.stop():
            self._ask(ended=True)
            yield from self._answered(POLL_SECONDS)

    def _some_wait(self) -> bool:
        return any(line.pending or line.asked for line in self.queues)


def _add_control_sample(line: VerificationQueue) -> None:
    """Let a name wait for which the source vouched lately and no link waits: one that says of it that it is missing, or
    nothing, is not believed in what else it misses. Most runs ask about a few items only."""
    known = (
        StreamingLink.objects.active()
        .filter(host__in=line.source_api.hosts, reason=Reason.OK)
        .exclude(verified_at=None)
    )
    for url in known.order_by("-verified_at", "-pk").values_list("source_url", flat=True)[:CONTROL_CANDIDATES]:
        subject = line.source_api.item_for_url(url)
        if subject and subject.name not in line.missing:
            line.has_control, line.pending[subject.name] = True, []
            return


def _longest_unverified(source_api: SourceApi, among: Selection, *, before: datetime, now: datetime) -> frozenset[str]:
    """The names that this run asks about: as many as go into its questions, over all hosts of this interface."""
    names: dict[str, None] = {}
    for host in source_api.hosts:
        for url in longest_unverified(among, host, before=before, now=now):
            if subject := source_api.item_for_url(url):
                names[subject.name] = None
            if len(names) >= MAX_QUERIES_PER_RUN * source_api.batch_size:
                return frozenset(names)
    return frozenset(names)
