"""Which URLs are the same: spellings of one link, and links to one work of a source. Pure."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from scraper.net.url_policy import route_of, without_tracking

ARCHIVE = "Internet Archive"
DEFAULT_PORTS = {"http": 80, "https": 443}
ARCHIVE_ITEM = re.compile(r"/(?:details|embed|download|stream|serve)/([A-Za-z0-9][A-Za-z0-9._-]{0,127})(?:/|$)")
ARCHIVE_SERVER = re.compile(r"/[0-9]{1,3}/items/([A-Za-z0-9][A-Za-z0-9._-]{0,127})(?:/|$)")
COMMON_URL = re.compile(
    r"https?://([a-z0-9_.-]+/[A-Za-z0-9%/:@!$&()*+,;=~._-]*)(?:\?([A-Za-z0-9/?%:@!$&()*+,;=~._-]*))?"
)
"""The form of most URLs, which is read much faster than any: no port, no fragment."""
COMMONS_PAGE = re.compile(r"/wiki/(?:File:|Special:FilePath/)(.+)")
COMMONS_FILE = re.compile(r"/wikipedia/commons/(?:transcoded/)?[0-9a-f]/[0-9a-f]{2}/([^/]+)(?:/|$)")


@dataclass(frozen=True, slots=True)
class SourceWork:
    """One work that a source has at several URLs: the display name of the site, and its name for the work."""

    site: str
    name: str

    @property
    def display_name(self) -> str:
        """Site and work for display, such as `Internet Archive: item nosferatu`."""
        return f"{self.site}: {'item' if self.site == ARCHIVE else 'file'} {self.name}"


def canonical_key(url: str) -> str:
    """Return a key that all spellings of one URL have in common.

    Ignored are http or https, `www.`, a slash at the end, the default port, tracking parameters and a fragment that
    is no route.
    """
    if common := COMMON_URL.fullmatch(url):
        query = without_tracking(common[2]) if common[2] else ""
        return f"{common[1].removeprefix('www.').rstrip('/')}{'?' if query else ''}{query}"
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return url
    netloc = host if port in (None, DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{port}"
    query, route = without_tracking(parts.query), route_of(parts.fragment).rstrip("/")
    return f"{netloc}{parts.path.rstrip('/')}{'?' if query else ''}{query}{'#' if route else ''}{route}"


@dataclass(frozen=True, slots=True)
class ComparableUrl:
    """A URL without what servers ignore, for takedowns: see `comparable_url`.

    Takedowns compare more loosely than `canonical_key`: to hide a second film by mistake is better than to show one
    that was taken down because of how its address is spelled.
    """

    host: str
    port: int | None
    path: str
    query: tuple[str, ...]
    route: str

    def begins_with(self, prefix: ComparableUrl) -> bool:
        """Whether `prefix` covers this URL; one without a port covers all ports."""
        if self.host != prefix.host or prefix.port not in (None, self.port):
            return False
        if not prefix.query and not prefix.route:
            return f"{self.path}/".startswith(prefix.path)
        return self.path.rstrip("/") == prefix.path.rstrip("/") and self._has_parts_of(prefix)

    def as_link(self) -> ComparableUrl:
        """The same for all spellings of one link: the order of parameters and a slash at the end do not count."""
        return replace(self, path=self.path.rstrip("/"), query=tuple(sorted(self.query)))

    def _has_parts_of(self, prefix: ComparableUrl) -> bool:
        *complete, last = prefix.query or ("",)
        has_query = set(complete) <= set(self.query) and (not last or any(one.startswith(last) for one in self.query))
        return has_query and self.route.startswith(prefix.route)


def comparable_url(url: str) -> ComparableUrl:
    """Read a URL for comparing it with takedowns.

    Ignored are the scheme, `www.`, a dot after the host, the default ports, escapes (of all but the characters that
    would change the structure), doubled slashes, dot segments, tracking parameters and a fragment that is no route. The
    case of the path counts.
    """
    try:
        parts = urlsplit(url)
        host, port = without_www((parts.hostname or "").rstrip(".")), parts.port
    except ValueError:
        return ComparableUrl("", None, url, (), "")
    query = tuple(_unescaped(part, keep="%#&=+") for part in without_tracking(parts.query).split("&") if part)
    route = _unescaped(route_of(parts.fragment), keep="%").rstrip("/")
    return ComparableUrl(host, None if port in DEFAULT_PORTS.values() else port, _plain_path(parts.path), query, route)


def without_www(host: str) -> str:
    """The host without `www.`, which usually serves the same pages."""
    return host.removeprefix("www.")


def _plain_path(path: str) -> str:
    path = re.sub("/{2,}", "/", f"/{_unescaped(path, keep='%?#')}")
    if "/." not in path:
        return path
    return posixpath.normpath(path).rstrip("/") + ("/" if path.endswith(("/", "/.", "/..")) else "")


def _unescaped(text: str, *, keep: str) -> str:
    """The text with its percent escapes decoded, except those of the characters in `keep`."""
    if "%" not in text:
        return text
    kept = "|".join(f"{ord(character):02x}" for character in keep)
    protected = re.sub(f"%({kept})", lambda found: f"%25{found[1].upper()}", text, flags=re.IGNORECASE)
    return unquote(protected, errors="surrogateescape")


def find_work(url: str) -> SourceWork | None:
    """The work that a URL belongs to, at a site known to have several URLs for one work; None for any other URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host = (parts.hostname or "").removeprefix("www.")
    if host == "archive.org" and (found := ARCHIVE_ITEM.match(parts.path)):
        return SourceWork(ARCHIVE, found[1])
    if host.endswith(".archive.org") and (found := ARCHIVE_SERVER.match(parts.path)):
        return SourceWork(ARCHIVE, found[1])
    return _find_commons_work(host, parts.path)


def work_key(url: str) -> str:
    """Return a key that all links to one work have in common: page, player and files; else the URL's own key."""
    work = find_work(url)
    return work.display_name if work else canonical_key(url)


def _find_commons_work(host: str, path: str) -> SourceWork | None:
    if host in ("commons.wikimedia.org", "commons.m.wikimedia.org"):
        found = COMMONS_PAGE.match(path)
    else:
        found = COMMONS_FILE.match(path) if host == "upload.wikimedia.org" else None
    return SourceWork("Wikimedia Commons", unquote(found[1]).replace("_", " ")) if found else None
