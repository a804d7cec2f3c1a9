"""Counters of the catalogue, which triggers keep (`streaming.models.counter_triggers`): nothing else writes them.

Several rows may have the same key, and numbers may be negative: only the sum over all rows of a key means something.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models
from django.db.models import Q, Sum

SHOWN_FACETS = ("source", "quality", "language", "licence")


class LinkCountQuerySet(models.QuerySet["LinkCount"]):
    """Sums over links."""

    def in_language(self, tag: str) -> LinkCountQuerySet:
        """The counts of links in this language or a variant, as `StreamingLinkQuerySet.in_language` means it."""
        return self.filter(Q(language__iexact=tag) | Q(language__istartswith=f"{tag}-"))

    def totals(self) -> tuple[int, int, int]:
        """How many links are shown, active, and shown but never checked."""
        sums = self.aggregate(a=Sum("shown", default=0), b=Sum("active", default=0), c=Sum("unchecked", default=0))
        return sums["a"], sums["b"], sums["c"]

    def by_source(self) -> dict[str, tuple[int, int, int]]:
        """Shown, active and unchecked links of each source that has a shown link."""
        rows = self.order_by().values_list("source").annotate(n=Sum("shown"), m=Sum("active"), k=Sum("unchecked"))
        return {source: (shown, active, unchecked) for source, shown, active, unchecked in rows.filter(n__gt=0)}

    def values_of(self, facet: str) -> list[str]:
        """The values that the links have in this column."""
        rows = self.order_by(facet).values_list(facet).annotate(n=Sum("links")).filter(n__gt=0)
        return [value for value, _ in rows]

    def active_facets(self) -> list[tuple[str, str, str, str, int]]:
        """Source, quality, language and licence of active links, and how many have them."""
        rows = self.order_by().values_list(*SHOWN_FACETS).annotate(n=Sum("active"))
        return list(rows.filter(n__gt=0))


class LinkCount(models.Model):
    """Links of one source, quality, language and licence: all, shown, active, and shown but never checked."""

    source = models.CharField(max_length=50)
    quality = models.CharField(max_length=5, blank=True)
    language = models.CharField(max_length=35, blank=True)
    licence = models.CharField(max_length=40, blank=True)
    links = models.BigIntegerField(default=0)
    shown = models.BigIntegerField(default=0)
    active = models.BigIntegerField(default=0)
    unchecked = models.BigIntegerField(default=0)

    objects = LinkCountQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=SHOWN_FACETS, name="linkcount_by_key")]

    def __str__(self) -> str:
        return f"{self.source} {self.quality} {self.language} {self.licence}: {self.active}"


class InactiveReasonCount(models.Model):
    """Shown links that are inactive for one reason."""

    reason = models.CharField(max_length=40, blank=True)
    links = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["reason"], name="reasoncount_by_key")]

    def __str__(self) -> str:
        return f"{self.reason}: {self.links}"


class MovieCountQuerySet(models.QuerySet["MovieCount"]):
    """Sums over movies."""

    def sums(self) -> list[tuple[str, int, bool, int]]:
        """Each type, year and whether there is an active link, with the number of movies."""
        rows = self.order_by().values_list("type", "year", "is_watchable").annotate(n=Sum("movies"))
        return list(rows.filter(n__gt=0))

    def decades(self) -> list[int]:
        """The first years of the decades that have movies."""
        years = self.order_by().filter(year__gt=0).values_list("year").annotate(n=Sum("movies")).filter(n__gt=0)
        return sorted({year // 10 * 10 for year, _ in years})


class MovieCount(models.Model):
    """Movies of one type and year (0: unknown) that have an active link, or have none."""

    type = models.CharField(max_length=5)
    year = models.PositiveSmallIntegerField()
    is_watchable = models.BooleanField()
    movies = models.BigIntegerField(default=0)

    objects = MovieCountQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["type", "year", "is_watchable"], name="moviecount_by_key")]

    def __str__(self) -> str:
        return f"{self.type} {self.year}: {self.movies}"


class CatalogueVersion(models.Model):
    """A number that grows with each change of what lists show, and when that was, by the database's clock."""

    number = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Version {self.number}"


def movie_total() -> int:
    """The number of movies."""
    total: int = MovieCount.objects.aggregate(n=Sum("movies", default=0))["n"]
    return total


def link_total() -> int:
    """The number of links, those that are not shown included."""
    total: int = LinkCount.objects.aggregate(n=Sum("links", default=0))["n"]
    return total


def inactive_reason_counts() -> Sequence[tuple[str, int]]:
    """The reasons of inactive shown links, and how many have them."""
    rows = InactiveReasonCount.objects.order_by().values_list("reason").annotate(n=Sum("links"))
    return list(rows.filter(n__gt=0))
