"""Small generated files: posters and robots.txt."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from streaming.formatting import display_text
from streaming.models import Movie
from streaming.web import posters
from streaming.web.error_pages import not_found

IMMUTABLE_SECONDS, SHORT_CACHE_SECONDS = 31_536_000, 300


def _poster_version(movie: Movie) -> str:
    return posters.poster_version(
        movie.imdb_id, title=movie.title, year=movie.year, is_show=movie.type == Movie.Type.SHOW
    )


@require_safe
def poster_image(request: HttpRequest, imdb_id: str) -> HttpResponse:
    """The generated poster; the URL with its current version is cached for a year, any other for 5 minutes."""
    found = Movie.objects.shown().by_identifier(imdb_id).first()
    if found is None or found.imdb_id != imdb_id:
        return not_found(request, None)
    version, is_glow = _poster_version(found), bool(request.GET.get("glow"))
    etag = f'"{version}{"-glow" if is_glow else ""}"'
    response = get_conditional_response(request, etag=etag) or HttpResponse(
        _render_poster(found, is_glow=is_glow), content_type="image/svg+xml"
    )
    response.headers["ETag"] = etag
    if request.GET.get("v") == version:
        patch_cache_control(response, public=True, max_age=IMMUTABLE_SECONDS, immutable=True)
    else:
        patch_cache_control(response, public=True, max_age=SHORT_CACHE_SECONDS)
    return response


def _render_poster(movie: Movie, *, is_glow: bool) -> str:
    if is_glow:
        return posters.render_glow(movie.imdb_id)
    is_show = movie.type == Movie.Type.SHOW
    return posters.render_poster(movie.imdb_id, title=display_text(movie.title), year=movie.year, is_show=is_show)


@require_safe
@cache_control(public=True, max_age=3600)
def robots_txt(request: HttpRequest) -> HttpResponse:
    """Which pages crawlers may read: not jobs, API, admin or lists with a query."""
    lines = ["User-agent: *", "Disallow: /jobs/", "Disallow: /api/", "Disallow: /admin/"]
    lines += ["Disallow: /*?", f"Sitemap: {request.build_absolute_uri(reverse('sitemap'))}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
