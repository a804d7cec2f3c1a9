"""Fetch one small file of another site, as guarded as a check: no private address at any hop, no proxy, a size limit.

No database.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import urljoin

import pycurl

from scraper.net.url_policy import InvalidValue, normalize_url
from streaming.health.probing import curl
from streaming.health.probing.config import ProbeConfig
from streaming.health.verification.api_client import bounded_writer, socket_opener

MAX_HOPS = 5
FORBIDDEN = "The address leads to a place that we do not open."
UNREADABLE = "The host's answer cannot be read."


class FileUnavailable(Exception):
    """Why there is no file, as a sentence for display."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """`max_bytes` of the body; `timeout` in seconds, of all hops together.

    `is_blocked`: whether a URL may not be asked though its address is public, such as one that is taken down.
    """

    max_bytes: int
    timeout: float = 8.0
    is_blocked: Callable[[str], bool] = lambda url: False


def fetch_file(url: str, config: ProbeConfig, *, accept: str, limits: FileLimits) -> bytes:
    """Return what is at a URL, following redirects; each hop is checked like the first. Raises FileUnavailable."""
    handle, end = curl.new_handle(), time.monotonic() + limits.timeout
    try:
        for _ in range(MAX_HOPS + 1):
            url = _allowed(url, config, limits)
            body, target = _request(handle, url, config, accept=accept, limits=limits, end=end)
            if target is None:
                return body
            url = _joined(url, target)
        raise FileUnavailable("The address redirects too often.")
    finally:
        handle.close()


def _allowed(url: str, config: ProbeConfig, limits: FileLimits) -> str:
    try:
        url = normalize_url(url, allowed=config.allowed)
    except InvalidValue:
        raise FileUnavailable(FORBIDDEN) from None
    if limits.is_blocked(url):
        raise FileUnavailable(FORBIDDEN)
    return url


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:  # `http://[`
        raise FileUnavailable(UNREADABLE) from None


def _request(
    handle: pycurl.Curl, url: str, config: ProbeConfig, *, accept: str, limits: FileLimits, end: float
) -> tuple[bytes, str | None]:
    """Return the body, and the target of a redirect or None."""
    body = BytesIO()
    handle.reset()
    curl.set_common_options(handle, config, accept=accept, open_socket=socket_opener(url, config))
    curl.set_options(
        handle,
        {
            pycurl.URL: url,
            pycurl.TIMEOUT_MS: max(1, int((end - time.monotonic()) * 1000)),
            pycurl.WRITEFUNCTION: bounded_writer(limits.max_bytes, body),
        },
    )
    try:
        handle.perform()
        status, target = handle.getinfo(pycurl.RESPONSE_CODE), handle.getinfo(pycurl.REDIRECT_URL)
    except pycurl.error as error:
        raise FileUnavailable(_failure(error.args[0], limits)) from None
    except ValueError:  # The bytes of a Location are the host's.
        raise FileUnavailable(UNREADABLE) from None
    if not target and status != 200:
        raise FileUnavailable(f"The host answers with the status {status}.")
    return body.getvalue(), target


def _failure(code: int, limits: FileLimits) -> str:
    if code == pycurl.E_WRITE_ERROR:
        return f"The file is larger than {limits.max_bytes // 1024:,} KiB."
    return "The host does not respond."
