"""The search index is derived: whatever is wrong in it is found and mended, also after a kill in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from streaming import search_index
from streaming.models import Movie
from streaming.search_index import interrupted_at, rebuild, wrong_titles, wrong_words
from tests.helpers.external_services import empty_database, migrated_sqlite
from tests.helpers.factories import make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.django_db


def problems():
    return [*wrong_titles(first=1, last=2**40), *wrong_words()]


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def movie():
    make_movie(title="Metropolis")
    found = make_movie(imdb_id="tt0013442", title="Nosferatu", year=1922)
    assert problems() == []
    return found


TITLE = "UPDATE streaming_searchtitle SET"
LIES = {
    "a title without a row": (
        "DELETE FROM streaming_searchtitle WHERE movie_id = {pk}",
        "movie {pk} is not in the search index as it should be",
    ),
    "a row with other words": (
        f"{TITLE} words = 'dracula|' WHERE movie_id = {{pk}}",
        "movie {pk} is not in the search index as it should be",
    ),
    "a row without a movie": (
        "INSERT INTO streaming_searchtitle (place, movie_id, number, words) VALUES (7, 999, 0, 'dracula|')",
        "the search index has a movie 999 that does not exist",
    ),
    "a title that was changed in SQL": (
        "UPDATE streaming_movie SET title = 'Dracula' WHERE id = {pk}",
        "tt0013442 cannot be found by its title",
    ),
    "words that were changed in SQL": (
        "UPDATE streaming_movie SET search_words = 'dracula|' WHERE id = {pk}",
        "tt0013442 cannot be found by its title",
    ),
    "a word that the vocabulary does not have": (
        "DELETE FROM streaming_searchword WHERE word = 'nosferatu'",
        "1 words of titles are unknown to the spelling correction",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_found_and_mended(movie, lie):
    statement, problem = (text.format(pk=movie.pk) for text in LIES[lie])
    execute(statement)
    assert problem in problems()
    with transaction.atomic():
        rebuild(after=0, on_progress=lambda movies: None)
    assert problems() == []
    title = "Dracula" if "title that was changed" in lie else "Nosferatu"
    assert [found.title for found in Movie.objects.search(title[:-1])] == [title]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "lie",
    [
        "INSERT INTO streaming_searchtext (streaming_searchtext) VALUES ('delete-all')",
        "INSERT INTO streaming_searchtext (rowid, words) VALUES (7, 'dracula|')",
    ],
)
def test_a_wrong_full_text_index_of_sqlite_is_found_and_made_anew(movie, lie):
    execute(lie)
    assert "the full-text index has other words than the titles" in problems()
    rebuild(after=0, on_progress=lambda movies: None)
    assert problems() == []
    assert [found.title for found in Movie.objects.search("nosferatu")] == ["Nosferatu"]


def test_titles_move_to_the_places_of_their_fame_and_year(movie):
    def listed():
        return [pk for (pk,) in execute("SELECT movie_id FROM streaming_searchtitle ORDER BY place")]

    newest, famous = make_movie(year=2001), make_movie(year=None)
    make_link(famous)
    metropolis = Movie.objects.get(title="Metropolis")
    assert listed() == [metropolis.pk, movie.pk, newest.pk, famous.pk]
    rebuild(after=0, on_progress=lambda movies: None)
    assert listed() == [famous.pk, newest.pk, movie.pk, metropolis.pk]
    assert problems() == []


def test_words_that_no_title_has_any_more_are_forgotten(movie):
    movie.delete()
    rebuild(after=0, on_progress=lambda movies: None)
    assert execute("SELECT word FROM streaming_searchword") == [("metropolis",)]


def test_a_rebuild_reports_progress_and_what_it_mended(movie, monkeypatch, capsys):
    monkeypatch.setattr(search_index, "BATCH_MOVIES", 2)
    for _ in range(3):
        make_movie()
    execute(f"DELETE FROM streaming_searchtitle WHERE movie_id = {movie.pk}")
    batches = []
    report = rebuild(after=0, on_progress=batches.append)
    assert (report.movies, report.mended, sum(batches)) == (5, 1, 5)
    assert interrupted_at() == 0
    call_command("rebuild_search_index")
    assert "5 movies are in the search index; 0 were not, or wrongly." in capsys.readouterr().out


def test_a_check_says_what_is_wrong_and_changes_nothing(movie, capsys):
    call_command("rebuild_search_index", "--check")
    assert "agrees" in capsys.readouterr().out
    execute("DELETE FROM streaming_searchtitle")
    with pytest.raises(CommandError, match="The search index is wrong in"):
        call_command("rebuild_search_index", "--check")
    assert f"movie {movie.pk} is not in the search index as it should be" in capsys.readouterr().out
    assert problems() != []


FILL = """
import sys, django
django.setup()
from django.db import connection
from streaming.models import Movie
Movie.objects.bulk_create(Movie(imdb_id=f"tt{n:07d}", title=f"Film number{n}", year=1922) for n in range(1, 31))
with connection.cursor() as cursor:
    cursor.execute("DELETE FROM streaming_searchtitle")
"""
REBUILD_AND_DIE = """
import os, signal, sys, django
django.setup()
from django.db import connection
from streaming import search_index
search_index.BATCH_MOVIES = 10
calls = 0

def die_within(execute, sql, params, many, context):
    global calls
    result = execute(sql, params, many, context)
    calls += sql.startswith("INSERT INTO streaming_searchtitle") and many
    if calls == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

with connection.execute_wrapper(die_within):
    search_index.rebuild(after=search_index.interrupted_at(), on_progress=lambda movies: None)
"""
LOOK = """
import json, django
django.setup()
from streaming import search_index
from streaming.models import Movie
wrong = search_index.wrong_titles(first=1, last=100)
print(json.dumps([search_index.interrupted_at(), Movie.objects.search("film").count(), wrong]))
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request, tmp_path):
    """The URL of a migrated database."""
    if request.param == "sqlite":
        yield migrated_sqlite(tmp_path / "main.sqlite3")
    else:
        with empty_database("search_index") as url:
            yield url


@pytest.mark.slow
def test_a_rebuild_that_is_killed_is_continued(database):
    def run(*words):
        environment = {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        return subprocess.run(
            [sys.executable, *words], cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
        )

    def look():
        return json.loads(run("-c", LOOK).stdout)

    assert run("-c", FILL).returncode == 0
    assert run("-c", REBUILD_AND_DIE).returncode == -signal.SIGKILL
    after, movies, wrong = look()
    assert (after, movies) == (10, 10)
    assert len(wrong) == 20
    done = run("manage.py", "rebuild_search_index")
    assert done.stdout == "The rebuild was continued. 20 movies are in the search index; 20 were not, or wrongly.\n"
    assert look() == [0, 30, []]
