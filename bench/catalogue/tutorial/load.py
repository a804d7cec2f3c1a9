"""Create the tutorial's tables and insert films: `python -m bench.catalogue.tutorial.load FILE COPIES`.

Each film of the file is followed by this many copies, the same that Openreel's database has.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import django
from django.db import connection, transaction
from django.utils.dateparse import parse_datetime

from bench.catalogue.copies import with_copies
from bench.catalogue.films import read_catalogue

django.setup()

from bench.catalogue.tutorial.models import Film, FilmLink  # noqa: E402  (needs Django's set-up)

BATCH_FILMS = 5000
COPIED = ("imdb_id", "title", "year", "type", "poster_url", "synopsis")
COPIED_OF_LINKS = ("source", "source_url", "kind", "quality", "language", "licence", "is_active")


def load(file: Path, *, copies: int) -> None:
    with connection.schema_editor() as editor:
        for model in (Film, FilmLink):
            editor.create_model(model)
    with file.open("rb") as lines:
        imported = sum(1 for _ in lines)
    films = with_copies(read_catalogue(file), imported=imported, copies=copies)
    while batch := list(itertools.islice(films, BATCH_FILMS)):
        with transaction.atomic():
            rows = Film.objects.bulk_create(Film(**{name: one[name] for name in COPIED}) for one in batch)
            FilmLink.objects.bulk_create(
                FilmLink(
                    film=row,
                    last_checked=parse_datetime(link["last_checked"] or ""),
                    **{name: link[name] for name in COPIED_OF_LINKS},
                )
                for row, one in zip(rows, batch, strict=True)
                for link in one["links"]
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    load(Path(sys.argv[1]), copies=int(sys.argv[2]))
