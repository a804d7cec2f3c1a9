"""Asks links over the network: a stream of questions in, answers out, on libcurl's multi interface. No database.

Whose turn it is and where redirects lead is ours; what one request does is a `Flight`'s.
"""

from __future__ import annotations

import heapq
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import count
from typing import Any
from urllib.parse import urljoin, urlsplit

import pycurl

from scraper.net.throttling import is_throttled
from scraper.net.url_policy import MAX_URL_LENGTH, InvalidValue, host_of, normalize_url
from streaming.health.judging.verdict import is_conclusive
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.dns_resolver import DnsResolver, Resolution, is_ip_address
from streaming.health.probing.host_queue import MIN_STALL_RATIO, HostScheduler, HostSlot, ProbeTask
from streaming.health.probing.poller import SocketPoller
from streaming.health.probing.transfer import Transfer

log = logging.getLogger(__name__)

MAX_REDIRECTS = 5
# What servers take as a request's address at the most; no link is stored that long.
MAX_REDIRECT_URL_LENGTH = 8_190
MAX_PENDING = 20_000
RETRY_PAUSE = 0.25
HEAD_TIMEOUT_SECONDS = 1.0
CONSUMER_PAUSE_SECONDS = 0.5
PERMANENT_REDIRECTS = frozenset({301, 308})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
RETRIED_FAILURES = frozenset({Failure.REFUSED, Failure.RESET, Failure.DNS, Failure.TLS, Failure.PROTOCOL})
END_OF_REQUESTS = ProbeRequest(0, "")
# What pycurl and encodings raise over one odd link or answer; it must not end the run of all.
LIBRARY_ERRORS = (pycurl.error, ValueError, TypeError)
# No link is stored with these, but servers do send them and browsers escape them.
ESCAPED_IN_LOCATION = re.compile(r"""[ "'<>^`{|}]""")
HAS_LENGTH = re.compile(r"\*/[0-9]")
# What needs no second look: a plain spelling at a place that was approved before.
CANONICAL_URL = re.compile(r"(https?://[a-z0-9.:-]+)/[A-Za-z0-9/%@!$&()*+,;=~._?-]*\Z")


def never_stop() -> bool:
    return False


