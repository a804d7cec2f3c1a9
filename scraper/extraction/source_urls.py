"""Build and parse the URLs of Wikimedia Commons and the Internet Archive. Pure."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from scraper.extraction.json_values import is_safe_url_part
from scraper.net.url_policy import InvalidValue, host_of, normalize_url

FORBIDDEN_IN_COMMONS_NAMES = re.compile(r"[|#<>\[\]{}\x00-\x1f\x7f]")
COMMONS_PICTURE = "https://commons.wikimedia.org/wiki/Special:FilePath/"
PICTURE = re.compile(r"[^/%]{1,200}\.(?:jpe?g|png|gif|tiff?|svg|webp)", re.IGNORECASE)
POSTER_WIDTH = 500
COMMONS_PAGE = "https://commons.wikimedia.org/wiki/File:"


def with_scheme(url: str) -> str:
    """Return a URL that begins with `//` with https, any other unchanged."""
    return f"https:{url}" if url.startswith("//") else url


def is_foreign(url: str, domain: str) -> bool:
    """Return whether a URL is at neither a domain nor a host below it.

    False for one that our policy refuses: its refusal is reported when it is saved.
    """
    try:
        host = host_of(normalize_url(url))
    except InvalidValue:
        return False
    return host != domain and not host.endswith(f".{domain}")


def commons_page_url(name: str) -> str:
    """Return the URL of a file's page on Commons, in the spelling of Commons."""
    return COMMONS_PAGE + quote(name.replace(" ", "_"), safe="/:@!$()*,;~")


def commons_file_name(url: str) -> str:
    """Return the name of the file that a URL on Commons is about; empty for any other URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    prefix, _, name = parts.path.partition("/wiki/File:")
    if not name:
        prefix, _, name = parts.path.partition("/wiki/Special:FilePath/")
    name = unquote(name).replace("_", " ")
    is_on_commons = (parts.hostname or "").endswith("commons.wikimedia.org") and not prefix
    return name if is_on_commons and not FORBIDDEN_IN_COMMONS_NAMES.search(name) else ""


def commons_thumbnail_url(value: str) -> str:
    """Return the URL of a small version of a picture on Commons; empty for anything else."""
    match = re.fullmatch(r"https?://commons\.wikimedia\.org/wiki/Special:FilePath/([^/]+)", value)
    name = unquote(match[1]).replace("_", " ") if match else ""
    if FORBIDDEN_IN_COMMONS_NAMES.search(name) or not is_safe_url_part(name) or not PICTURE.fullmatch(name):
        return ""
    return f"{COMMONS_PICTURE}{quote(name.replace(' ', '_'))}?width={POSTER_WIDTH}"


def archive_item_id(url: str, *, home: str = "https://archive.org") -> str:
    """Return the item that a URL at the Internet Archive is about; empty for any other URL."""
    try:
        parts, own = urlsplit(url), urlsplit(home).hostname or ""
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    found = re.match(
        r"/(?:details|embed|download|metadata|stream)/([A-Za-z0-9][A-Za-z0-9._-]{0,127})(?:/|$)", parts.path
    )
    return found[1] if found and host in ("archive.org", own) else ""
