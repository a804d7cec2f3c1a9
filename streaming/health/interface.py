"""Asks the interface of a source, one question at a time and in a thread of its own: addresses in, replies out.

No database. libcurl and not `requests`: an attempt has one total time-out, and the address is looked at before it is
connected to.
"""

from __future__ import annotations

import socket
import time
from io import BytesIO
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pycurl

from scraper.addresses import DEFAULT_PORT, may_connect
from scraper.reading import Unreadable, decoded
from streaming.health.flight import certificates
from streaming.health.manners import Manners

TIMEOUT = 15.0
# The list of an item's files can be long.
LONGEST_ANSWER = 16 * 1024 * 1024
LONGEST_HEADERS = 64 * 1024


class Reply(NamedTuple):
    """What came. `status` None: no whole answer; `answer` None: it was no data; `retry_after` None: not said."""

    status: int | None = None
    answer: object = None
    retry_after: str | None = None


class Interface(Thread):
    """Asks one interface; the `replies` of several come in one queue, each with the `number` of who heard it."""

    def __init__(self, number: int, replies: SimpleQueue[tuple[int, Reply]], manners: Manners) -> None:
        # A daemon: a run that ends does not wait for an answer.
        super().__init__(daemon=True, name=f"interface-{number}")
        self.number, self.replies, self.manners = number, replies, manners
        self.questions: SimpleQueue[tuple[str, float] | None] = SimpleQueue()

    def ask(self, url: str, *, after: float) -> None:
        """Ask this in so many seconds."""
        self.questions.put((url, time.monotonic() + after))

    def end(self) -> None:
        self.questions.put(None)

    def run(self) -> None:
        curl = pycurl.Curl()
        while (question := self.questions.get()) is not None:
            url, moment = question
            time.sleep(max(0.0, moment - time.monotonic()))
            reply = Reply()
            try:
                reply = asked(url, self.manners, curl=curl)
            finally:
                self.replies.put((self.number, reply))
        curl.close()


def asked(url: str, manners: Manners, *, curl: Any = None, timeout: float = TIMEOUT) -> Reply:
    """Ask for one address, on its host only, with the check of addresses at the moment of connecting."""
    curl = curl or pycurl.Curl()
    body, headers = BytesIO(), BytesIO()
    curl.reset()
    for option, value in {
        pycurl.URL: url,
        pycurl.NOSIGNAL: 1,
        pycurl.FOLLOWLOCATION: 0,
        pycurl.PROXY: "",
        pycurl.NOPROXY: "*",
        pycurl.USERAGENT: manners.user_agent,
        pycurl.HTTPHEADER: ["Accept: application/json", "Accept-Encoding: identity"],
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.CAINFO: certificates(manners),
        pycurl.TIMEOUT_MS: int(timeout * 1000),
        pycurl.WRITEFUNCTION: _at_most(LONGEST_ANSWER, body),
        pycurl.HEADERFUNCTION: _at_most(LONGEST_HEADERS, headers),
        pycurl.OPENSOCKETFUNCTION: _opener(url, manners),
    }.items():
        curl.setopt(option, value)
    try:
        curl.perform()
    except pycurl.error:
        return Reply()
    status = curl.getinfo(pycurl.RESPONSE_CODE) or None
    return Reply(status, _value(body.getvalue()), _retry_after(headers.getvalue()))


def _at_most(longest: int, buffer: BytesIO) -> Any:
    def write(piece: bytes) -> int:
        # Any other number than was given makes libcurl give up.
        return buffer.write(piece) if buffer.tell() + len(piece) <= longest else 0

    return write


def _opener(url: str, manners: Manners) -> Any:
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORT[parts.scheme]

    def open_socket(_purpose: int, address: Any) -> Any:
        family, kind, protocol, place = address
        if not may_connect(place[0], host=parts.hostname or "", port=port, allowed=manners.allowed):
            return pycurl.SOCKET_BAD
        try:
            return socket.socket(family, kind, protocol)
        except OSError:
            return pycurl.SOCKET_BAD

    return open_socket


def _value(body: bytes) -> object:
    try:
        return decoded(body)
    except Unreadable:
        return None


def _retry_after(headers: bytes) -> str | None:
    for line in headers.decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "retry-after":
            return value.strip()
    return None
