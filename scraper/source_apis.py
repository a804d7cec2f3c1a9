"""Source APIs that confirm links: the URLs that each knows, its queries and its responses. Pure.

An item that the archive has withdrawn still returns 200 on the web; only the API tells. The oEmbed services have a
module of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

from scraper.extraction.json_values import (
    UnreadableResponse,
    as_int,
    as_mapping,
    as_mappings,
    as_text,
    is_safe_url_part,
)
from scraper.extraction.source_urls import FORBIDDEN_IN_COMMONS_NAMES, archive_item_id, commons_file_name

AVAILABLE, WITHDRAWN, MISSING, PRIVATE = "", "dark", "missing", "private"
"""Statuses of a link: it is available, or why it is gone."""
NOT_FOUND, NOT_PUBLIC, EMBED_OFF = "not_found", "not_public", "embed_off"
"""Statuses that do not prove a deletion: not there or not for us, not public, not to be embedded."""
DOUBTED_STATUSES = frozenset({MISSING, NOT_FOUND, NOT_PUBLIC, EMBED_OFF})
"""Statuses that a broken API gives for everything, too."""
COMMONS_BATCH_SIZE = 50
MAX_QUERY_BYTES = 6_000
"""The titles in the URL of one query; servers refuse URLs of more than 8,000 bytes."""
UPLOAD = re.compile(r"/wikipedia/commons/(transcoded/)?[0-9a-f]/[0-9a-f]{2}/([^/]+)(/[^/]+)?")
WATCH_PAGE = re.compile(r"/(?:w|videos/watch|videos/embed)/([A-Za-z0-9-]{1,60})/?")
# The files of a playlist are in a folder named after the video. Others (/static/web-videos/) have a UUID of their own,
# by which no video can be found: their status is unknown.
PLAYLIST_FILE = re.compile(
    r"/static/streaming-playlists/hls/(?:private/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/.+"
)


class ApiStatus(NamedTuple):
    """The status of one item, None if unknown; `parts` has that of each of its files, None if unknown."""

    reason: str | None
    parts: Mapping[str, str] | None = None

    def reason_for(self, part: str) -> str | None:
        """Return the status of the item or of one of its files; None if unknown."""
        if self.reason or not part:
            return self.reason
        return _file_status(_normalize_unicode(part), self.parts) if self.parts else None


class ItemRef(NamedTuple):
    """What a link is about: the `name` of an item, file or video at its source; `part` is a file within it."""

    name: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class SourceApi:
    """One API. `base` is its URL; `netlocs` are those of its links, each with the path prefix that they have.

    `build_query` returns the URL that queries the first of the names, and how many of them it includes;
    `parse_statuses` raises UnreadableResponse for anything but a response of this API. `corrects_http`: it is also
    asked about links that failed by HTTP. `max_response_bytes` None: the usual maximum.
    """

    slug: str
    base: str
    netlocs: Mapping[str, str]
    parse_parts: Callable[[SplitResult], ItemRef | None]
    build_query: Callable[[str, Sequence[str]], tuple[str, int]]
    parse_statuses: Callable[[int, object, Collection[str]], dict[str, ApiStatus]]
    batch_size: int = 1
    max_response_bytes: int | None = None
    corrects_http: bool = False

    @property
    def host(self) -> str:
        """The host of the API itself."""
        return urlsplit(self.base).hostname or ""

    @property
    def hosts(self) -> list[str]:
        """The hosts of its links, without ports."""
        return list(dict.fromkeys(urlsplit(f"//{netloc}").hostname or "" for netloc in self.netlocs))

    def item_for_url(self, url: str) -> ItemRef | None:
        """Return what a URL is about; None if this API cannot tell its status."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        prefix = self.netlocs.get(parts.netloc)
        if prefix is None or not parts.path.startswith(f"{prefix}/"):
            return None
        return self.parse_parts(parts._replace(path=parts.path[len(prefix) :]))


def source_apis(*, archive: str, commons: str, instances: Iterable[str]) -> list[SourceApi]:
    """Return all source APIs, at these base URLs (which may be those of mirrors or test servers)."""
    return [
        SourceApi(
            "internet_archive",
            archive,
            {"archive.org": "", "www.archive.org": "", **_home(archive)},
            archive_item_ref,
            archive_query,
            archive_statuses,
        ),
        SourceApi(
            "commons",
            commons,
            {
                "commons.wikimedia.org": "",
                "commons.m.wikimedia.org": "",
                "upload.wikimedia.org": "",
                urlsplit(commons).netloc: "",
            },
            commons_item_ref,
            commons_query,
            commons_statuses,
            batch_size=COMMONS_BATCH_SIZE,
        ),
        *(
            SourceApi("peertube", home, _home(home), peertube_item_ref, peertube_query, peertube_statuses)
            for home in dict.fromkeys(one.rstrip("/") for one in instances)
        ),
    ]


# --- the Internet Archive: one item at a time, with the names of its files
def archive_item_ref(parts: SplitResult) -> ItemRef | None:
    path = parts.path
    name = archive_item_id(f"https://archive.org{path}")
    if not name:
        return None
    _, found, part = path.partition(f"/download/{name}/")
    part = unquote(part).strip("/") if found else ""
    return ItemRef(name, part) if is_safe_url_part(part or name) else None


def archive_query(base: str, names: Sequence[str]) -> tuple[str, int]:
    return f"{base}/metadata/{quote(names[0])}", 1


