"""`check_catalogue`: the counters are exact after any writer, and each lie is found and mended."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from streaming import catalogue_check
from streaming.catalogue_check import check_all, mend_slice
from streaming.ingest.takedown import block
from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.models import (
    CatalogueVersion,
    Change,
    InactiveReasonCount,
    LinkCount,
    Movie,
    MovieCount,
    PendingChange,
    StreamingLink,
)
from streaming.models.counters import movie_total
from streaming.statistics import catalogue_fingerprint
from tests.helpers.external_services import empty_database, migrated_sqlite, run_tests_on_postgres
from tests.helpers.factories import make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def problems():
    return {finding.check.name: finding.problems for finding in check_all() if finding.problems}


def fill():
    """Movies with all states of links."""
    for number in range(6):
        movie = make_movie(title=f"Été {number}", year=1920 + number if number else None)
        make_link(movie, quality="720p", language="en", last_checked=NOW, reason="ok")
        make_link(movie, language="fr", is_active=False, reason="http_404", last_checked=NOW)
        make_link(movie, is_published=number % 2 == 0)
    make_movie(type="show")


def sql(statement):
    """What somebody does by hand, past everything."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def insert_many():
    movie = Movie.objects.first()
    addresses = [f"https://a.example.org/{number}" for number in range(3)]
    StreamingLink.objects.bulk_create(
        StreamingLink(movie=movie, source="commons", source_url=address, host="a.example.org") for address in addresses
    )


def upsert_all():
    rows = [
        StreamingLink(movie=link.movie, source="x", source_url=link.source_url, host=link.host, language="de")
        for link in StreamingLink.objects.all()
    ]
    conflict = {"update_conflicts": True, "unique_fields": ["movie", "source_url"]}
    StreamingLink.objects.bulk_create(rows, update_fields=["language", "quality"], **conflict)


def save_all():
    for row in [*Movie.objects.all(), *StreamingLink.objects.all()]:
        row.save()


