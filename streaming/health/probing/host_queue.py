"""The order of requests: one queue per host, hosts in rotation, limits on stalled and failed requests. Pure."""

from __future__ import annotations

import heapq
import sys
from collections import deque
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from scraper.net.url_policy import host_of, netloc_of
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse, ProbeState
from streaming.health.probing.config import no_delay

MAX_HOST_FAILURES = 4
MAX_HOST_THROTTLES = 3
# A request is stalled when it takes this many times as long as the host's slowest recent one ...
STALL_FACTOR = 3.0
# ... and at least this part of the configured time.
MIN_STALL_RATIO = 0.3
DECAY = 0.95
UNREACHABLE_FAILURES = frozenset({Failure.TIMEOUT, Failure.REFUSED, Failure.DNS, Failure.TLS})


@dataclass(slots=True)
class ProbeTask:
    """A request and how far its probe has come; the methods prepare its next request.

    `repeats` counts the requests that were lost because this process did not run; `listened` are the seconds for which
    it did run during these.
    """

    request: ProbeRequest
    state: ProbeState
    repeats: int = 0
    listened: float = 0.0

    def update(self, **changes: Any) -> None:
        """Replace these fields of the state."""
        self.state = self.state._replace(**changes)

    def restart(self, **changes: Any) -> None:
        """Start again with a GET of the link's own URL, and with these fields of the state replaced."""
        self.state = self.state.restart(self.request.url)._replace(**changes)

    def confirm(self, **changes: Any) -> None:
        """Start the confirmation at the link's own URL, with these fields of the state replaced."""
        self.listened = 0.0
        self.state = self.state.confirm(self.request.url)._replace(**changes)

    def failed(self, failure: Failure) -> ProbeResponse:
        """Return the response of a task that gets none from its host."""
        request, state = self.request, self.state
        return ProbeResponse(request.id, request.url, failure=failure, final_url=state.url, hops=state.hops)


