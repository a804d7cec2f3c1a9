"""One request: a libcurl handle, its options and what it receives. No database.

libcurl does the protocol (TLS, HTTP/2, IPv6, keep-alive). Each request has one total timeout, however slowly the host
sends; headers and body are limited.
"""

from __future__ import annotations

import errno
import re
from typing import Any
from urllib.parse import quote, urlsplit

import pycurl

from scraper.net.url_policy import DEFAULT_PORT, host_of
from streaming.health.judging.content import is_media_type
from streaming.health.probe_types import Failure, ProbeResponse
from streaming.health.probing import curl
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.host_queue import HostSlot, ProbeTask

MAX_PAGE_BYTES = 64 * 1024
MAX_MEDIA_BYTES = 2 * 1024
BINARY_TYPES = ("application/octet-stream", "binary/octet-stream", "application/force-download")
ANY_TYPE = "*/*"
BROWSER_TYPES = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
MAX_COOKIES = 20
MAX_COOKIE_BYTES = 4096
COOKIE_DOMAIN = re.compile(r";\s{0,9}domain\s{0,9}=\s{0,9}\.?([a-z0-9.-]{1,253})", re.I)
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
RANGE = f"0-{MAX_MEDIA_BYTES - 1}"
PARSED_HEADERS = re.compile(
    rb"^(retry-after|cf-mitigated|date|x-amzn-waf-action|sg-captcha|x-vercel-mitigated|location|content-range|content-type"
    rb"|refresh|set-cookie|x-rate-?limit-remaining|ratelimit-remaining)[ \t]*:[ \t]*([^\r\n]*)",
    re.I | re.M,
)
# A write error that is no truncation is an exception in our own callback: it proves nothing about the link.
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
    """A curl handle and the request it is used for; handles are reused, connections belong to the multi handle.

    `number` identifies the request: it changes when one starts or ends. Options are set only if they differ from those
    of the request before: at thousands a second they would take a fifth of the time.
    """

    __slots__ = (
        "allowed", "browser_headers", "chunks", "curl", "head", "headers", "host_slot", "is_stalled", "is_truncated",
        "lag_at_start", "max_bytes", "method", "number", "received", "socket_failure", "started", "task", "timeout_ms",
    )  # fmt: skip

    def __init__(self, config: ProbeConfig) -> None:
        self.allowed = config.allowed
        self.number = self.timeout_ms = 0
        self.method: tuple[bool, bool, bool] | None = None
        self.browser_headers = [*curl.accept_headers(BROWSER_TYPES), f"Accept-Language: {config.accept_language}"]
        self.head: list[bytes] = []
        self.curl = self._new_handle(config)

    def _new_handle(self, config: ProbeConfig) -> Any:
        handle = curl.new_handle()
        curl.set_common_options(handle, config, accept=ANY_TYPE, open_socket=self.open_socket)
        options = {
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
            pycurl.DNS_CACHE_TIMEOUT: -1,
            pycurl.BUFFERSIZE: MAX_PAGE_BYTES,
            pycurl.HEADERFUNCTION: self.head.append,
            pycurl.WRITEFUNCTION: self.on_body,
        }
        curl.set_options(handle, options)
        return handle

    def start(self, task: ProbeTask, host_slot: HostSlot, *, timeout: float, now: float) -> None:
        """Prepare the handle for the next request of this task; `timeout` in seconds."""
        self.task, self.host_slot, self.started = task, host_slot, now
        self.is_stalled = self.is_truncated = False
        self.socket_failure = Failure.NONE
        self.head.clear()
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []
        self.received = self.max_bytes = 0
        self.lag_at_start = 0.0
        self.number += 1
        self._set_request_options(max(1, int(timeout * 1000)))

    def _set_request_options(self, timeout_ms: int) -> None:
        state, addresses = self.task.state, self.host_slot.addresses
        self.curl.setopt(pycurl.URL, state.url)
        if timeout_ms != self.timeout_ms:
            self.timeout_ms = timeout_ms
            self.curl.setopt(pycurl.TIMEOUT_MS, timeout_ms)
        as_browser = state.is_confirmation or not self.task.request.media
        method = (state.get, state.get and not as_browser, as_browser)
        if method != self.method:
            self._set_method(*method)
        if addresses:
            self.curl.setopt(pycurl.RESOLVE, [_resolve_option(state.url, addresses)])
        if state.cookies:
            pairs = "; ".join(f"{name}={value}" for name, value in state.cookies.items())
            self.curl.setopt(pycurl.COOKIE, pairs.encode("latin-1"))

    def _set_method(self, get: bool, is_ranged: bool, as_browser: bool) -> None:
        """Ask for all types and, with GET, for the first bytes; or for what a browser asks for, a page first."""
        self.method = (get, is_ranged, as_browser)
        self.curl.setopt(pycurl.HTTPGET if get else pycurl.NOBODY, 1)
        self.curl.setopt(pycurl.HTTPHEADER, self.browser_headers if as_browser else curl.accept_headers(ANY_TYPE))
        if is_ranged:
            self.curl.setopt(pycurl.RANGE, RANGE)
        else:
            self.curl.unsetopt(pycurl.RANGE)

    def reset(self) -> None:
        """End the request: remove the options that the next one may not need."""
        self.number += 1
        if self.host_slot.addresses:
            self.curl.setopt(pycurl.RESOLVE, [])
        if self.task.state.cookies:
            self.curl.unsetopt(pycurl.COOKIE)

    # --- called by libcurl; header lines go straight into `head`
    def on_body(self, chunk: bytes) -> int | None:
        """Keep a piece of the body; return 0, which ends the transfer, when there is enough."""
        if not self.received:
            self.headers = self._parse_headers()
            self.max_bytes = self._max_bytes(_media_type(self.headers.get("content-type")))
        self.chunks.append(chunk)
        self.received += len(chunk)
        if self.received <= self.max_bytes:
            return None
        self.is_truncated = True
        return 0

    def _max_bytes(self, content_type: str) -> int:
        is_media = is_media_type(content_type) or (self.task.request.media and content_type in BINARY_TYPES)
        return MAX_MEDIA_BYTES if is_media else MAX_PAGE_BYTES

    def open_socket(self, _purpose: int, address: Any) -> Any:
        """Return a socket if this address may be connected to."""
        opened = curl.open_allowed_socket(address, url=self.task.state.url, allowed=self.allowed)
        if not isinstance(opened, Failure):
            return opened
        if self.socket_failure is not Failure.PRIVATE:
            self.socket_failure = opened
        return pycurl.SOCKET_BAD

    # --- what came
    def response(self, code: int) -> ProbeResponse:
        """Return the response to this request; `code` is libcurl's error or 0."""
        task, state = self.task, self.task.state
        status = self.curl.getinfo(pycurl.RESPONSE_CODE) or None
        failure = self._failure(code) if code else Failure.NONE
        if failure and self.received and status and failure in (Failure.TIMEOUT, Failure.RESET):
            failure = Failure.NONE  # The body broke off, or its stated length is wrong: what came is enough.
        length = self.curl.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD_T)
        headers = self.headers if self.received else self._parse_headers()
        return ProbeResponse(
            id=task.request.id,
            url=task.request.url,
            status=None if failure else status,
            failure=failure or (Failure.NONE if status else Failure.PROTOCOL),
            final_url=state.url + state.fragment,
            hops=state.hops,
            content_type=_media_type(headers.get("content-type")),
            length=int(length) if length >= 0 else None,
            body=self._body() if state.get else None,
            headers=headers,
            response_ms=round(self.curl.getinfo(pycurl.STARTTRANSFER_TIME) * 1000) or None,
            method="GET" if state.get else "HEAD",
            moved_to=state.moved_to,
        )

    def _parse_headers(self) -> dict[str, str]:
        """Return the headers of the final response that are needed here; interim responses (1xx) come before it."""
        text = b"".join(self.head)
        headers = {}
        for match in PARSED_HEADERS.finditer(text, max(text.rfind(b"\nHTTP/"), 0)):
            name = match[1].lower().decode("ascii")
            headers[name] = value = DECODER_BY_HEADER.get(name, _text)(match[2].strip())
            if name == "set-cookie" and self.task.state.cookies is not None:
                self._keep_cookie(self.task.state.cookies, value)
        return headers

    def _keep_cookie(self, cookies: dict[str, str], header: str) -> None:
        """Keep the cookie of this `Set-Cookie` for its host, and for the other hosts of the domain it names."""
        state = self.task.state
        self.task.update(cookies=_with_cookie(cookies, header))
        if domain := _domain_of(header, host_of(state.url)):
            jar = state.jar or {}
            self.task.update(jar={**jar, domain: _with_cookie(jar.get(domain, {}), header)})

    def _body(self) -> bytes:
        body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        return body[: self.max_bytes] if self.is_truncated else body

    def _failure(self, code: int) -> Failure:
        if code == pycurl.E_WRITE_ERROR and self.is_truncated:
            return Failure.NONE
        if self.socket_failure:
            return self.socket_failure
        if code in LOCAL_CURL_CODES:
            return Failure.LOCAL
        failure = FAILURE_BY_CURL_CODE.get(code, Failure.PROTOCOL)
        if failure == Failure.REFUSED and self.curl.getinfo(pycurl.OS_ERRNO) in LOCAL_ERRNOS:
            return Failure.LOCAL
        return failure


