"""Exports for players and mirrors, sent from files: the whole catalogue, or a list with any of its filters.

CORS allows every site.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from streaming.api.filters import EXPORT_ORDERINGS, ListParameters
from streaming.drawing.covers import Subject, draw_picture
from streaming.exchange import csv, jsonl, library, loader, m3u, zip_stream
from streaming.exchange.entries import MovieEntry
from streaming.exchange.export_files import LIST_PREFIX, Export, ExportFile, ExportUnavailable, get_export_file
from streaming.models import Movie, MovieQuerySet
from streaming.web.error_pages import bad_parameters
from streaming.web.picture_cache import find_picture, keep_picture

ACCEPTS_GZIP = re.compile(r"\bgzip\b")
UNAVAILABLE, RETRY_AFTER_SECONDS = "The export is not ready. Try again in a few seconds.", 10
CACHE_SECONDS = 300
DRAWING_SECONDS = 10
"""How long covers are drawn for one library.zip: those that are not drawn yet come with a later one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFormat:
    """A format of lists: the ending of its files, and how movies are written."""

    ending: str
    content_type: str
    write: Callable[[Iterator[MovieEntry]], Iterator[str]]
    movies: Callable[[], MovieQuerySet] = Movie.objects.all


def _write_m3u(entries: Iterator[MovieEntry]) -> Iterator[str]:
    return m3u.write_m3u(entries, site=settings.SITE_URL)


M3U = ListFormat(
    ending="m3u8", content_type="audio/x-mpegurl", write=_write_m3u, movies=lambda: Movie.objects.playable()
)
JSONL = ListFormat(ending="jsonl", content_type="application/x-ndjson", write=jsonl.write_jsonl)
CSV = ListFormat(ending="csv", content_type="text/csv", write=csv.write_csv)


@require_safe
def m3u_playlist(request: HttpRequest) -> HttpResponseBase:
    """The links that players can open, as M3U: the best of each movie and each part of a show."""
    return _send_list(request, M3U)


@require_safe
def jsonl_export(request: HttpRequest) -> HttpResponseBase:
    """Movies with their active links, one per line, in the format of `import_catalogue`."""
    return _send_list(request, JSONL)


@require_safe
def csv_export(request: HttpRequest) -> HttpResponseBase:
    """Active links, one per row."""
    return _send_list(request, CSV)


@require_safe
def library_zip(request: HttpRequest) -> HttpResponseBase:
    """What `export_catalogue --format library` writes, as a zip archive."""
    parameters = ListParameters(request.GET, filters=(), orderings=())
    if not parameters.is_valid():
        return bad_parameters(parameters.errors)
    export = Export(name="openreel.zip", make=_library_chunks, has_gzip=False)
    return send_export(request, export, content_type="application/zip", file_name="library.zip")


def _send_list(request: HttpRequest, format: ListFormat) -> HttpResponseBase:  # noqa: A002 - the usual word
    parameters = ListParameters(request.GET, orderings=EXPORT_ORDERINGS)
    if not parameters.is_valid():
        return bad_parameters(parameters.errors)
    content_type, file_name = f"{format.content_type}; charset=utf-8", f"openreel.{format.ending}"

    def make() -> Iterator[bytes]:
        movies = format.movies()
        found = loader.load_list(parameters.query.apply(movies)) if parameters.key else loader.load_entries(movies)
        return map(str.encode, format.write(found))

    name = f"{LIST_PREFIX}{parameters.key}.{format.ending}" if parameters.key else file_name
    export = Export(name=name, make=make, is_list=bool(parameters.key))
    return send_export(request, export, content_type=content_type, file_name=file_name)


def _library_chunks() -> Iterator[bytes]:
    entries = loader.load_entries(Movie.objects.playable())
    files = library.build_library(entries, site=settings.SITE_URL, site_name=settings.SITE_NAME, cover=_Covers().find)
    return zip_stream.write_zip((file.path, data) for movie in files for file in movie.files if (data := file.read()))


class _Covers:
    """The covers of one archive: kept ones, and as many new ones as can be drawn in the time for it."""

    def __init__(self) -> None:
        self.end = time.monotonic() + DRAWING_SECONDS

    def find(self, version: str, subject: Subject) -> bytes:
        """The cover as PNG; empty if the time is over."""
        kept = find_picture(version)
        if kept is not None or time.monotonic() > self.end:
            return kept or b""
        return keep_picture(version, draw_picture("cover", subject))


def send_export(request: HttpRequest, export: Export, *, content_type: str, file_name: str) -> HttpResponseBase:
    """Send an export from its file, compressed for clients that accept it; 503 while there is none."""
    try:
        file = get_export_file(export)
        response = _file_response(request, file, content_type=content_type)
    except (ExportUnavailable, FileNotFoundError):
        return JsonResponse({"detail": UNAVAILABLE}, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    response["Content-Disposition"] = f'inline; filename="{file_name}"'
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS)
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _file_response(request: HttpRequest, file: ExportFile, *, content_type: str) -> HttpResponse | FileResponse:
    compressed = file.has_gzip and ACCEPTS_GZIP.search(request.headers.get("Accept-Encoding", "")) is not None
    tag = f'"{file.digest}{"-gzip" if compressed else ""}"'
    unchanged = get_conditional_response(request, etag=tag, last_modified=int(file.made_at))
    if unchanged is not None:
        return unchanged
    response = FileResponse(file.path(compressed=compressed).open("rb"), content_type=content_type)
    response["ETag"], response["Last-Modified"] = tag, http_date(file.made_at)
    if compressed:
        response["Content-Encoding"] = "gzip"
    return response
