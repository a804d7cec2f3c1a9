"""Probes links over the network: a stream of requests in, responses out. No database.

What follows a response is decided in `next_step`. The way into a host's queue is `request_intake`, the order of
requests `host_queue`, one request `transfer`, all requests in progress `curl_loop`; what timed out or met an error of
its server waits in `deferral`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Container, Iterable, Iterator

from scraper.net.throttling import is_throttled
from streaming.health.probe_types import Failure, ProbeRequest, ProbeResponse
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.curl_loop import LIBRARY_ERRORS, CurlLoop
from streaming.health.probing.deferral import LATE_TIMEOUT_FACTOR, DeferredTasks
from streaming.health.probing.host_queue import HostScheduler, HostSlot, ProbeTask
from streaming.health.probing.lag_monitor import LagMonitor, step_after_lag
from streaming.health.probing.next_step import RETRY_DELAY_SECONDS, begin_with_get, give_up_head, next_step
from streaming.health.probing.request_intake import RequestIntake
from streaming.health.probing.stall_monitor import StallMonitor
from streaming.health.probing.transfer import Transfer

log = logging.getLogger(__name__)

MAX_PENDING = 20_000
MAX_RESPONSE_BATCH = 500
HEAD_TIMEOUT_SECONDS = 1.0
END_OF_REQUESTS = ProbeRequest(0, "")


def never_stop() -> bool:
    return False


class Prober:
    """Probes a stream of links. `stop` is called several times a second; a stopped prober ends without responses.

    `responsive_hosts`: netlocs that responded recently; they are not given up, however their links fail.
    """

    def __init__(
        self,
        config: ProbeConfig,
        *,
        stop: Callable[[], bool] = never_stop,
        responsive_hosts: Container[str] = frozenset(),
    ) -> None:
        self.config, self.stop = config, stop
        self._scheduler = HostScheduler(
            per_host=config.per_host,
            delay=config.delay,
            max_stalled=config.max_stalled,
            responsive_hosts=responsive_hosts,
            delay_for_host=config.delay_for_host,
        )
        self._loop = CurlLoop(config, self._scheduler)
        self._deferred = DeferredTasks()
        self._intake = RequestIntake(config, self._scheduler, self._deferred)
        self._loop.watch_descriptor(self._intake.fileno())
        self._stalls = StallMonitor(config)
        self._responses: list[ProbeResponse] = []
        self._lag = LagMonitor(time.monotonic())

    def responses(self, requests: Iterable[ProbeRequest]) -> Iterator[ProbeResponse]:
        """Yield responses as they come, in any order; at most MAX_PENDING requests are in memory."""
        for batch in self.response_batches(requests):
            yield from batch

    def response_batches(self, requests: Iterable[ProbeRequest | None]) -> Iterator[list[ProbeResponse]]:
        """Yield responses in batches, some of them empty. A request that is None: there is none yet.

        A timeout that is due to a pause, of the consumer or of this process, is not a link's: see `LagMonitor`.
        """
        source: Iterator[ProbeRequest | None] | None = iter(requests)
        try:
            while not self.stop():
                source = self._fill(source)
                batch, self._responses = self._responses, []
                if self._intake.has_only_deferred and (source is None or self._loop.is_idle):
                    self._responses += self._intake.requeue_deferred(retry_at=time.monotonic() + RETRY_DELAY_SECONDS)
                elif source is None and not batch and self._loop.is_idle and not self._intake.pending:
                    return
                yield batch
                if not batch:
                    self._poll()
        finally:
            self._loop.close()
            self._intake.close()

    def watch_descriptor(self, descriptor: int) -> None:
        """Look for new requests when this descriptor becomes readable."""
        self._loop.watch_descriptor(descriptor)

    def slot_requests(self) -> list[HostSlot]:
        """Return the hosts whose next request needs a slot reserved by the caller, each once: see `grant_slot`."""
        return self._scheduler.take_slot_requests()

    def grant_slot(self, netloc: str, seconds: float | None) -> None:
        """Allow the next request to this host in so many seconds; None: no more requests in this run."""
        host_slot = self._scheduler.slots[netloc]
        if seconds is None:
            host_slot.is_throttled_out = True
            self._close_host(host_slot)
        else:
            self._scheduler.grant_slot(host_slot, time.monotonic() + seconds)

    # --- starting requests
    def _fill(self, source: Iterator[ProbeRequest | None] | None) -> Iterator[ProbeRequest | None] | None:
        """Start requests while there are free slots, drawing from `source` only as needed; None: it has ended."""
        now = time.monotonic()
        self._queue_resolved()
        self._scheduler.wake(now)
        while self._loop.has_capacity:
            if (next_task := self._scheduler.next(now)) is not None:
                self._start(*next_task, now=time.monotonic())
            elif (
                source is None
                or self._intake.pending >= MAX_PENDING
                or len(self._responses) >= MAX_RESPONSE_BATCH
                or (request := next(source, END_OF_REQUESTS)) is None
            ):
                break
            elif request is END_OF_REQUESTS:
                source = None
            elif (response := self._intake.accept(request)) is not None:
                self._responses.append(response)
        return source

    def _queue_resolved(self) -> None:
        """Queue the tasks whose host has been looked up."""
        for task, at, failure in self._intake.resolved():
            host_slot = self._scheduler.slot_for(task.state.url)
            if host_slot.closed_reason(task.state.url):
                self._responses += self._intake.refuse([task], host_slot)
            elif failure:
                self._finish(host_slot, task.failed(failure))
            else:
                self._requeue(task, at=at)

    def _requeue(self, task: ProbeTask, *, at: float | None = None) -> None:
        if (response := self._intake.requeue(task, at=at)) is not None:
            self._responses.append(response)

    def _start(self, host_slot: HostSlot, task: ProbeTask, *, now: float) -> None:
        if not task.state.get and _skips_head(host_slot, task):
            begin_with_get(task)
        try:
            transfer = self._loop.start(task, host_slot, timeout=_timeout(task, self.config), now=now)
        except LIBRARY_ERRORS as error:
            self._scheduler.release(host_slot, stalled=False)
            self._responses.append(_local_failure(task, error))
            return
        self._lag.watch(transfer, now)
        self._stalls.watch(transfer, now)

    # --- waiting and ending requests
    def _poll(self) -> None:
        self._loop.wait(time.monotonic(), wake_at=(self._scheduler.next_wake(), *self._stalls.next_checks()))
        now = time.monotonic()
        self._lag.look(now)
        for transfer, code in self._loop.completed():
            self._on_complete(transfer, code, now)
        for transfer in self._stalls.stalled(now):
            if transfer.task.state.get:
                self._loop.mark_stalled(transfer)
            else:  # Nobody needs HEAD to respond: it is given up for GET.
                self._loop.release(transfer)
                (begin_with_get if self._lag.lost(transfer) else give_up_head)(transfer.task)
                self._requeue(transfer.task)

    def _on_complete(self, transfer: Transfer, code: int, now: float) -> None:
        task, host_slot = transfer.task, transfer.host_slot
        try:
            response = transfer.response(code)
        except LIBRARY_ERRORS as error:
            self._loop.release(transfer)
            self._finish(host_slot, _local_failure(task, error))
            return
        if not response.failure:
            host_slot.on_response(now, now - transfer.started)
        self._loop.release(transfer)
        if self._lag.explains(response.failure, transfer, now):
            step = step_after_lag(task)
        else:
            step = next_step(task, host_slot, response, normalize=self._intake.normalize_redirect)
        if step is None:
            self._defer(host_slot, task, response)
        elif isinstance(step, ProbeResponse):
            self._finish(host_slot, step)
        else:
            self._requeue(task, at=now + step if step else None)

    def _defer(self, host_slot: HostSlot, task: ProbeTask, response: ProbeResponse) -> None:
        """Repeat a task at the end of the run: it timed out, or its host responded with an error."""
        url = task.state.url
        host_slot.count_failure(url, response.failure)
        self._deferred.add(task, host_slot)
        if host_slot.closed_reason(url):
            self._close_host(host_slot)

    def _finish(self, host_slot: HostSlot, response: ProbeResponse) -> None:
        self._responses.append(response)
        if response.failure:
            host_slot.count_failure(response.final_url, response.failure)
        else:
            host_slot.count_throttle(is_throttled(response.status, response.headers))
        if host_slot.closed_reason(response.final_url):
            self._close_host(host_slot)

    def _close_host(self, host_slot: HostSlot) -> None:
        """End the requests, waiting or in progress, that are not sent any more to a host that was given up."""
        tasks = list(self._scheduler.drain(host_slot))
        for transfer in self._loop.transfers_of(host_slot) if host_slot.unreachable else ():
            if host_slot.unreachable_reason(transfer.task.state.url):
                self._loop.release(transfer)
                tasks.append(transfer.task)
        self._responses += self._intake.refuse(tasks, host_slot)


def _skips_head(host_slot: HostSlot, task: ProbeTask) -> bool:
    return host_slot.head_is_useless or (host_slot.head_is_inconclusive and not task.request.media)


def _timeout(task: ProbeTask, config: ProbeConfig) -> float:
    if task.state.is_late:
        return config.timeout * LATE_TIMEOUT_FACTOR
    # A HEAD without a quick response is followed by a GET, which has all the time.
    return config.timeout if task.state.get else min(config.timeout / 2, HEAD_TIMEOUT_SECONDS)


def _local_failure(task: ProbeTask, error: Exception) -> ProbeResponse:
    """Return the response of a request that failed by a fault of ours."""
    log.warning("link %s could not be probed: %s", task.request.id, error)
    return ProbeResponse(task.request.id, task.request.url, failure=Failure.LOCAL, final_url=task.state.url)
