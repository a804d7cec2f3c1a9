"""Views for players and mirrors: Stremio add-on, M3U playlist, JSONL export. CORS allows every site."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.templatetags.static import static
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from streaming.catalogue_query import CatalogueQuery
from streaming.exchange import jsonl, loader, m3u, stremio
from streaming.exchange.export_files import ExportFile, ExportUnavailable, get_export_file
from streaming.models import Movie
from streaming.ranking import accepted_languages
from streaming.scraping.page_visits import refresh_on_request

DESCRIPTION = "Films and shows that may lawfully be watched for free, with links that are checked."
LOGO = "img/icon-512.png"
ACCEPTS_GZIP = re.compile(r"\bgzip\b")
UNAVAILABLE, RETRY_AFTER_SECONDS = "The export is not ready. Try again in a few seconds.", 10
CACHE_SECONDS = {"manifest": 3600, "catalogue": 300, "meta": 300, "streams": 300, "no streams": 60, "export": 300}


@require_safe
def stremio_manifest(request: HttpRequest) -> HttpResponse:
    """The manifest of the add-on."""
    logo = request.build_absolute_uri(static(LOGO))
    manifest = stremio.build_manifest(
        version=settings.VERSION, name=settings.SITE_NAME, description=DESCRIPTION, logo=logo
    )
    return _json(manifest, age=CACHE_SECONDS["manifest"])


@require_safe
def stremio_catalogue(request: HttpRequest, kind: str, key: str, extra: str = "") -> HttpResponse:
    """A page of the movies with a working link."""
    if stremio.CATALOGUE_IDS.get(kind) != key:
        return stremio_not_found(request)
    options = stremio.parse_extra(extra)
    of_type = Movie.objects.shown().filter(type=stremio.MOVIE_TYPE_BY_STREMIO_TYPE[kind])
    movies = CatalogueQuery(search=options.search, has_links=True).apply(of_type)
    page = movies[options.skip : options.skip + stremio.PAGE_SIZE]
    entries = (loader.to_entry(movie, []) for movie in page)
    return _json(stremio.build_catalogue(entries, site=_base_url(request)), age=CACHE_SECONDS["catalogue"])


@require_safe
def stremio_meta(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """The description of one movie."""
    movie = _movie(kind, stremio.parse_video_id(key))
    if movie is None:
        return stremio_not_found(request)
    entry = loader.to_entry(movie, list(movie.links.active()))
    return _json(stremio.build_meta(entry, site=_base_url(request)), age=CACHE_SECONDS["meta"])


@require_safe
def stremio_streams(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """The working links of a movie; like opening its page, the request may start a scrape job."""
    video = stremio.parse_video_id(key)
    movie = _movie(kind, video)
    if movie is None or video is None:
        return _json({"streams": []}, age=CACHE_SECONDS["no streams"])
    refresh_on_request(request, movie, requested_by="stremio")
    languages = accepted_languages(request.headers.get("Accept-Language", ""))
    found = stremio.build_streams(loader.to_entry(movie, list(movie.links.active()), languages=languages), video)
    return _json(found, age=CACHE_SECONDS["streams" if found["streams"] else "no streams"])


@require_safe
def stremio_not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """404 as JSON."""
    return JsonResponse({"detail": "There is nothing at this URL."}, status=404)


@require_safe
def m3u_playlist(request: HttpRequest) -> HttpResponseBase:
    """All links that players can open, as M3U."""
    return _export_response(request, "openreel.m3u8", _m3u_lines, content_type="audio/x-mpegurl")


@require_safe
def jsonl_export(request: HttpRequest) -> HttpResponseBase:
    """Every movie with its active links, one per line, in the format of `import_catalogue`."""
    return _export_response(request, "openreel.jsonl", _jsonl_lines, content_type="application/x-ndjson")


def _m3u_lines() -> Iterator[str]:
    return m3u.write_m3u(loader.load_entries(Movie.objects.playable()), site=settings.SITE_URL)


def _jsonl_lines() -> Iterator[str]:
    return jsonl.write_jsonl(loader.load_entries())


def _movie(kind: str, video: stremio.VideoId | None) -> Movie | None:
    if video is None or kind not in stremio.MOVIE_TYPE_BY_STREMIO_TYPE:
        return None
    shown = Movie.objects.shown()
    return shown.filter(imdb_id=video.imdb_id, type=stremio.MOVIE_TYPE_BY_STREMIO_TYPE[kind]).first()


def _base_url(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def _json(body: dict[str, Any], *, age: int) -> JsonResponse:
    response = JsonResponse(body)
    patch_cache_control(response, public=True, max_age=age)
    return response


def _export_response(
    request: HttpRequest, name: str, make_lines: Callable[[], Iterable[str]], *, content_type: str
) -> HttpResponseBase:
    """Send an export from its file, compressed for clients that accept it; 503 while there is none."""
    try:
        file = get_export_file(name, make_lines)
        response = _file_response(request, file, content_type=f"{content_type}; charset=utf-8")
    except (ExportUnavailable, FileNotFoundError):
        return JsonResponse({"detail": UNAVAILABLE}, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    response["Content-Disposition"] = f'inline; filename="{name}"'
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS["export"])
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _file_response(request: HttpRequest, file: ExportFile, *, content_type: str) -> HttpResponseBase:
    compressed = ACCEPTS_GZIP.search(request.headers.get("Accept-Encoding", "")) is not None
    tag = f'"{file.digest}{"-gzip" if compressed else ""}"'
    unchanged = get_conditional_response(request, etag=tag, last_modified=int(file.made_at))
    if unchanged is not None:
        return unchanged
    response = FileResponse(file.path(compressed=compressed).open("rb"), content_type=content_type)
    response["ETag"], response["Last-Modified"] = tag, http_date(file.made_at)
    if compressed:
        response["Content-Encoding"] = "gzip"
    return response
