"""Asking links and judging what they say: here, or in a process of its own, so that one core reads while one writes.

No database. The other process is this module, run with one socket: questions go in, what was heard comes out. It ends
when the socket does, so it never outlives whoever started it.
"""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from streaming.health.answers import Answer, Question
from streaming.health.heard import Heard
from streaming.health.manners import Manners
from streaming.health.probe import Prober, never
from streaming.health.verdict import LinkFacts, judge

FEW = 2_000
CHUNK = 500
MOST_OUT = 20_000
PATIENCE = 0.1
ENDING_SECONDS = 5.0
ROOT = Path(__file__).resolve().parents[2]
Stop = Callable[[], bool]


class AskingBroke(RuntimeError):
    """The process that asks has died."""


def ask(
    questions: Iterable[Question], manners: Manners, *, stop: Stop = never, known: Container[str] = frozenset()
) -> Iterator[Heard]:
    """What came of each link, as it comes. Few links are asked here; many, where there is a second core, apart."""
    source = iter(questions)
    first = list(islice(source, FEW))
    asked = ask_apart if len(first) == FEW and _can_ask_apart() else ask_here
    return asked(chain(first, source), manners, stop=stop, known=known)


def ask_here(
    questions: Iterable[Question], manners: Manners, *, stop: Stop = never, known: Container[str] = frozenset()
) -> Iterator[Heard]:
    """Ask in this process."""
    for heard in _rounds(Prober(manners, stop=stop, known=known), questions):
        yield from heard


def ask_apart(
    questions: Iterable[Question], manners: Manners, *, stop: Stop = never, known: Container[str] = frozenset()
) -> Iterator[Heard]:
    """Ask in a process of its own. Raises AskingBroke when that dies before all is answered."""
    source: Iterator[Question] | None = iter(questions)
    out = 0
    with _other_process(manners, known) as connection:
        while not stop():
            while source is not None and out < MOST_OUT:
                chunk = list(islice(source, CHUNK))
                connection.send_bytes(pickle.dumps(chunk))
                out += len(chunk)
                source = source if chunk else None
            if source is None and out == 0:
                return
            if connection.poll(PATIENCE):
                heard = _received(connection)
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
    judgement = judge(answer, LinkFacts(question.title, question.media))
    landed = answer.final_url.split("/", 3)[2] if answer.hops else ""
    return Heard(
        answer.id, judgement, answer.status, answer.response_ms, answer.moved_to, answer.below_http, landed,
        answer.retry_after,
    )  # fmt: skip


# --- the process that started the other one
def _can_ask_apart() -> bool:
    return os.name == "posix" and len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else "ab") > 1


@contextmanager
def _other_process(manners: Manners, known: Container[str]) -> Iterator[Connection]:
    """The connection to a process that asks; gone when this ends."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", __name__, str(theirs.fileno())]
    # In a session of its own: Ctrl-C is for whoever started it, who then ends it.
    process = subprocess.Popen(  # noqa: S603  our own command, and a number
        command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    theirs.close()
    connection = Connection(ours.detach())
    try:
        connection.send_bytes(pickle.dumps((manners, known)))
        yield connection
    except (EOFError, ConnectionError) as error:
        raise AskingBroke("the process that asks the links died") from error
    finally:
        connection.close()
        _end(process)


def _received(connection: Connection) -> list[Heard]:
    told: list[Heard] = pickle.loads(connection.recv_bytes())  # noqa: S301  From our own process.
    return told


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# --- the other process
def main() -> None:
    """Answer the questions that come over the socket whose number is the one argument."""
    connection = Connection(int(sys.argv[1]))
    outbox: SimpleQueue[bytes] = SimpleQueue()
    # A thread: asking goes on while the other side is busy writing what it was told.
    Thread(target=_send, args=(connection, outbox), daemon=True).start()
    try:
        manners, known = pickle.loads(connection.recv_bytes())  # noqa: S301  From our own process.
        prober = Prober(manners, known=known)
        prober.also_wake_at(connection.fileno())
        for heard in _rounds(prober, _inbox(connection)):
            outbox.put(pickle.dumps(heard))
    except (EOFError, ConnectionError):
        return  # Nobody wants to know any more.


def _send(connection: Connection, outbox: SimpleQueue[bytes]) -> None:
    try:
        while True:
            connection.send_bytes(outbox.get())
    except ConnectionError:
        return


def _inbox(connection: Connection) -> Iterator[Question | None]:
    """The questions; None while there are none. It ends by an EOFError: then the other side has all it wanted."""
    while True:
        if connection.poll(0):
            yield from pickle.loads(connection.recv_bytes())  # noqa: S301  From our own process.
        else:
            yield None


if __name__ == "__main__":
    main()
