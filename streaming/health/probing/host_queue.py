"""Whose turn it is: a lane a host, hosts in turn, hanging links put aside, silent hosts given up. Pure: no network."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

from streaming.health.probe_types import Failure, ProbeResponse, ProbeState
from streaming.health.probing.config import no_delay

MAX_HOST_FAILURES = 4
MAX_HOST_THROTTLES = 3
# An answer may take so many times as long as the host's slowest of late, and this share of the stall at least.
STALL_FACTOR = 3.0
MIN_STALL_RATIO = 0.3
DECAY = 0.95
UNREACHABLE_FAILURES = frozenset({Failure.TIMEOUT, Failure.REFUSED, Failure.DNS, Failure.TLS})


@dataclass(slots=True)
class ProbeTask:
    """One link on its way: where it stands, how it is asked, what HEAD said. `cookies` None: none are kept.

    `moving`: all redirects so far were permanent ones, `moved_to` is where they led. `route`: the fragment that the
    last redirect led to, when a program in the page reads it as an address.
    """

    id: int
    asked: str
    media: bool
    url: str = ""
    get: bool = False
    ranged: bool = True
    hops: int = 0
    tries: int = 0
    seen: set[str] = field(default_factory=set)
    head: ProbeResponse | None = None
    head_hung: bool = False
    cookies: dict[str, str] | None = None
    moved_to: str = ""
    moving: bool = True
    fragment: str = ""

    def restart(self) -> None:
        """Ask with GET, from the link's own address: a host may send HEAD elsewhere."""
        self.url, self.get, self.hops, self.seen, self.head = self.asked, True, 0, set(), None
        self.moved_to, self.moving, self.fragment = "", True, ""

    def state(self) -> ProbeState:
        """All that another worker needs to go on."""
        return ProbeState(
            self.url, self.get, self.ranged, self.hops, self.tries, tuple(sorted(self.seen)), self.head, self.head_hung,
            self.cookies, self.moved_to, self.moving, self.fragment,
        )  # fmt: skip

    def resume(self, state: ProbeState) -> None:
        """Stand where another worker left off."""
        self.url, self.get, self.ranged, self.hops, self.tries, seen, self.head, self.head_hung = state[:8]
        self.seen, self.cookies, self.moved_to, self.moving, self.fragment = set(seen), *state[8:]


@dataclass(slots=True, eq=False)
class HostSlot:
    """One host (name and port). `aside`: requests it leaves hanging while it answers others; they hold no slot.
    `slowest`: seconds of its slowest answer, slowly forgotten.

    `down`: by scheme, why it is not asked any more: it never answered. A closed port says nothing of the other, so
    `failures` are counted by scheme, too. `left`: it asked us to come back later, again and again.
    `pause` above 0: each request wants its `turn`, which is reserved elsewhere; `wanted`: that has been asked for.
    `head_says_little`: it answers HEAD, but its links are pages, of which only the text tells; media still get a HEAD.
    `named`: its name was looked up, with these `addresses`; none: it is an address itself.
    """

    netloc: str
    delay: float
    delay_between: float = 0.0
    has_slot: bool = False
    slot_requested: bool = False
    waiting: deque[ProbeTask] = field(default_factory=deque)
    active: int = 0
    stalled: int = 0
    next_at: float = 0.0
    listed: bool = False
    answered: bool = False
    last_answer: float = 0.0
    latency: float = 0.0
    slowest: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    throttles: int = 0
    down: dict[str, Failure] = field(default_factory=dict)
    is_throttled_out: bool = False
    head_useless: bool = False
    head_is_inconclusive: bool = False
    named: bool = False
    addresses: tuple[str, ...] = ()

    def on_response(self, now: float, seconds: float) -> None:
        """It answered something on HTTP's level."""
        self.latency = seconds if not self.answered else self.latency + (seconds - self.latency) * 0.2
        self.slowest = max(seconds, self.slowest * DECAY)
        self.answered, self.last_answer = True, now
        self.failures.clear()

    def stall_timeout(self, now: float, stall: float, timeout: float) -> float:
        """After how many seconds a request counts as hanging: sooner where all others are answered soon."""
        if not self.is_responsive(now, stall, timeout):
            return stall
        return min(stall, max(stall * MIN_STALL_RATIO, self.slowest * STALL_FACTOR))

    def is_responsive(self, now: float, stall: float, timeout: float) -> bool:
        """Whether it answers others quickly, so that a request it leaves hanging is the link's fault, not its own."""
        return self.answered and self.latency < stall / 2 and now - self.last_answer < timeout

    def unreachable_reason(self, url: str) -> Failure:
        """Why this address' port was given up, NONE while it was not."""
        return self.down.get(_scheme(url), Failure.NONE)

    def closed_reason(self, url: str) -> Failure:
        """Why this address is not asked any more, NONE while it is."""
        return self.unreachable_reason(url) or (Failure.PAUSED if self.is_throttled_out else Failure.NONE)

    def count_failure(self, url: str, trouble: Failure) -> None:
        """A link ended below HTTP; after a few of them with never an answer the host's port is given up."""
        if self.answered or trouble not in UNREACHABLE_FAILURES:
            return
        scheme = _scheme(url)
        self.failures[scheme] = self.failures.get(scheme, 0) + 1
        if self.failures[scheme] >= MAX_HOST_FAILURES:
            self.down[scheme] = trouble

    def count_throttle(self, throttled: bool) -> None:
        self.throttles = self.throttles + 1 if throttled else 0
        self.is_throttled_out = self.is_throttled_out or self.throttles >= MAX_HOST_THROTTLES


