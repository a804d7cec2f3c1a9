"""The made-up web: hosts on loopback that respond as a world and a fault say at the simulated hour.

One server has all hosts: names that end with `.example` lead to it (see `machine`), and the Host header tells whose
response is wanted. `Date` is the true simulated time, whatever the clock of the machine that asks.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum
from zlib import crc32

from bench.truth.worlds import DEATH_HOUR, Link, World

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
PORT = 8080  # One of the ports that the checker opens on public hosts.
HTML = "text/html; charset=utf-8"
NO_LINGER = struct.pack("ii", 1, 0)
VIDEO = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(70_000)
FIRST_BYTES = 2048
LOGIN_PATH = "/login"
PHRASES = {200: "OK", 206: "Partial Content", 302: "Found", 403: "Forbidden", 404: "Not Found"}
WORDS = (
    "archive", "camera", "carriage", "city", "comedy", "crowd", "daughter", "detective", "doctor", "farewell", "forest",
    "harbour", "inspector", "journey", "letter", "lighthouse", "marriage", "melody", "mountain", "musician", "night",
    "officer", "orphan", "painter", "reporter", "rival", "river", "sailor", "secret", "silent", "singer", "sister",
    "station", "storm", "street", "studio", "theatre", "train", "village", "violin", "voyage", "widow", "writer",
)  # fmt: skip


class Cut(Enum):
    """What a host does instead of responding."""

    RESET = "reset"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Request:
    """`count`: requests to this host within the run, this one included."""

    host: str
    path: str
    method: str
    is_ranged: bool
    hour: float
    count: int


@dataclass(frozen=True, slots=True)
class Response:
    status: int = 200
    body: bytes = b""
    content_type: str = HTML
    headers: tuple[tuple[str, str], ...] = ()


Behaviour = Callable[[Request], Response | Cut]
Fault = Callable[[float, str, Link | None], Behaviour | None]
"""What is wrong at that hour with that link of a host, or with its other paths (None); None: nothing."""


# --- behaviours
def page(title: str, text: str, *, status: int = 200) -> Response:
    body = (
        f"<!doctype html><html><head><meta charset=utf-8><title>{title}</title></head>"
        f"<body><h1>{title}</h1><p>{text}</p></body></html>"
    )
    return Response(status, body.encode())


def error_page(code: int, *headers: tuple[str, str]) -> Response:
    """What a server says by itself, which is alike everywhere."""
    response = page(f"{code} {PHRASES.get(code, 'Error')}", "nginx", status=code)
    return replace(response, headers=headers)


def status(code: int, *headers: tuple[str, str]) -> Behaviour:
    response = error_page(code, *headers)
    return lambda _request: response


def removed(request: Request) -> Response:
    """A site's own page with success that says that the film is not there any more."""
    return page(
        f"This film has been removed - {_site(request.host)}", f"{_site(request.host)} had to remove this film."
    )


def same_page(title: str, text: str) -> Behaviour:
    """The same page, with success, whatever was asked."""
    response = page(title, text)
    return lambda _request: response


def varied_page(title: str, text: str) -> Behaviour:
    """As `same_page`, but it names the address that was asked and a session: no two are alike to the byte."""
    return lambda request: page(
        f"{title} - {request.host}",
        f"{text} You asked for {request.host}{request.path}. Session {crc32(request.path.encode()) + request.count:x}.",
    )


def redirect(location: str) -> Behaviour:
    """A redirect to an address elsewhere, or to another path of the same host."""
    response = Response(302, headers=(("Location", location),))
    return lambda _request: response


def reset(_request: Request) -> Cut:
    return Cut.RESET


def silence(_request: Request) -> Cut:
    return Cut.SILENCE


def no_name(_request: Request) -> Cut:
    """The name of the host is not known; whoever kept its address is hung up on."""
    return Cut.RESET


def refusing_after(requests: int, code: int = 403) -> Callable[[Link | None], Behaviour]:
    """A host that refuses after so many requests of a run, and serves those before."""
    refused = status(code)

    def behaviour_of(link: Link | None) -> Behaviour:
        return lambda request: (usual(link, request.hour) if request.count <= requests else refused)(request)

    return behaviour_of


def _front_page(host: str) -> Response:
    site = _site(host)
    return page(f"{site} cinema", f"Welcome to {site}. Films of a hundred years, for everybody. {_prose(site, 40)}")


def _site(host: str) -> str:
    return host.partition(".")[0]


def usual(link: Link | None, hour: float) -> Behaviour:
    """A site at that hour without any fault: a dead link is dead in its way."""
    return DEATHS[link.death] if link is not None and link.death and hour >= DEATH_HOUR else healthy(link)


def healthy(link: Link | None) -> Behaviour:
    """A site as it ought to be: its film, its front page, its log-in, and 404 for everything else."""
    if link is None:
        return _other_path
    return _video if link.is_file else lambda request: _film_page(link)


def _film_page(link: Link) -> Response:
    return page(f"{link.title} - {_site(link.host)}", _prose(f"{link.host}{link.path}", 120))


def _video(request: Request) -> Response:
    if request.is_ranged and request.method == "GET":
        span = ("Content-Range", f"bytes 0-{FIRST_BYTES - 1}/{len(VIDEO)}")
        return Response(206, VIDEO[:FIRST_BYTES], "video/mp4", headers=(span,))
    return Response(200, VIDEO, "video/mp4")


