"""Services on loopback that receive messages: a real mail server, a webhook or ntfy, one that hangs."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from tests.helpers.http_servers import free_port, serving

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from aiosmtpd.controller import Controller


@dataclass
class Mailbox:
    """The mails that arrived; `url` is the address for NOTIFY_URLS."""

    url: str
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    port = free_port()
    mailbox = Mailbox(f"mailto://127.0.0.1:{port}/?from=films@example.org&to=operator@example.org&mode=insecure")
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


class Receiver(ThreadingHTTPServer):
    """Keeps the requests as (path, headers, body) and answers with `status`; `hangs`: it never answers.

    `drips`: its answer is a header that does not end, ten bytes a second.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, *, status: int = 200, hangs: bool = False, drips: bool = False) -> None:
        self.status, self.hangs, self.drips, self.over = status, hangs, drips, threading.Event()
        self.received: list[tuple[str, Any, bytes]] = []
        super().__init__(("127.0.0.1", 0), ReceiverHandler)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, _, body in self.received]


class ReceiverHandler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.received.append((self.path, self.headers, body))
        if self.server.hangs:
            self.server.over.wait(30)
            return
        if self.server.drips:
            self._drip()
            return
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        with suppress(OSError):
            while not self.server.over.wait(0.1):
                self.wfile.write(b"x")

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def receiver(**options: Any) -> Iterator[Receiver]:
    with serving(Receiver(**options)) as server:
        yield server
