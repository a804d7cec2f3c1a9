"""Probes and judges links, in this process or in one of its own, so that one core probes while another one writes.

No database. The subprocess is this module, run with a socket: requests go in, results come out. It ends when the socket
is closed, so it never outlives the process that started it. Several of them are a `prober_pool`.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scraper.net.url_policy import netloc_of
from streaming.health.judging.causes import landing_hash, page_hash
from streaming.health.judging.control_page import sample_page
from streaming.health.judging.results import CheckResult
from streaming.health.judging.verdict import FORWARDED, judge
from streaming.health.probe_types import ProbeRequest, ProbeResponse
from streaming.health.probing.channel import Channel, SlotGrants, SlotRequests
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.prober import Prober, never_stop

POLL_SECONDS = 0.1
RESULT_BATCH = 100
MAX_FLUSH_DELAY_SECONDS = 0.02
PROJECT_ROOT = Path(__file__).resolve().parents[3]

Stop = Callable[[], bool]
ReserveSlot = Callable[[str, float], float | None]
"""Reserves the next slot of a netloc with that delay; returns the seconds until then, None if that is too long."""


def no_wait(_netloc: str, _delay: float) -> float | None:
    """Allow the next request now."""
    return 0.0


class ProberProcessDied(RuntimeError):
    """The prober's subprocess ended before all its results had come."""


def probe_in_process(
    requests: Iterable[ProbeRequest],
    config: ProbeConfig,
    *,
    reserve_slot: ReserveSlot = no_wait,
    stop: Stop = never_stop,
    responsive_hosts: Container[str] = frozenset(),
) -> Iterator[CheckResult]:
    """Yield the results of links that are probed in this process."""
    prober = Prober(config, stop=stop, responsive_hosts=responsive_hosts)
    for results in _judged_batches(prober, requests):
        yield from results
        for host_slot in prober.slot_requests():
            prober.grant_slot(host_slot.netloc, reserve_slot(host_slot.netloc, host_slot.delay_between))


def _judged_batches(prober: Prober, requests: Iterable[ProbeRequest | None]) -> Iterator[list[CheckResult]]:
    pending: dict[int, ProbeRequest] = {}

    def recorded() -> Iterator[ProbeRequest | None]:
        for request in requests:
            if request is not None:
                pending[request.id] = request
            yield request

    for responses in prober.response_batches(recorded()):
        yield [_check_result(response, pending.pop(response.id)) for response in responses]


def _check_result(response: ProbeResponse, request: ProbeRequest) -> CheckResult:
    if response.state is not None:
        return CheckResult(id=response.id, judgement=FORWARDED, probe_state=response.state)
    judgement = judge(response, request)
    may_have_cause = judgement.verdict.is_bad or request.is_failing
    return CheckResult(
        id=response.id,
        judgement=judgement,
        http_status=response.status,
        response_ms=response.response_ms,
        moved_to=response.moved_to,
        is_transport_failure=response.is_transport_failure,
        redirect_target=netloc_of(response.final_url) if response.hops else "",
        retry_after=response.retry_after,
        not_sent=response.not_sent,
        page_hash=page_hash(response, request) if may_have_cause else "",
        landing_hash=landing_hash(response) if may_have_cause else "",
        date=response.headers.get("date", ""),
        responded_at=time.monotonic(),
        page=sample_page(response) if judgement.is_doubtful else None,
    )


# --- the process that starts the subprocess
@contextmanager
def prober_process(config: ProbeConfig, responsive_hosts: Container[str]) -> Iterator[Channel]:
    """Start the subprocess and return the channel to it; kill it in the end."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", __name__, str(theirs.fileno())]
    # In a session of its own: Ctrl-C reaches only the process that started it, which then ends it.
    process = subprocess.Popen(  # noqa: S603  our own command, and a number
        command, cwd=PROJECT_ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    theirs.close()
    channel = Channel(ours)
    try:
        channel.send((config, responsive_hosts))
        yield channel
    except EOFError as error:
        raise ProberProcessDied("the process that probes the links died") from error
    finally:
        channel.close()
        process.kill()  # It has nothing to save, and may be busy.
        process.wait()


# --- the subprocess
def main() -> None:
    """Process the requests that come over the socket whose descriptor is the only argument."""
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    try:
        _serve(channel)
    except EOFError:
        return  # The other process has ended or needs no more results.


def _serve(channel: Channel) -> None:
    while (start := channel.receive()) is None:
        channel.wait(POLL_SECONDS)
    config, responsive_hosts = start
    prober = Prober(config, responsive_hosts=responsive_hosts)
    prober.watch_descriptor(channel.fileno())
    inbox = _RequestInbox(channel, prober)
    unsent: list[CheckResult] = []
    sent_at = time.monotonic()
    for results in _judged_batches(prober, inbox.requests()):
        inbox.receive()
        unsent += results
        if slot_requests := prober.slot_requests():
            channel.send(SlotRequests((host_slot.netloc, host_slot.delay_between) for host_slot in slot_requests))
        if len(unsent) >= RESULT_BATCH or (unsent and time.monotonic() - sent_at > MAX_FLUSH_DELAY_SECONDS):
            channel.send(unsent)
            unsent, sent_at = [], time.monotonic()
        else:
            channel.flush()


class _RequestInbox:
    """The requests that have come over the channel and have not started.

    It receives in every pass, even when the prober needs no more requests: grants of slots take effect at once, and the
    end of the other process is noticed.
    """

    def __init__(self, channel: Channel, prober: Prober) -> None:
        self.channel, self.prober = channel, prober
        self.waiting: deque[ProbeRequest] = deque()

    def receive(self) -> None:
        """Take all messages that have come. Raises EOFError when the other process has ended."""
        message: list[ProbeRequest] | SlotGrants | None
        while (message := self.channel.receive()) is not None:
            if isinstance(message, SlotGrants):
                for netloc, seconds in message:
                    self.prober.grant_slot(netloc, seconds)
            else:
                self.waiting.extend(message)

    def requests(self) -> Iterator[ProbeRequest | None]:
        """Yield the requests, None while there are none. It never ends: the other process closes the channel."""
        while True:
            yield self.waiting.popleft() if self.waiting else None


if __name__ == "__main__":
    main()
