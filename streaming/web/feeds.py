"""RSS feeds: new movies, and lost movies and links.

Events in the future, from a fast clock, are left out: they would stay on top until the clock reaches them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.http import http_date, parse_http_date

from streaming.formatting import display_text
from streaming.models import LinkFlip, Movie, RemovedMovie
from streaming.models.reasons import reason_text

MAX_ENTRIES = 50


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One event; `key` is unique and never changes."""

    key: str
    title: str
    text: str
    at: datetime
    url: str


class MovieFeed(Feed):  # type: ignore[type-arg]  # not subscriptable at run time
    """Base class: the fields of an entry in RSS."""

    link = reverse_lazy("home")

    def item_title(self, item: FeedEntry) -> str:
        return item.title

    def item_description(self, item: FeedEntry) -> str:
        return item.text

    def item_link(self, item: FeedEntry) -> str:
        return item.url

    def item_pubdate(self, item: FeedEntry) -> datetime:
        return item.at

    def item_guid(self, item: FeedEntry) -> str:
        return item.key

    item_guid_is_permalink = False


class NewMoviesFeed(MovieFeed):
    """Movies and shows added lately."""

    title = f"{settings.SITE_NAME}: new movies and shows"
    description = "Public-domain and openly licensed movies and shows added lately."
    feed_url = reverse_lazy("feed-new")

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Move Last-Modified forward to the last removal.

        Django uses the date of the newest entry. When that entry is removed, the date would move back, and a client
        that asks by date would keep a removed movie.
        """
        response = super().__call__(request, *args, **kwargs)
        removed_at = RemovedMovie.objects.filter(removed_at__lte=timezone.now()).aggregate(at=Max("removed_at"))["at"]
        newest_entry = parse_http_date(response.headers["Last-Modified"])
        response.headers["Last-Modified"] = http_date(
            max(newest_entry, removed_at.timestamp() if removed_at else newest_entry)
        )
        return response

    def items(self) -> list[FeedEntry]:
        movies = Movie.objects.shown().filter(created_at__lte=timezone.now()).order_by("-created_at", "-id")
        return [_new_movie_entry(movie) for movie in movies[:MAX_ENTRIES]]


class LostMoviesFeed(MovieFeed):
    """Movies removed and links that died lately."""

    title = f"{settings.SITE_NAME}: lost movies and links"
    description = "Movies that were removed because no link worked any more, and links that stopped working."
    feed_url = reverse_lazy("feed-lost")

    def items(self) -> list[FeedEntry]:
        now = timezone.now()
        removed = RemovedMovie.objects.removed().filter(removed_at__lte=now).defer("snapshot").order_by("-removed_at")
        deaths = LinkFlip.objects.filter(at__lte=now, is_active=False).of_shown_links()
        flips = deaths.select_related("link__movie").order_by("-at", "-pk")[:MAX_ENTRIES]
        return _newest([*map(_removed_movie_entry, removed[:MAX_ENTRIES]), *map(_dead_link_entry, flips)])


def _newest(entries: Iterable[FeedEntry]) -> list[FeedEntry]:
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:MAX_ENTRIES]


def _new_movie_entry(movie: Movie) -> FeedEntry:
    year = f" ({movie.year})" if movie.year else ""
    text = display_text(movie.synopsis, max_length=500) or f"{movie.get_type_display()}, IMDb {movie.imdb_id}."
    key = f"openreel:new:{movie.imdb_id}:{movie.created_at.isoformat()}"
    return FeedEntry(key, f"{display_text(movie.title)}{year}", text, movie.created_at, movie.get_absolute_url())


def _removed_movie_entry(removed: RemovedMovie) -> FeedEntry:
    key = f"openreel:removed:{removed.imdb_id}:{removed.removed_at.isoformat()}"
    text = f"Removed: {removed.public_reason}."
    return FeedEntry(
        key, f"{display_text(removed.title)} was removed", text, removed.removed_at, f"/streaming/{removed.imdb_id}/"
    )


def _dead_link_entry(flip: LinkFlip) -> FeedEntry:
    movie = flip.link.movie
    title = f"{display_text(movie.title)}: a link on {flip.link.source_name} stopped working"
    text = f"{reason_text(flip.reason)}: {flip.link.source_url}"
    return FeedEntry(f"openreel:died:{flip.pk}", title, text, flip.at, movie.get_absolute_url())
