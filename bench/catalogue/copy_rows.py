"""`python -m bench.catalogue.copy_rows COPIES [--facts]`: copy the movies of Openreel's database with their links.

A million films take minutes instead of the time of an import. Rows of links are copied by SQL; triggers, counters,
search index, changes and statistics are what an import leaves. The settings come from the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import django
from django.db import connection, transaction

from bench.catalogue.copies import Titles
from bench.catalogue.facts import facts_of
from bench.catalogue.films import imdb_id, number_of

django.setup()

from streaming.ingest.bulk_connection import analyze, bulk_connection  # noqa: E402  (needs Django's set-up)
from streaming.ingest.facts import parse_movie_facts, to_column  # noqa: E402
from streaming.models import Movie, StreamingLink  # noqa: E402
from streaming.models.bulk_counts import links_counted_together, movies_counted_together  # noqa: E402
from streaming.models.change import number_all_changes  # noqa: E402

BATCH_MOVIES = 5_000
KEPT = ("year", "type", "poster_url", "synopsis", "created_at", "updated_at")
LINK_COLUMNS = [
    field.column
    for field in StreamingLink._meta.concrete_fields
    if field.column not in ("id", "movie_id", "source_url")
]
COPY_LINKS = f"""
    INSERT INTO streaming_streaminglink (movie_id, source_url, {", ".join(LINK_COLUMNS)})
    SELECT copy.id, replace(l.source_url, original.imdb_id, copy.imdb_id), {", ".join(f"l.{x}" for x in LINK_COLUMNS)}
    FROM streaming_movie original
    CROSS JOIN streaming_movie copy CROSS JOIN streaming_streaminglink l
    WHERE original.id BETWEEN %s AND %s AND copy.id = original.id + %s AND l.movie_id = original.id
    ORDER BY copy.id, l.id
"""
SEQUENCE = "SELECT setval(pg_get_serial_sequence('streaming_movie', 'id'), (SELECT max(id) FROM streaming_movie))"


class Copier:
    """Copies what is in the database when it is made; `facts`: each copy gets those of its own number."""

    def __init__(self, *, facts: bool) -> None:
        self.facts, self.titles = facts, Titles()
        self.ids = list(Movie.objects.order_by("pk").values_list("pk", flat=True))

    def copy(self, copies: int) -> None:
        """Make this many copies of each movie, in short transactions."""
        with bulk_connection():
            for copy in range(1, copies + 1):
                for start in range(0, len(self.ids), BATCH_MOVIES):
                    with transaction.atomic():
                        self._copy_batch(self.ids[start : start + BATCH_MOVIES], copy)
                    number_all_changes()
                print(f"copy {copy} of {copies}", flush=True)
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(SEQUENCE)
            analyze()

    def _copy_batch(self, ids: Sequence[int], copy: int) -> None:
        originals = list(Movie.objects.filter(pk__range=(ids[0], ids[-1])).order_by("pk"))
        with movies_counted_together(len(originals)):
            Movie.objects.bulk_create(self._copy_of(movie, copy) for movie in originals)
        links = StreamingLink.objects.filter(movie_id__gte=ids[0], movie_id__lte=ids[-1]).count()
        with links_counted_together(links), connection.cursor() as cursor:
            cursor.execute(COPY_LINKS, [ids[0], ids[-1], self.ids[-1] * copy])

    def _copy_of(self, movie: Movie, copy: int) -> Movie:
        number = number_of(movie.imdb_id) + copy * len(self.ids)
        stated = parse_movie_facts(facts_of(number)) if self.facts else {}
        return Movie(
            pk=movie.pk + copy * self.ids[-1],
            imdb_id=imdb_id(number),
            title=self.titles.of_copy(movie.title, copy),
            **{name: getattr(movie, name) for name in KEPT},
            **{name: to_column(value) for name, value in stated.items() if name != "refused" and value is not None},
        )


if __name__ == "__main__":
    Copier(facts="--facts" in sys.argv).copy(int(sys.argv[1]))
