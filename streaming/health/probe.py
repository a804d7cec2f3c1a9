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

from scraper.addresses import LONGEST, Refused, check_url, host_of
from streaming.health.answers import Answer, Question, Trouble
from streaming.health.flight import Flight
from streaming.health.lanes import LEAST_SHARE, Lane, Schedule, Task
from streaming.health.manners import Manners
from streaming.health.names import Found, Names, is_address
from streaming.health.sockets import Watch
from streaming.health.verdict import is_clear, is_throttling

log = logging.getLogger(__name__)

MOST_HOPS = 5
# What servers take as a request's address at the most; no link is stored that long.
LONGEST_HOP = 8_190
WINDOW = 20_000
RETRY_PAUSE = 0.25
LONGEST_HEAD = 1.0
LONG_PAUSE = 0.5
PERMANENT = frozenset({301, 308})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
RETRIED = frozenset({Trouble.REFUSED, Trouble.RESET, Trouble.DNS, Trouble.TLS, Trouble.PROTOCOL})
ENDED = Question(0, "")
# What needs no second look: a plain spelling at a place that was approved before.
# No link is stored with these, but servers do send them and browsers escape them.
UNESCAPED = re.compile(r"""[ "'<>^`{|}]""")
HAS_LENGTH = re.compile(r"\*/[0-9]")
PLAIN = re.compile(r"(https?://[a-z0-9.:-]+)/[A-Za-z0-9/%@!$&()*+,;=~._?-]*\Z")


def never() -> bool:
    return False


