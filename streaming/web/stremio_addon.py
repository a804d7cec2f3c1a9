"""The Stremio add-on: the views of its protocol. CORS allows every site."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from scraper.extraction.genres import GENRES
from streaming.catalogue_query import CatalogueQuery
from streaming.exchange import loader, stremio
from streaming.models import Movie, MovieFacet
from streaming.ranking import accepted_languages
from streaming.scraping.page_visits import refresh_on_request
from streaming.search_words import parse_search

DESCRIPTION = "Films and shows that may lawfully be watched for free, with links that are checked."
LOGO = "img/icon-512.png"
CACHE_SECONDS = {"manifest": 3600, "catalogue": 300, "meta": 300, "streams": 300, "no streams": 60}


@require_safe
def stremio_manifest(request: HttpRequest) -> HttpResponse:
    """The manifest of the add-on."""
    logo = request.build_absolute_uri(static(LOGO))
    available = set(MovieFacet.objects.values_of("genre"))
    manifest = stremio.build_manifest(
        version=settings.VERSION,
        name=settings.SITE_NAME,
        description=DESCRIPTION,
        logo=logo,
        contact=settings.CONTACT,
        genres=[genre for genre in GENRES if genre in available],
    )
    return _json(manifest, age=CACHE_SECONDS["manifest"])


@require_safe
def stremio_catalogue(request: HttpRequest, kind: str, key: str, extra: str = "") -> HttpResponse:
    """A page of the movies with a working link: the best known, those of a genre, or what a search finds."""
    if stremio.CATALOGUE_IDS.get(kind) != key:
        return stremio_not_found(request)
    options = stremio.parse_extra(extra)
    genre = options.genre_slug
    if genre is None:
        return _json({"metas": []}, age=CACHE_SECONDS["catalogue"])
    query = CatalogueQuery(
        search=options.search,
        type=stremio.MOVIE_TYPE_BY_STREMIO_TYPE[kind],
        genre=genre,
        has_links=True,
        order="" if parse_search(options.search) else "known",
    )
    movies = query.apply(Movie.objects.shown())
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
    entry = loader.to_entry(movie, list(movie.links.active()), languages=languages)
    found = stremio.build_streams(entry, video, site=_base_url(request))
    return _json(found, age=CACHE_SECONDS["streams" if found["streams"] else "no streams"])


@require_safe
def stremio_not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """404 as JSON."""
    return JsonResponse({"detail": "There is nothing at this URL."}, status=404)


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
