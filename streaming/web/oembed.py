"""oEmbed (https://oembed.com/): what other programs show for a link to a movie's page."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from streaming.drawing.posters import HEIGHT, WIDTH
from streaming.formatting import display_text
from streaming.models import Movie

CACHE_SECONDS = 3600
FORMAT_MISSING = "Only json is offered."
MAX_URL_LENGTH = 2000


@require_safe
def oembed(request: HttpRequest) -> HttpResponse:
    """The response of type `link` for `?url=` of a movie's page on this site; 404 for any other URL, 501 for XML."""
    if request.GET.get("format", "json") != "json":
        return JsonResponse({"detail": FORMAT_MISSING}, status=501)
    movie = _movie_at(request, request.GET.get("url", ""))
    if movie is None:
        return JsonResponse({"detail": "There is no movie at this URL."}, status=404)
    here = request.build_absolute_uri
    body: dict[str, str | int] = {
        "version": "1.0",
        "type": "link",
        "title": display_text(str(movie)),
        "provider_name": settings.SITE_NAME,
        "provider_url": here("/"),
        "cache_age": CACHE_SECONDS,
    }
    if _permits(request, "maxwidth", WIDTH) and _permits(request, "maxheight", HEIGHT):
        body |= {
            "thumbnail_url": here(reverse("cover", args=[movie.imdb_id])),
            "thumbnail_width": WIDTH,
            "thumbnail_height": HEIGHT,
        }
    response = JsonResponse(body)
    response.headers["Access-Control-Allow-Origin"] = "*"
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS)
    return response


def oembed_url(request: HttpRequest, page: str) -> str:
    """Where the oEmbed response for a movie's page is."""
    return f"{request.build_absolute_uri(reverse('oembed'))}?{urlencode({'url': page})}"


def _movie_at(request: HttpRequest, url: str) -> Movie | None:
    """The movie whose page this URL is; None for another page or site."""
    try:
        parts = urlsplit(url[:MAX_URL_LENGTH])
        if parts.scheme not in ("http", "https") or parts.netloc.lower() != request.get_host().lower():
            return None
        found = resolve(parts.path)
    except (ValueError, Resolver404):
        return None
    if found.url_name != "movie":
        return None
    return Movie.objects.shown().by_identifier(found.kwargs["identifier"]).first()


def _permits(request: HttpRequest, name: str, size: int) -> bool:
    """Whether a picture of this size fits; a limit that is no number is none."""
    text = request.GET.get(name, "")
    return not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) < size)