def _resolve_option(url: str, addresses: tuple[str, ...]) -> str:
    """Return the addresses of a host in libcurl's notation, so that it looks up nothing."""
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORT[parts.scheme]
    return f"{parts.hostname}:{port}:" + ",".join(f"[{one}]" if ":" in one else one for one in addresses)


def _with_cookie(cookies: dict[str, str], header: str) -> dict[str, str]:
    """Return the cookies with the one of this `Set-Cookie`, unless there are too many or it is too long."""
    name, equals, value = header.partition(";")[0].partition("=")
    if equals and len(cookies) < MAX_COOKIES and len(header) < MAX_COOKIE_BYTES:
        return {**cookies, name.strip(): value.strip()}
    return cookies


def _domain_of(header: str, host: str) -> str:
    """Return the domain of a `Set-Cookie`, with a dot before it; empty if it names none, or one not above its host."""
    named = COOKIE_DOMAIN.search(header[:MAX_COOKIE_BYTES])
    domain = f".{named[1].lower()}" if named else ""
    return domain if domain.count(".") > 1 and f".{host}".endswith(domain) else ""


def _latin1(value: bytes) -> str:
    """Decode each byte to one character, so that the same bytes are sent back."""
    return value.decode("latin-1")


def _location_text(value: bytes) -> str:
    """Decode as browsers do: bytes that are not UTF-8 are percent-encoded."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return quote(value, safe=PRINTABLE)


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


DECODER_BY_HEADER = {"set-cookie": _latin1, "location": _location_text}
