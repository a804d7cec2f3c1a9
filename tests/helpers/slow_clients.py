"""Clients that hold a server's connections: they send a byte now and then, or never read what they asked for."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

HEAD = b"Host: localhost\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\na"
EXPORT = b"GET /export/movies.jsonl HTTP/1.1\r\n" + HEAD + b"\r\n"
LARGE_BYTES = 16 * 1024 * 1024
"""More than all buffers between server and client hold."""


@contextmanager
def slow_clients(url: str, *, headers: int, bodies: int, readers: int, pipelines: int) -> Iterator[None]:
    """Hold connections: half a header, a byte of a body, an export or several at once that nobody reads."""
    with ExitStack() as stack:
        sent = [
            *[b"GET / HTTP/1.1\r\n" + HEAD + b"X-Slow: a"] * headers,
            *[b"POST /admin/login/ HTTP/1.1\r\n" + HEAD + FORM] * bodies,
            *[EXPORT] * readers,
            *[EXPORT * 3] * pipelines,
        ]
        for data in sent:
            stack.enter_context(connected(url)).sendall(data)
        yield


def connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def place_large_export(var_dir: Path) -> None:
    """Put an export of LARGE_BYTES where the server keeps its exports, as if it had just made it."""
    folder = var_dir / "exports"
    folder.mkdir(exist_ok=True)
    digest, name = "0" * 32, "openreel.jsonl"
    for ending in ("", ".gz"):
        with (folder / f"{name}.{digest}{ending}").open("wb") as file:
            file.truncate(LARGE_BYTES)
    stamp = json.dumps([[0, None]] * 3)
    pointer = {"name": name, "digest": digest, "made_at": time.time(), "stamp": stamp}
    (folder / f"{name}.json").write_text(json.dumps(pointer))


def status_of(url: str, request: bytes) -> int:
    """Send a request as it is and return the status of the response."""
    with connected(url) as client:
        client.sendall(request)
        return int(client.makefile("rb").readline().split()[1])
