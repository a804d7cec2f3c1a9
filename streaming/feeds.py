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

from streaming.models import LinkFlip, Movie, RemovedMovie
from streaming.models.reasons import in_words
from streaming.words import shown

ENTRIES = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; `key` is unique and never changes."""

    key: str
    title: str
    text: str
    at: datetime
    address: str


class EntriesFeed(Feed):  # type: ignore[type-arg]  # not subscriptable at run time
    """How an entry is told."""

    link = reverse_lazy("home")

    def item_title(self, item: Entry) -> str:
        return item.title

    def item_description(self, item: Entry) -> str:
        return item.text

    def item_link(self, item: Entry) -> str:
        return item.address

    def item_pubdate(self, item: Entry) -> datetime:
        return item.at

    def item_guid(self, item: Entry) -> str:
        return item.key

    item_guid_is_permalink = False


class NewFeed(EntriesFeed):
    """Movies and shows that came in lately."""

    title = f"{settings.SITE_NAME}: new movies and shows"
    description = "Public-domain and openly licensed movies and shows that came into the catalogue lately."
    feed_url = reverse_lazy("feed-new")

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Django takes the newest entry's date. When that entry goes it would step back, and a reader who asks by date
        would keep a movie that is not here any more."""
        response = super().__call__(request, *args, **kwargs)
        gone = RemovedMovie.objects.aggregate(at=Max("removed_at"))["at"]
        told = parse_http_date(response.headers["Last-Modified"])
        response.headers["Last-Modified"] = http_date(max(told, gone.timestamp() if gone else told))
        return response

    def items(self) -> list[Entry]:
        return [_arrival(movie) for movie in Movie.objects.order_by("-created_at", "-id")[:ENTRIES]]


class LostFeed(EntriesFeed):
    """Movies that were removed and links that died lately."""

    title = f"{settings.SITE_NAME}: lost movies and links"
    description = "Movies that were removed because no link works any more, and links that stopped working."
    feed_url = reverse_lazy("feed-lost")

    def items(self) -> list[Entry]:
        removed = RemovedMovie.objects.filter(restored_at=None).defer("snapshot").order_by("-removed_at")[:ENTRIES]
        deaths = LinkFlip.objects.filter(is_active=False, link__is_published=True)
        flips = deaths.select_related("link__movie").order_by("-at", "-pk")[:ENTRIES]
        return _newest([*map(_removal, removed), *map(_death, flips)])


def _newest(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:ENTRIES]


def _arrival(movie: Movie) -> Entry:
    year = f" ({movie.year})" if movie.year else ""
    text = shown(movie.synopsis, longest=500) or f"{movie.get_type_display()}, IMDb {movie.imdb_id}."
    key = f"openreel:new:{movie.imdb_id}:{movie.created_at.isoformat()}"
    return Entry(key, f"{shown(movie.title)}{year}", text, movie.created_at, movie.get_absolute_url())


def _removal(removed: RemovedMovie) -> Entry:
    key = f"openreel:removed:{removed.imdb_id}:{removed.removed_at.isoformat()}"
    text = f"Removed: {shown(removed.reason)}."
    return Entry(key, f"{shown(removed.title)} was removed", text, removed.removed_at, f"/streaming/{removed.imdb_id}/")


def _death(flip: LinkFlip) -> Entry:
    movie = flip.link.movie
    title = f"{shown(movie.title)}: a link of {flip.link.source_name} stopped working"
    text = f"{in_words(flip.reason)}: {flip.link.source_url}"
    return Entry(f"openreel:died:{flip.pk}", title, text, flip.at, movie.get_absolute_url())
