"""The sitemap: an index of parts with up to `PAGE_SIZE` URLs each. Dates in the future are left out."""

from __future__ import annotations

from datetime import datetime

from django.contrib.sitemaps import Sitemap
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from streaming.models import Movie, MovieQuerySet

PAGE_SIZE = 2000


class MovieSitemap(Sitemap):  # type: ignore[type-arg]  # not subscriptable at run time
    """The pages of all movies, ordered by id so that new movies do not change earlier parts."""

    limit = PAGE_SIZE

    def items(self) -> MovieQuerySet:
        return Movie.objects.shown().only("imdb_id", "updated_at").order_by("pk")

    def lastmod(self, item: Movie) -> datetime | None:
        return item.updated_at if item.updated_at <= timezone.now() else None

    def get_latest_lastmod(self) -> datetime | None:
        """The latest change, in one query; Django would load every movie."""
        movies = Movie.objects.filter(updated_at__lte=timezone.now())
        latest: datetime | None = movies.aggregate(at=Max("updated_at"))["at"]
        return latest


class PageSitemap(Sitemap):  # type: ignore[type-arg]
    """The pages that are not movies."""

    def items(self) -> list[str]:
        return ["home", "health", "sources", "api-root"]

    def location(self, item: str) -> str:
        return reverse(item)


SITEMAPS = {"pages": PageSitemap, "movies": MovieSitemap}
