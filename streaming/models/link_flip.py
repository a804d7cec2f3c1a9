"""The history of links: when each was turned on or off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import models
from django.utils import timezone

from streaming.models.movie import Movie
from streaming.reason_codes import Reason

NOT_BY_A_CHECK = (Reason.MOVED, Reason.IMPORTED, Reason.TAKEN_DOWN, Reason.BLOCKED_HOST, Reason.BY_HAND)


class LinkFlipQuerySet(models.QuerySet["LinkFlip"]):
    """Queries about many flips."""

    def turned_off_by_checks(self, *, after: datetime, until: datetime) -> LinkFlipQuerySet:
        """Flips by which a check turned a link off, within this time."""
        return self.filter(is_active=False, at__gt=after, at__lte=until).exclude(reason__in=NOT_BY_A_CHECK)

    def of_shown_links(self) -> LinkFlipQuerySet:
        """Flips of links that everybody may see."""
        # What is hidden is left out, so that the few hidden movies are read and not all others.
        shown = self.filter(link__is_published=True, link__taken_down=False)
        return shown.exclude(link__movie_id__in=Movie.objects.taken_down().values("pk"))

    def besides_hosts(self, hosts: Iterable[str]) -> LinkFlipQuerySet:
        """Flips of links that are not on these hosts."""
        return self.exclude(link__host__in=list(hosts))


class LinkFlip(models.Model):
    """A change of a link's `is_active`, to the value stored here. A check that changes nothing leaves no row."""

    link = models.ForeignKey("streaming.StreamingLink", on_delete=models.CASCADE, related_name="flips")
    at = models.DateTimeField(default=timezone.now)
    is_active = models.BooleanField()
    reason = models.CharField(max_length=40)

    objects = LinkFlipQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-at"], name="flip_by_time")]

    def __str__(self) -> str:
        return f"{'revived' if self.is_active else 'died'}: {self.reason}"
