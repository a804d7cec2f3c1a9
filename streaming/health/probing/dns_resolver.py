"""Looking up hosts' names in threads of our own, so that slow names delay nobody else's link. No database.

libcurl has twenty threads for names and counts the waiting for one against the link: twenty names of which no answer
comes, or a thousand that take 0.2 s each, made live links time out.
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

MAX_THREADS = 64
# The system's own patience is 10 s with one name server that does not answer; the next one is asked after 5.
LOOKUP_TIMEOUT_SECONDS = 15.0
RETRY_DELAY_SECONDS = 0.25
IP_ADDRESS_PATTERN = re.compile(r"[0-9.]+\Z|.*:")
LOCAL_ERROR_CODES = frozenset({socket.EAI_SYSTEM, socket.EAI_MEMORY})
Resolution = tuple[str, ...] | Failure
"""A host's addresses, or why there are none."""


class DnsResolver:
    """`ask` begins to look a name up, `found` tells what has come since. Only the looking up itself is in threads, and
    none of these keeps the process alive."""

    def __init__(self) -> None:
        self.addresses: dict[str, tuple[str, ...]] = {}
        self._open: set[str] = set()
        self._asked: SimpleQueue[str | None] = SimpleQueue()
        self._heard: SimpleQueue[tuple[str, Resolution]] = SimpleQueue()
        self._began: dict[str, float] = {}
        self._threads = 0
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)

    def fileno(self) -> int:
        """Can be read when something was found."""
        return self._ours.fileno()

    def resolve(self, host: str) -> None:
        """Begin to look this name up; nothing more when that is under way."""
        if host in self._open:
            return
        self._open.add(host)
        self._asked.put(host)
        if self._threads < min(len(self._open), MAX_THREADS):
            self._threads += 1
            threading.Thread(target=self._worker, name="names", daemon=True).start()

    def completed(self) -> Iterator[tuple[str, Resolution]]:
        """What has come, and TIMEOUT for names that took too long from the moment at which a thread took them."""
        if not self._open:
            return
        with suppress(BlockingIOError):
            self._ours.recv(4096)
        while not self._heard.empty():
            host, found = self._heard.get()
            self._began.pop(host, None)
            if isinstance(found, tuple):
                self.addresses[host] = found
            if host in self._open:
                self._open.discard(host)
                yield host, found
        late = time.monotonic() - LOOKUP_TIMEOUT_SECONDS
        for host in [host for host, began in list(self._began.items()) if began < late and host in self._open]:
            self._open.discard(host)
            yield host, Failure.TIMEOUT

    def close(self) -> None:
        """Whoever is still looking up ends with the process, or when its answer comes."""
        for _ in range(self._threads):
            self._asked.put(None)
        self._ours.close()
        self._theirs.close()

    def _worker(self) -> None:
        while (host := self._asked.get()) is not None:
            self._began[host] = time.monotonic()
            self._heard.put((host, resolve_host(host)))
            with suppress(OSError):  # It is full of such news already, or nobody wants to know any more.
                self._theirs.send(b"!")


def is_ip_address(host: str) -> bool:
    """Whether there is nothing to look up."""
    return IP_ADDRESS_PATTERN.match(host) is not None


def resolve_host(host: str) -> Resolution:
    """All addresses of a host in the system's order; asked twice before it is believed that there are none."""
    found = _look_up(host)
    if isinstance(found, Failure):
        time.sleep(RETRY_DELAY_SECONDS)
        found = _look_up(host)
    return found


def _look_up(host: str) -> Resolution:
    try:
        rows = socket.getaddrinfo(host.encode(), None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return Failure.LOCAL if error.errno in LOCAL_ERROR_CODES else Failure.DNS
    except OSError:
        return Failure.LOCAL
    return tuple(dict.fromkeys(str(place[0]).partition("%")[0] for *_, place in rows)) or Failure.DNS
