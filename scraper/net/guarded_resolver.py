"""Resolve host names for spiders, and refuse a host if any of its addresses may not be connected to.

Twisted resolves each host with the reactor's resolver immediately before it connects, also for IP addresses and
redirects, and connects to exactly the addresses that it gets here: DNS rebinding has no chance.
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
    """Return the IPv4 and IPv6 addresses of a name, by the machine's resolver; none if the name is unknown."""
    try:
        results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return []
    return list(dict.fromkeys(str(result[4][0]) for result in results))


class HostResolution:
    """A look-up in progress, as Twisted requires it; it cannot be cancelled."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Do nothing: the result of the thread is ignored if nobody waits for it any more."""


class GuardedResolver:
    """Gives Twisted the addresses of a host, or none if one of them may not be connected to (`refused_address`)."""

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
        """Return the address because of which the last look-up of this host was refused; None if it was not."""
        return self._refused.get((host, port))

    def resolveHostName(
        self,
        resolutionReceiver: Any,  # noqa: N803 (Twisted's names)
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> HostResolution:
        """Look up a host in a thread and pass on the addresses that may be connected to (IHostnameResolver)."""
        resolution = HostResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        def pass_on(addresses: Sequence[str]) -> None:
            for address in self.filter_addresses(hostName, portNumber, addresses):
                kind = IPv6Address if ":" in address else IPv4Address
                resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
            resolutionReceiver.resolutionComplete()

        host = _strip_brackets(hostName)
        if _is_address(host):  # Nothing to look up: no thread is needed.
            pass_on([host])
            return resolution
        looked_up = deferToThreadPool(self.reactor, self.reactor.getThreadPool(), self.lookup, host, portNumber)
        looked_up.addErrback(_log_lookup_error).addCallback(pass_on)
        return resolution

    def filter_addresses(self, host: str, port: int, addresses: Sequence[str]) -> Sequence[str]:
        """Return all addresses of a host, or none if a single one may not be connected to."""
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
    """Log a look-up that raised: it is a failure of this machine, not an unknown name."""
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
