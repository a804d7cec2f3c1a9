"""Ask another instance for a page of its changes: one guarded request, and what may be wrong with the answer."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pycurl
from django.conf import settings

from scraper.extraction.json_values import UnreadableResponse, decode_json
from scraper.net.url_policy import InvalidValue, normalize_url
from streaming.formatting import quote_value
from streaming.health.probe_types import Failure
from streaming.health.probing import curl
from streaming.health.probing.config import ProbeConfig
from streaming.health.verification.api_client import bounded_writer
from streaming.models.followed import FOLLOWER_HEADER, MAX_URL_LENGTH

CHANGES_PATH = "/api/streaming/changes/"
TIMEOUT_SECONDS = 120.0
MAX_PAGE_BYTES = 64 * 1024 * 1024
MAX_COMMAS, MAX_BRACKETS = 4_000_000, 1_000_000
"""Of a page; 64 MiB of empty lists would take 3 GB of memory, and a page of ours has less than a tenth of these."""
MAX_HEADER_BYTES = 64 * 1024
MAX_ERROR_BYTES = 64 * 1024
ERROR_TEXTS: Mapping[int, str] = {
    pycurl.E_COULDNT_RESOLVE_HOST: "its name is unknown",
    pycurl.E_COULDNT_CONNECT: "it refused the connection",
    pycurl.E_OPERATION_TIMEDOUT: f"it took longer than {TIMEOUT_SECONDS:.0f} seconds",
    pycurl.E_WRITE_ERROR: f"a page of changes has more than {MAX_PAGE_BYTES // 1024**2} MiB",
    pycurl.E_PEER_FAILED_VERIFICATION: "its TLS certificate is not valid for it",
    pycurl.E_GOT_NOTHING: "it closed the connection without an answer",
    pycurl.E_PARTIAL_FILE: "it closed the connection in the middle of its answer",
}


class FollowError(Exception):
    """An instance cannot be followed now; the message is the end of a sentence, for display."""


class CursorLostError(FollowError):
    """The other instance does not know our cursor: it was restored from a backup, or is another one now."""


def normalize_instance_url(text: str) -> str:
    """Return the base URL of an instance, also of the address of its changes; raise InvalidValue for others."""
    base = text.strip().partition("?")[0].rstrip("/").removesuffix(CHANGES_PATH.rstrip("/"))
    url = normalize_url(base, allowed=settings.ALLOW_PRIVATE_HOSTS).rstrip("/")
    if "?" in url or "#" in url or len(url) > MAX_URL_LENGTH:
        raise InvalidValue("bad_address", f"{quote_value(text)} is not the address of an instance")
    return url


def fetch_changes(base: str, *, cursor: str, token: str) -> object:
    """Return the JSON of the page that begins at this cursor. Raises FollowError and CursorLostError.

    Redirects are not followed: whoever is followed is named by the operator. The IP address is checked when the
    connection is made.
    """
    request = _Request(f"{base}{CHANGES_PATH}?since={quote(cursor)}")
    status = request.perform(token)
    if status == 410:
        raise CursorLostError("it does not know our cursor: it was restored from a backup or set up anew")
    if status == 409:
        raise FollowError("this is the same installation")
    if request.moved_to:
        raise FollowError(f"it redirects to {quote_value(request.moved_to[:200])}: follow that address, if it is right")
    if status != 200:
        raise FollowError(f"it answers with the status {status}{request.detail()}")
    return request.json()


class _Request:
    """One request and its response."""

    def __init__(self, url: str) -> None:
        self.url, self.body, self.headers, self.moved_to = url, BytesIO(), BytesIO(), ""
        self.config = ProbeConfig(user_agent=settings.USER_AGENT, allowed=settings.ALLOW_PRIVATE_HOSTS)
        self.is_private = False

    def perform(self, token: str) -> int:
        """Send the request; return the status. Raises FollowError without a complete response."""
        handle = curl.new_handle()
        curl.set_common_options(handle, self.config, accept="application/json", open_socket=self._open_socket)
        headers = [*curl.accept_headers("application/json"), f"{FOLLOWER_HEADER}: {token}"]
        curl.set_options(
            handle,
            {
                pycurl.URL: self.url,
                pycurl.HTTPHEADER: headers,
                pycurl.TIMEOUT_MS: int(TIMEOUT_SECONDS * 1000),
                pycurl.WRITEFUNCTION: bounded_writer(MAX_PAGE_BYTES, self.body),
                pycurl.HEADERFUNCTION: bounded_writer(MAX_HEADER_BYTES, self.headers),
            },
        )
        try:
            handle.perform()
            self.moved_to = _redirect_of(handle)
            return int(handle.getinfo(pycurl.RESPONSE_CODE))
        except pycurl.error as error:
            raise FollowError(self._failure(error.args[0])) from None
        finally:
            handle.close()

    def _open_socket(self, _purpose: int, address: Any) -> socket.socket | int:
        opened = curl.open_allowed_socket(address, url=self.url, allowed=self.config.allowed)
        self.is_private = opened is Failure.PRIVATE
        return int(pycurl.SOCKET_BAD) if isinstance(opened, Failure) else opened

    def _failure(self, code: int) -> str:
        if self.is_private:
            return "its address is in a private network: see ALLOW_PRIVATE_HOSTS"
        return ERROR_TEXTS.get(code, f"there was no complete answer (libcurl's error {code})")

    def detail(self) -> str:
        """What the response says of an error, as the end of a sentence."""
        try:
            value = decode_json(self.body.getvalue()[:MAX_ERROR_BYTES])
        except UnreadableResponse:
            return ""
        text = value.get("detail") if isinstance(value, dict) else None
        return f": {quote_value(text)}" if isinstance(text, str) else ""

    def json(self) -> object:
        """The body as JSON."""
        body = self.body.getvalue()
        if body.count(b",") > MAX_COMMAS or body.count(b"[") + body.count(b"{") > MAX_BRACKETS:
            raise FollowError("a page of changes has millions of values")
        try:
            return decode_json(body)
        except UnreadableResponse as error:
            raise FollowError(f"its answer is not JSON: {error}") from None


def _redirect_of(handle: Any) -> str:
    """The URL of a redirect; empty without one, or if it cannot be read."""
    try:
        return str(handle.getinfo(pycurl.REDIRECT_URL) or "")
    except ValueError:
        return "another address"
