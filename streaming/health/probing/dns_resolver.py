"""Looks up host names in threads of our own, so that a slow name delays no link of another host. No database.

libcurl has twenty threads for names, and its timeout includes the wait for one of these: twenty names without response,
or a thousand that take 0.2 s each, would make live links time out.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import SimpleQueue

from streaming.health.probe_types import Failure
from streaming.health.probing.lag_monitor import MIN_LAG_SECONDS

MAX_THREADS = 64
THREAD_NAME = "dns-resolver"
# With one silent name server the system waits 10 s; it tries the next one after 5 s.
LOOKUP_TIMEOUT_SECONDS = 15.0
RETRY_DELAY_SECONDS = 0.25
IP_ADDRESS_PATTERN = re.compile(r"[0-9.]+\Z|.*:")
LOCAL_ERROR_CODES = frozenset({socket.EAI_SYSTEM, socket.EAI_MEMORY})
Resolution = tuple[str, ...] | Failure
"""The addresses of a host, or why there are none."""


class DnsResolver:
    """Looks up names in the background: `resolve` starts, `completed` returns the results. `addresses`: those found.

    Only the look-up itself is in threads, which do not keep the process alive.
    """

    def __init__(self) -> None:
        self.addresses: dict[str, tuple[str, ...]] = {}
        self._pending: set[str] = set()
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._results: SimpleQueue[tuple[str, Resolution]] = SimpleQueue()
        self._started_at: dict[str, float] = {}
        self._forgiven: dict[str, float] = {}
        self._threads = 0
        self._looked_at = time.monotonic()
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when there is a result."""
        return self._reader.fileno()

    def resolve(self, host: str) -> None:
        """Start to look up this name, unless that is in progress."""
        if host in self._pending:
            return
        self._pending.add(host)
        self._queue.put(host)
        if self._threads < min(len(self._pending), MAX_THREADS):
            self._threads += 1
            threading.Thread(target=self._worker, name=THREAD_NAME, daemon=True).start()

    def completed(self) -> Iterator[tuple[str, Resolution]]:
        """Return new results; TIMEOUT for names that take too long, counted from the start of their look-up."""
        self._forgive_lag(time.monotonic())
        if not self._pending:
            return
        with suppress(BlockingIOError):
            self._reader.recv(4096)
        while not self._results.empty():
            host, resolution = self._results.get()
            self._started_at.pop(host, None)
            self._forgiven.pop(host, None)
            if isinstance(resolution, tuple):
                self.addresses[host] = resolution
            if host in self._pending:
                self._pending.discard(host)
                yield host, resolution
        for host in self._late_hosts():
            self._pending.discard(host)
            yield host, Failure.TIMEOUT

    def _forgive_lag(self, now: float) -> None:
        """Give look-ups the time back in which this process did not run, LOOKUP_TIMEOUT_SECONDS each at most."""
        gap, self._looked_at = now - self._looked_at, now
        if gap >= MIN_LAG_SECONDS:
            for host, started_at in list(self._started_at.items()):
                forgiven = min(gap, now - started_at, LOOKUP_TIMEOUT_SECONDS - self._forgiven.get(host, 0.0))
                self._forgiven[host] = self._forgiven.get(host, 0.0) + forgiven
                self._started_at[host] = started_at + forgiven

    def _late_hosts(self) -> list[str]:
        late = time.monotonic() - LOOKUP_TIMEOUT_SECONDS
        return [
            host for host, started_at in list(self._started_at.items()) if started_at < late and host in self._pending
        ]

    def close(self) -> None:
        """Stop the threads; one that is looking up a name ends with it, or with the process."""
        for _ in range(self._threads):
            self._queue.put(None)
        self._reader.close()
        self._writer.close()

    def _worker(self) -> None:
        while (host := self._queue.get()) is not None:
            self._started_at[host] = time.monotonic()
            self._results.put((host, resolve_host(host)))
            with suppress(OSError):  # The socket is full, so its reader wakes up anyway, or closed.
                self._writer.send(b"!")


def is_ip_address(host: str) -> bool:
    """Whether this is an address, so that there is nothing to look up."""
    return IP_ADDRESS_PATTERN.match(host) is not None


def resolve_host(host: str) -> Resolution:
    """Return all addresses of a host in the system's order; a failure only after a second attempt."""
    resolution = _look_up(host)
    if isinstance(resolution, Failure):
        time.sleep(RETRY_DELAY_SECONDS)
        resolution = _look_up(host)
    return resolution


def _look_up(host: str) -> Resolution:
    try:
        rows = socket.getaddrinfo(host.encode(), None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return Failure.LOCAL if error.errno in LOCAL_ERROR_CODES else Failure.DNS
    except OSError:
        return Failure.LOCAL
    return tuple(dict.fromkeys(str(endpoint[0]).partition("%")[0] for *_, endpoint in rows)) or Failure.DNS
