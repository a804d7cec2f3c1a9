"""One request on its way: a libcurl handle, what it hears, and the address it connects to. No database.

libcurl does the protocol (TLS, HTTP/2, IPv6, keep-alive); every address is looked at by us. Each attempt has one total
time-out, whatever the host drips; headers and body are capped; no proxy, no netrc, no signals.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from typing import Any
from urllib.parse import quote, urlsplit

import certifi
import pycurl

from scraper.net.url_policy import DEFAULT_PORT, may_connect
from streaming.health.judging.content import is_media_type
from streaming.health.probe_types import Failure, ProbeResponse
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.host_queue import HostSlot, ProbeTask

MAX_PAGE_BYTES = 64 * 1024
MAX_MEDIA_BYTES = 2 * 1024
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
RANGE = f"0-{MAX_MEDIA_BYTES - 1}"
PARSED_HEADERS = re.compile(
    rb"^(retry-after|cf-mitigated|location|content-range|content-type|set-cookie)[ \t]*:[ \t]*([^\r\n]*)", re.I | re.M
)
# A write error that is no cut of ours is an exception in our own callback: nothing is known of the link then.
LOCAL_CURL_CODES = frozenset(
    {pycurl.E_WRITE_ERROR, pycurl.E_ABORTED_BY_CALLBACK, pycurl.E_OUT_OF_MEMORY, pycurl.E_FAILED_INIT}
)
LOCAL_ERRNOS = frozenset(
    {errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
)
FAILURE_BY_CURL_CODE = {
    pycurl.E_OPERATION_TIMEDOUT: Failure.TIMEOUT,
    pycurl.E_COULDNT_CONNECT: Failure.REFUSED,
    pycurl.E_COULDNT_RESOLVE_HOST: Failure.DNS,
    pycurl.E_SSL_CONNECT_ERROR: Failure.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: Failure.TLS,
    pycurl.E_SSL_CIPHER: Failure.TLS,
    pycurl.E_SSL_CERTPROBLEM: Failure.TLS,
    pycurl.E_SEND_ERROR: Failure.RESET,
    pycurl.E_RECV_ERROR: Failure.RESET,
    pycurl.E_GOT_NOTHING: Failure.RESET,
    pycurl.E_PARTIAL_FILE: Failure.RESET,
    pycurl.E_HTTP2: Failure.RESET,
    92: Failure.RESET,  # CURLE_HTTP2_STREAM, which pycurl does not name
}


class Transfer:
    """One curl handle and what it hears; handles are reused, connections belong to the multi handle.

    Options are set only when they differ from the attempt before: at thousands a second they would be a fifth of it.
    """

    __slots__ = (
        "allowed",
        "chunks",
        "curl",
        "head",
        "headers",
        "host_slot",
        "is_stalled",
        "is_truncated",
        "local",
        "max_bytes",
        "method",
        "number",
        "received",
        "refused",
        "started",
        "task",
        "timeout",
    )  # fmt: skip

    def __init__(self, config: ProbeConfig) -> None:
        self.allowed = config.allowed
        self.number = self.timeout = 0
        self.method: tuple[bool, bool] | None = None
        self.head: list[bytes] = []
        self.curl = _new_curl(self, config)

    def start(self, task: ProbeTask, host_slot: HostSlot, *, timeout: float, now: float) -> None:
        self.task, self.host_slot, self.started = task, host_slot, now
        self.is_stalled = self.is_truncated = self.refused = self.local = False
        self.head.clear()
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []
        self.received = self.max_bytes = 0
        self.number += 1
        self.curl.setopt(pycurl.URL, task.url)
        milliseconds = max(1, int(timeout * 1000))
        if milliseconds != self.timeout:
            self.timeout = milliseconds
            self.curl.setopt(pycurl.TIMEOUT_MS, milliseconds)
        if (task.get, task.ranged) != self.method:
            self._method(task)
        if host_slot.addresses:
            self.curl.setopt(pycurl.RESOLVE, [_resolve_option(task.url, host_slot.addresses)])
        if task.cookies is not None:
            pairs = "; ".join(f"{name}={value}" for name, value in task.cookies.items())
            self.curl.setopt(pycurl.COOKIE, pairs.encode("latin-1"))

    def _method(self, task: ProbeTask) -> None:
        self.method = (task.get, task.ranged)
        self.curl.setopt(pycurl.HTTPGET if task.get else pycurl.NOBODY, 1)
        if task.get and task.ranged:
            self.curl.setopt(pycurl.RANGE, RANGE)
        else:
            self.curl.unsetopt(pycurl.RANGE)

    def reset(self) -> None:
        if self.host_slot.addresses:
            self.curl.setopt(pycurl.RESOLVE, [])
        if self.task.cookies is not None:
            self.curl.unsetopt(pycurl.COOKIE)

    # --- called by libcurl; header lines go straight into `head`
    def on_body(self, chunk: bytes) -> int | None:
        if not self.received:
            self.headers = self._headers()
            self.max_bytes = (
                MAX_MEDIA_BYTES if is_media_type(_type(self.headers.get("content-type"))) else MAX_PAGE_BYTES
            )
        self.chunks.append(chunk)
        self.received += len(chunk)
        if self.received <= self.max_bytes:
            return None
        self.is_truncated = True
        return 0

    def open_socket(self, _purpose: int, address: Any) -> Any:
        """The check that counts: the address that is about to be connected to, whatever name or redirect led there."""
        family, kind, protocol, place = address
        parts = urlsplit(self.task.url)
        port = parts.port or DEFAULT_PORT[parts.scheme]
        if not may_connect(place[0], host=parts.hostname or "", port=port, allowed=self.allowed):
            self.refused = True
            return pycurl.SOCKET_BAD
        try:
            return socket.socket(family, kind, protocol)
        except OSError:
            self.local = True
            return pycurl.SOCKET_BAD

    # --- what it heard
    def response(self, code: int) -> ProbeResponse:
        """This attempt's answer; `code` is libcurl's error or 0."""
        curl, task = self.curl, self.task
        status = curl.getinfo(pycurl.RESPONSE_CODE) or None
        trouble = self._trouble(code) if code else Failure.NONE
        if trouble and self.received and status and trouble in (Failure.TIMEOUT, Failure.RESET):
            trouble = Failure.NONE  # It broke off in the body, or lied of its length: what was heard is enough.
        length = curl.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD_T)
        headers = self.headers if self.received else self._headers()
        return ProbeResponse(  # By position: there are thousands of these a second.
            task.id,
            task.asked,
            None if trouble else status,
            trouble or (Failure.NONE if status else Failure.PROTOCOL),
            task.url + task.fragment,
            task.hops,
            _type(headers.get("content-type")),
            int(length) if length >= 0 else None,
            self._body() if task.get else None,
            headers,
            round(curl.getinfo(pycurl.STARTTRANSFER_TIME) * 1000) or None,
            "GET" if task.get else "HEAD",
            False,
            task.moved_to,
        )

    def _headers(self) -> dict[str, str]:
        """Those of the last answer that matter here; interim answers (1xx) come before it."""
        text = b"".join(self.head)
        found = {}
        for match in PARSED_HEADERS.finditer(text, max(text.rfind(b"\nHTTP/"), 0)):
            key, said = match[1].lower().decode("ascii"), match[2].strip()
            value = DECODER_BY_HEADER.get(key, _text)(said)
            found[key] = value
            if key == "set-cookie" and self.task.cookies is not None:
                _keep_cookie(self.task.cookies, value)
        return found

    def _body(self) -> bytes:
        body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        return body[: self.max_bytes] if self.is_truncated else body

    def _trouble(self, code: int) -> Failure:
        if code == pycurl.E_WRITE_ERROR and self.is_truncated:
            return Failure.NONE
        if self.refused:
            return Failure.PRIVATE
        if self.local or code in LOCAL_CURL_CODES:
            return Failure.LOCAL
        trouble = FAILURE_BY_CURL_CODE.get(code, Failure.PROTOCOL)
        if trouble == Failure.REFUSED and self.curl.getinfo(pycurl.OS_ERRNO) in LOCAL_ERRNOS:
            return Failure.LOCAL
        return trouble


def _new_curl(flight: Transfer, config: ProbeConfig) -> Any:
    curl = pycurl.Curl()
    options = {
        pycurl.NOSIGNAL: 1,
        pycurl.FOLLOWLOCATION: 0,
        pycurl.PROXY: "",
        pycurl.NOPROXY: "*",
        pycurl.USERAGENT: config.user_agent,
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
        pycurl.HTTPHEADER: ["Accept: */*", "Accept-Encoding: identity"],
        pycurl.DNS_CACHE_TIMEOUT: -1,
        pycurl.BUFFERSIZE: MAX_PAGE_BYTES,
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.CAINFO: ca_bundle(config),
        pycurl.HEADERFUNCTION: flight.head.append,
        pycurl.WRITEFUNCTION: flight.on_body,
        pycurl.OPENSOCKETFUNCTION: flight.open_socket,
    }
    for option, value in options.items():
        curl.setopt(option, value)
    return curl


def _resolve_option(url: str, addresses: tuple[str, ...]) -> str:
    """What libcurl is told of a host's addresses, so that it looks up nothing."""
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORT[parts.scheme]
    return f"{parts.hostname}:{port}:" + ",".join(f"[{one}]" if ":" in one else one for one in addresses)


def ca_bundle(config: ProbeConfig) -> str:
    """The file of the authorities that are trusted."""
    return config.ca_file or ssl.get_default_verify_paths().cafile or certifi.where()


def _keep_cookie(cookies: dict[str, str], line: str) -> None:
    name, equals, value = line.partition(";")[0].partition("=")
    if equals and len(cookies) < 20 and len(line) < 4096:
        cookies[name.strip()] = value.strip()


def _latin1(value: bytes) -> str:
    """A character a byte: what is sent back is the same bytes."""
    return value.decode("latin-1")


def _location_text(value: bytes) -> str:
    """As browsers read it: bytes that are no UTF-8 stay what they are."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return quote(value, safe=PRINTABLE)


def _type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


DECODER_BY_HEADER = {"set-cookie": _latin1, "location": _location_text}
