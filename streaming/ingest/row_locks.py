"""Locks of the rows that staff edit: whoever comes second sees what the first wrote, or that the row is gone."""

from __future__ import annotations

from django.db import connection

from streaming.models import Movie, StreamingLink

APPEARANCE_LOCK_ID = 7_264_110_020
"""PostgreSQL's advisory lock of whoever lets movies appear, taken after takedowns and before movies."""


class RowGone(Exception):
    """The row of an edit was removed by somebody else meanwhile; the message is a sentence for display."""


MOVIE_GONE = "The movie has been removed meanwhile."


def lock_movie(movie_id: int) -> Movie:
    """Lock a movie until the transaction ends and return its current row; raise RowGone if there is none.

    Edits lock takedowns before movies and movies before links, as all other writers do, to avoid deadlocks.
    """
    movie = Movie.objects.select_for_update(no_key=True).filter(pk=movie_id).first()
    if movie is None:
        raise RowGone(MOVIE_GONE)
    return movie


def lock_link(link: StreamingLink) -> StreamingLink:
    """Lock a link and its movie until the transaction ends and return its current row; raise RowGone if it is gone."""
    movie = lock_movie(link.movie_id)
    current = StreamingLink.objects.select_for_update().filter(pk=link.pk, movie=movie).first()
    if current is None:
        raise RowGone("The link has been deleted meanwhile.")
    current.movie = movie
    return current


def lock_appearance(*, restores: bool) -> None:
    """Let movies appear until the transaction ends: restored beside nobody, created beside others that create.

    Transactions create in the order of ids, but restore in that of tombstones: two that met would each wait for a
    movie of the other, and PostgreSQL would abort one. SQLite has one writer.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            shared = "" if restores else "_shared"
            cursor.execute(f"SELECT pg_advisory_xact_lock{shared}(%s)", [APPEARANCE_LOCK_ID])
