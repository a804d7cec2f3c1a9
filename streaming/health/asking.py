"""Asking links and judging what they say: here, or in a process of its own, so that one core reads while one writes.

No database. The other process is this module, run with one socket: questions go in, what was heard comes out. It ends
when the socket does, so it never outlives whoever started it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

from streaming.health.answers import Answer, Question
from streaming.health.heard import Heard, Turns, Wants
from streaming.health.manners import Manners
from streaming.health.probe import Prober, never
from streaming.health.verdict import ELSEWHERE, LinkFacts, judge
from streaming.health.wire import Wire

FEW = 2_000
CHUNK = 500
MOST_OUT = 20_000
PATIENCE = 0.1
TOLD_AT_ONCE = 100
LONGEST_SILENCE = 0.02
ROOT = Path(__file__).resolve().parents[2]
Stop = Callable[[], bool]
Turn = Callable[[str, float], float | None]
"""Given a place and its pause: the seconds until our turn there, None when that is too far off."""


def at_once(_place: str, _pause: float) -> float | None:
    return 0.0


class AskingBroke(RuntimeError):
    """The process that asks has died."""


def ask(
    questions: Iterable[Question],
    manners: Manners,
    *,
    turn: Turn = at_once,
    stop: Stop = never,
    known: Container[str] = frozenset(),
) -> Iterator[Heard]:
    """What came of each link, as it comes. Few links are asked here; many, where there is a second core, apart."""
    source = iter(questions)
    first = list(islice(source, FEW))
    asked = ask_apart if len(first) == FEW and _can_ask_apart() else ask_here
    return asked(chain(first, source), manners, turn=turn, stop=stop, known=known)


def ask_here(
    questions: Iterable[Question],
    manners: Manners,
    *,
    turn: Turn = at_once,
    stop: Stop = never,
    known: Container[str] = frozenset(),
) -> Iterator[Heard]:
    """Ask in this process."""
    prober = Prober(manners, stop=stop, known=known)
    for heard in _rounds(prober, questions):
        yield from heard
        for lane in prober.wants_turns():
            prober.has_turn(lane.place, turn(lane.place, lane.pause))


def ask_apart(
    questions: Iterable[Question],
    manners: Manners,
    *,
    turn: Turn = at_once,
    stop: Stop = never,
    known: Container[str] = frozenset(),
) -> Iterator[Heard]:
    """Ask in a process of its own. Raises AskingBroke when that dies before all is answered."""
    source: Iterator[Question] | None = iter(questions)
    out = 0
    with _other_process(manners, known) as wire:
        while not stop():
            while source is not None and out < MOST_OUT and wire.push():
                chunk = list(islice(source, CHUNK))
                wire.put(chunk)
                out += len(chunk)
                source = source if chunk else None
            if source is None and out == 0:
                return
            heard: list[Heard] | Wants | None = wire.take()
            if heard is None:
                wire.wait(PATIENCE)
            elif isinstance(heard, Wants):
                wire.put(Turns((place, turn(place, pause)) for place, pause in heard))
            else:
                out -= len(heard)
                yield from heard


def _rounds(prober: Prober, questions: Iterable[Question | None]) -> Iterator[list[Heard]]:
    asked: dict[int, Question] = {}

    def noted() -> Iterator[Question | None]:
        for question in questions:
            if question is not None:
                asked[question.id] = question
            yield question

    for answers in prober.rounds(noted()):
        yield [_heard(answer, asked.pop(answer.id)) for answer in answers]


def _heard(answer: Answer, question: Question) -> Heard:
    if answer.underway is not None:
        return Heard(answer.id, ELSEWHERE, None, None, "", False, "", "", underway=answer.underway)
    judgement = judge(answer, LinkFacts(question.title, question.media))
    landed = answer.final_url.split("/", 3)[2] if answer.hops else ""
    return Heard(
        answer.id, judgement, answer.status, answer.response_ms, answer.moved_to, answer.below_http, landed,
        answer.retry_after, unasked=answer.shared,
    )  # fmt: skip


# --- the process that started the other one
def _can_ask_apart() -> bool:
    return os.name == "posix" and len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else "ab") > 1


@contextmanager
def _other_process(manners: Manners, known: Container[str]) -> Iterator[Wire]:
    """The wire to a process that asks; gone when this ends."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", __name__, str(theirs.fileno())]
    # In a session of its own: Ctrl-C is for whoever started it, who then ends it.
    process = subprocess.Popen(  # noqa: S603  our own command, and a number
        command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    theirs.close()
    wire = Wire(ours)
    try:
        wire.put((manners, known))
        yield wire
    except EOFError as error:
        raise AskingBroke("the process that asks the links died") from error
    finally:
        wire.close()
        process.kill()  # It has nothing to save, and may be busy.
        process.wait()


# --- the other process
def main() -> None:
    """Answer the questions that come over the socket whose number is the one argument."""
    wire = Wire(socket.socket(fileno=int(sys.argv[1])))
    try:
        _serve(wire)
    except EOFError:
        return  # Nobody wants to know any more.


def _serve(wire: Wire) -> None:
    while (start := wire.take()) is None:
        wire.wait(PATIENCE)
    manners, known = start
    prober = Prober(manners, known=known)
    prober.also_wake_at(wire.fileno())
    inbox = _Inbox(wire, prober)
    told: list[Heard] = []
    spoke = time.monotonic()
    for heard in _rounds(prober, inbox.questions()):
        inbox.empty()
        told += heard
        if wanting := prober.wants_turns():
            wire.put(Wants((lane.place, lane.pause) for lane in wanting))
        if len(told) >= TOLD_AT_ONCE or (told and time.monotonic() - spoke > LONGEST_SILENCE):
            wire.put(told)
            told, spoke = [], time.monotonic()
        else:
            wire.push()


class _Inbox:
    """What came over the wire. It is emptied every round, even when the prober wants no more questions: turns count at
    once, and nobody at the other end is noticed."""

    def __init__(self, wire: Wire, prober: Prober) -> None:
        self.wire, self.prober = wire, prober
        self.waiting: deque[Question] = deque()

    def empty(self) -> None:
        told: list[Question] | Turns | None
        while (told := self.wire.take()) is not None:
            if isinstance(told, Turns):
                for place, seconds in told:
                    self.prober.has_turn(place, seconds)
            else:
                self.waiting.extend(told)

    def questions(self) -> Iterator[Question | None]:
        """None while there are none. It never ends of itself: the other side hangs up."""
        while True:
            yield self.waiting.popleft() if self.waiting else None


if __name__ == "__main__":
    main()
