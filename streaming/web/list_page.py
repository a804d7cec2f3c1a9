"""Bring your list: which films of a list from elsewhere can be watched here now, as a page, M3U and RSS.

Nothing is kept: the films of a list are in the URL of its page, playlist and feed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe
from rest_framework.exceptions import ValidationError

from streaming.api.filters import reject_unknown_parameters
from streaming.client_throttle import list_retry_after
from streaming.exchange import loader, m3u
from streaming.exchange.film_lists import (
    MAX_ADDRESS_LENGTH,
    FilmList,
    InvalidList,
    ListedFilm,
    Unusable,
    decode_ids,
    encode_ids,
    read_list,
)
from streaming.exchange.list_matching import ListMatch, match_films
from streaming.formatting import display_text
from streaming.models import Movie, MovieQuerySet
from streaming.models.id_list import IdList
from streaming.web.catalogue_page import fields_not_on_cards
from streaming.web.error_pages import bad_parameters
from streaming.web.feeds import RssFeed
from streaming.web.rendering import render_page

MAX_CARDS, MAX_NAMED = 240, 500
"""Films with a picture, and names in each of the other lists."""
MAX_FEED_ENTRIES = 500
MAX_PASTED_LENGTH = 200_000
PARAMETERS = frozenset({"list"})
"""Of a playlist and a feed, which are for programs and name what is wrong, as the API does."""
CACHE_SECONDS = 300
PROBLEMS = {
    "archive": gettext_lazy(
        "This is a ZIP archive or an Excel workbook. Unpack it and choose a CSV file of it, or save the table as CSV."
    ),
    "not_text": gettext_lazy("This file is not text. Choose a CSV file or paste the IMDb ids."),
    "bad_csv": gettext_lazy("This file is not a valid CSV file: a cell is longer than 128 KiB."),
    "bad_address": gettext_lazy("The address of this list is incomplete. Choose the file again."),
    "empty": gettext_lazy("Choose a CSV file, or paste IMDb ids or titles, one a line."),
}
REASONS = {
    Unusable.PERSON: gettext_lazy("a person, not a film"),
    Unusable.EPISODE: gettext_lazy("an episode: the catalogue has whole shows"),
    Unusable.SEASON: gettext_lazy("a season: the catalogue has whole shows"),
    Unusable.GAME: gettext_lazy("a game"),
    Unusable.LIST: gettext_lazy("a list of IMDb, not a film"),
    Unusable.OTHER_ID: gettext_lazy("an id of IMDb that is no film's"),
    Unusable.BAD_ID: gettext_lazy("not an IMDb id: those are tt and 7 to 9 digits"),
    Unusable.NO_TITLE: gettext_lazy("neither an IMDb id nor a title"),
}


@require_http_methods(["GET", "HEAD", "POST"])
def film_list(request: HttpRequest) -> HttpResponse:
    """The form; with `?list=` or a submitted list, what of it can be watched."""
    try:
        if request.method == "POST":
            if wait := list_retry_after(request):
                return _refusal(request, _wait_text(wait), status=429, wait=wait)
            return _result_page(request, _submitted(request))
        if address := request.GET.get("list", ""):
            return _result_page(request, _list_at(address))
    except InvalidList as error:
        return _refusal(request, str(PROBLEMS[error.code]), status=400)
    return _page(request, {})


@require_safe
def list_playlist(request: HttpRequest) -> HttpResponse:
    """The playable links of a list's films, as M3U."""
    return _answer(request, _m3u)


@require_safe
def list_feed(request: HttpRequest) -> HttpResponse:
    """What of a list can be watched, as RSS: a film appears when it has a working link."""
    return _answer(request, _rss)


def _answer(request: HttpRequest, write: Callable[[HttpRequest, Sequence[Movie]], HttpResponse]) -> HttpResponse:
    """What of the list in the URL can be watched; 400 for a parameter that is unknown or wrong."""
    try:
        reject_unknown_parameters(request.GET, known=PARAMETERS)
        found = _match(_list_at(request.GET.get("list", "")).films)
    except ValidationError as error:
        return bad_parameters(error.detail)
    except InvalidList as error:
        return _refusal(request, str(PROBLEMS[error.code]), status=400)
    response = write(request, found.watchable)
    patch_cache_control(response, public=True, max_age=CACHE_SECONDS)
    return response


