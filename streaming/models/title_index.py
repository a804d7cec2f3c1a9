"""Questions to the search index, in the SQL of each database. `streaming.models.search_schema` describes its tables."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any, NamedTuple

from django.db import connections

from streaming.models.search_schema import movie_of_place
from streaming.search_words import AFTER_KEY_END, KEY_END, Term

Alternative = Sequence[Term]
"""Terms that a title has to have together."""
Pattern = Sequence[Sequence[Alternative]]
"""What a title has to have: of each entry one of the alternatives."""
MAX_WORDS = 20
MAX_OF_MANY = 50_000
"""Rows for many titles at once; some titles are those of hundreds of movies."""
LAST_CHARACTER = "\U0010ffff"


class WantedTitle(NamedTuple):
    """A title that is looked for beside many others: `number` tells them apart, `year` None means any."""

    number: int
    key: str
    year: int | None = None


class TitledMovie(NamedTuple):
    """A movie that has the wanted title with this number."""

    number: int
    pk: int
    year: int | None
    type: str


class TitleIndex:
    """The search index of one database."""

    def __init__(self, alias: str) -> None:
        self.connection = connections[alias]
        self.is_postgres = self.connection.vendor == "postgresql"

    def matching_each(self, patterns: Sequence[Pattern], *, limit: int) -> list[list[int]]:
        """The ids of at most `limit` movies with a title that matches, for each of the patterns, in the order of their
        places. One query.
        """
        if self.is_postgres:
            sql = "SELECT place FROM streaming_searchtitle WHERE vector @@ %s::tsquery ORDER BY place LIMIT %s"
        else:
            sql = (
                "SELECT rowid AS place FROM streaming_searchtext WHERE streaming_searchtext MATCH %s "
                "ORDER BY rowid LIMIT %s"
            )
        each = (f"SELECT {number}, place FROM ({sql}) AS found_{number}" for number in range(len(patterns)))  # noqa: S608
        found: list[list[int]] = [[] for _ in patterns]
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"{' UNION ALL '.join(each)} ORDER BY 2",
                [value for pattern in patterns for value in (self._render(pattern), limit)],
            )
            for number, place in cursor.fetchall():
                found[number].append(movie_of_place(place))
        return [list(dict.fromkeys(ids)) for ids in found]

    def titled(self, *keys: str, limit: int) -> list[int]:
        """The ids of the movies with a title that has exactly one of these keys."""
        if not keys:
            return []
        one_of_them = " OR ".join(["words >= %s AND words < %s"] * len(keys))
        # The sign keeps the planners from reading all titles in the order of their places.
        sql = f"SELECT place FROM streaming_searchtitle WHERE {one_of_them} ORDER BY +place LIMIT %s"  # noqa: S608
        ends = chain.from_iterable((f"{key}{KEY_END}", f"{key}{AFTER_KEY_END}") for key in keys)
        return self._movies(sql, [*ends, limit])

    def titled_many(self, wanted: Collection[WantedTitle], *, years_apart: int) -> list[TitledMovie]:
        """The movies with exactly one of these keys, of about its year, if any."""
        listed = "jsonb_array_elements(%s::jsonb) AS w" if self.is_postgres else "json_each(%s) AS w"
        number, first, last, start, end = (
            f"(w.value->>{place}){cast}" if self.is_postgres else f"json_extract(w.value, '$[{place}]')"
            for place, cast in enumerate(("::int", "::int", "::int", ' COLLATE "C"', ' COLLATE "C"'))
        )
        # CROSS JOIN keeps SQLite to this order: the titles that are looked for first.
        sql = f"""SELECT DISTINCT {number}, m.id, m.year, m.type FROM {listed}
            CROSS JOIN streaming_searchtitle t CROSS JOIN streaming_movie m
            WHERE t.words >= {start} AND t.words < {end} AND m.id = t.movie_id
            AND ({first} = 0 OR m.year BETWEEN {first} AND {last}) LIMIT {MAX_OF_MANY}"""  # noqa: S608  our own constants
        rows = [
            (one.number, (one.year or years_apart) - years_apart, (one.year or 0) + years_apart,
             f"{one.key}{KEY_END}", f"{one.key}{AFTER_KEY_END}")
            for one in wanted
        ]  # fmt: skip
        with self.connection.cursor() as cursor:
            cursor.execute(sql, [json.dumps(rows)])
            return [TitledMovie(*row) for row in cursor.fetchall()]

    def of_one_word(self, ids: Collection[int]) -> list[int]:
        """Those of these movies with a title of which the key is a single word."""
        listed = "movie_id = ANY(%s)" if self.is_postgres else "movie_id IN (SELECT value FROM json_each(%s))"
        sql = f"SELECT place FROM streaming_searchtitle WHERE {listed} AND words NOT LIKE %s"  # noqa: S608
        return self._movies(sql, [list(ids) if self.is_postgres else json.dumps(list(ids)), f"% %{KEY_END}%"])

    def beginning_with(self, key: str, *, limit: int) -> list[int]:
        """The ids of movies with a title that begins with this key."""
        sql = "SELECT place FROM streaming_searchtitle WHERE words >= %s AND words < %s ORDER BY place LIMIT %s"
        return self._movies(sql, [key, f"{key}{LAST_CHARACTER}", limit])

    def known_words(self, words: Collection[str]) -> list[str]:
        """Those of the words that titles have, at most 20, those of most titles first."""
        of_titles = "word = ANY(%s)" if self.is_postgres else "word IN (SELECT value FROM json_each(%s))"
        sql = f"""SELECT word FROM streaming_searchword WHERE {of_titles}
            GROUP BY word ORDER BY max(titles) DESC, word LIMIT {MAX_WORDS}"""  # noqa: S608  our own constants
        return self._texts(sql, [self._list(words)])

    def known_beginnings(self, words: Collection[str]) -> list[str]:
        """Those of the words with which words of titles begin, at most 20, in no particular order."""
        listed = "unnest(%s::text[]) AS listed (value)" if self.is_postgres else "json_each(%s) AS listed"
        sql = f"""SELECT value FROM {listed} WHERE EXISTS (SELECT 1 FROM streaming_searchword
            WHERE word >= value AND word < value || %s) LIMIT {MAX_WORDS}"""  # noqa: S608  our own constants
        return self._texts(sql, [self._list(words), LAST_CHARACTER])

    def words_containing(self, part: str) -> list[str]:
        """Words of titles with these letters, at most 20, those of most titles first. Reads the whole vocabulary."""
        contains = "strpos(word, %s)" if self.is_postgres else "instr(word, %s)"
        sql = f"""SELECT word FROM streaming_searchword WHERE {contains} > 0
            GROUP BY word ORDER BY max(titles) DESC, word LIMIT {MAX_WORDS}"""  # noqa: S608  our own constants
        return self._texts(sql, [part])

    def _movies(self, sql: str, values: Sequence[Any]) -> list[int]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(dict.fromkeys(movie_of_place(place) for (place,) in cursor.fetchall()))

    def _texts(self, sql: str, values: Sequence[Any]) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return [text for (text,) in cursor.fetchall()]

    def _list(self, words: Collection[str]) -> list[str] | str:
        return sorted(words) if self.is_postgres else json.dumps(sorted(words), ensure_ascii=False)

    def _render(self, pattern: Pattern) -> str:
        """The pattern in the language of the database. Words have no signs that would need escapes."""
        both, either = (" & ", " | ") if self.is_postgres else (" AND ", " OR ")
        return both.join(
            f"({either.join(f'({both.join(map(self._render_term, terms))})' for terms in alternatives)})"
            for alternatives in pattern
        )

    def _render_term(self, term: Term) -> str:
        if self.is_postgres:
            return f"'{term.word}'{':*' if term.is_prefix else ''}"
        return f'"{term.word}"{"*" if term.is_prefix else ""}'
