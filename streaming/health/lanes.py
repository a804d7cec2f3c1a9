"""Whose turn it is: a lane a host, hosts in turn, hanging links put aside, silent hosts given up. Pure: no network."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

from streaming.health.answers import Answer, Trouble, Underway
from streaming.health.manners import no_pause

TRIES_BEFORE_GIVING_UP = 4
THROTTLES_BEFORE_LEAVING = 3
# An answer may take so many times as long as the host's slowest of late, and this share of the stall at least.
TIMES_SLOWEST = 3.0
LEAST_SHARE = 0.3
FORGETTING = 0.95
SILENCE = frozenset({Trouble.TIMEOUT, Trouble.REFUSED, Trouble.DNS, Trouble.TLS})


@dataclass(slots=True)
class Task:
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
    head: Answer | None = None
    head_hung: bool = False
    cookies: dict[str, str] | None = None
    moved_to: str = ""
    moving: bool = True
    route: str = ""

    def again_from_start(self) -> None:
        """Ask with GET, from the link's own address: a host may send HEAD elsewhere."""
        self.url, self.get, self.hops, self.seen, self.head = self.asked, True, 0, set(), None
        self.moved_to, self.moving, self.route = "", True, ""

    def underway(self) -> Underway:
        """All that another worker needs to go on."""
        return Underway(
            self.url, self.get, self.ranged, self.hops, self.tries, tuple(sorted(self.seen)), self.head, self.head_hung,
            self.cookies, self.moved_to, self.moving, self.route,
        )  # fmt: skip

    def go_on_from(self, underway: Underway) -> None:
        """Stand where another worker left off."""
        self.url, self.get, self.ranged, self.hops, self.tries, seen, self.head, self.head_hung = underway[:8]
        self.seen, self.cookies, self.moved_to, self.moving, self.route = set(seen), *underway[8:]


@dataclass(slots=True, eq=False)
class Lane:
    """One host (name and port). `aside`: requests it leaves hanging while it answers others; they hold no slot.
    `slowest`: seconds of its slowest answer, slowly forgotten.

    `down`: by scheme, why it is not asked any more: it never answered. A closed port says nothing of the other, so
    `failures` are counted by scheme, too. `left`: it asked us to come back later, again and again.
    `pause` above 0: each request wants its `turn`, which is reserved elsewhere; `wanted`: that has been asked for.
    `head_says_little`: it answers HEAD, but its links are pages, of which only the text tells; media still get a HEAD.
    `named`: its name was looked up, with these `addresses`; none: it is an address itself.
    """

    place: str
    delay: float
    pause: float = 0.0
    turn: bool = False
    wanted: bool = False
    waiting: deque[Task] = field(default_factory=deque)
    busy: int = 0
    aside: int = 0
    next_at: float = 0.0
    listed: bool = False
    answered: bool = False
    last_answer: float = 0.0
    latency: float = 0.0
    slowest: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    throttles: int = 0
    down: dict[str, Trouble] = field(default_factory=dict)
    left: bool = False
    head_useless: bool = False
    head_says_little: bool = False
    named: bool = False
    addresses: tuple[str, ...] = ()

    def heard(self, now: float, seconds: float) -> None:
        """It answered something on HTTP's level."""
        self.latency = seconds if not self.answered else self.latency + (seconds - self.latency) * 0.2
        self.slowest = max(seconds, self.slowest * FORGETTING)
        self.answered, self.last_answer = True, now
        self.failures.clear()

    def patience(self, now: float, stall: float, timeout: float) -> float:
        """After how many seconds a request counts as hanging: sooner where all others are answered soon."""
        if not self.is_brisk(now, stall, timeout):
            return stall
        return min(stall, max(stall * LEAST_SHARE, self.slowest * TIMES_SLOWEST))

    def is_brisk(self, now: float, stall: float, timeout: float) -> bool:
        """Whether it answers others quickly, so that a request it leaves hanging is the link's fault, not its own."""
        return self.answered and self.latency < stall / 2 and now - self.last_answer < timeout

    def silent(self, url: str) -> Trouble:
        """Why this address' port was given up, NONE while it was not."""
        return self.down.get(_scheme(url), Trouble.NONE)

    def closed(self, url: str) -> Trouble:
        """Why this address is not asked any more, NONE while it is."""
        return self.silent(url) or (Trouble.PAUSED if self.left else Trouble.NONE)

    def count_failure(self, url: str, trouble: Trouble) -> None:
        """A link ended below HTTP; after a few of them with never an answer the host's port is given up."""
        if self.answered or trouble not in SILENCE:
            return
        scheme = _scheme(url)
        self.failures[scheme] = self.failures.get(scheme, 0) + 1
        if self.failures[scheme] >= TRIES_BEFORE_GIVING_UP:
            self.down[scheme] = trouble

    def count_throttle(self, throttled: bool) -> None:
        self.throttles = self.throttles + 1 if throttled else 0
        self.left = self.left or self.throttles >= THROTTLES_BEFORE_LEAVING


