"""How to watch on a TV: addresses for Stremio, players and media centres, to copy or to scan as a QR code."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

import segno
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from streaming.exchange.entries import PLAYABLE_KINDS
from streaming.formatting import display_text
from streaming.models import Movie, StreamingLink
from streaming.web.error_pages import not_found
from streaming.web.movie_context import MovieLinks, display_name, viewer_languages
from streaming.web.rendering import render_page

MAX_QR_VERSION = 15
"""77 squares wide, 3 pixels each on the page: about 500 characters. Phones fail to read denser codes from a screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedAddress:
    """An address to copy, with the `name` of its field; `qr` is empty if the address is too long for a code."""

    key: str
    name: str
    url: str
    qr: SafeString

    @classmethod
    def of(cls, url: str, *, key: str, name: str) -> CopiedAddress:
        return cls(key=key, name=name, url=url, qr=qr_code(url))


@require_safe
def watch_on_tv(request: HttpRequest) -> HttpResponse:
    """How to watch the whole catalogue on a TV."""
    return _page(request, None)


@require_safe
def movie_on_tv(request: HttpRequest, identifier: str) -> HttpResponse:
    """The same with the addresses of one movie first; 404 if it is not in the catalogue."""
    found = Movie.objects.shown().by_identifier(identifier).first()
    return not_found(request, None) if found is None else _page(request, found)


def qr_code(text: str) -> SafeString:
    """The text as a QR code in SVG, dark on white in both themes; empty if a phone could not read so dense a code."""
    try:
        code = segno.make_qr(text, error="l", version=None)
    except segno.DataOverflowError:
        return mark_safe("")
    if int(code.version) > MAX_QR_VERSION:
        return mark_safe("")
    # Squares only: nothing of the text becomes part of the markup.
    drawn = code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff", svgclass=None, lineclass=None)
    return mark_safe(drawn)  # noqa: S308


def _page(request: HttpRequest, movie: Movie | None) -> HttpResponse:
    manifest = request.build_absolute_uri(reverse("stremio:manifest"))
    playlist = request.build_absolute_uri(reverse("playlist"))
    install = f"stremio://{manifest.partition('://')[2]}"
    context = {
        "movie": movie,
        "is_local": is_local_host(request.get_host()),
        "is_secure": request.is_secure(),
        "install": CopiedAddress.of(install, key="install", name=gettext("Address that installs the add-on")),
        "manifest": CopiedAddress.of(manifest, key="manifest", name=gettext("Address of the add-on")),
        "playlist": CopiedAddress.of(playlist, key="playlist", name=gettext("Address of the playlist")),
    }
    return render_page(request, "tv.html", context | (_movie_context(request, movie) if movie else {}))


def _movie_context(request: HttpRequest, movie: Movie) -> dict[str, object]:
    active = MovieLinks.of(movie, languages=viewer_languages(request), now=timezone.now()).active
    file = next((link for link in active if link.kind in PLAYABLE_KINDS), None)
    page = request.build_absolute_uri(movie.get_absolute_url())
    kind = "series" if movie.type == Movie.Type.SHOW else "movie"
    video = f"/{movie.imdb_id}" if kind == "movie" else ""
    return {
        "name": display_name(movie),
        "stremio_url": f"stremio:///detail/{kind}/{movie.imdb_id}{video}",
        "file": _file_address(file) if file else None,
        "file_label": _file_label(file) if file else "",
        "page": CopiedAddress.of(page, key="page", name=gettext("Address of its page")),
    }


def _file_address(link: StreamingLink) -> CopiedAddress:
    return CopiedAddress.of(link.source_url, key="file", name=gettext("Address of the file"))


def _file_label(link: StreamingLink) -> str:
    """Where the file is and what it is, such as `Internet Archive, 720p`."""
    words = (link.source_name, display_text(link.display_label), link.quality)
    return ", ".join(word for word in words if word)


def is_local_host(host: str) -> bool:
    """Whether only this computer can reach the host of a request (with a port or without)."""
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.rpartition(":")[0] or host
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
