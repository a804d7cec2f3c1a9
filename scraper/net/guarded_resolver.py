"""The last look before a spider connects: every address that a name means is judged, any bad one condemns the name.

Twisted sends each host through the reactor's resolver at the moment of connecting, literal addresses and redirects
too, and connects to exactly what it is given here: no gap is left in which a name could change its meaning.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from scraper.net.url_policy import NO_PRIVATE_HOSTS, PrivateHostAllowlist, may_connect

Lookup = Callable[[str, int], Sequence[str]]
logger = logging.getLogger(__name__)
MAX_REFUSED_ENTRIES = 1000


def lookup_addresses(host: str, port: int) -> list[str]:
    """The addresses of a name, IPv4 and IPv6, as the machine's resolver gives them; none when it is not known."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return []
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class HostResolution:
    """A running look-up, as Twisted wants it named; it is left to end by itself when the request is given up."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Nothing to stop: the thread's answer is dropped by whoever no longer waits for it."""


class GuardedResolver:
    """Gives Twisted the addresses of a host, or none when one of them is not to be opened (see `refused`)."""

    def __init__(
        self, reactor: Any, *, allowed: PrivateHostAllowlist = NO_PRIVATE_HOSTS, lookup: Lookup = lookup_addresses
    ) -> None:
        self.reactor, self.allowed, self.lookup = reactor, allowed, lookup
        self._refused: dict[tuple[str, int], str] = {}

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> GuardedResolver:
        return cls(reactor, allowed=crawler.settings["ALLOW_PRIVATE_HOSTS"])

    def install_on_reactor(self) -> None:
        self.reactor.installNameResolver(self)

    def refused_address(self, host: str, port: int) -> str | None:
        """The address for which this host was refused when it was last looked up; None when it was not."""
        return self._refused.get((host, port))

    def resolveHostName(
        self,
        resolutionReceiver: Any,  # noqa: N803 (Twisted's names)
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> HostResolution:
        """Twisted's door (IHostnameResolver): look up in a thread, judge, hand over what may be connected to."""
        resolution = HostResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        def hand_over(addresses: Sequence[str]) -> None:
            for address in self.filter_addresses(hostName, portNumber, addresses):
                kind = IPv6Address if ":" in address else IPv4Address
                resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
            resolutionReceiver.resolutionComplete()

        host = _strip_brackets(hostName)
        if _is_address(host):  # Nothing to look up, and no thread to wait for.
            hand_over([host])
            return resolution
        looked_up = deferToThreadPool(self.reactor, self.reactor.getThreadPool(), self.lookup, host, portNumber)
        looked_up.addErrback(_log_lookup_error).addCallback(hand_over)
        return resolution

    def filter_addresses(self, host: str, port: int, addresses: Sequence[str]) -> Sequence[str]:
        """All addresses of a host, or none of them when a single one may not be connected to."""
        key = (host, port)
        self._refused.pop(key, None)
        for address in addresses:
            if not may_connect(address, host=_strip_brackets(host), port=port, allowed=self.allowed):
                if len(self._refused) >= MAX_REFUSED_ENTRIES:
                    self._refused.clear()
                self._refused[key] = address
                return ()
        return addresses


def _log_lookup_error(failure: Failure) -> Sequence[str]:
    """A look-up that broke is told in the log: it is our machine's trouble, not the name's."""
    logger.error("a name could not be looked up: %s", failure.value, exc_info=failure.value)
    return ()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _strip_brackets(host: str) -> str:
    return host.strip("[]")
