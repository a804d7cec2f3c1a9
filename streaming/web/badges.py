"""A small picture for other sites that says how many links of a movie work."""

from __future__ import annotations

from hashlib import blake2b
from xml.sax.saxutils import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from streaming.models import Movie
from streaming.models.movie import attach_working_counts
from streaming.web.error_pages import not_found

CACHE_SECONDS = 300
LETTER_WIDTH, PADDING, HEIGHT = 6.6, 8, 20
GOOD, UNCHECKED, NONE = "#2b6e3f", "#5c5648", "#8c3a32"
"""All have a contrast of 4.5 or more with white."""


@require_safe
def badge(request: HttpRequest, imdb_id: str) -> HttpResponse:
    """The badge of a movie by its IMDb id; 404 for one that is not shown here, so that nobody keeps its badge."""
    movie = Movie.objects.shown().by_identifier(imdb_id).first()
    if movie is None or movie.imdb_id != imdb_id:
        return not_found(request, None)
    attach_working_counts([movie])
    body = draw_badge(settings.SITE_NAME, *_state(movie))
    etag = f'"{blake2b(body.encode(), digest_size=12).hexdigest()}"'
    response = get_conditional_response(request, etag=etag) or HttpResponse(body, content_type="image/svg+xml")
    response.headers["ETag"] = etag
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS)
    return response


def draw_badge(label: str, text: str, colour: str) -> str:
    """A badge with two fields, as SVG."""
    left, right = (round(len(one) * LETTER_WIDTH + 2 * PADDING) for one in (label, text))
    label, text = (escape(one, {'"': "&quot;"}) for one in (label, text))
    width = left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" role="img" '
        f'aria-label="{label}: {text}"><title>{label}: {text}</title>'
        f'<rect width="{width}" height="{HEIGHT}" rx="3" fill="#2a2732"/>'
        f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{left}z" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14">{label}</text><text x="{left + right / 2:g}" y="14">{text}</text></g></svg>'
    )


def _state(movie: Movie) -> tuple[str, str]:
    """What the badge says of a movie, and its colour."""
    if number := movie.working_count:
        return ngettext("%(number)d working link", "%(number)d working links", number) % {"number": number}, GOOD
    return (gettext("not checked yet"), UNCHECKED) if movie.active_link_count else (gettext("no working link"), NONE)
