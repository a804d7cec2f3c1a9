"""Probes links in subprocesses, each of which has its own part of the hosts. No database.

A host, with all its ports, stays with one subprocess, so what is polite to it does not depend on their number. A link
that redirects to the host of another subprocess is continued there.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, islice

from scraper.net.url_policy import host_of
from streaming.health.judging.results import CheckResult
from streaming.health.probe_types import ProbeRequest
from streaming.health.probing.channel import Channel, SlotGrants, SlotRequests, wait_for_any
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.prober import never_stop
from streaming.health.probing.prober_process import (
    POLL_SECONDS,
    ReserveSlot,
    Stop,
    no_wait,
    probe_in_process,
    prober_process,
)
from streaming.health.sharding import Shard, bucket_for, shard_number

SUBPROCESS_THRESHOLD = 2_000
REQUEST_BATCH = 500
MAX_OUTSTANDING = 20_000
"""Requests in all subprocesses together."""


def probe_links(
    requests: Iterable[ProbeRequest],
    config: ProbeConfig,
    *,
    reserve_slot: ReserveSlot = no_wait,
    stop: Stop = never_stop,
    responsive_hosts: Container[str] = frozenset(),
) -> Iterator[CheckResult]:
    """Yield the result of each link as it comes; many links are probed in subprocesses if there is a second core.

    Raises ProberProcessDied when a subprocess ends early.
    """
    source = iter(requests)
    first = list(islice(source, SUBPROCESS_THRESHOLD))
    is_many = len(first) == SUBPROCESS_THRESHOLD
    probe = probe_in_subprocesses if is_many and _can_use_subprocess() else probe_in_process
    return probe(chain(first, source), config, reserve_slot=reserve_slot, stop=stop, responsive_hosts=responsive_hosts)


def probe_in_subprocesses(
    requests: Iterable[ProbeRequest],
    config: ProbeConfig,
    *,
    reserve_slot: ReserveSlot = no_wait,
    stop: Stop = never_stop,
    responsive_hosts: Container[str] = frozenset(),
) -> Iterator[CheckResult]:
    """Yield the results of links that are probed in subprocesses: in one if `config` has a shard already.

    Raises ProberProcessDied when one of them ends early.
    """
    with ExitStack() as running:
        channels = [running.enter_context(prober_process(part, responsive_hosts)) for part in _parts(config)]
        pool = _ProberPool(channels, iter(requests), reserve_slot)
        while not stop():
            pool.send_requests()
            if pool.is_done:
                return
            yield from pool.receive_results()


def _can_use_subprocess() -> bool:
    return os.name == "posix" and len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else "ab") > 1


def _parts(config: ProbeConfig) -> list[ProbeConfig]:
    """Divide hosts and connections among the subprocesses."""
    if config.processes == 1 or config.shard is not None:
        return [config]
    connections = max(1, config.concurrency // config.processes)
    return [
        replace(config, shard=Shard(number, config.processes), concurrency=connections)
        for number in range(config.processes)
    ]


class _ProberPool:
    """The subprocesses, by their channels, and what they have not finished.

    `is_done`: all requests were sent and all results have come. The requests themselves are kept only where another
    subprocess may have to continue them.
    """

    def __init__(self, channels: list[Channel], requests: Iterator[ProbeRequest], reserve_slot: ReserveSlot) -> None:
        self._channels, self._reserve_slot = channels, reserve_slot
        self._source: Iterator[ProbeRequest] | None = requests
        self._outstanding = 0
        self._unfinished: dict[int, ProbeRequest] = {}

    @property
    def is_done(self) -> bool:
        return self._source is None and self._outstanding == 0

    def send_requests(self) -> None:
        """Send requests to the subprocesses of their hosts while they take more. Raises EOFError if one has ended."""
        while self._source is not None and self._outstanding < MAX_OUTSTANDING and self._flush():
            batch = list(islice(self._source, REQUEST_BATCH))
            self._outstanding += len(batch)
            self._send(batch)
            self._source = self._source if batch else None

    def receive_results(self) -> Iterator[CheckResult]:
        """Yield the results that have come; wait briefly if there are none. Raises EOFError if a subprocess ended."""
        messages = [(channel, message) for channel in self._channels if (message := channel.receive()) is not None]
        if not messages:
            wait_for_any(self._channels, POLL_SECONDS)
        for channel, message in messages:
            if isinstance(message, SlotRequests):
                channel.send(SlotGrants((netloc, self._reserve_slot(netloc, delay)) for netloc, delay in message))
            else:
                yield from self._finished(message)

    def _finished(self, results: list[CheckResult]) -> Iterator[CheckResult]:
        """Yield results, and send those on that another subprocess has to continue."""
        continued = []
        for result in results:
            request = self._unfinished.get(result.id)
            if request is not None and result.probe_state is not None:
                continued.append(request._replace(state=result.probe_state))
                continue
            self._unfinished.pop(result.id, None)
            self._outstanding -= 1
            yield result
        self._send(continued)

    def _send(self, requests: list[ProbeRequest]) -> None:
        if len(self._channels) == 1:
            self._channels[0].send(requests)
            return
        parts: list[list[ProbeRequest]] = [[] for _ in self._channels]
        for request in requests:
            host = host_of(request.state.url if request.state else request.url)
            parts[shard_number(bucket_for(host), of=len(parts))].append(request)
            self._unfinished[request.id] = request
        for channel, part in zip(self._channels, parts, strict=True):
            if part:
                channel.send(part)

    def _flush(self) -> bool:
        flushed = [channel.flush() for channel in self._channels]  # Each of them, not up to the first that is full.
        return all(flushed)
