"""Small real web servers on loopback, one thread each."""

from __future__ import annotations

import secrets
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from scraper.example_site.server import ExampleSite

FIRST_PORT, FIRST_OUTGOING_PORT = 10_240, 32_768


@dataclass
class Page:
    """One response; `raw_handler` writes to the connection itself instead."""

    body: bytes | str = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw_handler: Callable[[BaseHTTPRequestHandler], None] | None = None


class Site(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    pages: Mapping[str, Page]

    def __init__(self, pages: Mapping[str, Page], *, family: socket.AddressFamily = socket.AF_INET) -> None:
        self.address_family = family
        self.pages, self.hits, self.agents, self.over = pages, Counter(), set(), threading.Event()
        super().__init__(("127.0.0.1" if family == socket.AF_INET else "::1", 0), Handler)

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients in these tests may disconnect at any time."""


class Handler(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.1"

    def requested_page(self) -> Page:
        """Count the request and return its page."""
        self.server.hits[self.path] += 1
        self.server.agents.add(self.headers.get("User-Agent"))
        return self.server.pages.get(self.path, self.server.pages.get("*", Page(status=404)))

    def do_GET(self) -> None:
        page = self.requested_page()
        if page.raw_handler is not None:
            self.close_connection = True
            page.raw_handler(self)
            return
        body = page.body.encode() if isinstance(page.body, str) else page.body
        self.send_response(page.status)
        for name, value in {
            "Content-Type": page.content_type,
            "Content-Length": str(len(body)),
            **page.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def serving(site: Any, *, tls: ssl.SSLContext | None = None) -> Iterator[Any]:
    if tls is not None:
        site.socket = tls.wrap_socket(site.socket, server_side=True)
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        if isinstance(site, ExampleSite):
            site.stop()
        else:
            site.over.set()
            site.shutdown()
            site.server_close()
        thread.join(5)


@contextmanager
def example_site(**options: Any) -> Iterator[str]:
    with serving(ExampleSite(("127.0.0.1", 0), **options)) as site:
        yield f"http://127.0.0.1:{site.server_address[1]}"


def free_port(in_a_row: int = 1) -> int:
    """Return a port that refuses connections, the first of so many.

    It is none of those that the system gives to outgoing connections: one could take it before the server starts.
    """
    while True:
        port = FIRST_PORT + secrets.randbelow(FIRST_OUTGOING_PORT - FIRST_PORT - in_a_row)
        try:
            for number in range(in_a_row):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + number))
        except OSError:
            continue
        return port
