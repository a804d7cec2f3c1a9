"""The URLs and addresses that may be requested: one policy for spiders, checker and stored links. Pure.

`normalize_url` checks the text of a URL before it is stored or requested. `may_connect` checks the resolved address
immediately before connecting, which covers redirects, DNS rebinding and unusual spellings.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

import idna

MAX_URL_LENGTH = 2000
ALLOWED_PORTS = frozenset({80, 443, 8080, 8443})
DEFAULT_PORT = {"http": 80, "https": 443}
PRIVATE_SUFFIXES = (".local", ".internal", ".localhost", ".home.arpa", ".lan")
FORBIDDEN_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\\<>\"\u2028\u2029\ud800-\udfff]")
FORBIDDEN_IN_AUTHORITIES = re.compile(r"[\x20'`{}|^]")
"""Elsewhere in a URL they are escaped, as RFC 3986 requires (the apostrophe, which it permits, for our pages)."""
AUTHORITY = re.compile(r"[^/?#]*(?://[^/?#]*)?")
PATH_CHARACTERS, QUERY_CHARACTERS = "/%:@!$&()*+,;=~-._", "/?%:@!$&()*+,;=~-._[]"
ROUTE = re.compile(r"(?:!/?|/).+")
"""A fragment that a page which is one program reads as the rest of its address."""
# `is_global` of Python 3.11 is true for these (found: NAT64, 6to4, IPv4-compatible, site-local, multicast ...).
NON_PUBLIC_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b::/96",
        "64:ff9b:1::/48", "2001::/32", "2001:20::/28", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip

NORMALIZED_NETLOC = re.compile(r"https?://([a-z0-9_.-]+(?::(?!80/|443/)[1-9][0-9]{0,4})?)/")
NORMALIZED_URL = re.compile(
    r"(https?)://((?:[a-z0-9_-]+\.)+[a-z0-9_-]+)/[A-Za-z0-9%/:@!$&()*+,;=~._-]*(?:\?[A-Za-z0-9/?%:@!$&()*+,;=~._-]+)?"
)
"""Most URLs have their one spelling already, and only their host remains to be checked."""
TRACKING_PARAMETERS = re.compile(
    r"(?:utm_[a-z0-9_]*|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|twclid|igshid|mc_[ce]id|_ga|_gl|ref_src|si)",
    re.IGNORECASE,
)
"""Query parameters that only say where a visitor came from."""
DROPPED_PARAMETER = re.compile(rf"(?:^|&)(?:&|$|{TRACKING_PARAMETERS.pattern}(?:[=&]|$))", re.IGNORECASE)
"""A tracking parameter, or an empty one, in a query."""

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class InvalidValue(ValueError):
    """A URL or another value that is not accepted; `code` is one word for counting, the message a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class PrivateHostAllowlist:
    """Private hosts and networks that may be connected to (`ALLOW_PRIVATE_HOSTS`); empty by default."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IPNetwork, ...] = field(default=())

    @classmethod
    def parse(cls, entries: Iterable[str]) -> PrivateHostAllowlist:
        """Parse hosts, `host:port` pairs and networks such as `127.0.0.0/8`. Raises ValueError for any other entry."""
        hosts, networks = set(), []
        for entry in entries:
            if "/" in entry:
                networks.append(ipaddress.ip_network(entry, strict=False))
            elif re.fullmatch(r"\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?|[\w.-]+(:[0-9]{1,5})?|[0-9a-fA-F:]+", entry):
                hosts.add(entry.lower())
            else:
                raise ValueError(f"{entry!r} is neither a host, a host:port nor a network")
        return cls(frozenset(hosts), tuple(networks))

    def allows_host(self, host: str, port: int) -> bool:
        """Return whether the list names this host, alone or with this port, or a network that contains it."""
        bracketed = f"[{host}]" if ":" in host else host
        if {host, bracketed, f"{bracketed}:{port}"} & self.hosts:
            return True
        literal = _literal(host)
        return literal is not None and self.allows_address(literal)

    def allows_address(self, address: IPAddress) -> bool:
        """Return whether a network of the list contains this address."""
        return any(address.version == network.version and address in network for network in self.networks)


NO_PRIVATE_HOSTS = PrivateHostAllowlist()


def is_public_address(text: str) -> bool:
    """Return whether an IP address is public: not private, loopback, link-local, carrier NAT, multicast, reserved."""
    address: IPAddress = ipaddress.ip_address(text.split("%")[0])
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return not any(address.version == network.version and address in network for network in NON_PUBLIC_NETWORKS)


def may_connect(address: str, *, host: str, port: int, allowed: PrivateHostAllowlist = NO_PRIVATE_HOSTS) -> bool:
    """Return whether a socket may connect: to a public address at a usual port, or to what is `allowed`."""
    if allowed.allows_host(host, port) or allowed.allows_address(ipaddress.ip_address(address.split("%")[0])):
        return True
    return port in ALLOWED_PORTS and is_public_address(address)


def normalize_url(
    url: object, *, allowed: PrivateHostAllowlist = NO_PRIVATE_HOSTS, max_length: int = MAX_URL_LENGTH
) -> str:
    """Return the URL in its one spelling. Raises InvalidValue; checks the text only, no name is resolved.

    Lower-case scheme and host, IDNA 2008 host, no default port, no blanks around it, other characters
    percent-encoded. Of fragments only routes (`#!/watch/1`, `#/watch/1`) stay, for they lead to other films.
    """
    if isinstance(url, str) and len(url) <= max_length and (found := NORMALIZED_URL.fullmatch(url)):
        _check_host(found[2], DEFAULT_PORT[found[1]], allowed=allowed)
        return url
    parts, port = _read(url, max_length=max_length)
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORT:
        raise InvalidValue(
            "bad_scheme", f"only http and https are taken, not {scheme[:20] or 'an address without a scheme'}"
        )
    if "@" in parts.netloc:
        raise InvalidValue("credentials", "the address holds a user name or password")
    host = _host(parts.hostname or "")
    _check_host(host, port or DEFAULT_PORT[scheme], allowed=allowed)
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port != DEFAULT_PORT[scheme]:
        netloc = f"{netloc}:{port}"
    normalized_url = urlunsplit((scheme, netloc, *_escaped(parts)))
    if len(normalized_url) > max_length:
        raise InvalidValue("long_url", f"the address is longer than {max_length} characters")
    return normalized_url


def normalize_url_and_host(url: object, *, allowed: PrivateHostAllowlist = NO_PRIVATE_HOSTS) -> tuple[str, str]:
    """Return the URL in its one spelling and its host, which most URLs have in common with others. As `normalize_url`.

    For imports, which read hundreds of thousands: one look at a URL instead of two.
    """
    if isinstance(url, str) and len(url) <= MAX_URL_LENGTH and (found := NORMALIZED_URL.fullmatch(url)):
        _check_host(found[2], DEFAULT_PORT[found[1]], allowed=allowed)
        return url, found[2]
    normalized = normalize_url(url, allowed=allowed)
    return normalized, host_of(normalized)


def escape_url(url: str) -> str:
    """Return a URL as browsers send it: unsafe characters percent-encoded, fragments without routes removed.

    One that cannot be read, or that holds a character which addresses never hold, is returned unchanged: escaped, it
    would no longer be refused.
    """
    if FORBIDDEN_CHARACTERS.search(url):
        return url
    try:
        parts = urlsplit(url.strip(" "))
        return urlunsplit((parts.scheme, parts.netloc, *_escaped(parts)))
    except ValueError:
        return url


def route_of(fragment: str) -> str:
    """Return the fragment if it is a route, which is part of the address; else empty, as for a position in a page."""
    return fragment if ROUTE.fullmatch(fragment) else ""


def host_of(url: str) -> str:
    """Return the lower-case host of a normalized URL."""
    if normalized := NORMALIZED_NETLOC.match(url):  # Read much faster.
        return normalized[1].partition(":")[0]
    return urlsplit(url).hostname or ""


def netloc_of(url: str) -> str:
    """Return the host of a URL, with the port if it is not the scheme's own; without user name and password."""
    if normalized := NORMALIZED_NETLOC.match(url):  # The spelling of most URLs, read much faster.
        return normalized[1]
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return host if parts.port in (None, DEFAULT_PORT.get(parts.scheme)) else f"{host}:{parts.port}"


