"""An address that a person bound to a movie: a source that knows no IMDb ids is read there on every search."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Binding(models.Model):
    """`source` names the spider that reads `url`; empty: the one that knows the address as its own."""

    movie = models.ForeignKey("streaming.Movie", on_delete=models.CASCADE, related_name="bindings")
    source = models.SlugField(max_length=50, blank=True, default="", db_index=False)
    url = models.CharField(max_length=2000)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["movie", "url"], name="binding_once_a_movie"),
            models.CheckConstraint(
                condition=Q(url__startswith="http://") | Q(url__startswith="https://"), name="binding_url_http"
            ),
        ]

    def __str__(self) -> str:
        return self.url
