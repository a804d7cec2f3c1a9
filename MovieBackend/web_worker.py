"""A worker of gunicorn in which slow clients hold no thread: waitress receives whole requests and sends responses.

Gunicorn's own threads read a request and write its response themselves, so that a thread waits for whoever is slow;
see docs/decisions/0016-slow-clients.md. Gunicorn starts, watches, reloads and stops the workers as always.
"""

from __future__ import annotations

import io
import os
import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from gunicorn.workers.base import Worker
from waitress import create_server, wasyncore
from waitress.buffers import ReadOnlyFileBasedBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge

MAX_CONNECTIONS = 1000
"""Of one worker, if the limit of open files allows it: each may also hold a file that is being sent."""
MAX_HEADER_BYTES = 32 * 1024
MAX_REQUEST_SECONDS = 60
"""For a client to send its next request whole, or to receive anything of its response."""
MAX_BUFFERED_BYTES = 1024 * 1024
"""Of responses that wait for one client. Beyond that, requests which it has sent already are not answered."""
MAX_MEMORY_BYTES = 128 * 1024 * 1024
"""Of all bodies and responses that one worker holds for its clients. Files need none."""
THREAD_SWITCH_SECONDS = 0.001
"""With Python's 5 ms, requests wait long beside a thread that computes, such as one that makes an export."""
SWEEP_SECONDS, POLL_SECONDS = 0.5, 0.5
LOOK_SECONDS = 300.0
"""Between two looks of one worker for what the operator is to be notified of."""


class LimitedParser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Stops reading a body that is too large, before it reaches memory."""

    adj: Any

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        has_credentials = "AUTHORIZATION" in self.headers or "sessionid" in self.headers.get("COOKIE", "")
        limit = settings.MAX_STAFF_BODY_BYTES if has_credentials else settings.MAX_BODY_BYTES
        if getattr(self, "path", "") == settings.LIST_PATH:
            limit = settings.MAX_LIST_BODY_BYTES
        self.adj = _BodyLimit(self.adj, limit + 1)


class _BodyLimit:
    """Waitress's options with another limit of the body."""

    def __init__(self, options: Any, limit: int) -> None:
        self.options, self.max_request_body_size = options, limit

    def __getattr__(self, name: str) -> Any:
        return getattr(self.options, name)


class KeptOpenTask(WSGITask):  # type: ignore[misc]
    """A request after which the connection stays open if the response has no body, as with 304 and 204.

    Waitress closes it then, so that each client that asks whether something has changed connects anew.
    """

    must_close = True

    def build_response_header(self) -> bytes:
        options = self.request.headers.get("CONNECTION", "").lower().split(",")
        wants_close = "close" in map(str.strip, options)
        self.must_close = self.has_body or self.version != "1.1" or wants_close
        if wants_close:
            self.set_close_on_finish()  # Waitress does so only for a `close` that stands alone.
        header: bytes = super().build_response_header()
        self.must_close = True
        return header

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        if self.request.command == "HEAD":
            environ.pop("wsgi.file_wrapper", None)  # a file would be sent past `write`
        return environ

    def write(self, data: bytes) -> None:
        """Write no body for HEAD: Django makes one, and on an open connection it would be taken for a response."""
        if self.request.command != "HEAD":
            super().write(data)
        elif not self.wrote_header:
            super().write(b"")
            self.chunked_response = False

    def set_close_on_finish(self) -> None:
        if self.must_close:
            super().set_close_on_finish()


class UnreadBodyTask(KeptOpenTask):
    """A request whose body was not read: the application answers it by its length, and the connection ends."""

    def get_environment(self) -> dict[str, Any]:
        limit = self.request.adj.max_request_body_size
        environ: dict[str, Any] = super().get_environment()
        environ |= {"CONTENT_LENGTH": str(max(limit, self.request.content_length)), "wsgi.input": io.BytesIO()}
        self.set_close_on_finish()
        return environ


def make_error_task(channel: HTTPChannel, request: HTTPRequestParser) -> WSGITask | ErrorTask:
    """Return the task that answers a request which could not be read."""
    task = UnreadBodyTask if isinstance(request.error, RequestEntityTooLarge) else ErrorTask
    return task(channel, request)


