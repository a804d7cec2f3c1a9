"""Takedowns: addresses that are never saved and never shown."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class BlockedAddress(models.Model):
    """One takedown. `kind` says what `address` is.

    A host blocks its subdomains too, a prefix all URLs that begin with it, a link all spellings of its URL.
    Prefixes are compared in all spellings, too (`streaming.ingest.url_identity.comparable_url`). Rows are written by
    `streaming.ingest.takedown` only, which hides and shows the links.
    """

    class Kind(models.TextChoices):
        HOST = "host", "Host"
        PREFIX = "prefix", "URL prefix"
        LINK = "link", "One link"
        IMDB_ID = "imdb_id", "IMDb id"

    kind = models.CharField(max_length=7, choices=Kind)
    address = models.CharField(max_length=2000, unique=True)
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "blocked addresses"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=("host", "prefix", "link", "imdb_id")), name="blocked_kind_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="blocked_has_reason"),
        ]

    def __str__(self) -> str:
        return self.address
