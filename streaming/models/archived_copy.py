"""Archived copies of pages that are gone, as the Wayback Machine names them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from streaming.models.link import StreamingLink, StreamingLinkQuerySet
from streaming.reason_codes import Reason

MAX_URL_LENGTH = 2100
ASK_AGAIN_AFTER = timedelta(days=30)
COPYABLE_LICENCES = ("public-domain", "cc0", "cc-by", "cc-by-sa")
"""Licences under which anybody may keep a copy of the page's film and show it."""
GONE_REASONS = (Reason.HTTP_404, Reason.HTTP_410, Reason.SOFT_404)


class ArchivedCopyQuerySet(models.QuerySet["ArchivedCopy"]):
    """Queries about many copies."""

    def record(self, link_id: int, *, url: str, archived_at: datetime | None, now: datetime) -> None:
        """Store what the archive has of a link; an empty URL: nothing."""
        values = {"url": url, "archived_at": archived_at, "asked_at": now}
        self.update_or_create(link_id=link_id, defaults=values)


class ArchivedCopy(models.Model):
    """What the archive had of a dead link when it was asked; if nothing, `url` is empty and `archived_at` None."""

    link = models.OneToOneField("streaming.StreamingLink", on_delete=models.CASCADE, related_name="archived_copy")
    url = models.CharField(max_length=MAX_URL_LENGTH, blank=True, default="")
    archived_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField()

    objects = ArchivedCopyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(url="", archived_at=None) | ~Q(url="") & Q(archived_at__isnull=False),
                name="archived_copy_has_time",
            )
        ]

    def __str__(self) -> str:
        return self.url or "No archived copy"


def pages_to_look_up(*, now: datetime) -> StreamingLinkQuerySet:
    """Dead pages whose archived copy may be offered and nobody has asked about lately, the latest deaths first.

    Only pages that are gone, of films whose licence permits copies. Not those of the archive itself: what it has
    withdrawn, it does not want to be shown.
    """
    asked_lately = Q(archived_copy__asked_at__gt=now - ASK_AGAIN_AFTER, archived_copy__asked_at__lte=now)
    return (
        StreamingLink.objects.inactive()
        .filter(kind=StreamingLink.Kind.PAGE, reason__in=GONE_REASONS, licence__in=COPYABLE_LICENCES)
        .exclude(asked_lately)
        .exclude(source="internet_archive")
        .order_by("-state_since", "-pk")
    )
