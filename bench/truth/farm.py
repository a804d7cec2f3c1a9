"""The farm of behaviours: every behaviour on a loopback address of its own, among hosts on which nothing is wrong."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime

from bench.truth.behaviours import Behaviour, Truth
from bench.truth.replies import Asked, Late, Raw, Reply, film, other_site
from bench.truth.web import EPOCH, NO_LINGER, Cut, Response
from tests.helpers.http_servers import free_port

HEALTHY_HOSTS = 700
"""So many that what is turned off in one run stays below the brake."""
ELSEWHERE = Behaviour("elsewhere", "", Truth.ALIVE, "", other_site, title="The Other Quay")
HEALTHY = Behaviour("healthy", "healthy", Truth.ALIVE, "", film)
MAX_HOSTS = 250


@dataclass(frozen=True, slots=True)
class FarmLink:
    """A link of the farm; its movie has no other."""

    behaviour: Behaviour
    url: str
    host: str
    imdb_id: str


class Farm:
    """Which host behaves how, at which port; `hour` is the simulated time that its responses are dated with."""

    def __init__(self, behaviours: Sequence[Behaviour], *, port: int, healthy: int = HEALTHY_HOSTS) -> None:
        self.port, self.hour = port, 0.0
        self.elsewhere = f"http://{_address(40, 0)}:{port}"
        self.hosts = {_address(40, 0): ELSEWHERE}
        self.hosts |= {_address(41, number): behaviour for number, behaviour in enumerate(behaviours)}
        self.hosts |= {
            _address(51, number): replace(HEALTHY, title=f"The Quay, Part {number}") for number in range(healthy)
        }
        self._counts: Counter[str] = Counter()
        self._gets: Counter[str] = Counter()

    def links(self) -> list[FarmLink]:
        """A link for every host but the one that others lead to."""
        return [
            FarmLink(behaviour, f"http://{host}:{self.port}{behaviour.path}", host, f"tt{number:07d}")
            for number, (host, behaviour) in enumerate(self.hosts.items())
            if behaviour is not ELSEWHERE
        ]

    def reply(self, host: str, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        self._counts[host] += 1
        self._gets[host] += method == "GET"
        behaviour, base = self.hosts[host], f"http://{host}:{self.port}"
        counts = (self._counts[host], self._gets[host])
        asked = Asked(method, target, headers, *counts, base, self.elsewhere, behaviour.title)
        return behaviour.respond(asked)


def _address(network: int, number: int) -> str:
    return f"127.{network}.{number // MAX_HOSTS}.{number % MAX_HOSTS + 1}"


# --- the server
class _Connection(asyncio.Protocol):
    """HTTP/1.1 without bodies of requests, kept alive unless the reply is raw."""

    def __init__(self, farm: Farm, open_transports: set[asyncio.Transport]) -> None:
        self.farm, self.received, self.open_transports = farm, b"", open_transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.host: str = transport.get_extra_info("sockname")[0]
        self.open_transports.add(transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self.open_transports.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head, self.received = self.received[:end], self.received[end + 4 :]
            line, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = line.split(" ", 2)
            headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
            self._send(self.farm.reply(self.host, method, target, headers), method)

    def _send(self, reply: Reply, method: str) -> None:
        if isinstance(reply, Late):
            asyncio.get_running_loop().call_later(reply.seconds, self._send, reply.reply, method)
        elif isinstance(reply, Raw):
            self.transport.write(_without_body(reply.sent) if method == "HEAD" else reply.sent)
            self.transport.close()
        elif isinstance(reply, Response):
            self.transport.write(_encoded(reply, method, self.farm.hour))
        elif reply is Cut.RESET:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self.transport.abort()


def _without_body(sent: bytes) -> bytes:
    """The last block of headers at the beginning of a raw reply, with those before it."""
    end = 0
    while sent.startswith(b"HTTP/", end):
        mark = b"\r\n\r\n" if b"\r\n\r\n" in sent[end:] else b"\n\n"
        end = sent.index(mark, end) + len(mark)
    return sent[:end]


def _encoded(response: Response, method: str, hour: float) -> bytes:
    headers = [
        ("Date", format_datetime(EPOCH + timedelta(hours=hour), usegmt=True)),
        *([("Content-Type", response.content_type)] if response.content_type else []),
        *([("Content-Length", str(len(response.body)))] if response.status != 204 else []),
        *response.headers,
    ]
    lines = [f"HTTP/1.1 {response.status} Whatever", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if method == "HEAD" else response.body)


@contextmanager
def running(behaviours: Sequence[Behaviour], *, healthy: int = HEALTHY_HOSTS) -> Iterator[Farm]:
    """A farm that a thread serves."""
    farm = Farm(behaviours, port=free_port(), healthy=healthy)
    loop, transports = asyncio.new_event_loop(), set[asyncio.Transport]()
    server = loop.run_until_complete(
        loop.create_server(lambda: _Connection(farm, transports), list(farm.hosts), farm.port, backlog=100)
    )
    thread = threading.Thread(target=loop.run_forever, name="farm of behaviours", daemon=True)
    thread.start()
    try:
        yield farm
    finally:
        asyncio.run_coroutine_threadsafe(_close(server, transports), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(server: asyncio.Server, transports: set[asyncio.Transport]) -> None:
    """End the server, and the connections that their clients keep alive."""
    server.close()
    for transport in list(transports):
        transport.abort()
    await server.wait_closed()