def _m3u(request: HttpRequest, watchable: Sequence[Movie]) -> HttpResponse:
    movies = Movie.objects.playable().filter(pk__in=IdList(movie.pk for movie in watchable))
    lines = m3u.write_m3u(loader.load_entries(movies), site=request.build_absolute_uri("/").rstrip("/"))
    response = HttpResponse("".join(lines), content_type="audio/x-mpegurl; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="my-list.m3u8"'
    return response


def _rss(request: HttpRequest, movies: Sequence[Movie]) -> HttpResponse:
    here = request.build_absolute_uri
    feed = RssFeed(
        title=gettext("%(site)s: films of your list") % {"site": settings.SITE_NAME},
        link=here(f"{reverse('lists')}?{request.GET.urlencode()}"),
        description=gettext("Films of your list that can be watched for free now."),
        feed_url=here(request.get_full_path()),
    )
    newest = sorted(movies, key=lambda movie: movie.created_at, reverse=True)
    for movie in newest[:MAX_FEED_ENTRIES]:
        feed.add_item(
            title=display_text(str(movie)),
            link=here(movie.get_absolute_url()),
            description=_links_text(movie),
            pubdate=movie.created_at,
            unique_id=f"openreel:list:{movie.imdb_id}",
            unique_id_is_permalink=False,
        )
    return HttpResponse(feed.writeString("utf-8"), content_type="application/rss+xml; charset=utf-8")


def _links_text(movie: Movie) -> str:
    number = movie.active_link_count
    return ngettext("%(number)d link", "%(number)d links", number) % {"number": number}


def _submitted(request: HttpRequest) -> FilmList:
    """The list of the chosen file, or else of the pasted text."""
    upload = request.FILES.get("file")
    data = upload.read() if isinstance(upload, UploadedFile) else b""
    found = read_list(data or request.POST.get("text", "")[:MAX_PASTED_LENGTH].encode(errors="replace"))
    if not (found.films or found.unusable):
        raise InvalidList("empty")
    return found


def _list_at(address: str) -> FilmList:
    """The list in a URL; raise InvalidList if there is none."""
    if not address:
        raise InvalidList("bad_address")
    ids = decode_ids(address)
    return FilmList(films=[ListedFilm(row=number, imdb_id=one) for number, one in enumerate(ids, start=1)])


def _shown() -> MovieQuerySet:
    return Movie.objects.shown().with_active_count().defer(*fields_not_on_cards())


def _match(films: Sequence[ListedFilm]) -> ListMatch:
    return match_films(films, _shown())


def _result_page(request: HttpRequest, films: FilmList) -> HttpResponse:
    found = _match(films.films)
    query = _query_of(found)
    context = {
        "found": found,
        "total": len(films.films),
        "cards": found.watchable[:MAX_CARDS],
        "named": {
            "more": found.watchable[MAX_CARDS:],
            "unwatchable": found.unwatchable[:MAX_NAMED],
            "missing": [(film, _look_for_query(film)) for film in found.missing[:MAX_NAMED]],
            "ambiguous": found.ambiguous[:MAX_NAMED],
            "unusable": [(one, REASONS[one.reason]) for one in films.unusable[:MAX_NAMED]],
        },
        "unusable_count": len(films.unusable),
        "is_cut": films.is_cut,
        "query": query,
    }
    return _page(request, context)


def _query_of(found: ListMatch) -> str:
    """The query of the URLs of a list; without the films that are not in the catalogue if they do not fit, too.

    Empty if not even the others fit.
    """
    known = [movie.imdb_id for movie in found.movies]
    for ids in ([*known, *(film.imdb_id for film in found.missing if film.imdb_id)], known):
        if ids and len(address := encode_ids(ids)) <= MAX_ADDRESS_LENGTH:
            return f"?list={address}"
    return ""


def _look_for_query(film: ListedFilm) -> str:
    """The query with which the form for titles that are not there is filled in with this film."""
    wanted = {"q": film.imdb_id} if film.imdb_id else {"q": film.title, "year": film.year or ""}
    return urlencode({name: value for name, value in wanted.items() if value})


def _wait_text(wait: int) -> str:
    text = ngettext(
        "Too many lists. Try again in %(wait)d second.", "Too many lists. Try again in %(wait)d seconds.", wait
    )
    return text % {"wait": wait}


def _refusal(request: HttpRequest, problem: str, *, status: int, wait: int = 0) -> HttpResponse:
    response = _page(request, {"problem": problem}, status=status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


def _page(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    defaults = {
        "problem": "",
        "found": None,
        "query": "",
        "canonical": request.build_absolute_uri(reverse("lists")),
        "max_megabytes": settings.MAX_LIST_BODY_BYTES // 1024**2,
        "max_pasted_length": MAX_PASTED_LENGTH,
    }
    return render_page(request, "list.html", defaults | context, status=status)