class HostScheduler:
    """All lanes of a run; hands out tasks host by host."""

    def __init__(
        self,
        *,
        per_host: int,
        delay: float,
        max_stalled: int,
        known: Container[str] = (),
        pause_of: Callable[[str], float] = no_delay,
    ) -> None:
        """`known`: hosts that answered a moment ago; they are not given up, whatever their first links do."""
        self.per_host, self.delay, self.most_aside, self.known = per_host, delay, max_stalled, known
        self.pause_of = pause_of
        self.wanting: list[HostSlot] = []
        self.lanes: dict[str, HostSlot] = {}
        self.waiting = 0
        self._ready: deque[HostSlot] = deque()
        self._sleeping: list[tuple[float, int, HostSlot, ProbeTask | None]] = []
        self._number = count()

    def slot_for(self, url: str) -> HostSlot:
        place = url.split("/", 3)[2]
        found = self.lanes.get(place)
        if found is None:
            delay = 0.0 if is_loopback(place) else self.delay
            pause = self.pause_of(urlsplit(url).hostname or "")
            found = self.lanes[place] = HostSlot(place, delay, pause, answered=place in self.known)
        return found

    def add(self, task: ProbeTask, *, first: bool = False) -> HostSlot:
        """Put a task in its host's lane; `first`: a second question about a link goes before new links."""
        host_slot = self.slot_for(task.url)
        if first:
            host_slot.waiting.appendleft(task)
        else:
            host_slot.waiting.append(task)
        self.waiting += 1
        self._enqueue(host_slot)
        return host_slot

    def add_at(self, task: ProbeTask, at: float) -> None:
        """Put a task back at that moment."""
        self.waiting += 1
        heapq.heappush(self._sleeping, (at, next(self._number), self.slot_for(task.url), task))

    def wake(self, now: float) -> None:
        while self._sleeping and self._sleeping[0][0] <= now:
            _, _, host_slot, task = heapq.heappop(self._sleeping)
            if task is not None:
                host_slot.waiting.appendleft(task)
            self._enqueue(host_slot)

    def next_wake(self) -> float | None:
        return self._sleeping[0][0] if self._sleeping else None

    def next(self, now: float) -> tuple[HostSlot, ProbeTask] | None:
        """The next task whose host has a free slot now; hosts take turns."""
        while self._ready:
            host_slot = self._ready.popleft()
            host_slot.listed = False
            if not host_slot.waiting or host_slot.active >= self.per_host:
                continue
            if host_slot.next_at > now:
                heapq.heappush(self._sleeping, (host_slot.next_at, next(self._number), host_slot, None))
                continue
            if host_slot.delay_between and not host_slot.has_slot:
                self._request_slot(host_slot)
                continue
            task = host_slot.waiting.popleft()
            self.waiting -= 1
            host_slot.has_slot = False
            host_slot.active += 1
            host_slot.next_at = now + host_slot.delay
            self._enqueue(host_slot)
            return host_slot, task
        return None

    def grant_slot(self, host_slot: HostSlot, at: float) -> None:
        """Its turn was reserved for that moment."""
        host_slot.has_slot, host_slot.slot_requested, host_slot.next_at = True, False, max(host_slot.next_at, at)
        self._enqueue(host_slot)

    def _request_slot(self, host_slot: HostSlot) -> None:
        if not host_slot.slot_requested:
            host_slot.slot_requested = True
            self.wanting.append(host_slot)

    def release(self, host_slot: HostSlot, *, stalled: bool) -> None:
        """A request of this lane is over."""
        if stalled:
            host_slot.stalled -= 1
        else:
            host_slot.active -= 1
        self._enqueue(host_slot)

    def mark_stalled(self, host_slot: HostSlot) -> bool:
        """Give a hanging request's slot to another link of its host; False when too many hang there already."""
        if host_slot.stalled >= self.most_aside:
            return False
        host_slot.stalled += 1
        host_slot.active -= 1
        self._enqueue(host_slot)
        return True

    def drain(self, host_slot: HostSlot) -> Iterator[ProbeTask]:
        """Take out all that wait in a lane for what is not asked any more."""
        waiting, host_slot.waiting = host_slot.waiting, deque()
        for task in waiting:
            if host_slot.closed_reason(task.url):
                self.waiting -= 1
                yield task
            else:
                host_slot.waiting.append(task)

    def _enqueue(self, host_slot: HostSlot) -> None:
        if not host_slot.listed and host_slot.waiting and host_slot.active < self.per_host:
            host_slot.listed = True
            self._ready.append(host_slot)


def _scheme(url: str) -> str:
    return url.partition(":")[0]


def is_loopback(place: str) -> bool:
    return place.startswith(("127.", "localhost", "[::1]"))
