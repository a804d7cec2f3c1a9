"""Asks links over the network: a stream of questions in, answers out, on libcurl's multi interface. No database.

libcurl does the protocol (TLS, HTTP/2, IPv6, keep-alive); whose turn it is, redirects and every address are ours. Each
attempt has one total time-out, whatever the host drips; headers and body are capped; no proxy, no netrc, no signals.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin, urlsplit

import certifi
import pycurl

from scraper.addresses import DEFAULT_PORT, NOTHING_PRIVATE, Allowed, Refused, check_url, may_connect
from streaming.health.answers import Answer, Question, Trouble
from streaming.health.lanes import Lane, Schedule, Task
from streaming.health.reading import is_media_type
from streaming.health.sockets import Watch
from streaming.health.verdict import is_clear, is_throttling

MOST_HOPS = 5
MOST_ASIDE = 8
MOST_PAGE = 64 * 1024
MOST_MEDIA = 2 * 1024
RANGE = f"0-{MOST_MEDIA - 1}"
WINDOW = 20_000
RETRY_PAUSE = 0.25
LONGEST_HEAD = 1.0
LONG_PAUSE = 0.5
KEPT_HEADERS = re.compile(
    rb"^(retry-after|cf-mitigated|location|content-range|content-type|set-cookie)[ \t]*:[ \t]*([^\r\n]*)", re.I | re.M
)
PERMANENT = frozenset({301, 308})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
RETRIED = frozenset({Trouble.REFUSED, Trouble.RESET, Trouble.DNS, Trouble.TLS, Trouble.PROTOCOL})
# A write error that is no cut of ours is an exception in our own callback: nothing is known of the link then.
OUR_OWN_FAULTS = frozenset(
    {pycurl.E_WRITE_ERROR, pycurl.E_ABORTED_BY_CALLBACK, pycurl.E_OUT_OF_MEMORY, pycurl.E_FAILED_INIT}
)
LOCAL_ERRNOS = frozenset(
    {errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
)
TROUBLES = {
    pycurl.E_OPERATION_TIMEDOUT: Trouble.TIMEOUT,
    pycurl.E_COULDNT_CONNECT: Trouble.REFUSED,
    pycurl.E_COULDNT_RESOLVE_HOST: Trouble.DNS,
    pycurl.E_SSL_CONNECT_ERROR: Trouble.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: Trouble.TLS,
    pycurl.E_SSL_CIPHER: Trouble.TLS,
    pycurl.E_SSL_CERTPROBLEM: Trouble.TLS,
    pycurl.E_SEND_ERROR: Trouble.RESET,
    pycurl.E_RECV_ERROR: Trouble.RESET,
    pycurl.E_GOT_NOTHING: Trouble.RESET,
    pycurl.E_PARTIAL_FILE: Trouble.RESET,
    pycurl.E_HTTP2: Trouble.RESET,
    92: Trouble.RESET,  # CURLE_HTTP2_STREAM, which pycurl does not name
}
# What needs no second look: a plain spelling at a place that was approved before.
PLAIN = re.compile(r"(https?://[a-z0-9.:-]+)/[A-Za-z0-9/%@!$&()*+,;=~._?-]*\Z")


@dataclass(frozen=True, slots=True)
class Manners:
    """How we ask. `stall`: after so many seconds a link of a host that answers others counts as hanging.

    `most_aside`: how many hanging requests a host may have beside its slots (0: strict).
    """

    user_agent: str
    per_host: int = 4
    concurrency: int = 1000
    timeout: float = 5.0
    delay: float = 0.0
    stall: float = 1.0
    most_aside: int = MOST_ASIDE
    allowed: Allowed = NOTHING_PRIVATE
    ca_file: str = ""


def never() -> bool:
    return False


class Flight:
    """One curl handle and what it hears; handles are reused, connections belong to the multi handle.

    Options are set only when they differ from the attempt before: at thousands a second they would be a fifth of it.
    """

    __slots__ = (
        "allowed",
        "aside",
        "chunks",
        "curl",
        "cut",
        "head",
        "headers",
        "heard",
        "lane",
        "local",
        "method",
        "most",
        "number",
        "refused",
        "started",
        "task",
        "timeout",
    )  # fmt: skip

    def __init__(self, manners: Manners) -> None:
        self.allowed = manners.allowed
        self.number = self.timeout = 0
        self.method: tuple[bool, bool] | None = None
        self.head: list[bytes] = []
        self.curl = _new_curl(self, manners)

    def begin(self, task: Task, lane: Lane, *, timeout: float, now: float) -> None:
        self.task, self.lane, self.started = task, lane, now
        self.aside = self.cut = self.refused = self.local = False
        self.head.clear()
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []
        self.heard = self.most = 0
        self.number += 1
        self.curl.setopt(pycurl.URL, task.url)
        milliseconds = max(1, int(timeout * 1000))
        if milliseconds != self.timeout:
            self.timeout = milliseconds
            self.curl.setopt(pycurl.TIMEOUT_MS, milliseconds)
        if (task.get, task.ranged) != self.method:
            self._method(task)
        if task.cookies is not None:
            self.curl.setopt(pycurl.COOKIE, "; ".join(f"{name}={value}" for name, value in task.cookies.items()))

    def _method(self, task: Task) -> None:
        self.method = (task.get, task.ranged)
        self.curl.setopt(pycurl.HTTPGET if task.get else pycurl.NOBODY, 1)
        if task.get and task.ranged:
            self.curl.setopt(pycurl.RANGE, RANGE)
        else:
            self.curl.unsetopt(pycurl.RANGE)

    def end(self) -> None:
        if self.task.cookies is not None:
            self.curl.unsetopt(pycurl.COOKIE)

    # --- called by libcurl; header lines go straight into `head`
    def on_body(self, chunk: bytes) -> int | None:
        if not self.heard:
            self.headers = self._headers()
            self.most = MOST_MEDIA if is_media_type(_type(self.headers.get("content-type"))) else MOST_PAGE
        self.chunks.append(chunk)
        self.heard += len(chunk)
        if self.heard <= self.most:
            return None
        self.cut = True
        return 0

    def open_socket(self, _purpose: int, address: Any) -> Any:
        """The check that counts: the address that is about to be connected to, whatever name or redirect led there."""
        family, kind, protocol, place = address
        parts = urlsplit(self.task.url)
        port = parts.port or DEFAULT_PORT[parts.scheme]
        if not may_connect(place[0], host=parts.hostname or "", port=port, allowed=self.allowed):
            self.refused = True
            return pycurl.SOCKET_BAD
        try:
            return socket.socket(family, kind, protocol)
        except OSError:
            self.local = True
            return pycurl.SOCKET_BAD

    # --- what it heard
    def answer(self, code: int) -> Answer:
        """This attempt's answer; `code` is libcurl's error or 0."""
        curl, task = self.curl, self.task
        status = curl.getinfo(pycurl.RESPONSE_CODE) or None
        trouble = self._trouble(code) if code else Trouble.NONE
        if trouble and self.heard and status and trouble in (Trouble.TIMEOUT, Trouble.RESET):
            trouble = Trouble.NONE  # It broke off in the body, or lied of its length: what was heard is enough.
        length = curl.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD_T)
        headers = self.headers if self.heard else self._headers()
        return Answer(
            task.id,
            task.asked,
            status=None if trouble else status,
            trouble=trouble or (Trouble.NONE if status else Trouble.PROTOCOL),
            final_url=task.url,
            hops=task.hops,
            content_type=_type(headers.get("content-type")),
            length=int(length) if length >= 0 else None,
            body=self._body() if task.get else None,
            headers=MappingProxyType(headers),
            response_ms=round(curl.getinfo(pycurl.STARTTRANSFER_TIME) * 1000) or None,
            method="GET" if task.get else "HEAD",
            moved_to=task.moved_to,
        )

    def _headers(self) -> dict[str, str]:
        """Those of the last answer that matter here; interim answers (1xx) come before it."""
        text = b"".join(self.head)
        found = {}
        for match in KEPT_HEADERS.finditer(text, max(text.rfind(b"\nHTTP/"), 0)):
            key, value = match[1].lower().decode("ascii"), _text(match[2].strip())
            found[key] = value
            if key == "set-cookie" and self.task.cookies is not None:
                _keep_cookie(self.task.cookies, value)
        return found

    def _body(self) -> bytes:
        body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        return body[: self.most] if self.cut else body

    def _trouble(self, code: int) -> Trouble:
        if code == pycurl.E_WRITE_ERROR and self.cut:
            return Trouble.NONE
        if self.refused:
            return Trouble.PRIVATE
        if self.local or code in OUR_OWN_FAULTS:
            return Trouble.LOCAL
        trouble = TROUBLES.get(code, Trouble.PROTOCOL)
        if trouble == Trouble.REFUSED and self.curl.getinfo(pycurl.OS_ERRNO) in LOCAL_ERRNOS:
            return Trouble.LOCAL
        return trouble


class Prober:
    """Asks a stream of questions. `stop` is looked at several times a second; a stopped prober just ends."""

    def __init__(
        self, manners: Manners, *, stop: Callable[[], bool] = never, known: Container[str] = frozenset()
    ) -> None:
        self.manners, self.stop = manners, stop
        self.schedule = Schedule(
            per_host=manners.per_host, delay=manners.delay, most_aside=manners.most_aside, known=known
        )
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, manners.concurrency * 2)
        self._watch = Watch()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch.change)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._timer: float | None = None
        self._flights: dict[Any, Flight] = {}
        self._free: list[Flight] = []
        self._aside = 0
        self._stalls: deque[tuple[float, Flight, int]] = deque()
        self._answers: deque[Answer] = deque()
        self._approved: set[str] = set()
        self._resumed = 0.0

    def ask(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """Answers as they come, not in the order of the questions; at most a window of them is held in memory."""
        source: Iterator[Question] | None = iter(questions)
        try:
            while not self.stop():
                source = self._fill(source)
                if self._answers:
                    yield from self._hand_out()
                elif source is None and not self._flights and not self.schedule.waiting:
                    return
                else:
                    self._turn()
        finally:
            self._close()

    def _hand_out(self) -> Iterator[Answer]:
        """Give the answers out; when the taker was long away, time-outs of that while are not held against links."""
        left = time.monotonic()
        while self._answers:
            yield self._answers.popleft()
        back = time.monotonic()
        if back - left > LONG_PAUSE:
            self._resumed = back

    # --- beginning requests
    def _fill(self, source: Iterator[Question] | None) -> Iterator[Question] | None:
        """Begin requests while there are slots, drawing questions only as they are needed."""
        now = time.monotonic()
        self.schedule.wake(now)
        while len(self._flights) - self._aside < self.manners.concurrency:
            turn = self.schedule.next(now)
            if turn is not None:
                self._begin(*turn, now=now)
            elif source is None or self.schedule.waiting >= WINDOW or len(self._answers) >= 500:
                break
            elif (question := next(source, None)) is None:
                source = None
            else:
                self._take(question)
        return source

    def _take(self, question: Question) -> None:
        task = Task(question.id, question.url, question.media)
        try:
            task.url = self._approve(question.url)
        except Refused as refusal:
            self._answers.append(_unasked(task, _refusal(refusal)))
            return
        lane = self.schedule.lane(task.url)
        if lane.down or lane.left:
            self._answers.append(_unasked(task, lane.down or Trouble.PAUSED))
        else:
            self.schedule.add(task)

    def _approve(self, url: str) -> str:
        plain = PLAIN.match(url)
        if plain and plain[1] in self._approved and len(url) < 1500:
            return url
        spelled = check_url(url, allowed=self.manners.allowed)
        if plain := PLAIN.match(spelled):
            self._approved.add(plain[1])
        return spelled

    def _begin(self, lane: Lane, task: Task, *, now: float) -> None:
        if not task.get and (lane.head_useless or (lane.head_says_little and not task.media)):
            task.get = True
        flight = self._free.pop() if self._free else Flight(self.manners)
        # HEAD is only the first question: what does not answer it soon is asked again with GET, which has all the time.
        timeout = self.manners.timeout if task.get else min(self.manners.timeout / 2, LONGEST_HEAD)
        flight.begin(task, lane, timeout=timeout, now=now)
        self._flights[flight.curl] = flight
        self._stalls.append((now + self.manners.stall, flight, flight.number))
        self._multi.add_handle(flight.curl)

    # --- waiting
    def _turn(self) -> None:
        now = time.monotonic()
        for fd, mask in self._watch.wait(self._patience(now)):
            self._multi.socket_action(fd, mask)
        now = time.monotonic()
        if self._timer is not None and self._timer <= now:
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect(now)
        self._look_at_stalls(now)

    def _patience(self, now: float) -> float:
        moments = [now + 0.1, self._timer, self.schedule.next_wake()]
        if self._stalls:
            moments.append(self._stalls[0][0])
        return max(0.0, min(moment for moment in moments if moment is not None) - now)

    def _on_timer(self, milliseconds: int) -> None:
        self._timer = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    # --- ending requests
    def _collect(self, now: float) -> None:
        left = 1
        while left:
            left, good, bad = self._multi.info_read(256)
            for curl, code in [*((curl, 0) for curl in good), *((curl, code) for curl, code, _ in bad)]:
                if curl in self._flights:  # Not one that was hung up a moment ago.
                    self._landed(self._flights[curl], code, now)

    def _landed(self, flight: Flight, code: int, now: float) -> None:
        answer = flight.answer(code)
        task, lane = flight.task, flight.lane
        if not answer.trouble:
            lane.heard(now, now - flight.started)
        self._release(flight)
        if answer.trouble == Trouble.TIMEOUT and flight.started < self._resumed:
            self.schedule.add(task, first=True)
        else:
            self._go_on(task, lane, answer, now)

    def _release(self, flight: Flight) -> None:
        self._multi.remove_handle(flight.curl)
        del self._flights[flight.curl]
        flight.end()
        flight.number += 1
        self._aside -= flight.aside
        self.schedule.ended(flight.lane, aside=flight.aside)
        self._free.append(flight)

    def _look_at_stalls(self, now: float) -> None:
        """A link left hanging by a host that answers others: HEAD is given up for GET, GET gives its slot back."""
        while self._stalls and self._stalls[0][0] <= now:
            _, flight, number = self._stalls.popleft()
            manners, lane = self.manners, flight.lane
            if flight.number != number or not lane.is_brisk(now, manners.stall, manners.timeout):
                continue
            if not flight.task.get:
                self._release(flight)
                flight.task.again_from_start()
                flight.task.head_hung = True
                self.schedule.add(flight.task, first=True)
            elif self._aside < manners.concurrency and self.schedule.put_aside(lane):
                flight.aside = True
                self._aside += 1

    # --- what an answer leads to
    def _go_on(self, task: Task, lane: Lane, answer: Answer, now: float) -> None:
        if answer.status in REDIRECTS and "location" in answer.headers:
            self._redirect(task, lane, answer, now)
        elif not task.get:
            self._after_head(task, lane, answer, now)
        else:
            self._after_get(task, lane, answer, now)

    def _redirect(self, task: Task, lane: Lane, answer: Answer, now: float) -> None:
        if task.cookies is None or "set-cookie" not in answer.headers:
            task.seen.add(task.url)  # With a new cookie the same address may say something else.
        try:
            target = self._approve(urljoin(task.url, answer.headers["location"]).partition("#")[0])
        except Refused as refusal:
            self._finish(lane, replace(answer, status=None, trouble=_refusal(refusal, hop=True)))
            return
        except ValueError:
            self._finish(lane, replace(answer, status=None, trouble=Trouble.BAD_REDIRECT))
            return
        if target in task.seen or task.hops >= MOST_HOPS:
            trouble = Trouble.LOOP if target in task.seen else Trouble.TOO_MANY
            self._after_circle(task, lane, replace(answer, status=None, trouble=trouble))
            return
        if task.cookies is not None and urlsplit(target).hostname != urlsplit(task.url).hostname:
            task.cookies = {}
        task.moving = task.moving and answer.status in PERMANENT
        if task.moving:
            task.moved_to = target
        task.url, task.hops = target, task.hops + 1
        self.schedule.add(task, first=True)

    def _after_circle(self, task: Task, lane: Lane, answer: Answer) -> None:
        """Some sites lead in a circle until their cookie comes back: once more, with GET and cookies kept."""
        if task.cookies is None:
            task.again_from_start()
            task.cookies = {}
            self.schedule.add(task, first=True)
        else:
            self._finish(lane, answer)

    def _after_head(self, task: Task, lane: Lane, answer: Answer, now: float) -> None:
        if is_clear(answer, media=task.media):
            self._finish(lane, answer)
            return
        success = answer.status is not None and 200 <= answer.status < 300
        lane.head_says_little = lane.head_says_little or success
        lane.head_useless = lane.head_useless or answer.status in (405, 501)
        if success:
            task.get, task.head = True, answer
        else:
            task.again_from_start()
            task.head_hung = answer.trouble == Trouble.TIMEOUT
        if answer.trouble and answer.trouble != Trouble.TIMEOUT:
            self.schedule.later(task, now + RETRY_PAUSE)
        else:
            self.schedule.add(task, first=True)

    def _after_get(self, task: Task, lane: Lane, answer: Answer, now: float) -> None:
        lane.head_useless = lane.head_useless or (task.head_hung and not answer.trouble)
        if answer.status in (405, 501) and task.head is not None:
            self._finish(lane, task.head)
        elif answer.status == 416 and task.ranged and "*/" not in answer.headers.get("content-range", ""):
            task.ranged = False
            self.schedule.add(task, first=True)
        elif task.tries == 0 and _deserves_retry(answer) and not lane.down:
            task.tries = 1
            self.schedule.later(task, now + RETRY_PAUSE)
        else:
            self._finish(lane, answer)

    def _finish(self, lane: Lane, answer: Answer) -> None:
        self._answers.append(answer)
        if answer.trouble:
            lane.count_failure(answer.trouble)
        else:
            lane.count_throttle(is_throttling(answer))
        if lane.down or lane.left:
            trouble = lane.down or Trouble.PAUSED
            self._answers.extend(_unasked(task, trouble) for task in self.schedule.drain(lane))
        if lane.down:
            self._hang_up(lane)

    def _hang_up(self, lane: Lane) -> None:
        """End what is still being asked of a host that was given up."""
        for flight in [flight for flight in self._flights.values() if flight.lane is lane]:
            self._release(flight)
            self._answers.append(_unasked(flight.task, lane.down))

    def _close(self) -> None:
        for flight in list(self._flights.values()):
            self._release(flight)
        self._multi.close()
        for flight in self._free:
            flight.curl.close()
        self._watch.close()


def _new_curl(flight: Flight, manners: Manners) -> Any:
    curl = pycurl.Curl()
    options = {
        pycurl.NOSIGNAL: 1,
        pycurl.FOLLOWLOCATION: 0,
        pycurl.PROXY: "",
        pycurl.NOPROXY: "*",
        pycurl.USERAGENT: manners.user_agent,
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
        pycurl.HTTPHEADER: ["Accept: */*", "Accept-Encoding: identity"],
        pycurl.DNS_CACHE_TIMEOUT: -1,
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.CAINFO: manners.ca_file or ssl.get_default_verify_paths().cafile or certifi.where(),
        pycurl.HEADERFUNCTION: flight.head.append,
        pycurl.WRITEFUNCTION: flight.on_body,
        pycurl.OPENSOCKETFUNCTION: flight.open_socket,
    }
    for option, value in options.items():
        curl.setopt(option, value)
    return curl


def _deserves_retry(answer: Answer) -> bool:
    if answer.trouble:
        return answer.trouble in RETRIED
    return answer.status is not None and 500 <= answer.status < 600 and not is_throttling(answer)


def _unasked(task: Task, trouble: Trouble) -> Answer:
    return Answer(task.id, task.asked, trouble=trouble, final_url=task.url or task.asked, shared=True)


def _refusal(refusal: Refused, *, hop: bool = False) -> Trouble:
    if hop and refusal.code in ("bad_scheme", "malformed_url", "no_host", "empty_url", "bad_character", "long_url"):
        return Trouble.BAD_REDIRECT
    return Trouble.PRIVATE


def _keep_cookie(cookies: dict[str, str], line: str) -> None:
    name, equals, value = line.partition(";")[0].partition("=")
    if equals and len(cookies) < 20 and len(line) < 4096:
        cookies[name.strip()] = value.strip()


def _type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
