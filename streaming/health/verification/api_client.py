"""Send queries to the API of a source, one at a time in a thread of their own: URLs in, replies out.

No database. libcurl and not `requests`: a request has one total timeout, and each IP address is checked before the
connection is made.
"""

from __future__ import annotations

import time
from io import BytesIO
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pycurl

from scraper.extraction.json_values import UnreadableResponse, decode_json
from streaming.health.probe_types import Failure
from streaming.health.probing import curl
from streaming.health.probing.config import ProbeConfig

TIMEOUT_SECONDS = 15.0
# An item may have a long list of files.
MAX_RESPONSE_BYTES = 16 * 1024 * 1024
MAX_HEADER_BYTES = 64 * 1024
MAX_PLAIN_TEXT_BYTES = 64
"""The words of an error, such as "Not Found"; longer texts are pages."""


class ApiReply(NamedTuple):
    """The response of an API.

    `status` None: no complete response. `data`: the JSON, or a short plain text; None: neither of them. `retry_after`
    None: no such header. `moved_to`: the absolute URL that it redirects to; None: it does not.
    """

    status: int | None = None
    data: object = None
    retry_after: str | None = None
    moved_to: str | None = None


class ApiClient(Thread):
    """A thread that queries one API; all clients put their replies into one queue, each with its own `number`."""

    def __init__(
        self,
        number: int,
        replies: SimpleQueue[tuple[int, ApiReply]],
        config: ProbeConfig,
        *,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        # A daemon: a run that ends does not wait for a response.
        super().__init__(daemon=True, name=f"api-client-{number}")
        self.number, self.replies, self.config, self.max_bytes = number, replies, config, max_bytes
        self.queries: SimpleQueue[tuple[str, float] | None] = SimpleQueue()

    def submit(self, url: str, *, after: float) -> None:
        """Request this URL in `after` seconds."""
        self.queries.put((url, time.monotonic() + after))

    def close(self) -> None:
        """End the thread after the queries submitted so far."""
        self.queries.put(None)

    def run(self) -> None:
        """Send the queries until the client is closed."""
        handle = curl.new_handle()
        while (query := self.queries.get()) is not None:
            url, send_at = query
            time.sleep(max(0.0, send_at - time.monotonic()))
            reply = ApiReply()
            try:
                reply = fetch_json(url, self.config, handle=handle, max_bytes=self.max_bytes)
            finally:
                self.replies.put((self.number, reply))
        handle.close()


def fetch_json(
    url: str,
    config: ProbeConfig,
    *,
    handle: Any = None,
    timeout: float = TIMEOUT_SECONDS,
    max_bytes: int = MAX_RESPONSE_BYTES,
) -> ApiReply:
    """Request one URL without following redirects; the IP address is checked when the connection is made.

    `timeout` is in seconds, for the whole request. A body of more than `max_bytes` is no response.
    """
    handle = handle or curl.new_handle()
    body, headers = BytesIO(), BytesIO()
    handle.reset()
    curl.set_common_options(handle, config, accept="application/json", open_socket=socket_opener(url, config))
    curl.set_options(
        handle,
        {
            pycurl.URL: url,
            pycurl.TIMEOUT_MS: int(timeout * 1000),
            pycurl.WRITEFUNCTION: bounded_writer(max_bytes, body),
            pycurl.HEADERFUNCTION: bounded_writer(MAX_HEADER_BYTES, headers),
        },
    )
    try:
        handle.perform()
    except pycurl.error:
        return ApiReply()
    return _reply(handle, body.getvalue(), headers.getvalue())


def _reply(handle: Any, body: bytes, headers: bytes) -> ApiReply:
    return ApiReply(
        status=handle.getinfo(pycurl.RESPONSE_CODE) or None,
        data=_value(body),
        retry_after=_retry_after(headers),
        moved_to=_moved_to(handle),
    )


def _moved_to(handle: Any) -> str | None:
    """Return the URL of a redirect; None without one, and for one that cannot be read: its bytes are the host's."""
    try:
        target: str | None = handle.getinfo(pycurl.REDIRECT_URL)
        urlsplit(target or "")
    except ValueError:  # a UnicodeDecodeError is one
        return None
    return target


def bounded_writer(max_bytes: int, buffer: BytesIO) -> Any:
    """Return a callback for libcurl that fills the buffer and aborts the transfer after `max_bytes`."""

    def write(chunk: bytes) -> int:
        # Any number but the chunk's length makes libcurl abort.
        return buffer.write(chunk) if buffer.tell() + len(chunk) <= max_bytes else 0

    return write


def socket_opener(url: str, config: ProbeConfig) -> curl.SocketOpener:
    """Return a callback for libcurl that opens a socket only to an address that this URL may lead to."""

    def open_socket(_purpose: int, address: Any) -> Any:
        opened = curl.open_allowed_socket(address, url=url, allowed=config.allowed)
        return pycurl.SOCKET_BAD if isinstance(opened, Failure) else opened

    return open_socket


def _value(body: bytes) -> object:
    try:
        return decode_json(body)
    except UnreadableResponse:
        return _plain_text(body)


def _plain_text(body: bytes) -> str | None:
    """Return a short text that is no page; None for anything else."""
    text = body[: MAX_PLAIN_TEXT_BYTES + 1].decode("latin-1").strip()
    return text if text and len(body) <= MAX_PLAIN_TEXT_BYTES and text.isprintable() and "<" not in text else None


def _retry_after(headers: bytes) -> str | None:
    for line in headers.decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "retry-after":
            return value.strip()
    return None
