"""Many rows at once: the counters stay exact, transactions short, and a killed import goes on where it was."""

from __future__ import annotations

import gc
import io
import json
import os
import sqlite3
import subprocess
import sys
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from threading import Event

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from streaming.catalogue_check import check_all
from streaming.exchange import importer
from streaming.exchange.jsonl import write_jsonl
from streaming.exchange.loader import load_entries
from streaming.ingest import tombstones
from streaming.ingest.batch_limit import BatchLimit
from streaming.ingest.records import parse_link, parse_movie
from streaming.ingest.save import save_links
from streaming.ingest.takedown import block
from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.models import (
    Binding,
    Change,
    LinkCount,
    LinkFlip,
    Movie,
    MovieCount,
    MovieFacet,
    PendingChange,
    RemovedMovie,
    ScrapeJob,
    StreamingLink,
)
from streaming.models.bulk_counts import MIN_ROWS, links_counted_together, movies_counted_together
from streaming.models.change import last_number, number_all_changes
from streaming.models.counters import inactive_reason_counts
from streaming.statistics import catalogue_fingerprint
from tests.helpers.external_services import run_tests_on_postgres
from tests.helpers.factories import make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT

MANY = MIN_ROWS + 20


def key(number):
    return f"tt{number + 5_000_000:07d}"


def line(number):
    """A film with two links in different languages, one of which does not work."""
    links = [
        {
            "source": "commons" if number % 3 else "example",
            "source_url": f"https://films.example.org/{number}/{part}",
            "language": ("en", "eo", "")[number % 3],
            "licence": "cc-by",
            "is_active": part == 0,
            "last_checked": "2026-01-31T08:00:00Z" if part else None,
            "captions": [{"url": f"https://captions.example.org/{number}.vtt", "language": "pt-BR"}] * (number % 2),
        }
        for part in range(2)
    ]
    facts = {"genres": ["drama"], "cast": ["Ida Lupino"], "countries": ["DE"]} if number % 4 == 1 else {}
    title = f"Film number {number}"
    return {"imdb_id": key(number), "title": title, "year": 1900 + number % 90, "links": links, **facts}


def save(numbers, **options):
    lines = [line(number) for number in numbers]
    links = [parse_link(raw, imdb_id=one["imdb_id"]) for one in lines for raw in one["links"]]
    return save_links(links, movies=[parse_movie(one) for one in lines], **options)


def problems():
    return [found for finding in check_all() for found in finding.lines]


def catalogue_version():
    return catalogue_fingerprint(now=timezone.now()).version


def all_rows():
    """All rows of the catalogue."""
    return [
        serializers.serialize("json", model.objects.order_by("pk"))
        for model in (Movie, StreamingLink, LinkFlip, Binding)
    ]


@contextmanager
def written_rows():
    """Yield a list that grows by the number of rows of each statement that inserts movies or links."""
    found = []

    def wrapper(execute, sql, params, many, context):
        if many and sql.startswith(('INSERT INTO "streaming_movie"', 'INSERT INTO "streaming_streaminglink"')):
            found.append(len(params) * (sql.count("), (%s") + 1))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield found


