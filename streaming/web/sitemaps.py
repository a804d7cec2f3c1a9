"""The sitemap: an index of parts with up to `PAGE_SIZE` URLs each. Dates in the future are left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps.views import x_robots_tag
from django.core.paginator import Page, Paginator
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import escape
from django.views.decorators.http import require_safe

from streaming.models import Movie, MovieQuerySet

PAGE_SIZE = 2000
INDEX_START = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
)


class IdRangePaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """Pages of `per_page` ids each: the last one costs no more than the first. Removed movies leave gaps in a page."""

    object_list: MovieQuerySet

    @cached_property
    def count(self) -> int:
        """The highest id."""
        highest: int = self.object_list.order_by().aggregate(last=Max("pk", default=0))["last"]
        return highest

    def page(self, number: int | str) -> Page:  # type: ignore[type-arg]
        """The movies with the ids of this page."""
        last = self.validate_number(number) * self.per_page
        return Page(self.object_list.filter(pk__gt=last - self.per_page, pk__lte=last), last // self.per_page, self)


class MovieSitemap(Sitemap):  # type: ignore[type-arg]  # not subscriptable at run time
    """The pages of all movies, ordered by id so that new movies do not change earlier parts."""

    limit = PAGE_SIZE

    @cached_property
    def paginator(self) -> IdRangePaginator:
        return IdRangePaginator(self.items(), self.limit)

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
        return ["home", "tv", "health", "sources", "api-root"]

    def location(self, item: str) -> str:
        return reverse(item)


SITEMAPS = {"pages": PageSitemap, "movies": MovieSitemap}


@require_safe
@x_robots_tag
def sitemap_index(request: HttpRequest) -> HttpResponse:
    """The index of all parts. Django's own renders a template for each part: 50 ms for a million movies."""
    parts = [part for name, section in SITEMAPS.items() for part in _parts(request, name, section())]
    return HttpResponse(f"{INDEX_START}{''.join(parts)}</sitemapindex>", content_type="application/xml")


def _parts(request: HttpRequest, name: str, section: Sitemap) -> Iterator[str]:  # type: ignore[type-arg]
    """The entries of one section."""
    address = escape(request.build_absolute_uri(reverse("sitemap-part", args=[name])))
    latest = section.get_latest_lastmod()
    date = f"<lastmod>{latest.isoformat(timespec='seconds')}</lastmod>" if latest else ""
    for number in range(1, section.paginator.num_pages + 1):
        yield f"<sitemap><loc>{address}{f'?p={number}' if number > 1 else ''}</loc>{date}</sitemap>"