def _other_path(request: Request) -> Response:
    if request.path == LOGIN_PATH:
        return page(f"Sign in - {_site(request.host)}", "E-mail, password. Forgot your password?")
    return _front_page(request.host) if request.path == "/" else error_page(404)


def _prose(seed: str, words: int) -> str:
    """The same words for the same seed, others for another."""
    chosen = random.Random(seed).choices(WORDS, k=words)
    return ". ".join(" ".join(chosen[start : start + 8]).capitalize() for start in range(0, words, 8)) + "."


DEATHS: dict[str, Behaviour] = {
    "404": status(404),
    "removed": removed,
    "home": redirect("/"),
    "reset": reset,
    "403": status(403),
}
ELSEWHERE = {
    "portal.example": page("Guest network", "Please accept the terms of use to go on."),
    "consent.example": page("Before you continue", "We use cookies. Choose what you accept."),
    "provider.example": page("Access denied", "This site is on a list of your provider."),
    "parking.example": page("This domain may be for sale", "Related searches."),
}
"""Pages of hosts that no film is on, for redirects to lead to."""


class Web:
    """What every host says at `hour`. `silent_after`: after how many requests all hosts fall silent; None: never."""

    def __init__(self, world: World, fault: Fault) -> None:
        self.fault, self.hour = fault, 0.0
        self.requests = 0
        self.silent_after: int | None = None
        self._links = {(link.host, link.path): link for link in world.links()}
        self._per_host: Counter[str] = Counter()

    def turn_to(self, hour: float) -> None:
        """Begin a run: the requests to each host are counted anew."""
        self.hour = hour
        self._per_host.clear()

    def respond(self, host: str, path: str, method: str = "GET", *, is_ranged: bool = False) -> Response | Cut:
        self.requests += 1
        self._per_host[host] += 1
        if self.silent_after is not None and self.requests > self.silent_after:
            return Cut.SILENCE
        request = Request(host, path, method, is_ranged, self.hour, self._per_host[host])
        return self._behaviour(host, path)(request)

    def knows(self, host: str) -> bool:
        """Whether the name of a host leads anywhere."""
        return self.fault(self.hour, host, None) is not no_name

    def serves(self, link: Link) -> bool:
        """Whether a link's film is what its address gives now."""
        request = Request(link.host, link.path, "GET", is_ranged=False, hour=self.hour, count=1)
        return self._behaviour(link.host, link.path)(request) == healthy(link)(request)

    def _behaviour(self, host: str, path: str) -> Behaviour:
        if host in ELSEWHERE:
            return lambda _request: ELSEWHERE[host]
        link = self._links.get((host, path))
        if wrong := self.fault(self.hour, host, link):
            return wrong
        return usual(link, self.hour)


# --- the server
class _Connection(asyncio.Protocol):
    """HTTP/1.1 without bodies of requests, kept alive."""

    def __init__(self, web: Web, open_transports: set[asyncio.Transport]) -> None:
        self.web, self.received, self.open_transports = web, b"", open_transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.open_transports.add(transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self.open_transports.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head, self.received = self.received[:end], self.received[end + 4 :]
            self._serve(head.decode("latin-1"))

    def _serve(self, head: str) -> None:
        line, *lines = head.split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        host = headers.get("host", "").partition(":")[0]
        response = self.web.respond(host, target.partition("?")[0], method, is_ranged="range" in headers)
        if response is Cut.RESET:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self.transport.abort()
        elif isinstance(response, Response):
            self.transport.write(_encoded(response, method, self.web.hour))


def _encoded(response: Response, method: str, hour: float) -> bytes:
    headers = [
        ("Date", format_datetime(EPOCH + timedelta(hours=hour), usegmt=True)),
        ("Content-Type", response.content_type),
        ("Content-Length", str(len(response.body))),
        *response.headers,
    ]
    lines = [f"HTTP/1.1 {response.status} {PHRASES.get(response.status, 'Error')}", *(f"{n}: {v}" for n, v in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if method == "HEAD" else response.body)


@contextmanager
def serving(web: Web, *, address: str = "", port: int = PORT) -> Iterator[tuple[str, int]]:
    """Where on loopback the web is served, by a thread; without an address at one that nobody else has."""
    loop, transports = asyncio.new_event_loop(), set[asyncio.Transport]()
    server = loop.run_until_complete(
        _listen(lambda: _Connection(web, transports), [address] if address else _loopback_addresses(), port)
    )
    thread = threading.Thread(target=loop.run_forever, name="made-up web", daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()
    finally:
        asyncio.run_coroutine_threadsafe(_close(server, transports), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _listen(connection: Callable[[], _Connection], addresses: Iterable[str], port: int) -> asyncio.Server:
    for address in addresses:
        with suppress(OSError):
            return await asyncio.get_running_loop().create_server(connection, address, port, backlog=2000)
    raise RuntimeError(f"no free loopback address on port {port}: something listens on all of them")


def _loopback_addresses() -> Iterator[str]:
    for _ in range(20):
        yield "127." + ".".join(str(random.randint(2, 250)) for _ in range(3))


async def _close(server: asyncio.Server, transports: Iterable[asyncio.Transport]) -> None:
    """End the server, and the connections that their clients keep alive."""
    server.close()
    for transport in list(transports):
        transport.abort()
    await server.wait_closed()