@dataclass(slots=True, eq=False)
class HostSlot:
    """The queue of one host (name and port) and what is known of it. Times are in seconds, of the monotonic clock.

    `delay`: minimum between two requests of this process. `delay_between`: minimum between the requests of all
    processes; above 0 each request needs a slot reserved elsewhere (`slot_requested`, then `has_slot`).
    `stalled`: requests without response while the host responds to others; they are not among the `active`.
    `is_ready`: it is in the scheduler's rotation. `latency`: moving average; `slowest`: slowly decreasing maximum.
    `failures`, `unreachable`: by scheme, since a closed port proves nothing about the other one; the latter has the
    reason why nothing more is sent. `was_reopened`: after its timeouts it got a second chance, at the end of the run.
    `is_throttled_out`: it asked for fewer requests again and again.
    `head_is_useless`: it rejects HEAD. `head_is_inconclusive`: its links are pages, whose text decides; media are still
    probed with HEAD. `is_resolved`: its `addresses` are known; there are none if the host is an address itself.
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
    is_ready: bool = False
    has_responded: bool = False
    last_response_at: float = 0.0
    latency: float = 0.0
    slowest: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    throttles: int = 0
    unreachable: dict[str, Failure] = field(default_factory=dict)
    was_reopened: bool = False
    is_throttled_out: bool = False
    head_is_useless: bool = False
    head_is_inconclusive: bool = False
    is_resolved: bool = False
    addresses: tuple[str, ...] = ()

    def on_response(self, now: float, seconds: float) -> None:
        """Record an HTTP response that took so many seconds."""
        self.latency = seconds if not self.has_responded else self.latency + (seconds - self.latency) * 0.2
        self.slowest = max(seconds, self.slowest * DECAY)
        self.has_responded, self.last_response_at = True, now
        self.failures.clear()

    def stall_timeout(self, now: float, stall_seconds: float, recency: float) -> float:
        """Return the seconds after which a request is stalled; few where the host responds to all others quickly."""
        if not self.is_responsive(now, stall_seconds, recency):
            return stall_seconds
        return min(stall_seconds, max(stall_seconds * MIN_STALL_RATIO, self.slowest * STALL_FACTOR))

    def is_responsive(self, now: float, stall_seconds: float, recency: float) -> bool:
        """Whether other requests get quick responses, so that a stalled one is the link's fault, not the host's.

        `recency`: so many seconds ago the last response came at most.
        """
        return 0 < self.latency < stall_seconds / 2 and now - self.last_response_at < recency

    def unreachable_reason(self, url: str) -> Failure:
        """Return why the port of this URL is given up; NONE while it is not."""
        return self.unreachable.get(_scheme(url), Failure.NONE)

    def closed_reason(self, url: str) -> Failure:
        """Return why this URL is not requested any more; NONE while it is."""
        return self.unreachable_reason(url) or (Failure.PAUSED if self.is_throttled_out else Failure.NONE)

    def count_failure(self, url: str, failure: Failure) -> None:
        """Count a link without HTTP response; after some of them, and no response ever, the port is given up."""
        if self.has_responded or failure not in UNREACHABLE_FAILURES:
            return
        scheme = _scheme(url)
        self.failures[scheme] = self.failures.get(scheme, 0) + 1
        if self.failures[scheme] >= MAX_HOST_FAILURES:
            self.unreachable[scheme] = failure

    @property
    def failures_left(self) -> int:
        """How many more failures give a port up, at least 1; no limit if the host has responded or not failed yet."""
        if self.has_responded or not self.failures:
            return sys.maxsize
        return max(1, MAX_HOST_FAILURES - max(self.failures.values()))

    def reopen(self) -> None:
        """Allow requests again after timeouts; those to come have more time."""
        self.failures.clear()
        kept = dict(self.unreachable)
        for scheme in [scheme for scheme, reason in kept.items() if reason is Failure.TIMEOUT]:
            del kept[scheme]
        self.was_reopened = self.was_reopened or kept != self.unreachable
        self.unreachable = kept

    def count_throttle(self, throttled: bool) -> None:
        """Count consecutive responses that ask for fewer requests; after some of them the host is left alone."""
        self.throttles = self.throttles + 1 if throttled else 0
        self.is_throttled_out = self.is_throttled_out or self.throttles >= MAX_HOST_THROTTLES


class HostScheduler:
    """The queues of all hosts; hands out one task after the other, host by host."""

    def __init__(
        self,
        *,
        per_host: int,
        delay: float,
        max_stalled: int,
        responsive_hosts: Container[str] = (),
        delay_for_host: Callable[[str], float] = no_delay,
    ) -> None:
        """`responsive_hosts`: netlocs that responded recently; they are not given up, however their links fail."""
        self.per_host, self.delay, self.max_stalled = per_host, delay, max_stalled
        self.responsive_hosts, self.delay_for_host = responsive_hosts, delay_for_host
        self.slots: dict[str, HostSlot] = {}
        self.waiting = 0
        self._slot_requests: list[HostSlot] = []
        self._ready: deque[HostSlot] = deque()
        self._sleeping: list[tuple[float, int, HostSlot, ProbeTask | None]] = []
        self._sequence = count()

    def slot_for(self, url: str) -> HostSlot:
        """Return the queue of this URL's host, a new one for a new host."""
        netloc = netloc_of(url)
        slot = self.slots.get(netloc)
        if slot is None:
            slot = self.slots[netloc] = HostSlot(
                netloc,
                delay=0.0 if is_loopback(netloc) else self.delay,
                delay_between=self.delay_for_host(host_of(url)),
                has_responded=netloc in self.responsive_hosts,
            )
        return slot

    def add(self, host_slot: HostSlot, task: ProbeTask, *, first: bool = False) -> None:
        """Queue a task; `first`: before the new links, as a further request for a link that has begun."""
        if first:
            host_slot.waiting.appendleft(task)
        else:
            host_slot.waiting.append(task)
        self.waiting += 1
        self._enqueue(host_slot)

    def add_at(self, host_slot: HostSlot, task: ProbeTask, at: float) -> None:
        """Queue a task at that moment."""
        self.waiting += 1
        heapq.heappush(self._sleeping, (at, next(self._sequence), host_slot, task))

    def wake(self, now: float) -> None:
        """Queue the tasks and hosts whose moment has come."""
        while self._sleeping and self._sleeping[0][0] <= now:
            _, _, host_slot, task = heapq.heappop(self._sleeping)
            if task is not None:
                host_slot.waiting.appendleft(task)
            self._enqueue(host_slot)

    def next_wake(self) -> float | None:
        """Return the next moment for `wake`; None: there is none."""
        return self._sleeping[0][0] if self._sleeping else None

    def next(self, now: float) -> tuple[HostSlot, ProbeTask] | None:
        """Take the next task whose host has a free slot now; None: there is none."""
        while self._ready:
            host_slot = self._ready.popleft()
            host_slot.is_ready = False
            if not self._may_start(host_slot):
                continue
            if host_slot.next_at > now:
                heapq.heappush(self._sleeping, (host_slot.next_at, next(self._sequence), host_slot, None))
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

    def take_slot_requests(self) -> list[HostSlot]:
        """Return the hosts that need a reserved slot, each once."""
        requests, self._slot_requests = self._slot_requests, []
        return requests

    def grant_slot(self, host_slot: HostSlot, at: float) -> None:
        """Allow the next request to this host at that moment."""
        host_slot.has_slot, host_slot.slot_requested, host_slot.next_at = True, False, max(host_slot.next_at, at)
        self._enqueue(host_slot)

    def _request_slot(self, host_slot: HostSlot) -> None:
        if not host_slot.slot_requested:
            host_slot.slot_requested = True
            self._slot_requests.append(host_slot)

    def release(self, host_slot: HostSlot, *, stalled: bool) -> None:
        """Free the slot of a request that has ended."""
        if stalled:
            host_slot.stalled -= 1
        else:
            host_slot.active -= 1
        self._enqueue(host_slot)

    def mark_stalled(self, host_slot: HostSlot) -> bool:
        """Give the slot of a stalled request to another link; False when the host has too many of these already."""
        if host_slot.stalled >= self.max_stalled:
            return False
        host_slot.stalled += 1
        host_slot.active -= 1
        self._enqueue(host_slot)
        return True

    def drain(self, host_slot: HostSlot) -> Iterator[ProbeTask]:
        """Remove the queued tasks that are not requested any more."""
        waiting, host_slot.waiting = host_slot.waiting, deque()
        for task in waiting:
            if host_slot.closed_reason(task.state.url):
                self.waiting -= 1
                yield task
            else:
                host_slot.waiting.append(task)

    def _enqueue(self, host_slot: HostSlot) -> None:
        if not host_slot.is_ready and self._may_start(host_slot):
            host_slot.is_ready = True
            self._ready.append(host_slot)

    def _may_start(self, host_slot: HostSlot) -> bool:
        """Whether a request is waiting and has a slot; a host that fails gets no more than may fail before it is given
        up, those in progress counted in.
        """
        return bool(host_slot.waiting) and host_slot.active < min(self.per_host, host_slot.failures_left)


def _scheme(url: str) -> str:
    return url.partition(":")[0]


def is_loopback(netloc: str) -> bool:
    """Whether this is a host of the same machine, by its text."""
    return netloc.startswith(("127.", "localhost", "[::1]"))
