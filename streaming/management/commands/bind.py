"""Bind a movie to a URL at a source."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scraper.net.url_policy import InvalidValue
from streaming.formatting import quote_value
from streaming.ingest.bindings import bind
from streaming.management.base import OpenreelCommand
from streaming.models import Movie


class Command(OpenreelCommand):
    help = "Bind a movie to a URL at a source that knows no IMDb ids. Every search for the movie reads it."
    example = "python manage.py bind tt1254207 https://video.blender.org/w/bunny --source peertube"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("imdb_id", metavar="IMDB_ID")
        parser.add_argument("url", metavar="URL", help="the page, video or item of the film")
        parser.add_argument(
            "--source",
            default="",
            metavar="SLUG",
            help="the source that reads the URL; default: by its host",
        )

    def handle(self, *, imdb_id: str, url: str, source: str, **options: Any) -> str:
        movie = Movie.objects.filter(imdb_id=imdb_id).first()
        if movie is None:
            raise CommandError(f"No such movie: {quote_value(imdb_id)}.")
        try:
            binding, is_new = bind(movie, url=url, source=source)
        except InvalidValue as error:
            raise CommandError(f"{error}.") from None
        return f"{'Bound' if is_new else 'Already bound:'} {movie.imdb_id} to {binding.url}."
