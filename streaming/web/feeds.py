"""Feeds as RSS, Atom and JSON Feed: new movies, of any list, and lost movies and links.

Events in the future, from a fast clock, are left out: they would stay on top until the clock reaches them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed
from django.utils.http import http_date, parse_http_date

from streaming.api.filters import ListParameters, MovieFilters
from streaming.catalogue_query import CatalogueQuery
from streaming.formatting import display_text
from streaming.models import LinkFlip, Movie, RemovedMovie
from streaming.models.reasons import reason_text
from streaming.web.error_pages import bad_parameters

MAX_ENTRIES = 50
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One event; `key` is unique and never changes."""

    key: str
    title: str
    text: str
    at: datetime
    url: str


@dataclass(frozen=True, slots=True)
class RequestedFeed:
    """Which movies a feed is about, and its own address."""

    query: CatalogueQuery
    path: str


class DatedByEntries(SyndicationFeed):
    """A feed that is as old as its newest entry. Django dates an empty one now, so that each response differs."""

    def latest_post_date(self) -> datetime:
        """Return the date of the newest entry, or the beginning of all dates."""
        return super().latest_post_date() if self.items else BEGINNING


class RssFeed(DatedByEntries, Rss201rev2Feed):
    """A feed as RSS 2.0."""


class AtomFeed(DatedByEntries, Atom1Feed):
    """A feed as Atom 1.0."""


class JsonFeed(SyndicationFeed):
    """A feed as JSON Feed 1.1 (jsonfeed.org)."""

    content_type = "application/feed+json; charset=utf-8"

    def write(self, outfile: Any, encoding: str) -> None:
        feed = self.feed
        body = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed["title"],
            "home_page_url": feed["link"],
            "feed_url": feed["feed_url"],
            "description": feed["description"],
            "items": [_json_item(item) for item in self.items],
        }
        outfile.write(json.dumps(body, ensure_ascii=False))


def _json_item(item: dict[str, Any]) -> dict[str, str]:
    return {
        "id": item["unique_id"],
        "url": item["link"],
        "title": item["title"],
        "content_text": item["description"],
        "date_published": item["pubdate"].isoformat(),
    }


FEED_TYPES: dict[str, type[SyndicationFeed]] = {"xml": RssFeed, "atom": AtomFeed, "json": JsonFeed}
"""By the ending of their URLs."""


class MovieFeed(Feed):  # type: ignore[type-arg]  # not subscriptable at run time
    """Base class: the fields of an entry, in the format of `feed_type`. `filters` are the parameters it takes."""

    link = reverse_lazy("home")
    filters: tuple[str, ...] = ()

    def __init__(self, feed_type: type[SyndicationFeed] = RssFeed) -> None:
        self.feed_type = feed_type

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The feed; 400 for a parameter that is unknown or wrong."""
        parameters = ListParameters(request.GET, filters=self.filters, orderings=())
        if not parameters.is_valid():
            return bad_parameters(parameters.errors)
        response: HttpResponse = super().__call__(request, *args, parameters=parameters, **kwargs)
        return response

    def get_object(self, request: HttpRequest, parameters: ListParameters) -> RequestedFeed:
        return RequestedFeed(parameters.query, request.get_full_path())

    def feed_url(self, asked: RequestedFeed) -> str:
        return asked.path

    def subtitle(self, asked: RequestedFeed) -> str:
        return str(self.description)

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
    """Movies and shows added lately, of those that match the filters."""

    title = f"{settings.SITE_NAME}: new movies and shows"
    description = "Public-domain and openly licensed movies and shows added lately."
    filters = tuple(MovieFilters.base_filters)

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Move Last-Modified forward to the last removal.

        Django uses the date of the newest entry. When that entry is removed, the date would move back, and a client
        that asks by date would keep a removed movie.
        """
        response = super().__call__(request, *args, **kwargs)
        if "Last-Modified" not in response.headers:
            return response
        removed_at = RemovedMovie.objects.filter(removed_at__lte=timezone.now()).aggregate(at=Max("removed_at"))["at"]
        newest_entry = parse_http_date(response.headers["Last-Modified"])
        response.headers["Last-Modified"] = http_date(
            max(newest_entry, removed_at.timestamp() if removed_at else newest_entry)
        )
        return response

    def items(self, asked: RequestedFeed) -> list[FeedEntry]:
        movies = Movie.objects.shown().filter(created_at__lte=timezone.now())
        found = replace(asked.query, order="added").apply(movies)
        return [_new_movie_entry(movie) for movie in found[:MAX_ENTRIES]]


class LostMoviesFeed(MovieFeed):
    """Movies removed and links that died lately."""

    title = f"{settings.SITE_NAME}: lost movies and links"
    description = "Movies that were removed because no link worked any more, and links that stopped working."

    def items(self, asked: RequestedFeed) -> list[FeedEntry]:
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
