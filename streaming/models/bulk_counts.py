"""Counting and indexing many rows at once: on SQLite a trigger for each row takes longer than the insert.

In a transaction that has the write lock, the triggers of these rows are dropped, a few statements do for all rows what
the triggers would do for each, and the triggers are created again as they were. Nobody else ever sees the database
without them: another connection reads the state before or after the transaction, and a writer that is killed leaves the
state before. PostgreSQL's triggers count whole statements anyway. Decision 0021.
"""

# ruff: noqa: S608 - all statements are built from our own names and from numbers

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection

from streaming.models.change_triggers import LINK, MOVIE
from streaming.models.change_triggers import NAME_PREFIX as NOTE
from streaming.models.counter_triggers import (
    IS_ACTIVE,
    LINK_COUNT,
    MOVIE_COUNT,
    REASON_COUNT,
    VERSION_BUMP,
    add_counts,
    count_rows,
)
from streaming.models.counter_triggers import NAME_PREFIX as COUNT
from streaming.models.facet_triggers import FACET as FACETS
from streaming.models.facet_triggers import NAME_PREFIX as FACET
from streaming.models.facet_triggers import add_link_facets, add_movie_facets
from streaming.models.search_schema import ADDED_TITLE_TRIGGERS, DELETED_TITLE_TRIGGERS, add_titles, delete_titles

MIN_ROWS = 100
"""Of fewer rows, the triggers count each: other connections read the schema again after it has changed."""
PENDING = "streaming_pendingchange (imdb_id, movie_id)"


@contextmanager
def movies_counted_together(rows: int) -> Iterator[None]:
    """Count and index the movies that are inserted in this block, without links, after its end.

    Nothing else may be written.
    """
    if not _is_worth_it(rows):
        yield
        return
    last = _last_id(MOVIE)
    triggers = (f"{NOTE}movie_added", f"{COUNT}movie_added", f"{COUNT}version", f"{FACET}movie_added")
    with _without_triggers(*triggers, *ADDED_TITLE_TRIGGERS):
        yield
        new = f"(SELECT * FROM {MOVIE} WHERE id > {last})"
        add_counts(connection, MOVIE_COUNT, count_rows(connection, MOVIE_COUNT, rows_from=new))
        _execute(*add_titles(after=last), add_movie_facets(after=last))
        _execute(f"INSERT INTO {PENDING} SELECT imdb_id, NULL FROM {new} ORDER BY id", *VERSION_BUMP)


@contextmanager
def links_counted_together(rows: int) -> Iterator[None]:
    """Count the links that are inserted in this block after its end. Nothing else may be written."""
    if not _is_worth_it(rows):
        yield
        return
    last = _last_id(LINK)
    triggers = ("link_added", "movie_changed", "version")
    with _without_triggers(f"{NOTE}link_added", f"{FACET}link_added", *(f"{COUNT}{name}" for name in triggers)):
        yield
        new = f"(SELECT * FROM {LINK} WHERE id > {last})"
        active = f"{LINK} l WHERE id > {last} AND {IS_ACTIVE.format('l')}"
        movies = f"(SELECT * FROM {MOVIE} WHERE id IN (SELECT movie_id FROM {active}))"
        for table in (LINK_COUNT, REASON_COUNT):
            add_counts(connection, table, count_rows(connection, table, rows_from=new))
        before = count_rows(connection, MOVIE_COUNT, rows_from=movies)
        _execute(
            f"UPDATE {MOVIE} SET active_link_count = active_link_count + t.n FROM "
            f"(SELECT movie_id, COUNT(*) AS n FROM {active} GROUP BY movie_id) t WHERE id = t.movie_id"
        )
        add_counts(connection, MOVIE_COUNT, count_rows(connection, MOVIE_COUNT, rows_from=movies), less=before)
        _execute(add_link_facets(after=last))
        _execute(f"INSERT INTO {PENDING} SELECT DISTINCT '', movie_id FROM {active}", *VERSION_BUMP)


@contextmanager
def removal_counted_together(movie_ids: Sequence[int]) -> Iterator[None]:
    """Count these movies and their links, all of which are deleted in this block, before its start.

    Their facets and the rows of the search index are deleted then, too.
    """
    if not _is_worth_it(len(movie_ids)):
        yield
        return
    ids = ",".join(str(int(pk)) for pk in movie_ids)
    movies = f"(SELECT * FROM {MOVIE} WHERE id IN ({ids}))"
    links = f"(SELECT * FROM {LINK} WHERE movie_id IN ({ids}))"
    events = ("movie_deleted", "link_deleted")
    triggers = [f"{kind}{event}" for kind in (NOTE, COUNT, FACET) for event in events]
    with _without_triggers(*triggers, f"{COUNT}version", *DELETED_TITLE_TRIGGERS):
        for table, rows in ((LINK_COUNT, links), (REASON_COUNT, links), (MOVIE_COUNT, movies)):
            add_counts(connection, table, {}, less=count_rows(connection, table, rows_from=rows))
        _execute(f"INSERT INTO {PENDING} SELECT imdb_id, NULL FROM {movies} ORDER BY id", *VERSION_BUMP)
        _execute(*delete_titles(movie_ids), f"DELETE FROM {FACETS} WHERE movie_id IN ({ids})")
        yield


def _is_worth_it(rows: int) -> bool:
    return rows >= MIN_ROWS and connection.vendor == "sqlite"


@contextmanager
def _without_triggers(*names: str) -> Iterator[None]:
    """Drop these triggers and create those that existed again. An error in the block has to end the transaction."""
    marks = ", ".join(["%s"] * len(names))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name IN ({marks})", names)
        found = dict(cursor.fetchall())
    _execute(*(f"DROP TRIGGER {name}" for name in found))
    yield
    _execute(*found.values())


def _last_id(table: str) -> int:
    """The highest id that the table ever had: those of new rows are higher."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found: Any = cursor.fetchone()
    return found[0] if found else 0


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
