"""Asking links and judging what they say: here, or in a process of its own, so that one core reads while one writes.

No database. The other process is this module, run with one socket: questions go in, what was heard comes out. It ends
when the socket does, so it never outlives whoever started it."""

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

from streaming.health.judging.results import CheckResult
from streaming.health.judging.verdict import FORWARDED, judge
from streaming.health.probe_types import ProbeRequest, ProbeResponse
from streaming.health.probing.channel import Channel, SlotGrants, SlotRequests
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.prober import Prober, never_stop

SUBPROCESS_THRESHOLD = 2_000


REQUEST_BATCH = 500


MAX_OUTSTANDING = 20_000


POLL_SECONDS = 0.1


RESULT_BATCH = 100


MAX_FLUSH_DELAY_SECONDS = 0.02


PROJECT_ROOT = Path(__file__).resolve().parents[3]


Stop = Callable[[], bool]


ReserveSlot = Callable[[str, float], float | None]


"""Given a place and its pause: the seconds until our turn there, None when that is too far off."""


def no_wait(_place: str, _pause: float) -> float | None:
    return 0.0


class ProberProcessDied(RuntimeError):
    """The process that asks has died."""


def probe_links(
    questions: Iterable[ProbeRequest],
    config: ProbeConfig,
    *,
    turn: ReserveSlot = no_wait,
    stop: Stop = never_stop,
    responsive_hosts: Container[str] = frozenset(),
) -> Iterator[CheckResult]:
    """What came of each link, as it comes. Few links are asked here; many, where there is a second core, apart."""
    source = iter(questions)
    first = list(islice(source, SUBPROCESS_THRESHOLD))
    asked = probe_in_subprocess if len(first) == SUBPROCESS_THRESHOLD and _can_use_subprocess() else probe_in_process
    return asked(chain(first, source), config, turn=turn, stop=stop, responsive_hosts=responsive_hosts)


def probe_in_process(
    questions: Iterable[ProbeRequest],
    config: ProbeConfig,
    *,
    turn: ReserveSlot = no_wait,
    stop: Stop = never_stop,
    responsive_hosts: Container[str] = frozenset(),
) -> Iterator[CheckResult]:
    """Ask in this process."""
    prober = Prober(config, stop=stop, known=responsive_hosts)
    for result in _judged_batches(prober, questions):
        yield from result
        for host_slot in prober.slot_requests():
            prober.grant_slot(host_slot.netloc, turn(host_slot.netloc, host_slot.delay_between))


def probe_in_subprocess(
    questions: Iterable[ProbeRequest],
    config: ProbeConfig,
    *,
    turn: ReserveSlot = no_wait,
    stop: Stop = never_stop,
    responsive_hosts: Container[str] = frozenset(),
) -> Iterator[CheckResult]:
    """Ask in a process of its own. Raises AskingBroke when that dies before all is answered."""
    source: Iterator[ProbeRequest] | None = iter(questions)
    out = 0
    with _prober_process(config, responsive_hosts) as wire:
        while not stop():
            while source is not None and out < MAX_OUTSTANDING and wire.flush():
                chunk = list(islice(source, REQUEST_BATCH))
                wire.send(chunk)
                out += len(chunk)
                source = source if chunk else None
            if source is None and out == 0:
                return
            result: list[CheckResult] | SlotRequests | None = wire.receive()
            if result is None:
                wire.wait(POLL_SECONDS)
            elif isinstance(result, SlotRequests):
                wire.send(SlotGrants((place, turn(place, pause)) for place, pause in result))
            else:
                out -= len(result)
                yield from result


def _judged_batches(prober: Prober, questions: Iterable[ProbeRequest | None]) -> Iterator[list[CheckResult]]:
    asked: dict[int, ProbeRequest] = {}

    def noted() -> Iterator[ProbeRequest | None]:
        for question in questions:
            if question is not None:
                asked[question.id] = question
            yield question

    for answers in prober.response_batches(noted()):
        yield [_check_result(answer, asked.pop(answer.id)) for answer in answers]


def _check_result(answer: ProbeResponse, question: ProbeRequest) -> CheckResult:
    if answer.state is not None:
        return CheckResult(id=answer.id, judgement=FORWARDED, probe_state=answer.state)
    return CheckResult(
        id=answer.id,
        judgement=judge(answer, question),
        http_status=answer.status,
        response_ms=answer.response_ms,
        moved_to=answer.moved_to,
        is_transport_failure=answer.is_transport_failure,
        redirect_target=answer.final_url.split("/", 3)[2] if answer.hops else "",
        retry_after=answer.retry_after,
        not_sent=answer.not_sent,
    )


# --- the process that started the other one
def _can_use_subprocess() -> bool:
    return os.name == "posix" and len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else "ab") > 1


@contextmanager
def _prober_process(config: ProbeConfig, known: Container[str]) -> Iterator[Channel]:
    """The wire to a process that asks; gone when this ends."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", __name__, str(theirs.fileno())]
    # In a session of its own: Ctrl-C is for whoever started it, who then ends it.
    process = subprocess.Popen(  # noqa: S603  our own command, and a number
        command, cwd=PROJECT_ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    theirs.close()
    wire = Channel(ours)
    try:
        wire.send((config, known))
        yield wire
    except EOFError as error:
        raise ProberProcessDied("the process that asks the links died") from error
    finally:
        wire.close()
        process.kill()  # It has nothing to save, and may be busy.
        process.wait()


# --- the other process
def main() -> None:
    """Answer the questions that come over the socket whose number is the one argument."""
    wire = Channel(socket.socket(fileno=int(sys.argv[1])))
    try:
        _serve(wire)
    except EOFError:
        return  # Nobody wants to know any more.


def _serve(wire: Channel) -> None:
    while (start := wire.receive()) is None:
        wire.wait(POLL_SECONDS)
    config, known = start
    prober = Prober(config, known=known)
    prober.watch_descriptor(wire.fileno())
    inbox = _RequestInbox(wire, prober)
    options: list[CheckResult] = []
    spoke = time.monotonic()
    for result in _judged_batches(prober, inbox.questions()):
        inbox.empty()
        options += result
        if wanting := prober.slot_requests():
            wire.send(SlotRequests((host_slot.netloc, host_slot.delay_between) for host_slot in wanting))
        if len(options) >= RESULT_BATCH or (options and time.monotonic() - spoke > MAX_FLUSH_DELAY_SECONDS):
            wire.send(options)
            options, spoke = [], time.monotonic()
        else:
            wire.flush()


class _RequestInbox:
    """What came over the wire. It is emptied every round, even when the prober wants no more questions: turns count at
    once, and nobody at the other end is noticed."""

    def __init__(self, wire: Channel, prober: Prober) -> None:
        self.wire, self.prober = wire, prober
        self.waiting: deque[ProbeRequest] = deque()

    def empty(self) -> None:
        messages: list[ProbeRequest] | SlotGrants | None
        while (messages := self.wire.receive()) is not None:
            if isinstance(messages, SlotGrants):
                for place, seconds in messages:
                    self.prober.grant_slot(place, seconds)
            else:
                self.waiting.extend(messages)

    def questions(self) -> Iterator[ProbeRequest | None]:
        """None while there are none. It never ends of itself: the other side hangs up."""
        while True:
            yield self.waiting.popleft() if self.waiting else None


if __name__ == "__main__":
    main()