def without_tracking(query: str) -> str:
    """Return the query of a URL without empty and tracking parameters; the others keep order and spelling.

    Not `url_query_cleaner` of w3lib, which knows parameters by their full names only, and `utm_` is a prefix.
    """
    if not DROPPED_PARAMETER.search(query):
        return query
    return "&".join(part for part in query.split("&") if part and not _is_tracking(part))


def _is_tracking(part: str) -> bool:
    return TRACKING_PARAMETERS.fullmatch(part.partition("=")[0]) is not None


def _read(url: object, *, max_length: int) -> tuple[SplitResult, int | None]:
    if not isinstance(url, str) or not url.strip():
        raise InvalidValue("empty_url", "there is no address")
    url = url.strip(" ")
    if len(url) > max_length:
        raise InvalidValue("long_url", f"the address is longer than {max_length} characters")
    if FORBIDDEN_CHARACTERS.search(url) or FORBIDDEN_IN_AUTHORITIES.search(_authority(url)):
        raise InvalidValue("bad_character", "the address holds a character that addresses never hold")
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        raise InvalidValue("malformed_url", "the address cannot be read") from None


def _authority(url: str) -> str:
    found = AUTHORITY.match(url)
    return found[0] if found else ""


def _escaped(parts: SplitResult) -> tuple[str, str, str]:
    """Return path, query and route of a URL, percent-encoded."""
    return (
        quote(parts.path or "/", safe=PATH_CHARACTERS, errors="replace"),
        quote(parts.query, safe=QUERY_CHARACTERS, errors="replace"),
        quote(route_of(parts.fragment), safe=QUERY_CHARACTERS, errors="replace"),
    )


