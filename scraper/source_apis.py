"""What a source's own interface says of links whose web pages answer well: for which addresses it can vouch, how it is
asked about many of them at once, and what its answer means. Pure: one small function a source for each of these.

An item that the archive has withdrawn still answers 200 on the web; its interface tells.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlencode, urlsplit

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
"""What may be said of a link: it is there, or why it is gone."""
COMMONS_BATCH_SIZE = 50
MAX_QUERY_BYTES = 6_000
"""Titles of one question, in bytes of its address: servers refuse addresses of more than 8,000."""
UPLOAD = re.compile(r"/wikipedia/commons/(transcoded/)?[0-9a-f]/[0-9a-f]{2}/([^/]+)(/[^/]+)?")
WATCH_PAGE = re.compile(r"/(?:w|videos/watch|videos/embed)/([A-Za-z0-9-]{1,60})/?")
# The files of a playlist lie in a folder named after the video. Those beside it (/static/web-videos/) carry a UUID of
# their own, by which no video is found: of them nothing is known.
PLAYLIST_FILE = re.compile(
    r"/static/streaming-playlists/hls/(?:private/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/.+"
)


class ApiStatus(NamedTuple):
    """What was said of one name; `parts`: of each file within it, None: of none of them."""

    reason: str
    parts: Mapping[str, str] | None = None

    def reason_for(self, part: str) -> str | None:
        """The word on the whole or on a part of it; None: nothing was said of that."""
        if self.reason or not part:
            return self.reason
        return _word_of_file(_normalize_unicode(part), self.parts) if self.parts else None


class ItemRef(NamedTuple):
    """What a link is about in its source's words: the `name` of an item, file or video; `part`: a file within it."""

    name: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class SourceApi:
    """One interface. `base` is where it answers; `places` are the hosts (with unusual ports) of its links, each with
    the path below which they lie. `question` is the address that asks for the first of these names, as many as go into
    one question; `says` reads the answer and raises Unreadable when it is not what the source sends."""

    slug: str
    base: str
    netlocs: Mapping[str, str]
    parse_path: Callable[[str], ItemRef | None]
    build_query: Callable[[str, Sequence[str]], tuple[str, int]]
    parse_statuses: Callable[[int, object, Collection[str]], dict[str, ApiStatus]]
    batch_size: int = 1

    @property
    def host(self) -> str:
        return urlsplit(self.base).hostname or ""

    @property
    def hosts(self) -> list[str]:
        """The hosts of its links, without ports."""
        return list(dict.fromkeys(urlsplit(f"//{place}").hostname or "" for place in self.netlocs))

    def item_for_url(self, url: str) -> ItemRef | None:
        """What an address is about; None: this interface can say nothing of it."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        beginning = self.netlocs.get(parts.netloc)
        if beginning is None or not parts.path.startswith(f"{beginning}/"):
            return None
        return self.parse_path(parts.path[len(beginning) :])


def source_apis(*, archive: str, commons: str, instances: Iterable[str]) -> list[SourceApi]:
    """All interfaces that we know to ask, at these addresses (which may be a mirror's or a test server's)."""
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


# --- the Internet Archive: an item at a time, with the names of its files
def archive_item_ref(path: str) -> ItemRef | None:
    name = archive_item_id(f"https://archive.org{path}")
    if not name:
        return None
    _, found, part = path.partition(f"/download/{name}/")
    part = unquote(part).strip("/") if found else ""
    return ItemRef(name, part) if is_safe_url_part(part or name) else None


def archive_query(base: str, names: Sequence[str]) -> tuple[str, int]:
    return f"{base}/metadata/{quote(names[0])}", 1


def archive_statuses(status: int, answer: object, asked: Collection[str]) -> dict[str, ApiStatus]:
    """`{}` is an item that is not there, `is_dark` one that was withdrawn; a file may have gone from its item."""
    if status != 200 or not isinstance(answer, Mapping) or answer.get("error"):
        raise UnreadableResponse("the archive sent no item")
    if not answer:
        return dict.fromkeys(asked, ApiStatus(MISSING))
    if answer.get("is_dark") is True or as_text(answer.get("is_dark")).lower() == "true":
        return dict.fromkeys(asked, ApiStatus(WITHDRAWN))
    identifier = as_text(as_mapping(answer.get("metadata")).get("identifier"))
    if {identifier} != set(asked):
        raise UnreadableResponse("the archive sent another item")
    return {identifier: ApiStatus(AVAILABLE, _archive_files(answer))}


def _archive_files(answer: Mapping[str, Any]) -> dict[str, str] | None:
    """Each file's word by its name; None when the list is not all of them."""
    files = answer.get("files")
    if not isinstance(files, list) or as_int(answer.get("files_count")) not in (None, len(files)):
        return None
    return {
        _normalize_unicode(str(file.get("name"))): PRIVATE
        if as_text(file.get("private")).lower() == "true"
        else AVAILABLE
        for file in as_mappings(files, maximum=len(files))
    }


