"""Asks the interface of a source, one question at a time and in a thread of its own: addresses in, replies out.

No database. libcurl and not `requests`: an attempt has one total time-out, and the address is looked at before it is
connected to.
"""

from __future__ import annotations

import time
from io import BytesIO
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import pycurl

from scraper.extraction.json_values import UnreadableResponse, decode_json
from streaming.health.probe_types import Failure
from streaming.health.probing import curl
from streaming.health.probing.config import ProbeConfig

TIMEOUT_SECONDS = 15.0
# The list of an item's files can be long.
MAX_RESPONSE_BYTES = 16 * 1024 * 1024
MAX_HEADER_BYTES = 64 * 1024


class ApiReply(NamedTuple):
    """What came. `status` None: no whole answer; `answer` None: it was no data; `retry_after` None: not said."""

    status: int | None = None
    data: object = None
    retry_after: str | None = None


class ApiClient(Thread):
    """Asks one interface; the `replies` of several come in one queue, each with the `number` of who heard it."""

    def __init__(self, number: int, replies: SimpleQueue[tuple[int, ApiReply]], config: ProbeConfig) -> None:
        # A daemon: a run that ends does not wait for an answer.
        super().__init__(daemon=True, name=f"interface-{number}")
        self.number, self.replies, self.manners = number, replies, config
        self.questions: SimpleQueue[tuple[str, float] | None] = SimpleQueue()

    def submit(self, url: str, *, after: float) -> None:
        """Ask this in so many seconds."""
        self.questions.put((url, time.monotonic() + after))

    def close(self) -> None:
        self.questions.put(None)

    def run(self) -> None:
        handle = curl.new_handle()
        while (question := self.questions.get()) is not None:
            url, moment = question
            time.sleep(max(0.0, moment - time.monotonic()))
            reply = ApiReply()
            try:
                reply = fetch_json(url, self.manners, handle=handle)
            finally:
                self.replies.put((self.number, reply))
        handle.close()


def fetch_json(url: str, config: ProbeConfig, *, handle: Any = None, timeout: float = TIMEOUT_SECONDS) -> ApiReply:
    """Ask for one address, on its host only, with the check of addresses at the moment of connecting."""
    handle = handle or curl.new_handle()
    body, headers = BytesIO(), BytesIO()
    handle.reset()
    curl.set_common_options(handle, config, accept="application/json", open_socket=_socket_opener(url, config))
    curl.set_options(
        handle,
        {
            pycurl.URL: url,
            pycurl.TIMEOUT_MS: int(timeout * 1000),
            pycurl.WRITEFUNCTION: _bounded_writer(MAX_RESPONSE_BYTES, body),
            pycurl.HEADERFUNCTION: _bounded_writer(MAX_HEADER_BYTES, headers),
        },
    )
    try:
        handle.perform()
    except pycurl.error:
        return ApiReply()
    status = handle.getinfo(pycurl.RESPONSE_CODE) or None
    return ApiReply(status, _value(body.getvalue()), _retry_after(headers.getvalue()))


def _bounded_writer(max_bytes: int, buffer: BytesIO) -> Any:
    def write(piece: bytes) -> int:
        # Any other number than was given makes libcurl give up.
        return buffer.write(piece) if buffer.tell() + len(piece) <= max_bytes else 0

    return write


def _socket_opener(url: str, config: ProbeConfig) -> curl.SocketOpener:
    def open_socket(_purpose: int, address: Any) -> Any:
        opened = curl.open_allowed_socket(address, url=url, allowed=config.allowed)
        return pycurl.SOCKET_BAD if isinstance(opened, Failure) else opened

    return open_socket


def _value(body: bytes) -> object:
    try:
        return decode_json(body)
    except UnreadableResponse:
        return None


def _retry_after(headers: bytes) -> str | None:
    for line in headers.decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "retry-after":
            return value.strip()
    return None
