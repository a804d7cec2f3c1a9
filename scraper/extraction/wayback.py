"""The Wayback Machine's availability API: the URL of a query, and the copy that a response names. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from scraper.extraction.json_values import UnreadableResponse, as_mapping, as_text
from scraper.net.url_policy import InvalidValue, PrivateHostAllowlist, normalize_url

COPY_HOST = "web.archive.org"
TIMESTAMP = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class WaybackCopy:
    """A copy of a page and when it was made."""

    url: str
    archived_at: datetime


def availability_url(base: str, page: str, *, before: datetime) -> str:
    """The query for the copy of a page that was made nearest to a time, such as that of its death."""
    return f"{base}/wayback/available?{urlencode({'url': page, 'timestamp': before.strftime('%Y%m%d')})}"


def parse_availability(answer: object, *, base: str, allowed: PrivateHostAllowlist) -> WaybackCopy | None:
    """The copy that a response names; None if there is none. Raises UnreadableResponse.

    A copy of an error page is none, and neither is a URL elsewhere than at the archive.
    """
    stated = as_mapping(answer).get("archived_snapshots")
    if stated is None:
        raise UnreadableResponse("the response has no archived_snapshots")
    closest = as_mapping(as_mapping(stated).get("closest"))
    if closest.get("available") is not True or as_text(closest.get("status"))[:1] != "2":
        return None
    url = as_text(closest.get("url"), max_length=2100)
    if url.startswith(f"http://{COPY_HOST}/"):
        url = f"https{url.removeprefix('http')}"
    try:
        at = datetime.strptime(as_text(closest.get("timestamp")), TIMESTAMP).replace(tzinfo=UTC)
        parts = urlsplit(normalize_url(url, allowed=allowed))
    except (ValueError, InvalidValue):
        return None
    is_of_archive = parts.netloc in (COPY_HOST, urlsplit(base).netloc) and parts.path.startswith("/web/")
    return WaybackCopy(url, at) if is_of_archive else None
