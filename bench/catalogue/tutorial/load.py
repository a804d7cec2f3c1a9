"""`python -m bench.catalogue.tutorial.load FILE`: create the tutorial's tables and insert the films of a file."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import django
from django.db import connection, transaction
from django.utils.dateparse import parse_datetime

from bench.catalogue.films import read_catalogue

django.setup()

from bench.catalogue.tutorial.models import Film, FilmLink  # noqa: E402  (needs Django's set-up)

BATCH_FILMS = 5000
COPIED = ("imdb_id", "title", "year", "type", "poster_url", "synopsis")


def load(file: Path) -> None:
    with connection.schema_editor() as editor:
        for model in (Film, FilmLink):
            editor.create_model(model)
    films = read_catalogue(file)
    while batch := list(itertools.islice(films, BATCH_FILMS)):
        with transaction.atomic():
            rows = Film.objects.bulk_create(Film(**{name: one[name] for name in COPIED}) for one in batch)
            FilmLink.objects.bulk_create(
                FilmLink(film=row, **{**link, "last_checked": parse_datetime(link["last_checked"] or "")})
                for row, one in zip(rows, batch, strict=True)
                for link in one["links"]
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    load(Path(sys.argv[1]))
