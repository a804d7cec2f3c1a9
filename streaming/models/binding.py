"""A URL at a source that a person assigned to a movie, for sources that know no IMDb ids."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Binding(models.Model):
    """Every search for the movie reads `url` with the spider `source` (empty: the source that the host belongs to)."""

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