@pytest.mark.django_db
@pytest.mark.parametrize("is_operator", [True, False])
def test_counters_and_indexes_are_exact_after_many_rows_at_once(is_operator):
    for number in range(0, MANY, 2):
        known = make_movie(imdb_id=key(number), title=f"Known {number}", year=None)
        make_link(known, is_active=number % 4 == 0, source_url=f"https://films.example.org/{number}/{number % 3}")
    PendingChange.objects.all().delete()
    before = catalogue_version()
    report = save(range(MANY), is_operator=is_operator)
    assert (report.movies_new, report.new + report.seen_again) == (MANY // 2, 2 * MANY)
    assert problems() == []
    assert catalogue_version() > before
    number_all_changes()
    assert Change.objects.filter(imdb_id__in=[key(number) for number in range(MANY)]).count() == MANY


@pytest.mark.django_db
def test_many_rows_again_change_nothing_but_when_they_were_seen():
    long_ago = timezone.now() - timedelta(days=9)
    save(range(MANY), is_operator=True)
    StreamingLink.objects.update(last_seen=long_ago, is_active=False, reason="http_404", checks="ag", label="By hand")
    block("https://films.example.org/7/", reason="asked")
    before, version = all_rows(), catalogue_version()
    report = save(range(MANY), is_operator=True)
    assert (report.new, report.seen_again, report.refused["blocked_address"]) == (0, 2 * MANY - 2, 2)
    assert StreamingLink.objects.filter(last_seen__gt=long_ago).count() == 2 * MANY - 2
    StreamingLink.objects.update(last_seen=long_ago)
    assert all_rows() == before
    assert catalogue_version() == version


def derived_rows():
    """What triggers make of movies and links, with the IMDb id in place of the movie's id."""
    ids = dict(Movie.objects.values_list("pk", "imdb_id"))
    with connection.cursor() as cursor:
        titles = cursor.execute("SELECT movie_id, number, words FROM streaming_searchtitle").fetchall()
        words = cursor.execute("SELECT word FROM streaming_searchword").fetchall()
        indexed = cursor.execute("SELECT term, doc, cnt FROM streaming_searchvocabulary").fetchall()
    facets = MovieFacet.objects.values_list("movie", "kind", "value")
    counters = [LinkCount.objects.active_facets(), MovieCount.objects.sums(), inactive_reason_counts()]
    return [
        sorted((ids[movie], *rest) for movie, *rest in titles),
        sorted((ids[movie], *rest) for movie, *rest in facets),
        sorted(words),
        sorted(indexed),
        [sorted(rows) for rows in counters],
    ]


@pytest.mark.django_db
@pytest.mark.sqlite
def test_many_rows_at_once_leave_what_triggers_would_make_of_each(monkeypatch):
    def saved_and_removed():
        save(range(MANY), is_operator=True)
        found = [derived_rows()]
        remove_movies(Movie.objects.filter(imdb_id__gt=key(9)), reason="test")
        found.append(derived_rows())
        remove_movies(Movie.objects.all(), reason="test")
        return [*found, derived_rows()]

    together = saved_and_removed()
    monkeypatch.setattr("streaming.models.bulk_counts.MIN_ROWS", 10 * MANY)
    RemovedMovie.objects.all().delete()
    assert saved_and_removed() == together
    assert [len(rows) for rows in together[0][:2]] == [MANY, 30 * 3 + 60 * 2]
    assert [len(rows) for rows in together[2][:2]] == [0, 0]


@pytest.mark.django_db
@pytest.mark.sqlite
@pytest.mark.parametrize("counted_together", [movies_counted_together, links_counted_together])
def test_an_error_in_the_middle_leaves_triggers_and_counters_as_they_were(counted_together):
    movie = make_movie()
    with pytest.raises(IntegrityError), transaction.atomic(), counted_together(MANY):
        Movie.objects.bulk_create([Movie(imdb_id=key(1), title="New"), Movie(imdb_id=movie.imdb_id, title="Known")])
    make_link(movie)
    assert problems() == []


@pytest.mark.django_db
def test_many_movies_are_removed_and_restored_completely():
    save(range(MANY), is_operator=True)
    for link in StreamingLink.objects.filter(is_active=False):
        link.flips.create(is_active=False, reason="http_404")
    for movie in Movie.objects.all()[:5]:
        movie.bindings.create(url="https://films.example.org/watch")
        movie.jobs.create()
    kept = make_link(make_movie(title="Kept")).movie
    number_all_changes()
    before, last = all_rows(), last_number()
    assert remove_movies(Movie.objects.exclude(pk=kept.pk), reason="test") == MANY
    assert problems() == []
    assert [Movie.objects.count(), StreamingLink.objects.count(), ScrapeJob.objects.count()] == [1, 1, 0]
    assert not Movie.objects.search("Film number").exists()
    number_all_changes()
    assert Change.objects.filter(number__gt=last).count() == MANY
    restore_movies(RemovedMovie.objects.values_list("imdb_id", flat=True))
    assert all_rows() == before
    assert problems() == []


def test_all_that_refers_to_a_movie_or_a_link_is_removed_with_it():
    referring = {
        relation.related_model._meta.label_lower
        for model in (Movie, StreamingLink)
        for relation in model._meta.related_objects
    }
    by_triggers = {"streaming.moviefacet"}
    assert (referring | {"streaming.movie"}) - by_triggers == set(tombstones._rows_of_movies([]))


@pytest.mark.parametrize(
    ("seconds", "rows"), [(0.0, 150), (0.19, 150), (0.25, 100), (0.35, 100), (0.4, 50), (60.0, 50)]
)
def test_a_batch_that_took_long_is_followed_by_a_smaller_one(seconds, rows):
    limit = BatchLimit(100, minimum=40, maximum=1000)
    limit.adapt(seconds)
    assert limit.rows == rows


@pytest.mark.parametrize(("seconds", "rows"), [(0.0, 1000), (9.0, 40)])
def test_batches_have_bounds(seconds, rows):
    limit = BatchLimit(100, minimum=40, maximum=1000)
    for _ in range(20):
        limit.adapt(seconds)
    assert limit.rows == rows


@pytest.mark.django_db(transaction=True)
def test_others_get_the_lock_before_transactions_have_held_it_for_too_long():
    limit = BatchLimit(100, minimum=40, maximum=1000)
    for seconds in (0.1, 0.1):
        limit.let_others_write()
        limit.adapt(seconds)
    assert limit.held_seconds == pytest.approx(0.2)
    limit.let_others_write()  # With one more as long as the last they would have held it for 0.3 seconds.
    limit.adapt(0.2)
    limit.let_others_write()
    assert limit.held_seconds == 0
    assert time.monotonic() - limit.free_since >= 0.1 or connection.vendor != "sqlite"


@pytest.mark.django_db
def test_no_transaction_of_an_import_saves_more_than_the_limit(tmp_path, monkeypatch):
    for name, records in (("FIRST", 30), ("MIN", 15), ("MAX", 60)):
        monkeypatch.setattr(importer, f"{name}_BATCH_RECORDS", records)
    file = tmp_path / "films.jsonl"
    file.write_text("\n".join(json.dumps(line(number)) for number in range(200)))
    with written_rows() as rows:
        call_command("import_catalogue", str(file), stdout=io.StringIO())
    assert sum(rows) == 600
    assert max(rows) <= 40  # two of three records are links
    assert problems() == []


@pytest.mark.django_db
def test_no_transaction_of_a_removal_takes_more_than_the_limit(monkeypatch):
    for name, movies in (("FIRST", 10), ("MIN", 5), ("MAX", 20)):
        monkeypatch.setattr(tombstones, f"{name}_BATCH_MOVIES", movies)
    save(range(60), is_operator=True)
    deleted = []

    def wrapper(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if sql.startswith('DELETE FROM "streaming_movie"'):
            deleted.append(context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(wrapper):
        assert remove_movies(Movie.objects.all(), reason="test") == 60
    assert sum(deleted) == 60
    assert max(deleted) <= 20


@pytest.mark.django_db
def test_an_export_needs_the_same_memory_for_many_films_as_for_few(monkeypatch):
    monkeypatch.setattr("streaming.exchange.loader.BATCH_SIZE", 50)
    peaks = []
    for count in (50, 1000, 3000):  # the first two fill caches
        save(range(count), is_operator=True)
        gc.collect()
        tracemalloc.start()
        written = sum(1 for _ in write_jsonl(load_entries()))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert written == count
    assert peaks[2] < 2 * peaks[1]


COMMANDS = """
import shutil, sys, django
django.setup()
from django.core.management import call_command
from django.db import connection
for command in sys.argv[1:]:
    name, *args = command.split()
    shutil.copy(*args) if name == "copy" else call_command(name, *args)
    connection.close()
"""


@pytest.mark.slow
@pytest.mark.sqlite
def test_an_import_that_is_killed_goes_on_where_it_was(tmp_path):
    file, whole, killed = (tmp_path / name for name in ("films.jsonl", "whole.sqlite3", "killed.sqlite3"))
    file.write_text("\n".join(json.dumps(line(number)) for number in range(3000)))
    run = f"import_catalogue {file}"
    assert start(whole, "migrate -v0", f"copy {whole} {killed}", run).wait(120) == 0
    process = start(killed, run)
    deadline = time.monotonic() + 60
    while rows_in(killed) == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait(10)
    assert 0 < rows_in(killed) < 3000
    assert start(killed, "check_catalogue", run, "check_catalogue").wait(120) == 0
    assert contents(killed) == contents(whole)


def start(database, *commands):
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{database}", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", COMMANDS, *commands]
    return subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=subprocess.DEVNULL)


def rows_in(database):
    with sqlite3.connect(database) as reader:
        return reader.execute("SELECT count(*) FROM streaming_movie").fetchone()[0]


def contents(database):
    columns = (
        "m.imdb_id, m.title, m.year, m.active_link_count, l.source_url, l.source, l.language, l.is_active, l.reason"
    )
    with sqlite3.connect(database) as reader:
        return reader.execute(
            f"SELECT {columns} FROM streaming_movie m JOIN streaming_streaminglink l ON l.movie_id = m.id ORDER BY 1, 4"
        ).fetchall()


@pytest.mark.several_writers
@pytest.mark.django_db(transaction=True)
def test_two_that_restore_and_create_the_same_movies_wait_for_each_other_and_lose_nothing():
    """On PostgreSQL one of them was aborted; SQLite has one writer, and none of this can happen."""
    save(range(3), is_operator=True)
    for number in (1, 2):
        remove_movies(Movie.objects.filter(imdb_id=key(number)), reason="no links")
    has_restored, may_go_on = Event(), Event()

    def restore_second_and_create_first():
        def wrapper(execute, sql, params, many, context):
            if sql.startswith('INSERT INTO "streaming_movie"') and many:
                has_restored.set()
                may_go_on.wait(1)
            return execute(sql, params, many, context)

        links = [parse_link(raw, imdb_id=key(2)) for raw in line(2)["links"]]
        with closing(connection), connection.execute_wrapper(wrapper):
            save_links(links, movies=[parse_movie(line(1)), parse_movie(line(2))])

    def restore_both():
        has_restored.wait(5)
        with closing(connection):
            save([1, 2])

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(restore_second_and_create_first), pool.submit(restore_both)]:
            done.result()
    assert Movie.objects.count() == 3
    assert StreamingLink.objects.count() >= 5
    assert problems() == []


@pytest.mark.postgres
@pytest.mark.slow(seconds=60)
def test_the_same_on_postgresql():
    run_tests_on_postgres("ingest/test_bulk_writes.py", "ingest/test_save.py", "ingest/test_tombstones.py")
