"""Load a list's movies and links into an empty database: `python -m bench.load LIST`, with DATABASE_URL."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import django
from django.core.management import call_command

from bench import lists
from scraper.net.url_policy import host_of

django.setup()

from streaming.models import Movie, StreamingLink  # noqa: E402  (needs Django's set-up)

BATCH_SIZE = 5000


def load(listed: Path) -> None:
    """Migrate the database and insert the list in batches."""
    call_command("migrate", verbosity=0)
    links, known = lists.read_list(listed), 0
    movies: dict[int, Movie] = {}
    while batch := list(itertools.islice(links, BATCH_SIZE)):
        new = {link.movie: link.title for link in batch if link.movie > known}
        created = Movie.objects.bulk_create(
            Movie(imdb_id=lists.imdb_id(movie), title=title) for movie, title in new.items()
        )
        movies = {movie: row for movie, row in movies.items() if movie == known} | dict(zip(new, created, strict=True))
        known = max(movies)
        StreamingLink.objects.bulk_create(_link(link, movies[link.movie]) for link in batch)


def _link(link: lists.Listed, movie: Movie) -> StreamingLink:
    kind = StreamingLink.Kind.FILE if link.right.media else StreamingLink.Kind.PAGE
    return StreamingLink(movie=movie, source="example", source_url=link.url, host=host_of(link.url), kind=kind)


if __name__ == "__main__":
    load(Path(sys.argv[1]))