class Schedule:
    """All lanes of a run; hands out tasks host by host."""

    def __init__(
        self,
        *,
        per_host: int,
        delay: float,
        most_aside: int,
        known: Container[str] = (),
        pause_of: Callable[[str], float] = no_pause,
    ) -> None:
        """`known`: hosts that answered a moment ago; they are not given up, whatever their first links do."""
        self.per_host, self.delay, self.most_aside, self.known = per_host, delay, most_aside, known
        self.pause_of = pause_of
        self.wanting: list[Lane] = []
        self.lanes: dict[str, Lane] = {}
        self.waiting = 0
        self._ready: deque[Lane] = deque()
        self._sleeping: list[tuple[float, int, Lane, Task | None]] = []
        self._number = count()

    def lane(self, url: str) -> Lane:
        place = url.split("/", 3)[2]
        found = self.lanes.get(place)
        if found is None:
            delay = 0.0 if is_loopback(place) else self.delay
            pause = self.pause_of(urlsplit(url).hostname or "")
            found = self.lanes[place] = Lane(place, delay, pause, answered=place in self.known)
        return found

    def add(self, task: Task, *, first: bool = False) -> Lane:
        """Put a task in its host's lane; `first`: a second question about a link goes before new links."""
        lane = self.lane(task.url)
        if first:
            lane.waiting.appendleft(task)
        else:
            lane.waiting.append(task)
        self.waiting += 1
        self._list(lane)
        return lane

    def later(self, task: Task, at: float) -> None:
        """Put a task back at that moment."""
        self.waiting += 1
        heapq.heappush(self._sleeping, (at, next(self._number), self.lane(task.url), task))

    def wake(self, now: float) -> None:
        while self._sleeping and self._sleeping[0][0] <= now:
            _, _, lane, task = heapq.heappop(self._sleeping)
            if task is not None:
                lane.waiting.appendleft(task)
            self._list(lane)

    def next_wake(self) -> float | None:
        return self._sleeping[0][0] if self._sleeping else None

    def next(self, now: float) -> tuple[Lane, Task] | None:
        """The next task whose host has a free slot now; hosts take turns."""
        while self._ready:
            lane = self._ready.popleft()
            lane.listed = False
            if not lane.waiting or lane.busy >= self.per_host:
                continue
            if lane.next_at > now:
                heapq.heappush(self._sleeping, (lane.next_at, next(self._number), lane, None))
                continue
            if lane.pause and not lane.turn:
                self._want(lane)
                continue
            task = lane.waiting.popleft()
            self.waiting -= 1
            lane.turn = False
            lane.busy += 1
            lane.next_at = now + lane.delay
            self._list(lane)
            return lane, task
        return None

    def give_turn(self, lane: Lane, at: float) -> None:
        """Its turn was reserved for that moment."""
        lane.turn, lane.wanted, lane.next_at = True, False, max(lane.next_at, at)
        self._list(lane)

    def _want(self, lane: Lane) -> None:
        if not lane.wanted:
            lane.wanted = True
            self.wanting.append(lane)

    def ended(self, lane: Lane, *, aside: bool) -> None:
        """A request of this lane is over."""
        if aside:
            lane.aside -= 1
        else:
            lane.busy -= 1
        self._list(lane)

    def put_aside(self, lane: Lane) -> bool:
        """Give a hanging request's slot to another link of its host; False when too many hang there already."""
        if lane.aside >= self.most_aside:
            return False
        lane.aside += 1
        lane.busy -= 1
        self._list(lane)
        return True

    def drain(self, lane: Lane) -> Iterator[Task]:
        """Take out all that wait in a lane for what is not asked any more."""
        waiting, lane.waiting = lane.waiting, deque()
        for task in waiting:
            if lane.closed(task.url):
                self.waiting -= 1
                yield task
            else:
                lane.waiting.append(task)

    def _list(self, lane: Lane) -> None:
        if not lane.listed and lane.waiting and lane.busy < self.per_host:
            lane.listed = True
            self._ready.append(lane)


def _scheme(url: str) -> str:
    return url.partition(":")[0]


def is_loopback(place: str) -> bool:
    return place.startswith(("127.", "localhost", "[::1]"))