def archive_statuses(status: int, answer: object, names: Collection[str]) -> dict[str, ApiStatus]:
    """`{}` is a missing item, `is_dark` a withdrawn one; a file may be missing from its item."""
    if status != 200 or not isinstance(answer, Mapping) or answer.get("error"):
        raise UnreadableResponse("the archive sent no item")
    if not answer:
        return dict.fromkeys(names, ApiStatus(MISSING))
    if answer.get("is_dark") is True or as_text(answer.get("is_dark")).lower() == "true":
        return dict.fromkeys(names, ApiStatus(WITHDRAWN))
    identifier = as_text(as_mapping(answer.get("metadata")).get("identifier"))
    if {identifier} != set(names):
        raise UnreadableResponse("the archive sent another item")
    return {identifier: ApiStatus(AVAILABLE, _archive_files(answer))}


def _archive_files(answer: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the status of each file by name; None if the list is incomplete."""
    files = answer.get("files")
    if not isinstance(files, list) or as_int(answer.get("files_count")) not in (None, len(files)):
        return None
    return {
        _normalize_unicode(str(file.get("name"))): PRIVATE
        if as_text(file.get("private")).lower() == "true"
        else AVAILABLE
        for file in as_mappings(files, maximum=len(files))
    }


def _file_status(name: str, files: Mapping[str, str]) -> str:
    if name in files:
        return files[name]
    # A folder of files, or something within an archive file.
    is_within = any(other.startswith(f"{name}/") or name.startswith(f"{other}/") for other in files)
    return AVAILABLE if is_within else MISSING


# --- Wikimedia Commons: fifty files at a time
def commons_item_ref(parts: SplitResult) -> ItemRef | None:
    path = parts.path
    found = UPLOAD.fullmatch(path)
    if found is None:
        name = commons_file_name(f"https://commons.wikimedia.org{path}")
    else:
        # A smaller version is in a folder with the name of the file.
        name = unquote(found[2]).replace("_", " ") if bool(found[1]) == bool(found[3]) else ""
    name = _normalize_unicode(" ".join(name.split()))
    return (
        ItemRef(name[:1].upper() + name[1:])
        if is_safe_url_part(name) and not FORBIDDEN_IN_COMMONS_NAMES.search(name)
        else None
    )


def commons_query(base: str, names: Sequence[str]) -> tuple[str, int]:
    titles: list[str] = []
    left = MAX_QUERY_BYTES
    for name in names[:COMMONS_BATCH_SIZE]:
        left -= len(quote(f"|File:{name}", safe=""))
        if titles and left < 0:
            break
        titles.append(f"File:{name}")
    query = {"action": "query", "format": "json", "formatversion": "2", "redirects": "1", "maxlag": "5"}
    query |= {"prop": "imageinfo", "iiprop": "timestamp", "titles": "|".join(titles)}
    return f"{base}?{urlencode(query)}", len(titles)


def commons_statuses(status: int, answer: object, names: Collection[str]) -> dict[str, ApiStatus]:
    """A page that is `missing` is a deleted file, unless it is `known` and has its data."""
    query = as_mapping(as_mapping(answer).get("query"))
    pages = query.get("pages")
    if status != 200 or as_mapping(answer).get("error") or not isinstance(pages, Mapping | list):
        raise UnreadableResponse("Commons sent no pages")
    statuses = {
        page.get("title"): reason for page in as_mappings(pages) if (reason := _commons_status(page)) is not None
    }
    renamed = {one.get("from"): one.get("to") for one in _title_changes(query) if isinstance(one.get("to"), str)}
    titles: dict[str, object] = {name: f"File:{name}" for name in names}
    # First the normalized spelling of a title, then the new name of a renamed file.
    for _ in ("normalized", "redirects"):
        titles = {name: renamed.get(title, title) for name, title in titles.items()}
    return {name: ApiStatus(statuses[title]) for name, title in titles.items() if title in statuses}


def _title_changes(query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from as_mappings(query.get("normalized"))
    yield from as_mappings(query.get("redirects"))


def _commons_status(page: Mapping[str, Any]) -> str | None:
    if page.get("imageinfo") or page.get("videoinfo"):
        return AVAILABLE
    # The older format writes `missing` as an empty text.
    is_missing = page.get("missing") in (True, "") and page.get("known") in (None, False)
    return MISSING if is_missing else None


# --- PeerTube: one video at a time, at its instance
def peertube_item_ref(parts: SplitResult) -> ItemRef | None:
    found = WATCH_PAGE.fullmatch(parts.path) or PLAYLIST_FILE.fullmatch(parts.path)
    return ItemRef(found[1]) if found else None


def peertube_query(base: str, names: Sequence[str]) -> tuple[str, int]:
    return f"{base}/api/v1/videos/{quote(names[0])}", 1


def peertube_statuses(status: int, answer: object, names: Collection[str]) -> dict[str, ApiStatus]:
    """A deleted video is a 404 with data; a 404 without data does not come from PeerTube."""
    stated = as_mapping(answer)
    if status == 404 and any(name in stated for name in ("error", "detail", "code")):
        return dict.fromkeys(names, ApiStatus(MISSING))
    if status == 200 and as_text(stated.get("uuid")):
        return dict.fromkeys(names, ApiStatus(AVAILABLE))
    if status in (401, 403) and stated:
        return {}  # Not public: whether it is still available is not stated.
    raise UnreadableResponse("the instance sent no video")


def _home(base: str) -> dict[str, str]:
    parts = urlsplit(base)
    return {parts.netloc: parts.path.rstrip("/")}


def _normalize_unicode(name: str) -> str:
    """Return the composed form: URLs and lists write accents in either of two ways."""
    return unicodedata.normalize("NFC", name)