class LimitedChannel(HTTPChannel):  # type: ignore[misc]
    """A connection; `waiting_since` is when we began to wait for its next request."""

    requests: list[HTTPRequestParser]
    parser_class = LimitedParser
    task_class = KeptOpenTask
    error_task_class = staticmethod(make_error_task)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.waiting_since = time.monotonic()
        super().__init__(*args, **kwargs)

    def service(self) -> None:
        try:
            if self.total_outbufs_len > MAX_BUFFERED_BYTES:
                self._drop_requests()
            else:
                super().service()
        finally:
            self.waiting_since = time.monotonic()

    def _drop_requests(self) -> None:
        """Answer none of the requests that are left, which the client sent without reading; it may send them again."""
        with self.requests_lock:
            self.close_when_flushed = True
            for request in self.requests:
                request.close()
            self.requests = []
        self.server.pull_trigger()

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Do nothing: waitress waits here, in a thread that others need, until the client has read enough."""

    def held_bytes(self) -> int:
        """The memory that this client's body and unread responses take."""
        unread = sum(len(one) for one in tuple(self.outbufs) if not isinstance(one, ReadOnlyFileBasedBuffer))
        request = self.request
        return unread + (request.body_bytes_received if request is not None else 0)

    def is_overdue(self, now: float) -> bool:
        """Whether the client has had its time: bytes that trickle in do not count."""
        return not self.requests and not self.total_outbufs_len and now - self.waiting_since > MAX_REQUEST_SECONDS


def heaviest(sizes: Sequence[int], *, limit: int) -> list[int]:
    """Return which of these to give up so that the rest is at most `limit` together: as few and as large as can be."""
    excess, given_up = sum(sizes) - limit, []
    for index in sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True):
        if excess <= 0:
            break
        given_up.append(index)
        excess -= sizes[index]
    return given_up


class BufferedWorker(Worker):  # type: ignore[misc]
    """Runs waitress on gunicorn's sockets."""

    def init_process(self) -> None:
        self.connections: dict[int, wasyncore.dispatcher] = {}
        super().init_process()

    def run(self) -> None:
        sys.setswitchinterval(THREAD_SWITCH_SECONDS)
        create_server(self.wsgi, map=self.connections, **self._options())
        servers = [one for one in self.connections.values() if isinstance(one, BaseWSGIServer)]
        for server in servers:
            server.channel_class = LimitedChannel
        self.watch_for_news()
        sweep_at = 0.0
        while self.alive and self.ppid == os.getppid():
            self._poll()
            if time.monotonic() >= sweep_at:
                sweep_at = time.monotonic() + SWEEP_SECONDS
                self._close_overdue()
                self._close_heaviest()
        self._finish(servers)

    def watch_for_news(self) -> None:
        """Notify the operator also when nothing else runs: neither the schedule nor what cron starts."""
        from streaming.alarms.web_watch import start_watch  # noqa: PLC0415  models need an application that is loaded

        start_watch(every=LOOK_SECONDS)

    def _options(self) -> dict[str, Any]:
        open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return {
            "sockets": [one.sock for one in self.sockets],
            "threads": self.cfg.threads,
            "backlog": self.cfg.backlog,
            "connection_limit": min(MAX_CONNECTIONS, max(50, open_files // 2 - 50)),
            "channel_timeout": MAX_REQUEST_SECONDS,
            "max_request_header_size": MAX_HEADER_BYTES,
            "inbuf_overflow": sys.maxsize,
            "outbuf_overflow": sys.maxsize,
            "outbuf_high_watermark": MAX_BUFFERED_BYTES,
            "clear_untrusted_proxy_headers": False,
            "log_socket_errors": False,
            "asyncore_use_poll": True,
            "ident": "",
        }

    def _poll(self) -> None:
        self.notify()
        wasyncore.loop(timeout=POLL_SECONDS, use_poll=True, map=self.connections, count=1)

    def _channels(self) -> list[LimitedChannel]:
        return [one for one in self.connections.values() if isinstance(one, LimitedChannel)]

    def _close_overdue(self) -> None:
        now = time.monotonic()
        for channel in self._channels():
            if channel.is_overdue(now):
                channel.will_close = True

    def _close_heaviest(self) -> None:
        """Close the clients that hold most memory, when all together hold too much."""
        channels = self._channels()
        for index in heaviest([one.held_bytes() for one in channels], limit=MAX_MEMORY_BYTES):
            channels[index].will_close = True

    def _finish(self, servers: list[BaseWSGIServer]) -> None:
        """Accept nothing more, and let what is being answered end within gunicorn's graceful time-out."""
        for server in servers:
            server.accepting = False
            wasyncore.dispatcher.del_channel(server)
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < deadline and any(one.requests or one.total_outbufs_len for one in self._channels()):
            self._poll()
