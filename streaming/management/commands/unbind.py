"""Remove a binding."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from streaming.formatting import quote_value
from streaming.ingest.bindings import unbind
from streaming.management.base import OpenreelCommand
from streaming.models import Movie


class Command(OpenreelCommand):
    help = "Remove a binding. Links found at the URL stay."
    example = "python manage.py unbind tt1254207 https://video.blender.org/w/bunny"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("imdb_id", metavar="IMDB_ID")
        parser.add_argument("url", metavar="URL")

    def handle(self, *, imdb_id: str, url: str, **options: Any) -> str:
        movie = Movie.objects.filter(imdb_id=imdb_id).first()
        if movie is None:
            raise CommandError(f"No such movie: {quote_value(imdb_id)}.")
        if not unbind(movie, url=url):
            raise CommandError(f"{quote_value(url)} is not bound to {movie.imdb_id}.")
        return f"Unbound {movie.imdb_id} from {quote_value(url, max_length=200)}."
