"""The two tables of a tutorial."""

from __future__ import annotations

from django.db import models


class Film(models.Model):
    imdb_id = models.CharField(max_length=12, unique=True)
    title = models.CharField(max_length=300)
    year = models.PositiveSmallIntegerField(null=True)
    type = models.CharField(max_length=10)
    poster_url = models.URLField(max_length=500, blank=True)
    synopsis = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "tutorial"
        ordering = ["title"]


class FilmLink(models.Model):
    film = models.ForeignKey(Film, on_delete=models.CASCADE, related_name="links")
    source = models.CharField(max_length=40)
    source_url = models.URLField(max_length=2000)
    kind = models.CharField(max_length=10)
    quality = models.CharField(max_length=10, blank=True)
    language = models.CharField(max_length=20, blank=True)
    licence = models.CharField(max_length=40, blank=True)
    is_active = models.BooleanField(default=True)
    last_checked = models.DateTimeField(null=True)

    class Meta:
        app_label = "tutorial"