def _word_of_file(name: str, files: Mapping[str, str]) -> str:
    if name in files:
        return files[name]
    # A folder of files, or something within a packed one.
    is_within = any(other.startswith(f"{name}/") or name.startswith(f"{other}/") for other in files)
    return AVAILABLE if is_within else MISSING


# --- Wikimedia Commons: fifty files at a time
def commons_item_ref(path: str) -> ItemRef | None:
    found = UPLOAD.fullmatch(path)
    if found is None:
        name = commons_file_name(f"https://commons.wikimedia.org{path}")
    else:
        # A smaller version lies in a folder of the file's name.
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


def commons_statuses(status: int, answer: object, asked: Collection[str]) -> dict[str, ApiStatus]:
    """A page that is `missing` is a file that was deleted, unless it is `known` and has its data all the same."""
    query = as_mapping(as_mapping(answer).get("query"))
    pages = query.get("pages")
    if status != 200 or as_mapping(answer).get("error") or not isinstance(pages, Mapping | list):
        raise UnreadableResponse("Commons sent no pages")
    words = {page.get("title"): word for page in as_mappings(pages) if (word := _commons_word(page)) is not None}
    led = {one.get("from"): one.get("to") for one in _leads(query) if isinstance(one.get("to"), str)}
    titles: dict[str, object] = {name: f"File:{name}" for name in asked}
    # First how a title is really spelled, then where a renamed file has gone.
    for _ in ("normalized", "redirects"):
        titles = {name: led.get(title, title) for name, title in titles.items()}
    return {name: ApiStatus(words[title]) for name, title in titles.items() if title in words}


def _leads(query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from as_mappings(query.get("normalized"))
    yield from as_mappings(query.get("redirects"))


def _commons_word(page: Mapping[str, Any]) -> str | None:
    if page.get("imageinfo") or page.get("videoinfo"):
        return AVAILABLE
    # The older format says `missing` with an empty text.
    is_missing = page.get("missing") in (True, "") and page.get("known") in (None, False)
    return MISSING if is_missing else None


# --- PeerTube: a video at a time, at the instance that has it
def peertube_item_ref(path: str) -> ItemRef | None:
    found = WATCH_PAGE.fullmatch(path) or PLAYLIST_FILE.fullmatch(path)
    return ItemRef(found[1]) if found else None


def peertube_query(base: str, names: Sequence[str]) -> tuple[str, int]:
    return f"{base}/api/v1/videos/{quote(names[0])}", 1


def peertube_statuses(status: int, answer: object, asked: Collection[str]) -> dict[str, ApiStatus]:
    """A video that was deleted is a 404 with data; one without data is not PeerTube's own."""
    stated = as_mapping(answer)
    if status == 404 and any(name in stated for name in ("error", "detail", "code")):
        return dict.fromkeys(asked, ApiStatus(MISSING))
    if status == 200 and as_text(stated.get("uuid")):
        return dict.fromkeys(asked, ApiStatus(AVAILABLE))
    if status in (401, 403) and stated:
        return {}  # Not for everybody: whether it is still there is not said.
    raise UnreadableResponse("the instance sent no video")


def _home(base: str) -> dict[str, str]:
    parts = urlsplit(base)
    return {parts.netloc: parts.path.rstrip("/")}


def _normalize_unicode(name: str) -> str:
    """One spelling of accents: addresses and lists write them in either of two ways."""
    return unicodedata.normalize("NFC", name)
