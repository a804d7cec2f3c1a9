"""What movies are filtered by besides their columns: genres, countries, people, and languages of captions."""

from __future__ import annotations

from django.db import connection, models

VALUES_SQL = """
    WITH RECURSIVE found(value) AS (
        SELECT min(value) FROM streaming_moviefacet WHERE kind = %s
        UNION ALL
        SELECT (SELECT min(f.value) FROM streaming_moviefacet f WHERE f.kind = %s AND f.value > found.value)
        FROM found WHERE found.value IS NOT NULL
    )
    SELECT value FROM found WHERE value IS NOT NULL
"""
"""The values of a kind, without reading a row for each movie."""


class MovieFacetQuerySet(models.QuerySet["MovieFacet"]):
    """Queries about many facets."""

    def values_of(self, kind: str) -> list[str]:
        """The values of a kind that movies have, in order; costs one look into the index for each."""
        with connection.cursor() as cursor:
            cursor.execute(VALUES_SQL, [kind, kind])
            return [value for (value,) in cursor.fetchall()]


class MovieFacet(models.Model):
    """A value by which a movie is found. Derived: triggers keep it (`streaming.models.facet_triggers`).

    Those of a movie come from its columns `genres`, `countries`, `directors` and `cast`, and have the `link_id` 0;
    captions come from an active link, and have its id. A person is known by Wikidata id or by a key made of the name.
    The value of captions is a language in lower case, without region too: a link with `pt-BR` has `pt-br` and `pt`.
    """

    class Kind(models.TextChoices):
        GENRE = "genre", "Genre"
        COUNTRY = "country", "Country"
        PERSON = "person", "Person"
        CAPTIONS = "captions", "Captions"

    movie = models.ForeignKey(
        "streaming.Movie", on_delete=models.DO_NOTHING, related_name="facets", db_constraint=False, db_index=False
    )
    link_id = models.BigIntegerField(default=0, db_default=0)
    kind = models.CharField(max_length=8, choices=Kind)
    value = models.CharField(max_length=100)

    objects = MovieFacetQuerySet.as_manager()

    class Meta:
        constraints = [
            # In this order, it is the index by which the movies of a value are found.
            models.UniqueConstraint(fields=["kind", "value", "movie", "link_id"], name="facet_once_a_movie"),
        ]
        indexes = [models.Index(fields=["movie", "link_id"], name="facet_of_movie")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value} of movie {self.movie_id}"
