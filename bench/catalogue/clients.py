"""Clients on one thread that send requests one after the other, so that the server is what is measured."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle

HOST = "127.0.0.1"
RECEIVED_BYTES = 256 * 1024
PATIENCE_SECONDS = 120.0
WARM_UP_SECONDS = 1.0


@dataclass(slots=True, kw_only=True)
class Rate:
    """What the clients saw: the responses of a time and the seconds that each took."""

    elapsed: float
    seconds: list[float] = field(default_factory=list)
    unexpected: int = 0

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.elapsed


@dataclass(slots=True)
class Client:
    """One connection with a request under way."""

    connection: socket.socket
    sent_at: float
    received: bytearray = field(default_factory=bytearray)

    def status(self) -> int | None:
        """The status of the response if all of it is there."""
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self.received[:end]).lower()
        status = int(head[9:12])
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        if status != 304 and not length:
            raise RuntimeError(f"a response without a length: {head!r}")
        expected = 0 if status == 304 else int(length)
        return status if len(self.received) >= end + 4 + expected else None


def measure(
    port: int, paths: Sequence[str], *, clients: int, seconds: float, headers: Mapping[str, str], status: int = 200
) -> Rate:
    """Send requests for the paths in turn for this time, after a warm-up, and count responses of another status."""
    requests = cycle([_request(port, path, headers) for path in paths])
    _drive(port, requests, clients, WARM_UP_SECONDS, status)
    return _drive(port, requests, clients, seconds, status)


def _request(port: int, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}:{port}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _drive(port: int, requests: Iterator[bytes], clients: int, seconds: float, status: int) -> Rate:
    with selectors.DefaultSelector() as selector:
        for _ in range(clients):
            connection = socket.create_connection((HOST, port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, Client(connection, time.perf_counter()))
            connection.sendall(next(requests))
        began = time.perf_counter()
        rate = Rate(elapsed=seconds)
        while time.perf_counter() < began + seconds or not rate.seconds:
            if time.perf_counter() > began + seconds + PATIENCE_SECONDS:
                raise RuntimeError(f"no response within {seconds + PATIENCE_SECONDS:.0f} seconds")
            for key, _ in selector.select(timeout=0.5):
                _receive(key.data, requests, rate, status)
        rate.elapsed = time.perf_counter() - began
        for key in list(selector.get_map().values()):
            key.data.connection.close()
    return rate


def _receive(client: Client, requests: Iterator[bytes], rate: Rate, expected: int) -> None:
    received = client.connection.recv(RECEIVED_BYTES)
    if not received:
        raise RuntimeError("the server closed a connection")
    client.received += received
    status = client.status()
    if status is None:
        return
    now = time.perf_counter()
    rate.seconds.append(now - client.sent_at)
    rate.unexpected += status != expected
    client.received.clear()
    client.sent_at = now
    client.connection.sendall(next(requests))