def _host(raw: str) -> str:
    try:
        host = _ascii_host(raw).rstrip(".").lower()
    except UnicodeError:
        raise InvalidValue("bad_host", "the host is not a name that can be looked up") from None
    if not host:
        raise InvalidValue("no_host", "the address names no host")
    if "%" in host:
        raise InvalidValue("bad_host", "the host holds a zone or an escape")
    return host


def _ascii_host(host: str) -> str:
    """Return a host in ASCII by IDNA 2008 and UTS 46, non-transitional: `straße.example` is not `strasse.example`.

    Label by label, because names with an underscore exist beside names with umlauts. Raises UnicodeError.
    """
    if host.isascii():
        return host
    mapped = idna.uts46_remap(host, std3_rules=False, transitional=False)
    return ".".join(label if label.isascii() else idna.alabel(label).decode("ascii") for label in mapped.split("."))


@lru_cache(maxsize=4096)  # Many links have few hosts. An error is not kept.
def _check_host(host: str, port: int, *, allowed: PrivateHostAllowlist) -> None:
    if allowed.allows_host(host, port):
        return
    literal = _literal(host)
    if literal is None:
        if ":" in host or _looks_numeric(host):
            raise InvalidValue("bad_host", "the host is a number in an unusual spelling")
        if "." not in host or host.endswith(PRIVATE_SUFFIXES):
            raise InvalidValue("private_address", f"{host} is a name inside a private network")
        if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", host):
            raise InvalidValue("bad_host", "the host is not a name that can be looked up")
    elif not is_public_address(str(literal)):
        raise InvalidValue("private_address", f"{host} is not a public address")
    if port not in ALLOWED_PORTS:
        raise InvalidValue("bad_port", f"port {port} is not one that web sites use")


def _looks_numeric(host: str) -> bool:
    # WHATWG URL standard: a host whose last label is a number is an IPv4 address; only the plain form is taken.
    last = host.rsplit(".", 1)[-1]
    return last.isdigit() or last.startswith("0x")


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
