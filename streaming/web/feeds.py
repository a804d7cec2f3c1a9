"""Feeds for readers: what is new, and what was lost."""

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
from django.utils.http import http_date, parse_http_date

from streaming.formatting import display_text
from streaming.models import LinkFlip, Movie, RemovedMovie
from streaming.models.reasons import reason_text

MAX_ENTRIES = 50


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One thing that happened; `key` is unique and never changes."""

    key: str
    title: str
    text: str
    at: datetime
    address: str


class MovieFeed(Feed):  # type: ignore[type-arg]  # not subscriptable at run time
    """How an entry is told."""

    link = reverse_lazy("home")

    def item_title(self, item: FeedEntry) -> str:
        return item.title

    def item_description(self, item: FeedEntry) -> str:
        return item.text

    def item_link(self, item: FeedEntry) -> str:
        return item.address

    def item_pubdate(self, item: FeedEntry) -> datetime:
        return item.at

    def item_guid(self, item: FeedEntry) -> str:
        return item.key

    item_guid_is_permalink = False


class NewMoviesFeed(MovieFeed):
    """Movies and shows that came in lately."""

    title = f"{settings.SITE_NAME}: new movies and shows"
    description = "Public-domain and openly licensed movies and shows that came into the catalogue lately."
    feed_url = reverse_lazy("feed-new")

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Django takes the newest entry's date. When that entry goes it would step back, and a reader who asks by date
        would keep a movie that is not here any more."""
        response = super().__call__(request, *args, **kwargs)
        gone = RemovedMovie.objects.aggregate(at=Max("removed_at"))["at"]
        conditional = parse_http_date(response.headers["Last-Modified"])
        response.headers["Last-Modified"] = http_date(max(conditional, gone.timestamp() if gone else conditional))
        return response

    def items(self) -> list[FeedEntry]:
        return [_new_movie_entry(movie) for movie in Movie.objects.order_by("-created_at", "-id")[:MAX_ENTRIES]]


class LostMoviesFeed(MovieFeed):
    """Movies that were removed and links that died lately."""

    title = f"{settings.SITE_NAME}: lost movies and links"
    description = "Movies that were removed because no link works any more, and links that stopped working."
    feed_url = reverse_lazy("feed-lost")

    def items(self) -> list[FeedEntry]:
        removed = RemovedMovie.objects.filter(restored_at=None).defer("snapshot").order_by("-removed_at")[:MAX_ENTRIES]
        deaths = LinkFlip.objects.filter(is_active=False, link__is_published=True)
        flips = deaths.select_related("link__movie").order_by("-at", "-pk")[:MAX_ENTRIES]
        return _newest([*map(_removed_movie_entry, removed), *map(_dead_link_entry, flips)])


def _newest(entries: Iterable[FeedEntry]) -> list[FeedEntry]:
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:MAX_ENTRIES]


def _new_movie_entry(movie: Movie) -> FeedEntry:
    year = f" ({movie.year})" if movie.year else ""
    text = display_text(movie.synopsis, max_length=500) or f"{movie.get_type_display()}, IMDb {movie.imdb_id}."
    key = f"openreel:new:{movie.imdb_id}:{movie.created_at.isoformat()}"
    return FeedEntry(key, f"{display_text(movie.title)}{year}", text, movie.created_at, movie.get_absolute_url())


def _removed_movie_entry(removed: RemovedMovie) -> FeedEntry:
    key = f"openreel:removed:{removed.imdb_id}:{removed.removed_at.isoformat()}"
    text = f"Removed: {display_text(removed.reason)}."
    return FeedEntry(
        key, f"{display_text(removed.title)} was removed", text, removed.removed_at, f"/streaming/{removed.imdb_id}/"
    )


def _dead_link_entry(flip: LinkFlip) -> FeedEntry:
    movie = flip.link.movie
    title = f"{display_text(movie.title)}: a link of {flip.link.source_name} stopped working"
    text = f"{reason_text(flip.reason)}: {flip.link.source_url}"
    return FeedEntry(f"openreel:died:{flip.pk}", title, text, flip.at, movie.get_absolute_url())
