"""The search index beside the movies: does it agree with them, and mending it. It is derived: nothing can be lost.

Triggers keep the index (`streaming.models.search_schema`). What they cannot do is done here: put titles where their
fame belongs, forget words that no title has any more, and find out whether somebody wrote past the triggers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from streaming.models import Movie
from streaming.models.movie import lock_movies
from streaming.models.search_schema import MIN_VOCABULARY_LENGTH, place_sql
from streaming.search_words import fold_for_search, title_words

BATCH_MOVIES = 2000
AFTER_ALL_MOVIES = 2**62
# What the tokenizer of SQLite's index takes for a word: ASCII letters and digits, and all that is not ASCII.
INDEXED_WORD = re.compile(r"[0-9a-z\x80-\U0010ffff]+")


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """The number of movies that were looked at and of those that could not be found as they should."""

    movies: int
    mended: int


def wrong_titles(*, first: int = 1, last: int = AFTER_ALL_MOVIES) -> list[str]:
    """A line for each movie with an id from `first` to `last` that its title does not find, or a wrong one does."""
    lines = [f"{row.imdb_id} cannot be found by its title" for row in _wrong_words(first, last)]
    lines += [f"movie {pk} is not in the search index as it should be" for pk in _differing(first, last)]
    return lines + [f"the search index has a movie {pk} that does not exist" for pk in _orphans(first, last)]


def wrong_words() -> list[str]:
    """A line if the index of words does not have the words of all titles, or has others. Reads all titles."""
    lines = [] if _is_text_complete() else ["the full-text index has other words than the titles"]
    missing = _count("SELECT count(*) FROM ({new}) AS found")
    return lines + ([f"{missing} words of titles are unknown to the spelling correction"] if missing else [])


def interrupted_at() -> int:
    """The id of the movie after which a rebuild that was killed has to go on; 0: from the start."""
    rows = _rows("SELECT movie_id FROM streaming_searchprogress")
    return int(rows[0][0]) if rows else 0


def rebuild(*, after: int, on_progress: Callable[[int], None]) -> RebuildReport:
    """Mend the index and put each title in its place, in short transactions, from the movies after this id on.

    `on_progress` gets the number of movies of each batch. Searches and writers go on meanwhile. Only the full-text
    index of SQLite, if it is wrong, is made anew in one go, while writers wait.
    """
    movies = mended = 0
    with transaction.atomic():
        _mend_text()
    for first, last in _batches(after=after):
        with transaction.atomic():
            lock_movies(Movie.objects.filter(pk__range=(first, last)).order_by("pk").values_list("pk", flat=True))
            mended += _mend_titles(first, last)
            movies_in_batch = _put_in_place(first, last)
            _save_progress(last)
        movies += movies_in_batch
        on_progress(movies_in_batch)
    with transaction.atomic():
        _mend_words()
        _execute("DELETE FROM streaming_searchprogress")
    return RebuildReport(movies=movies, mended=mended)


def _batches(*, after: int) -> Iterator[tuple[int, int]]:
    """The ranges of ids of about `BATCH_MOVIES` movies; the last one ends after all movies."""
    last = after
    while last < AFTER_ALL_MOVIES:
        ids = Movie.objects.filter(pk__gt=last).order_by("pk").values("pk")[:BATCH_MOVIES]
        first, last = last + 1, Movie.objects.filter(pk__in=ids).aggregate(last=Max("pk"))["last"] or AFTER_ALL_MOVIES
        yield first, last


def _save_progress(last: int) -> None:
    _execute("DELETE FROM streaming_searchprogress")
    if last < AFTER_ALL_MOVIES:
        _execute("INSERT INTO streaming_searchprogress (id, movie_id) VALUES (1, %s)", last)


def _wrong_words(first: int, last: int) -> list[Movie]:
    """Movies whose derived columns are not those of their title, with the right ones."""
    rows = Movie.objects.filter(pk__range=(first, last)).order_by("pk")
    length, wrong = Movie._meta.get_field("search_title").max_length, []
    titles, people = ("title", "original_title", "other_titles"), ("directors", "cast")
    for movie in rows.only("imdb_id", "search_title", "search_words", *titles, *people).iterator():
        words = title_words(movie.title, *movie.search_titles, people=movie.search_people)
        right = fold_for_search(movie.title)[:length], words
        if (movie.search_title, movie.search_words) != right:
            movie.search_title, movie.search_words = right
            wrong.append(movie)
    return wrong


# A title that is not there has NULL words.
_DIFFERING = """SELECT m.id FROM streaming_movie m
    LEFT JOIN streaming_searchtitle t ON t.movie_id = m.id AND t.number = 0
    WHERE m.id BETWEEN %s AND %s AND m.search_words <> '' AND (t.words IS NULL OR t.words <> m.search_words)
    ORDER BY m.id"""
_ORPHANS = """SELECT DISTINCT t.movie_id FROM streaming_searchtitle t
    WHERE t.movie_id BETWEEN %s AND %s AND NOT EXISTS (SELECT 1 FROM streaming_movie m WHERE m.id = t.movie_id)"""


def _differing(first: int, last: int) -> list[int]:
    return [pk for (pk,) in _rows(_DIFFERING, first, last)]


def _orphans(first: int, last: int) -> list[int]:
    return [pk for (pk,) in _rows(_ORPHANS, first, last)]


def _mend_titles(first: int, last: int) -> int:
    """Give each movie of the range its row; return how many had none or a wrong one."""
    wrong = _wrong_words(first, last)
    Movie.objects.bulk_update(wrong, ["search_title", "search_words"], batch_size=200)
    differing = _differing(first, last)
    for pk in [*differing, *_orphans(first, last)]:
        _execute("DELETE FROM streaming_searchtitle WHERE movie_id = %s AND number = 0", pk)
    place = place_sql(movie_id="id", postgres=connection.vendor == "postgresql")
    for pk in differing:
        _execute(
            f"""INSERT INTO streaming_searchtitle (place, movie_id, number, words)
            SELECT {place}, id, 0, search_words FROM streaming_movie WHERE id = %s""",
            pk,
        )
    return len({*differing, *(movie.pk for movie in wrong)})


def _put_in_place(first: int, last: int) -> int:
    """Move the titles of the range to the places of their fame and year; return the number of movies.

    In the order of the places, because SQLite's index is written piecemeal when they go up and down.
    """
    postgres = connection.vendor == "postgresql"
    place = place_sql(movie_id="m.id", number="t.number", fame="m.active_link_count", year="m.year", postgres=postgres)
    rows = _rows(
        f"""SELECT t.place, {place}, t.movie_id, t.number, t.words FROM streaming_searchtitle t
        JOIN streaming_movie m ON m.id = t.movie_id WHERE t.movie_id BETWEEN %s AND %s""",
        first,
        last,
    )
    moved = [row for row in rows if row[0] != row[1]]
    with connection.cursor() as cursor:
        cursor.executemany("DELETE FROM streaming_searchtitle WHERE place = %s", sorted((old,) for old, *_ in moved))
        cursor.executemany(
            "INSERT INTO streaming_searchtitle (place, movie_id, number, words) VALUES (%s, %s, %s, %s)",
            sorted(tuple(values) for _, *values in moved),
        )
    return len({row[2] for row in rows})


# The words of the titles with their numbers, and the rows of the vocabulary that contradict them.
_TITLE_WORDS = {
    "sqlite": f"""SELECT term AS word, doc AS titles FROM streaming_searchvocabulary
        WHERE length(term) >= {MIN_VOCABULARY_LENGTH}""",
    "postgresql": f"""SELECT w.word, count(*) AS titles FROM streaming_searchtitle t,
        unnest(tsvector_to_array(t.vector)) AS w (word) WHERE length(w.word) >= {MIN_VOCABULARY_LENGTH} GROUP BY 1""",
}
_NEW = (
    "SELECT n.word, n.titles FROM ({words}) n LEFT JOIN streaming_searchword k ON k.word = n.word WHERE k.word IS NULL"
)


def _sql(text: str) -> str:
    words = _TITLE_WORDS[connection.vendor]
    return text.format(words=words, new=_NEW.format(words=words))


def _mend_text() -> None:
    """Make the full-text index of SQLite anew if it is wrong. Until then it may refuse to forget a title."""
    if not _is_text_complete():
        _execute("INSERT INTO streaming_searchtext (streaming_searchtext) VALUES ('rebuild')")


def _mend_words() -> None:
    """Bring the vocabulary up to date."""
    _execute(_sql("INSERT INTO streaming_searchword (word, titles) {new}"))
    _execute(
        _sql(
            "UPDATE streaming_searchword SET titles = n.titles FROM ({words}) n "
            "WHERE n.word = streaming_searchword.word AND n.titles <> streaming_searchword.titles"
        )
    )
    _execute(_sql("DELETE FROM streaming_searchword WHERE word NOT IN (SELECT n.word FROM ({words}) n)"))


def _is_text_complete() -> bool:
    """Whether SQLite's full-text index has each word for as many titles as have it. PostgreSQL keeps its own index."""
    if connection.vendor != "sqlite":
        return True
    counted: Counter[str] = Counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM streaming_searchtitle")
        for (words,) in cursor:
            counted.update(set(INDEXED_WORD.findall(words)))
        cursor.execute("SELECT term, doc FROM streaming_searchvocabulary")
        return counted == dict(cursor.fetchall())


def _count(sql: str) -> int:
    return int(_rows(_sql(sql))[0][0])


def _rows(sql: str, *values: int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())


def _execute(sql: str, *values: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
