"""The door for players and mirrors: Stremio add-on, playlist, the whole catalogue. Open to every site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.templatetags.static import static
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from streaming.exchange import jsonl, m3u, shelf, stremio
from streaming.models import Movie, StreamingLink
from streaming.ranking import accepted_languages
from streaming.scraping.visits import visit

DESCRIPTION = "Films and shows that may lawfully be watched for free, with links that are checked."
LOGO = "img/favicon.svg"
LINES_A_PIECE = 100
AGES = {"manifest": 3600, "catalogue": 300, "meta": 300, "streams": 300, "no streams": 60, "export": 300}


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What the add-on offers."""
    logo = request.build_absolute_uri(static(LOGO))
    described = stremio.manifest(version=settings.VERSION, name=settings.SITE_NAME, description=DESCRIPTION, logo=logo)
    return _json(described, age=AGES["manifest"])


@require_safe
def catalogue(request: HttpRequest, kind: str, key: str, extra: str = "") -> HttpResponse:
    """A page of the movies that can be watched now."""
    if stremio.CATALOGUES.get(kind) != key:
        return nowhere(request)
    asked = stremio.read_extra(extra)
    movies = Movie.objects.filter(type=stremio.TYPES[kind]).search(asked.search).watchable()
    page = movies.order_by("search_title", "id")[asked.skip : asked.skip + stremio.PAGE]
    entries = (shelf.entry(movie, []) for movie in page)
    return _json(stremio.catalogue(entries, site=_site(request)), age=AGES["catalogue"])


@require_safe
def meta(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """One movie described."""
    movie = _movie(kind, stremio.read_video(key))
    if movie is None:
        return nowhere(request)
    entry = shelf.entry(movie, list(movie.links.active()))
    return _json(stremio.meta(entry, site=_site(request)), age=AGES["meta"])


@require_safe
def streams(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Where it can be watched; asking counts as opening the movie's page, so what is missing is looked for."""
    video = stremio.read_video(key)
    movie = _movie(kind, video)
    if movie is None or video is None:
        return _json({"streams": []}, age=AGES["no streams"])
    visit(request, movie, requested_by="stremio")
    languages = accepted_languages(request.headers.get("Accept-Language", ""))
    found = stremio.streams(shelf.entry(movie, list(movie.links.active()), languages=languages), video)
    return _json(found, age=AGES["streams" if found["streams"] else "no streams"])


@require_safe
def nowhere(request: HttpRequest, rest: str = "") -> HttpResponse:
    return JsonResponse({"detail": "There is nothing at this address."}, status=404)


@require_safe
def playlist(request: HttpRequest) -> StreamingHttpResponse:
    """All that players can open, as M3U."""
    playable = StreamingLink.objects.active().filter(kind__in=("file", "stream"))
    movies = Movie.objects.filter(pk__in=playable.values("movie"))
    return _streamed(request, m3u.write(shelf.entries(movies)), "audio/x-mpegurl", "openreel.m3u8")


@require_safe
def dump(request: HttpRequest) -> StreamingHttpResponse:
    """Every movie with its active links, a line each, as `import_catalogue` reads it."""
    return _streamed(request, jsonl.write(shelf.entries()), "application/x-ndjson", "openreel.jsonl")


def _movie(kind: str, video: stremio.Video | None) -> Movie | None:
    if video is None or kind not in stremio.TYPES:
        return None
    return Movie.objects.filter(imdb_id=video.imdb_id, type=stremio.TYPES[kind]).first()


def _site(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def _json(body: dict[str, Any], *, age: int) -> JsonResponse:
    response = JsonResponse(body)
    patch_cache_control(response, public=True, max_age=age)
    return response


def _streamed(request: HttpRequest, lines: Iterable[str], content_type: str, filename: str) -> StreamingHttpResponse:
    # A server would read the whole catalogue to answer HEAD, and throw it away.
    pieces = () if request.method == "HEAD" else _pieces(lines)
    response = StreamingHttpResponse(pieces, content_type=f"{content_type}; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{filename}"'
    patch_cache_control(response, public=True, max_age=AGES["export"])
    return response


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """A few lines at a time: a line by itself would cost a write and a compression each."""
    rest = iter(lines)
    while piece := "".join(islice(rest, LINES_A_PIECE)):
        yield piece
