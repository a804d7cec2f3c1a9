"""Views for players and mirrors: Stremio add-on, M3U playlist, JSONL export. CORS allows every site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.templatetags.static import static
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from streaming.exchange import jsonl, loader, m3u, stremio
from streaming.models import Movie, StreamingLink
from streaming.ranking import accepted_languages
from streaming.scraping.page_visits import refresh_on_request

DESCRIPTION = "Films and shows that may lawfully be watched for free, with links that are checked."
LOGO = "img/favicon.svg"
LINES_PER_CHUNK = 100
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
    movies = of_type.search(options.search).watchable()
    page = movies.order_by("search_title", "id")[options.skip : options.skip + stremio.PAGE_SIZE]
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
def m3u_playlist(request: HttpRequest) -> StreamingHttpResponse:
    """All links that players can open, as M3U."""
    playable = StreamingLink.objects.active().filter(kind__in=("file", "stream"))
    movies = Movie.objects.filter(pk__in=playable.values("movie"))
    return _streaming_response(request, m3u.write_m3u(loader.load_entries(movies)), "audio/x-mpegurl", "openreel.m3u8")


@require_safe
def jsonl_export(request: HttpRequest) -> StreamingHttpResponse:
    """Every movie with its active links, one per line, in the format of `import_catalogue`."""
    return _streaming_response(
        request, jsonl.write_jsonl(loader.load_entries()), "application/x-ndjson", "openreel.jsonl"
    )


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


def _streaming_response(
    request: HttpRequest, lines: Iterable[str], content_type: str, filename: str
) -> StreamingHttpResponse:
    # For HEAD, a server would read the whole catalogue only to discard it.
    chunks = () if request.method == "HEAD" else _chunks(lines)
    response = StreamingHttpResponse(chunks, content_type=f"{content_type}; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{filename}"'
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS["export"])
    return response


def _chunks(lines: Iterable[str]) -> Iterator[str]:
    """Join `LINES_PER_CHUNK` lines at a time, because each chunk costs a write and a compression."""
    rest = iter(lines)
    while chunk := "".join(islice(rest, LINES_PER_CHUNK)):
        yield chunk
