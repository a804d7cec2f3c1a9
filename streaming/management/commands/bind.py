"""An address of a source is bound to a movie by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scraper.net.url_policy import InvalidValue
from streaming.ingest.bindings import bind
from streaming.management.base import OpenreelCommand
from streaming.models import Movie


class Command(OpenreelCommand):
    help = "Bind a movie to an address of a source that knows no IMDb ids: every search for the movie reads it."
    example = "python manage.py bind tt1254207 https://video.blender.org/w/bunny --source peertube"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("imdb_id", metavar="IMDB_ID")
        parser.add_argument("url", metavar="URL", help="a page, video or item that is the film")
        parser.add_argument("--source", default="", metavar="SLUG", help="who reads it; else who knows the address")

    def handle(self, *, imdb_id: str, url: str, source: str, **options: Any) -> str:
        movie = Movie.objects.filter(imdb_id=imdb_id).first()
        if movie is None:
            raise CommandError(f"No such movie: {ascii(imdb_id)[:40]}.")
        try:
            row, is_new = bind(movie, url=url, source=source)
        except InvalidValue as refusal:
            raise CommandError(f"{refusal}.") from None
        return f"{'Bound' if is_new else 'Was bound already:'} {movie.imdb_id} to {row.url}."