class Prober:
    """Asks a stream of questions. `stop` is looked at several times a second; a stopped prober just ends."""

    def __init__(
        self, config: ProbeConfig, *, stop: Callable[[], bool] = never_stop, known: Container[str] = frozenset()
    ) -> None:
        self.manners, self.stop = config, stop
        self.schedule = HostScheduler(
            per_host=config.per_host,
            delay=config.delay,
            max_stalled=config.max_stalled,
            known=known,
            pause_of=config.delay_for_host,
        )
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, config.concurrency * 2)
        self._watch = SocketPoller()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch.on_curl_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._timer: float | None = None
        self._transfers: dict[Any, Transfer] = {}
        self._free: list[Transfer] = []
        self._stalled = 0
        self._young: deque[tuple[float, Transfer, int]] = deque()
        self._older: list[tuple[float, int, Transfer, int]] = []
        self._looks = count()
        self._answers: list[ProbeResponse] = []
        self._approved: set[str] = set()
        self._resumed = 0.0
        self._names = DnsResolver()
        self._watch.watch_descriptor(self._names.fileno())
        self._unresolved: dict[str, list[tuple[ProbeTask, float | None]]] = {}
        self._unnamed = 0

    def responses(self, questions: Iterable[ProbeRequest]) -> Iterator[ProbeResponse]:
        """Answers as they come, not in the order of the questions; at most a window of them is held in memory."""
        for answers in self.response_batches(questions):
            yield from answers

    def response_batches(self, questions: Iterable[ProbeRequest | None]) -> Iterator[list[ProbeResponse]]:
        """The same by the handful, some hands empty. A question that is None: there is none now, but later there is.

        When the taker was long away, time-outs of that while are not held against links.
        """
        source: Iterator[ProbeRequest | None] | None = iter(questions)
        try:
            while not self.stop():
                source = self._fill(source)
                answers, self._answers = self._answers, []
                if not answers and source is None and not (self._transfers or self.schedule.waiting or self._unnamed):
                    return
                left = time.monotonic()
                yield answers
                back = time.monotonic()
                self._resumed = back if back - left > CONSUMER_PAUSE_SECONDS else self._resumed
                if not answers:
                    self._poll()
        finally:
            self._close()

    def watch_descriptor(self, fd: int) -> None:
        """Look for new questions when this can be read."""
        self._watch.watch_descriptor(fd)

    def slot_requests(self) -> list[HostSlot]:
        """Hosts that others ask too, whose next turn somebody has to reserve for us: see `has_turn`."""
        wanting, self.schedule.wanting = self.schedule.wanting, []
        return wanting

    def grant_slot(self, place: str, seconds: float | None) -> None:
        """This host may be asked so many seconds from now; None: not in this run."""
        host_slot = self.schedule.lanes[place]
        if seconds is None:
            host_slot.is_throttled_out = True
            self._drop_host(host_slot)
        else:
            self.schedule.grant_slot(host_slot, time.monotonic() + seconds)

    # --- beginning requests
    def _fill(self, source: Iterator[ProbeRequest | None] | None) -> Iterator[ProbeRequest | None] | None:
        """Begin requests while there are slots, drawing questions only as they are needed."""
        now = time.monotonic()
        for host, found in self._names.completed():
            self._go_on_named(host, found)
        self.schedule.wake(now)
        while len(self._transfers) - self._stalled < self.manners.concurrency:
            turn = self.schedule.next(now)
            if turn is not None:
                self._begin(*turn, now=now)
            elif source is None or self.schedule.waiting + self._unnamed >= MAX_PENDING or len(self._answers) >= 500:
                break
            else:
                question = next(source, END_OF_REQUESTS)
                if question is None:
                    break
                if question is END_OF_REQUESTS:
                    source = None
                else:
                    self._accept(question)
        return source

    def _accept(self, question: ProbeRequest) -> None:
        task = ProbeTask(question.id, question.url, question.media, question.url)
        if question.state is not None:
            task.resume(question.state)
        try:
            task.url = self._approve(task.url)
        except InvalidValue as refusal:
            self._answers.append(_not_sent(task, _refusal_failure(refusal, hop=task.hops > 0)))
            return
        if not self._is_ours(task):
            return
        host_slot = self.schedule.slot_for(task.url)
        if closed := host_slot.closed_reason(task.url):
            self._answers.append(_not_sent(task, closed))
        elif self._has_name(host_slot, task, None):
            self.schedule.add(task)

    def _has_name(self, host_slot: HostSlot, task: ProbeTask, at: float | None) -> bool:
        """Whether it is known where this host is; else the task waits until its name has been looked up."""
        if host_slot.named:
            return True
        host = urlsplit(task.url).hostname or ""
        if host in self._names.addresses or is_ip_address(host):
            host_slot.named, host_slot.addresses = True, self._names.addresses.get(host, ())
            return True
        self._unresolved.setdefault(host, []).append((task, at))
        self._unnamed += 1
        self._names.resolve(host)
        return False

    def _go_on_named(self, host: str, found: Resolution) -> None:
        tasks = self._unresolved.pop(host, [])
        self._unnamed -= len(tasks)
        for task, at in tasks:
            host_slot = self.schedule.slot_for(task.url)
            if closed := host_slot.closed_reason(task.url):
                self._answers.append(_not_sent(task, closed))
            elif isinstance(found, Failure):
                self._finish(
                    host_slot, ProbeResponse(task.id, task.asked, failure=found, final_url=task.url, hops=task.hops)
                )
            else:
                self._again(task, at=at)

    def _is_ours(self, task: ProbeTask) -> bool:
        """Whether the next host of this link is ours to ask; a link that leads to another worker's is handed on."""
        if self.manners.shard is None or self.manners.shard.contains(host_of(task.url)):
            return True
        self._answers.append(ProbeResponse(task.id, task.asked, state=task.state()))
        return False

    def _again(self, task: ProbeTask, *, at: float | None = None) -> None:
        """Ask on, before new links; at that moment."""
        if self._is_ours(task) and self._has_name(self.schedule.slot_for(task.url), task, at):
            if at is None:
                self.schedule.add(task, first=True)
            else:
                self.schedule.add_at(task, at)

    def _approve(self, url: str, *, max_length: int = MAX_URL_LENGTH) -> str:
        plain = CANONICAL_URL.match(url)
        if plain and plain[1] in self._approved and len(url) < 1500:
            return url
        spelled = normalize_url(url, allowed=self.manners.allowed, max_length=max_length)
        if plain := CANONICAL_URL.match(spelled):
            self._approved.add(plain[1])
        return spelled

    def _begin(self, host_slot: HostSlot, task: ProbeTask, *, now: float) -> None:
        if not task.get and (host_slot.head_useless or (host_slot.head_is_inconclusive and not task.media)):
            task.get = True
        flight = self._free.pop() if self._free else Transfer(self.manners)
        # HEAD is only the first question: what does not answer it soon is asked again with GET, which has all the time.
        timeout = self.manners.timeout if task.get else min(self.manners.timeout / 2, HEAD_TIMEOUT_SECONDS)
        try:
            flight.start(task, host_slot, timeout=timeout, now=now)
        except LIBRARY_ERRORS as error:
            flight.curl.close()
            self.schedule.release(host_slot, stalled=False)
            self._answers.append(_local_failure(task, error))
            return
        self._transfers[flight.curl] = flight
        self._young.append((now + self.manners.stall_seconds * MIN_STALL_RATIO, flight, flight.number))
        self._multi.add_handle(flight.curl)

    # --- waiting
    def _poll(self) -> None:
        now = time.monotonic()
        for fd, mask in self._watch.wait(self._patience(now)):
            self._multi.socket_action(fd, mask)
        now = time.monotonic()
        if self._timer is not None and self._timer <= now:
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect(now)
        self._check_stalls(now)

    def _patience(self, now: float) -> float:
        moments = [now + 0.1, self._timer, self.schedule.next_wake()]
        moments += [queue[0][0] for queue in (self._young, self._older) if queue]
        return max(0.0, min(moment for moment in moments if moment is not None) - now)

    def _on_timer(self, milliseconds: int) -> None:
        self._timer = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    # --- ending requests
    def _collect(self, now: float) -> None:
        left = 1
        while left:
            left, good, bad = self._multi.info_read(256)
            for curl, code in [*((curl, 0) for curl in good), *((curl, code) for curl, code, _ in bad)]:
                if curl in self._transfers:  # Not one that was hung up a moment ago.
                    self._on_complete(self._transfers[curl], code, now)

    def _on_complete(self, flight: Transfer, code: int, now: float) -> None:
        task, host_slot = flight.task, flight.host_slot
        try:
            answer = flight.response(code)
        except LIBRARY_ERRORS as error:
            self._release(flight)
            self._finish(host_slot, _local_failure(task, error))
            return
        if not answer.failure:
            host_slot.on_response(now, now - flight.started)
        self._release(flight)
        if answer.failure == Failure.TIMEOUT and flight.started < self._resumed:
            self.schedule.add(task, first=True)
        else:
            self._handle_response(task, host_slot, answer, now)

    def _release(self, flight: Transfer) -> None:
        self._multi.remove_handle(flight.curl)
        del self._transfers[flight.curl]
        flight.reset()
        flight.number += 1
        self._stalled -= flight.is_stalled
        self.schedule.release(flight.host_slot, stalled=flight.is_stalled)
        self._free.append(flight)

    def _check_stalls(self, now: float) -> None:
        while self._young and self._young[0][0] <= now:
            _, flight, number = self._young.popleft()
            self._look_at_stall(flight, number, now)
        while self._older and self._older[0][0] <= now:
            _, _, flight, number = heapq.heappop(self._older)
            self._look_at_stall(flight, number, now)

    def _look_at_stall(self, flight: Transfer, number: int, now: float) -> None:
        """A link left hanging by a host that answers others: HEAD is given up for GET, GET gives its slot back."""
        if flight.number != number:
            return
        config, host_slot = self.manners, flight.host_slot
        due = flight.started + host_slot.stall_timeout(now, config.stall_seconds, config.timeout)
        if now < due:
            heapq.heappush(self._older, (due, next(self._looks), flight, number))
        elif not host_slot.is_responsive(now, config.stall_seconds, config.timeout):
            return
        elif not flight.task.get:
            self._release(flight)
            flight.task.restart()
            flight.task.head_hung = True
            self._again(flight.task)
        elif self._stalled < config.concurrency and self.schedule.mark_stalled(host_slot):
            flight.is_stalled = True
            self._stalled += 1

    # --- what an answer leads to
    def _handle_response(self, task: ProbeTask, host_slot: HostSlot, answer: ProbeResponse, now: float) -> None:
        if answer.status in REDIRECTS and "location" in answer.headers:
            self._redirect(task, host_slot, answer, now)
        elif not task.get:
            self._after_head(task, host_slot, answer, now)
        else:
            self._after_get(task, host_slot, answer, now)

    def _redirect(self, task: ProbeTask, host_slot: HostSlot, answer: ProbeResponse, now: float) -> None:
        if task.cookies is None or "set-cookie" not in answer.headers:
            task.seen.add(task.url)  # With a new cookie the same address may say something else.
        try:
            location, hash_sign, fragment = urljoin(task.url, answer.headers["location"]).partition("#")
            target = self._approve(ESCAPED_IN_LOCATION.sub(_escaped, location), max_length=MAX_REDIRECT_URL_LENGTH)
        except InvalidValue as refusal:
            self._finish(host_slot, answer._replace(status=None, failure=_refusal_failure(refusal, hop=True)))
            return
        except ValueError:
            self._finish(host_slot, answer._replace(status=None, failure=Failure.BAD_REDIRECT))
            return
        if target in task.seen or task.hops >= MAX_REDIRECTS:
            trouble = Failure.LOOP if target in task.seen else Failure.TOO_MANY
            self._retry_with_cookies(task, host_slot, answer._replace(status=None, failure=trouble))
            return
        if task.cookies is not None and urlsplit(target).hostname != urlsplit(task.url).hostname:
            task.cookies = {}
        if hash_sign:  # Where it says none, the one of the redirect before stays.
            task.fragment = f"#{fragment}" if fragment.startswith(("/", "!")) else ""
        task.moving = (
            task.moving and answer.status in PERMANENT_REDIRECTS and len(target) <= MAX_URL_LENGTH and not task.fragment
        )
        if task.moving:
            task.moved_to = target
        task.url, task.hops = target, task.hops + 1
        self._again(task)

    def _retry_with_cookies(self, task: ProbeTask, host_slot: HostSlot, answer: ProbeResponse) -> None:
        """Some sites lead in a circle until their cookie comes back: once more, with GET and cookies kept."""
        if task.cookies is None:
            task.restart()
            task.cookies = {}
            self._again(task)
        else:
            self._finish(host_slot, answer)

    def _after_head(self, task: ProbeTask, host_slot: HostSlot, answer: ProbeResponse, now: float) -> None:
        if is_conclusive(answer, media=task.media):
            self._finish(host_slot, answer)
            return
        success = answer.status is not None and 200 <= answer.status < 300
        host_slot.head_is_inconclusive = host_slot.head_is_inconclusive or success
        host_slot.head_useless = host_slot.head_useless or answer.status in (405, 501)
        if success:
            task.get, task.head = True, answer
        else:
            task.restart()
            task.head_hung = answer.failure == Failure.TIMEOUT
        if answer.failure and answer.failure != Failure.TIMEOUT:
            self._again(task, at=now + RETRY_PAUSE)
        else:
            self._again(task)

    def _after_get(self, task: ProbeTask, host_slot: HostSlot, answer: ProbeResponse, now: float) -> None:
        host_slot.head_useless = host_slot.head_useless or (task.head_hung and not answer.failure)
        if answer.status in (405, 501) and task.head is not None:
            self._finish(host_slot, task.head)
        elif answer.status == 416 and task.ranged and not HAS_LENGTH.search(answer.headers.get("content-range", "")):
            task.ranged = False
            self.schedule.add(task, first=True)
        elif task.tries == 0 and _deserves_retry(answer) and not host_slot.unreachable_reason(task.url):
            task.tries = 1
            self.schedule.add_at(task, now + RETRY_PAUSE)
        else:
            self._finish(host_slot, answer)

    def _finish(self, host_slot: HostSlot, answer: ProbeResponse) -> None:
        self._answers.append(answer)
        if answer.failure:
            host_slot.count_failure(answer.final_url, answer.failure)
        else:
            host_slot.count_throttle(is_throttled(answer.status, answer.headers))
        if host_slot.closed_reason(answer.final_url):
            self._drop_host(host_slot)
        if host_slot.unreachable_reason(answer.final_url):
            self._abort_host(host_slot)

    def _drop_host(self, host_slot: HostSlot) -> None:
        """Ask no more of what waits for a host that is not asked any more."""
        self._answers.extend(
            _not_sent(task, host_slot.closed_reason(task.url)) for task in self.schedule.drain(host_slot)
        )

    def _abort_host(self, host_slot: HostSlot) -> None:
        """End what is still being asked of a host that was given up."""
        for flight in [flight for flight in self._transfers.values() if flight.host_slot is host_slot]:
            if trouble := host_slot.unreachable_reason(flight.task.url):
                self._release(flight)
                self._answers.append(_not_sent(flight.task, trouble))

    def _close(self) -> None:
        for flight in list(self._transfers.values()):
            self._release(flight)
        self._multi.close()
        self._names.close()
        for flight in self._free:
            flight.curl.close()
        self._watch.close()


def _escaped(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


def _deserves_retry(answer: ProbeResponse) -> bool:
    if answer.failure:
        return answer.failure in RETRIED_FAILURES
    return answer.status is not None and 500 <= answer.status < 600 and not is_throttled(answer.status, answer.headers)


def _local_failure(task: ProbeTask, error: Exception) -> ProbeResponse:
    """No answer, by a fault of ours."""
    log.warning("link %s could not be asked: %s", task.id, error)
    return ProbeResponse(task.id, task.asked, failure=Failure.LOCAL, final_url=task.url)


def _not_sent(task: ProbeTask, trouble: Failure) -> ProbeResponse:
    return ProbeResponse(task.id, task.asked, failure=trouble, final_url=task.url or task.asked, not_sent=True)


def _refusal_failure(refusal: InvalidValue, *, hop: bool = False) -> Failure:
    if hop and refusal.code == "long_url":
        return Failure.LOCAL
    if hop and refusal.code in ("bad_scheme", "malformed_url", "no_host", "empty_url", "bad_character"):
        return Failure.BAD_REDIRECT
    return Failure.PRIVATE
