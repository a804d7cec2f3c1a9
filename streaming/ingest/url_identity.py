"""Which URLs are the same: spellings of one link, and links to one work of a source. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from urllib.parse import unquote, urlsplit

from scraper.net.url_policy import route_of, without_tracking

ARCHIVE = "Internet Archive"
DEFAULT_PORTS = {"http": 80, "https": 443}
ARCHIVE_ITEM = re.compile(r"/(?:details|embed|download|stream|serve)/([A-Za-z0-9][A-Za-z0-9._-]{0,127})(?:/|$)")
ARCHIVE_SERVER = re.compile(r"/[0-9]{1,3}/items/([A-Za-z0-9][A-Za-z0-9._-]{0,127})(?:/|$)")
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
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return url
    netloc = host if port in (None, DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{port}"
    query, route = without_tracking(parts.query), route_of(parts.fragment).rstrip("/")
    return f"{netloc}{parts.path.rstrip('/')}{'?' if query else ''}{query}{'#' if route else ''}{route}"


def url_variants(url: str) -> list[str]:
    """The usual spellings of a URL: both schemes, with and without `www.` and a slash at the end."""
    parts = urlsplit(url)
    netloc = parts.netloc.removeprefix("www.")
    paths = {parts.path, f"{parts.path.rstrip('/')}/", parts.path.rstrip("/") or "/"}
    query = f"?{parts.query}" if parts.query else ""
    query += f"#{route}" if (route := route_of(parts.fragment)) else ""
    starts = (f"{scheme}://{prefix}{netloc}" for scheme in ("http", "https") for prefix in ("", "www."))
    return sorted({url, *(f"{start}{path}{query}" for start, path in product(starts, paths))})


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