class Prober:
    """Asks a stream of questions. `stop` is looked at several times a second; a stopped prober just ends."""

    def __init__(
        self, manners: Manners, *, stop: Callable[[], bool] = never, known: Container[str] = frozenset()
    ) -> None:
        self.manners, self.stop = manners, stop
        self.schedule = Schedule(
            per_host=manners.per_host,
            delay=manners.delay,
            most_aside=manners.most_aside,
            known=known,
            pause_of=manners.pause_of,
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
        self._young: deque[tuple[float, Flight, int]] = deque()
        self._older: list[tuple[float, int, Flight, int]] = []
        self._looks = count()
        self._answers: list[Answer] = []
        self._approved: set[str] = set()
        self._resumed = 0.0
        self._names = Names()
        self._watch.also(self._names.fileno())
        self._nameless: dict[str, list[tuple[Task, float | None]]] = {}
        self._unnamed = 0

    def ask(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """Answers as they come, not in the order of the questions; at most a window of them is held in memory."""
        for answers in self.rounds(questions):
            yield from answers

    def rounds(self, questions: Iterable[Question | None]) -> Iterator[list[Answer]]:
        """The same by the handful, some hands empty. A question that is None: there is none now, but later there is.

        When the taker was long away, time-outs of that while are not held against links.
        """
        source: Iterator[Question | None] | None = iter(questions)
        try:
            while not self.stop():
                source = self._fill(source)
                answers, self._answers = self._answers, []
                if not answers and source is None and not (self._flights or self.schedule.waiting or self._unnamed):
                    return
                left = time.monotonic()
                yield answers
                back = time.monotonic()
                self._resumed = back if back - left > LONG_PAUSE else self._resumed
                if not answers:
                    self._turn()
        finally:
            self._close()

    def also_wake_at(self, fd: int) -> None:
        """Look for new questions when this can be read."""
        self._watch.also(fd)

    def wants_turns(self) -> list[Lane]:
        """Hosts that others ask too, whose next turn somebody has to reserve for us: see `has_turn`."""
        wanting, self.schedule.wanting = self.schedule.wanting, []
        return wanting

    def has_turn(self, place: str, seconds: float | None) -> None:
        """This host may be asked so many seconds from now; None: not in this run."""
        lane = self.schedule.lanes[place]
        if seconds is None:
            lane.left = True
            self._answers.extend(_unasked(task, Trouble.PAUSED) for task in self.schedule.drain(lane))
        else:
            self.schedule.give_turn(lane, time.monotonic() + seconds)

    # --- beginning requests
    def _fill(self, source: Iterator[Question | None] | None) -> Iterator[Question | None] | None:
        """Begin requests while there are slots, drawing questions only as they are needed."""
        now = time.monotonic()
        for host, found in self._names.found():
            self._go_on_named(host, found)
        self.schedule.wake(now)
        while len(self._flights) - self._aside < self.manners.concurrency:
            turn = self.schedule.next(now)
            if turn is not None:
                self._begin(*turn, now=now)
            elif source is None or self.schedule.waiting + self._unnamed >= WINDOW or len(self._answers) >= 500:
                break
            else:
                question = next(source, ENDED)
                if question is None:
                    break
                if question is ENDED:
                    source = None
                else:
                    self._take(question)
        return source

    def _take(self, question: Question) -> None:
        task = Task(question.id, question.url, question.media, question.url)
        if question.underway is not None:
            task.go_on_from(question.underway)
        try:
            task.url = self._approve(task.url)
        except Refused as refusal:
            self._answers.append(_unasked(task, _refusal(refusal, hop=task.hops > 0)))
            return
        if not self._is_ours(task):
            return
        lane = self.schedule.lane(task.url)
        if lane.down or lane.left:
            self._answers.append(_unasked(task, lane.down or Trouble.PAUSED))
        elif self._has_name(lane, task, None):
            self.schedule.add(task)

    def _has_name(self, lane: Lane, task: Task, at: float | None) -> bool:
        """Whether it is known where this host is; else the task waits until its name has been looked up."""
        if lane.named:
            return True
        host = urlsplit(task.url).hostname or ""
        if host in self._names.addresses or is_address(host):
            lane.named, lane.addresses = True, self._names.addresses.get(host, ())
            return True
        self._nameless.setdefault(host, []).append((task, at))
        self._unnamed += 1
        self._names.ask(host)
        return False

    def _go_on_named(self, host: str, found: Found) -> None:
        tasks = self._nameless.pop(host, [])
        self._unnamed -= len(tasks)
        for task, at in tasks:
            lane = self.schedule.lane(task.url)
            if lane.down or lane.left:
                self._answers.append(_unasked(task, lane.down or Trouble.PAUSED))
            elif isinstance(found, Trouble):
                self._finish(lane, Answer(task.id, task.asked, trouble=found, final_url=task.url, hops=task.hops))
            else:
                self._again(task, at=at)

    def _is_ours(self, task: Task) -> bool:
        """Whether the next host of this link is ours to ask; a link that leads to another worker's is handed on."""
        if self.manners.share is None or self.manners.share.owns(host_of(task.url)):
            return True
        self._answers.append(Answer(task.id, task.asked, underway=task.underway()))
        return False

    def _again(self, task: Task, *, at: float | None = None) -> None:
        """Ask on, before new links; at that moment."""
        if self._is_ours(task) and self._has_name(self.schedule.lane(task.url), task, at):
            if at is None:
                self.schedule.add(task, first=True)
            else:
                self.schedule.later(task, at)

    def _approve(self, url: str, *, longest: int = LONGEST) -> str:
        plain = PLAIN.match(url)
        if plain and plain[1] in self._approved and len(url) < 1500:
            return url
        spelled = check_url(url, allowed=self.manners.allowed, longest=longest)
        if plain := PLAIN.match(spelled):
            self._approved.add(plain[1])
        return spelled

    def _begin(self, lane: Lane, task: Task, *, now: float) -> None:
        if not task.get and (lane.head_useless or (lane.head_says_little and not task.media)):
            task.get = True
        flight = self._free.pop() if self._free else Flight(self.manners)
        # HEAD is only the first question: what does not answer it soon is asked again with GET, which has all the time.
        timeout = self.manners.timeout if task.get else min(self.manners.timeout / 2, LONGEST_HEAD)
        try:
            flight.begin(task, lane, timeout=timeout, now=now)
        except (pycurl.error, ValueError, TypeError) as error:  # One odd link must not end the run of all.
            log.warning("link %s could not be asked: %s", task.id, error)
            self.schedule.ended(lane, aside=False)
            self._answers.append(Answer(task.id, task.asked, trouble=Trouble.LOCAL, final_url=task.url))
            return
        self._flights[flight.curl] = flight
        self._young.append((now + self.manners.stall * LEAST_SHARE, flight, flight.number))
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
        while self._young and self._young[0][0] <= now:
            _, flight, number = self._young.popleft()
            self._look_at_stall(flight, number, now)
        while self._older and self._older[0][0] <= now:
            _, _, flight, number = heapq.heappop(self._older)
            self._look_at_stall(flight, number, now)

    def _look_at_stall(self, flight: Flight, number: int, now: float) -> None:
        """A link left hanging by a host that answers others: HEAD is given up for GET, GET gives its slot back."""
        if flight.number != number:
            return
        manners, lane = self.manners, flight.lane
        due = flight.started + lane.patience(now, manners.stall, manners.timeout)
        if now < due:
            heapq.heappush(self._older, (due, next(self._looks), flight, number))
        elif not lane.is_brisk(now, manners.stall, manners.timeout):
            return
        elif not flight.task.get:
            self._release(flight)
            flight.task.again_from_start()
            flight.task.head_hung = True
            self._again(flight.task)
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
            told, _, fragment = urljoin(task.url, answer.headers["location"]).partition("#")
            target = self._approve(UNESCAPED.sub(_escaped, told), longest=LONGEST_HOP)
        except Refused as refusal:
            self._finish(lane, answer._replace(status=None, trouble=_refusal(refusal, hop=True)))
            return
        except ValueError:
            self._finish(lane, answer._replace(status=None, trouble=Trouble.BAD_REDIRECT))
            return
        if target in task.seen or task.hops >= MOST_HOPS:
            trouble = Trouble.LOOP if target in task.seen else Trouble.TOO_MANY
            self._after_circle(task, lane, answer._replace(status=None, trouble=trouble))
            return
        if task.cookies is not None and urlsplit(target).hostname != urlsplit(task.url).hostname:
            task.cookies = {}
        task.route = f"#{fragment}" if fragment.startswith(("/", "!")) else ""
        task.moving = task.moving and answer.status in PERMANENT and len(target) <= LONGEST
        if task.moving:
            task.moved_to = target
        task.url, task.hops = target, task.hops + 1
        self._again(task)

    def _after_circle(self, task: Task, lane: Lane, answer: Answer) -> None:
        """Some sites lead in a circle until their cookie comes back: once more, with GET and cookies kept."""
        if task.cookies is None:
            task.again_from_start()
            task.cookies = {}
            self._again(task)
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
            self._again(task, at=now + RETRY_PAUSE)
        else:
            self._again(task)

    def _after_get(self, task: Task, lane: Lane, answer: Answer, now: float) -> None:
        lane.head_useless = lane.head_useless or (task.head_hung and not answer.trouble)
        if answer.status in (405, 501) and task.head is not None:
            self._finish(lane, task.head)
        elif answer.status == 416 and task.ranged and not HAS_LENGTH.search(answer.headers.get("content-range", "")):
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
        self._names.close()
        for flight in self._free:
            flight.curl.close()
        self._watch.close()


def _escaped(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


def _deserves_retry(answer: Answer) -> bool:
    if answer.trouble:
        return answer.trouble in RETRIED
    return answer.status is not None and 500 <= answer.status < 600 and not is_throttling(answer)


def _unasked(task: Task, trouble: Trouble) -> Answer:
    return Answer(task.id, task.asked, trouble=trouble, final_url=task.url or task.asked, shared=True)


def _refusal(refusal: Refused, *, hop: bool = False) -> Trouble:
    if hop and refusal.code == "long_url":
        return Trouble.LOCAL
    if hop and refusal.code in ("bad_scheme", "malformed_url", "no_host", "empty_url", "bad_character"):
        return Trouble.BAD_REDIRECT
    return Trouble.PRIVATE