WRITERS = {
    "nothing": lambda: None,
    "create": lambda: make_link(make_movie(), is_active=False, reason="timeout"),
    "insert many": insert_many,
    "upsert": upsert_all,
    "turn off": lambda: StreamingLink.objects.update(is_active=False, reason="http_410"),
    "turn on": lambda: StreamingLink.objects.filter(taken_down=False).update(is_active=True, reason="ok"),
    "another reason": lambda: StreamingLink.objects.filter(is_active=False).update(reason="dns"),
    "first check": lambda: StreamingLink.objects.update(last_checked=NOW),
    "no check": lambda: StreamingLink.objects.update(last_checked=None),
    "publish": lambda: StreamingLink.objects.update(is_published=True),
    "withdraw": lambda: StreamingLink.objects.update(is_published=False),
    "take down": lambda: StreamingLink.objects.all().take_down(),
    "block": lambda: block("films.example.org", reason="asked"),
    "another movie": lambda: StreamingLink.objects.update(movie=Movie.objects.last()),
    "another source": lambda: StreamingLink.objects.update(source="commons", licence="cc0"),
    "years": lambda: Movie.objects.update(year=1968, type="show"),
    "no year": lambda: Movie.objects.update(year=None),
    "delete links": lambda: StreamingLink.objects.filter(is_active=True).delete(),
    "delete movies": lambda: Movie.objects.filter(year__gt=1922).delete(),
    "remove": lambda: remove_movies(Movie.objects.all(), reason="gone"),
    "save": save_all,
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_counters_are_exact_after_each_writer(name):
    fill()
    WRITERS[name]()
    assert problems() == {}
    assert movie_total() == Movie.objects.count()


def test_they_are_exact_after_many_writers_one_after_the_other():
    fill()
    chance = random.Random(14)
    for _ in range(60):
        # A writer may meet what an earlier one left: then it changes nothing.
        with suppress(IntegrityError), transaction.atomic():
            WRITERS[chance.choice(list(WRITERS))]()
        if not Movie.objects.exists():
            fill()
    assert problems() == {}


def test_a_restored_movie_counts_the_links_that_return():
    fill()
    names = list(Movie.objects.values_list("imdb_id", flat=True))
    remove_movies(Movie.objects.all(), reason="gone")
    block("films.example.org", reason="asked")
    restore_movies(names)
    assert problems() == {}
    assert Movie.objects.filter(active_link_count__gt=0).count() == 0


def test_saving_an_old_copy_of_a_movie_does_not_undo_the_count():
    movie = make_movie()
    make_link(movie)
    make_link(movie)
    assert movie.active_link_count == 0
    movie.synopsis = "New"
    movie.save()
    movie.refresh_from_db()
    assert (movie.synopsis, movie.active_link_count) == ("New", 2)


def catalogue_version():
    """The number of the version and its time."""
    fingerprint = catalogue_fingerprint(now=timezone.now() + timedelta(minutes=1))
    return fingerprint.version, fingerprint.changed_at


def test_what_was_rolled_back_was_never_counted():
    fill()
    before = catalogue_version(), list(LinkCount.objects.active_facets()), movie_total()
    with transaction.atomic():
        fill()
        StreamingLink.objects.update(is_active=False)
        transaction.set_rollback(True)
    assert (catalogue_version(), list(LinkCount.objects.active_facets()), movie_total()) == before
    assert problems() == {}


@pytest.mark.parametrize("name", ["create", "turn off", "years", "delete movies", "remove", "another source"])
def test_each_change_of_a_list_makes_a_new_version(name):
    fill()
    number = catalogue_version()[0]
    WRITERS[name]()
    changed, at = catalogue_version()
    assert changed > number
    assert abs(timezone.now() - at) < timedelta(minutes=1)


def test_a_check_that_changes_nothing_makes_no_new_version():
    fill()
    number = catalogue_version()[0]
    StreamingLink.objects.update(last_checked=NOW + timedelta(hours=1), checks="aaa", response_ms=12)
    assert catalogue_version()[0] == number


def drop_trigger(name="streaming_count_link_deleted"):
    table = " ON streaming_streaminglink" if connection.vendor == "postgresql" else ""
    sql(f"DROP TRIGGER {name}{table}")


def delete_without_noticing():
    """As a program does that writes with a dump of the schema without its triggers."""
    drop_trigger()
    StreamingLink.objects.filter(is_active=True).delete()


def invent():
    LinkCount.objects.create(source="x", links=1, shown=1, active=1)


def forget_changes():
    PendingChange.objects.all().delete()
    Change.objects.all().delete()


ONE = Movie.objects.filter(year=1921)
LIES = {
    "a movie has more links": ("active links of a movie", lambda: ONE.all().update(active_link_count=7)),
    "no movie has a link": ("active links of a movie", lambda: Movie.objects.update(active_link_count=0)),
    "a count of links is wrong": ("links by kind", lambda: LinkCount.objects.filter(quality="720p").update(active=99)),
    "a count of links is gone": ("links by kind", lambda: LinkCount.objects.filter(language="fr").delete()),
    "a kind of links is invented": ("links by kind", invent),
    "a reason is wrong": ("inactive links by reason", lambda: InactiveReasonCount.objects.update(reason="dns")),
    "a year is wrong": ("movies by year", lambda: MovieCount.objects.filter(year=1921).update(year=2021)),
    "the version is gone": ("version of the lists", lambda: CatalogueVersion.objects.all().delete()),
    "a trigger is gone": ("triggers", drop_trigger),
    "links went without a trigger": ("links by kind", delete_without_noticing),
    "changes are not noted": ("triggers", lambda: drop_trigger("streaming_note_link_turned")),
    "a title cannot be found": ("titles", lambda: ONE.all().update(title="Straße")),
    "a host is wrong": ("hosts", lambda: StreamingLink.objects.filter(language="fr").update(host="b.example.org")),
    "a movie has no number": ("sequence for mirrors", forget_changes),
}


@pytest.mark.parametrize("name", LIES)
def test_each_lie_is_found_and_mended(name):
    fill()
    expected, lie = LIES[name]
    lie()
    assert expected in problems()
    with pytest.raises(CommandError, match="check_catalogue --repair"):
        call_command("check_catalogue", stdout=StringIO())
    out = StringIO()
    call_command("check_catalogue", "--repair", stdout=out)
    assert f"{expected}: wrong" in out.getvalue()
    assert problems() == {}
    call_command("check_catalogue", stdout=StringIO())


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_a_link_without_a_movie_is_found_and_deleted():
    fill()
    orphan = make_link()
    with connection.constraint_checks_disabled():
        sql(f"DELETE FROM streaming_movie WHERE id = {orphan.movie_id}")
    assert problems() == {"links without a movie": [f"link {orphan.pk} has no movie"]}
    call_command("check_catalogue", "--repair", stdout=StringIO())
    assert problems() == {}


def test_the_hourly_check_mends_one_slice_and_goes_on_with_the_next(monkeypatch):
    fill()
    movies = list(Movie.objects.order_by("pk"))
    monkeypatch.setattr(catalogue_check, "SLICE_MOVIES", movies[len(movies) // 2].pk)
    found = []
    for number in range(2):
        Movie.objects.filter(pk__in=[movies[0].pk, movies[-1].pk]).update(active_link_count=7)
        found += mend_slice(now=NOW + timedelta(hours=number))
    assert all(any(movie.imdb_id in line for line in found) for movie in (movies[0], movies[-1]))
    assert problems() == {}


def test_of_many_contradictions_some_are_named():
    fill()
    movie = make_movie()
    for number in range(30):
        make_link(movie, source_url=f"https://many.example.org/{number}")
    StreamingLink.objects.update(host="wrong.example.org")
    lines = mend_slice(now=NOW)
    assert len(lines) == 11
    assert re.fullmatch(r"hosts: and [0-9]+ more", lines[-1])
    assert problems() == {}


def test_a_large_catalogue_is_read_with_a_fixed_number_of_statements(django_assert_max_num_queries):
    for _ in range(3):
        fill()
    with django_assert_max_num_queries(20):
        assert problems() == {}


KILLED = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from django.db import transaction
from tests.helpers.factories import make_link, make_movie
from streaming.models import StreamingLink
if sys.argv[1] == "write":
    for number in range(50):
        make_link(make_movie(imdb_id=f"tt{number:07d}"), source_url=f"https://a.example.org/{number}")
    with transaction.atomic():
        StreamingLink.objects.filter(pk__lt=30).update(is_active=False)
        StreamingLink.objects.filter(pk__gt=40).delete()
        os.kill(os.getpid(), signal.SIGKILL)
call_command("check_catalogue")
print(StreamingLink.objects.active().count())
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_writer_that_is_killed_leaves_exact_counters(kind, tmp_path):
    def run(database):
        environment = {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        runs = [
            subprocess.run(
                [sys.executable, "-c", KILLED, word],
                cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False,
            )
            for word in ("write", "check")
        ]  # fmt: skip
        assert runs[0].returncode == -signal.SIGKILL, runs[0].stderr
        assert runs[1].returncode == 0, runs[1].stderr
        assert runs[1].stdout.splitlines()[-1] == "50"

    if kind == "sqlite":
        run(migrated_sqlite(tmp_path / "main.sqlite3"))
    else:
        with empty_database("killed") as url:
            run(url)


@pytest.mark.slow(seconds=80)
@pytest.mark.postgres
def test_all_this_is_true_on_postgresql():
    run_tests_on_postgres("test_catalogue_check.py", "test_catalogue_plans.py", "test_catalogue_query.py")
