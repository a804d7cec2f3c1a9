"""Small generated files: posters, covers, social cards, web manifest, OpenSearch description and robots.txt."""

from __future__ import annotations

from xml.sax.saxutils import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from streaming.drawing import covers, posters
from streaming.drawing.covers import Subject, titles_to_draw
from streaming.formatting import display_text
from streaming.models import Movie
from streaming.web.error_pages import not_found
from streaming.web.picture_cache import RETRY_AFTER_SECONDS, DrawingBusy, get_picture

IMMUTABLE_SECONDS, SHORT_CACHE_SECONDS = 31_536_000, 300
MAX_SHORT_NAME_LENGTH = 16
"""OpenSearch allows no longer name."""
# Lists by one parameter may be read; by several they are too many.
READABLE_LISTS = ("page", "type", "genre")


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
    _set_cache_time(request, response, version)
    return response


def _set_cache_time(request: HttpRequest, response: HttpResponse, version: str) -> None:
    if request.GET.get("v") == version:
        patch_cache_control(response, public=True, max_age=IMMUTABLE_SECONDS, immutable=True)
    else:
        patch_cache_control(response, public=True, max_age=SHORT_CACHE_SECONDS)


def _render_poster(movie: Movie, *, is_glow: bool) -> str:
    if is_glow:
        return posters.render_glow(movie.imdb_id)
    is_show = movie.type == Movie.Type.SHOW
    return posters.render_poster(movie.imdb_id, title=display_text(movie.title), year=movie.year, is_show=is_show)


def picture_subject(movie: Movie) -> Subject:
    """What the covers and cards of this movie show."""
    return Subject(
        imdb_id=movie.imdb_id,
        titles=tuple(map(display_text, titles_to_draw(movie.title, movie.original_title, movie.other_titles))),
        year=movie.year,
        is_show=movie.type == Movie.Type.SHOW,
        site_name=settings.SITE_NAME,
    )


@require_safe
def drawn_picture(request: HttpRequest, imdb_id: str, kind: str) -> HttpResponse:
    """The cover or the social card as PNG, cached like `poster_image`; 503 while too many are drawn at once."""
    found = Movie.objects.shown().by_identifier(imdb_id).first()
    if found is None or found.imdb_id != imdb_id:
        return not_found(request, None)
    subject = picture_subject(found)
    version = covers.picture_version(kind, subject)
    response = get_conditional_response(request, etag=f'"{version}"')
    if response is None:
        try:
            drawn = get_picture(version, lambda: covers.draw_picture(kind, subject))
        except DrawingBusy:
            return HttpResponse(status=503, headers={"Retry-After": RETRY_AFTER_SECONDS, "Cache-Control": "no-store"})
        response = HttpResponse(drawn, content_type="image/png")
    response.headers["ETag"] = f'"{version}"'
    _set_cache_time(request, response, version)
    return response


@require_safe
@cache_control(public=True, max_age=3600)
def web_manifest(request: HttpRequest) -> HttpResponse:
    """What a browser needs to install the site as an app."""
    sizes = (("icon-192.png", 192, "any"), ("icon-512.png", 512, "any"), ("icon-maskable-512.png", 512, "maskable"))
    icons = [
        {"src": static(f"img/{name}"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for name, size, purpose in sizes
    ]
    manifest = {
        "id": reverse("home"),
        "name": settings.SITE_NAME,
        "short_name": settings.SITE_NAME,
        "start_url": reverse("home"),
        "scope": reverse("home"),
        "display": "minimal-ui",  # with a Back button: every page links to another site
        "background_color": "#faf8f5",
        "theme_color": "#faf8f5",
        "icons": icons,
    }
    return JsonResponse(manifest, content_type="application/manifest+json")


@require_safe
@cache_control(public=True, max_age=3600)
def opensearch_description(request: HttpRequest) -> HttpResponse:
    """How a browser searches the catalogue from its address bar."""
    name, site = escape(settings.SITE_NAME), escape(request.build_absolute_uri("/").rstrip("/"))
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">'
        f"<ShortName>{escape(settings.SITE_NAME[:MAX_SHORT_NAME_LENGTH])}</ShortName>"
        f"<Description>Search the titles of {name}</Description><InputEncoding>UTF-8</InputEncoding>"
        f'<Image width="48" height="48" type="image/x-icon">{site}/favicon.ico</Image>'
        f'<Url type="text/html" template="{site}{reverse("home")}?q={{searchTerms}}"/>'
        "</OpenSearchDescription>\n"
    )
    return HttpResponse(body, content_type="application/opensearchdescription+xml; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=3600)
def robots_txt(request: HttpRequest) -> HttpResponse:
    """Which pages crawlers may read: pictures and simple lists; not jobs, API, admin or lists with several filters.

    The longest matching rule counts (RFC 9309), so a list with a second parameter is disallowed again.
    """
    lines = ["User-agent: *", "Disallow: /jobs/", "Disallow: /api/", "Disallow: /admin/", "Disallow: /*?"]
    lines += ["Allow: /posters/", "Allow: /cards/"]
    for name in READABLE_LISTS:
        lines += [f"Allow: /?{name}=", f"Disallow: /?{name}=*&"]
    lines += [f"Sitemap: {request.build_absolute_uri(reverse('sitemap'))}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
