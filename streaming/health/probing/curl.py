"""Set-up of libcurl handles, and the check of the address that a socket is about to connect to. No database.

Every request of ours goes through this: no redirects by libcurl, no proxy, no signals, HTTP(S) only, an honest
User-Agent, and no connection to a private address, whatever name or redirect led there.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import certifi
import pycurl

from scraper.net.url_policy import DEFAULT_PORT, PrivateHostAllowlist, may_connect
from streaming.health.probe_types import Failure
from streaming.health.probing.config import ProbeConfig

# Purpose of the socket (libcurl's number), and the family, type, protocol and address for it.
SocketOpener = Callable[[int, Any], Any]


def new_handle() -> Any:
    """Return a handle without options."""
    return pycurl.Curl()


def set_common_options(curl: Any, config: ProbeConfig, *, accept: str, open_socket: SocketOpener) -> None:
    """Set the options that all our requests have; `accept` is the media types asked for."""
    set_options(
        curl,
        {
            pycurl.NOSIGNAL: 1,
            pycurl.FOLLOWLOCATION: 0,
            pycurl.PROXY: "",
            pycurl.NOPROXY: "*",
            pycurl.USERAGENT: config.user_agent,
            pycurl.HTTPHEADER: accept_headers(accept),
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.CAINFO: ca_bundle(config),
            pycurl.OPENSOCKETFUNCTION: open_socket,
        },
    )


def accept_headers(accept: str) -> list[str]:
    """Return the header lines that say which content is accepted."""
    return [f"Accept: {accept}", "Accept-Encoding: identity"]


def set_options(curl: Any, options: Mapping[int, Any]) -> None:
    for option, value in options.items():
        curl.setopt(option, value)


def ca_bundle(config: ProbeConfig) -> str:
    """Return the file of the trusted certificate authorities."""
    return config.ca_file or ssl.get_default_verify_paths().cafile or certifi.where()


def open_allowed_socket(address: Any, *, url: str, allowed: PrivateHostAllowlist) -> socket.socket | Failure:
    """Return a socket for this address of the URL's host.

    PRIVATE: the URL policy forbids the address; LOCAL: the system has no socket for us. This check is the one that
    counts: it sees the address that is connected to, behind any name, redirect or spelling.
    """
    family, kind, protocol, endpoint = address
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORT[parts.scheme]
    if not may_connect(endpoint[0], host=parts.hostname or "", port=port, allowed=allowed):
        return Failure.PRIVATE
    try:
        return socket.socket(family, kind, protocol)
    except OSError:
        return Failure.LOCAL
