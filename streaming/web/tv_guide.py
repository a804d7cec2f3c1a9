"""Channels by genre for programs that show live television: a playlist, a guide, and what is on now.

We send nobody a film: a channel redirects to the file of the film that is on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TypeGuard

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from scraper.extraction.genres import GENRES
from streaming.api.filters import ListParameters
from streaming.catalogue_query import CatalogueQuery
from streaming.exchange import loader, xmltv
from streaming.exchange.entries import MovieEntry
from streaming.exchange.export_files import Export
from streaming.models import Movie, MovieFacet
from streaming.web.error_pages import bad_parameters
from streaming.web.exports import send_export

MAX_CHANNEL_FILMS = 200
"""Of a genre, the best known: more than two days of them."""
GUIDE_DAYS = 3
CACHE_SECONDS = 300
NOTHING_ON = "Nothing is on this channel now."


@require_safe
def channels(request: HttpRequest) -> HttpResponse:
    """The playlist of the channels."""
    if (refused := _refuse_parameters(request)) is not None:
        return refused
    listed = [
        (genre, request.build_absolute_uri(reverse("channel", args=[genre])))
        for genre in _genres()
        if _slots(genre, timezone.now().date())
    ]
    guide = request.build_absolute_uri(reverse("guide"))
    text = "".join(xmltv.write_channels(listed, guide=guide))
    response = HttpResponse(text, content_type="audio/x-mpegurl; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="channels.m3u8"'
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS)
    return response


@require_safe
def guide(request: HttpRequest) -> HttpResponseBase:
    """What is on each channel today and on the following days, as XMLTV."""
    if (refused := _refuse_parameters(request)) is not None:
        return refused
    export = Export(name="guide.xml", make=_guide_chunks)
    return send_export(request, export, content_type="application/xml; charset=utf-8", file_name="guide.xml")


@require_safe
def channel(request: HttpRequest, slug: str) -> HttpResponse:
    """Lead to the file of the film that is on; 404 if there is none."""
    now = timezone.now()
    slots = _slots(slug, now.date()) if slug in GENRES else []
    on_air = next((imdb_id for imdb_id, _, stop in slots if now.timestamp() < stop), "")
    movie = Movie.objects.shown().filter(imdb_id=on_air).first()
    playable = loader.to_entry(movie, list(movie.links.active())).playable_links if movie else ()
    if not playable:
        return JsonResponse({"detail": NOTHING_ON}, status=404, headers={"Cache-Control": "no-store"})
    return HttpResponseRedirect(playable[0].source_url, headers={"Cache-Control": "no-store"})


def _refuse_parameters(request: HttpRequest) -> JsonResponse | None:
    parameters = ListParameters(request.GET, filters=(), orderings=())
    return None if parameters.is_valid() else bad_parameters(parameters.errors)


def _genres() -> list[str]:
    """The genres of the catalogue, in the order of the list of all."""
    available = set(MovieFacet.objects.values_of("genre"))
    return [genre for genre in GENRES if genre in available]


def _films(genre: str) -> list[MovieEntry]:
    query = CatalogueQuery(type="movie", genre=genre, has_links=True, order="known")
    return list(loader.load_list(query.apply(Movie.objects.shown().playable())[:MAX_CHANNEL_FILMS]))


def _guide_chunks() -> Iterator[bytes]:
    today = timezone.now().date()
    found = {genre: _films(genre) for genre in _genres()}
    schedules = {genre: films for genre, films in found.items() if xmltv.day_schedule(films, genre=genre, day=today)}
    days = [today + timedelta(days=number) for number in range(GUIDE_DAYS)]
    lines = xmltv.write_guide(schedules, days=days, site=settings.SITE_URL, site_name=settings.SITE_NAME)
    return map(str.encode, lines)


def _slots(genre: str, day: date) -> list[tuple[str, float, float]]:
    """The IMDb ids of a day, each with its start and stop in seconds since 1970."""
    key = f"channel:{genre}:{day.isoformat()}"
    known = cache.get(key)
    if not _is_slots(known):
        programmes = xmltv.day_schedule(_films(genre), genre=genre, day=day)
        known = [[one.entry.imdb_id, one.start.timestamp(), one.stop.timestamp()] for one in programmes]
        cache.set(key, known, CACHE_SECONDS)
    return [(imdb_id, start, stop) for imdb_id, start, stop in known]


def _is_slots(value: object) -> TypeGuard[list[tuple[str, float, float]]]:
    """Whether a cached value has the form of slots; others may write to the cache."""
    return isinstance(value, list) and all(
        isinstance(one, list | tuple) and len(one) == 3 and isinstance(one[0], str) and isinstance(one[2], float)
        for one in value
    )
