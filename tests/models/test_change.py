"""The sequence of changes: what is noted, and how numbers are given."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.models import Change, Movie, PendingChange, RemovedMovie, StreamingLink
from streaming.models.change import number_all_changes, number_changes
from streaming.serializers import LinkSerializer, MovieSerializer, RemovedMovieSerializer
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db
NOW = timezone.now()
# Computed, or a reading that each check renews and that no mirror needs at once.
NOT_WATCHED = {
    "id", "url", "links", "source_name", "uptime", "last_checked", "reason", "strength", "response_ms",
    "length_note",
}  # fmt: skip
NEW_VALUES = {
    "imdb_id": "tt0000001", "year": 1922, "type": "show", "created_at": NOW, "updated_at": NOW, "removed_at": NOW,
    "is_active": False, "poster_url": "https://films.example.org/p.jpg", "kind": "file", "quality": "720p",
    "source_url": "https://films.example.org/other", "season": 1, "episode": 2, "runtime_minutes": 94, "fame": 70,
    "genres": ["horror"], "countries": ["DE"], "original_languages": ["de"], "other_titles": [["de", "Nosferatu"]],
    "synopses": [["de", "Ein Vampir."]],
    "directors": [{"id": "Q55394", "name": "F. W. Murnau"}], "cast": [{"id": "max-schreck", "name": "Max Schreck"}],
    "duration_seconds": 5640, "size_bytes": 9, "width": 640, "height": 480, "captions": [{"url": "", "language": "de"}],
}  # fmt: skip
MOVIE_FIELDS = sorted(set(MovieSerializer.Meta.fields) - NOT_WATCHED)
LINK_FIELDS = sorted({*LinkSerializer.Meta.fields, "season", "episode"} - NOT_WATCHED)


@pytest.fixture(autouse=True)
def nothing_pending(db):
    """Emptying the tables after a test with transactions is a change, too."""
    PendingChange.objects.all().delete()


def pending():
    """The number of changes noted since the last call."""
    count = PendingChange.objects.count()
    PendingChange.objects.all().delete()
    return count


@pytest.mark.parametrize("name", MOVIE_FIELDS)
def test_each_field_of_a_movie_that_mirrors_see_is_watched(name):
    movie = make_movie()
    pending()
    Movie.objects.filter(pk=movie.pk).update(**{name: NEW_VALUES.get(name, "new")})
    assert pending() > 0
    Movie.objects.filter(pk=movie.pk).update(**{name: NEW_VALUES.get(name, "new")})
    assert pending() == 0


@pytest.mark.parametrize("name", LINK_FIELDS)
def test_each_field_of_a_link_that_mirrors_see_is_watched(name):
    link = make_link()
    pending()
    StreamingLink.objects.filter(pk=link.pk).update(**{name: NEW_VALUES.get(name, "new")})
    assert pending() == 1
    StreamingLink.objects.filter(pk=link.pk).update(**{name: NEW_VALUES.get(name, "new")})
    assert pending() == 0


@pytest.mark.parametrize("name", sorted(RemovedMovieSerializer.Meta.fields))
def test_each_field_of_a_tombstone_that_mirrors_see_is_watched(name):
    make_movie()
    remove_movies(Movie.objects.all(), reason="gone")
    pending()
    RemovedMovie.objects.update(**{name: NEW_VALUES.get(name, "new")})
    assert pending() > 0


def test_what_mirrors_do_not_see_is_not_noted():
    hidden = make_link(is_published=False)
    dead = make_link(is_active=False)
    shown = make_link()
    remove_movies(Movie.objects.filter(pk=make_movie().pk), reason="gone")
    pending()
    StreamingLink.objects.filter(pk__in=[hidden.pk, dead.pk]).update(label="new", quality="720p")
    StreamingLink.objects.filter(pk=hidden.pk).update(is_active=False)
    StreamingLink.objects.update(last_checked=NOW, reason="host_down", failures=3, checks="a", response_ms=7)
    StreamingLink.objects.filter(pk=shown.pk).update(is_active=True, is_published=True, label=shown.label)
    Movie.objects.update(next_scrape_at=NOW, last_scraped_at=NOW, fruitless_scrapes=2)
    RemovedMovie.objects.update(next_check_at=NOW)
    StreamingLink.objects.exclude(pk=shown.pk).delete()
    assert pending() == 0


def test_links_that_appear_and_disappear_are_changes_of_their_movies():
    first, second = make_movie(), make_movie()
    number_all_changes()
    link = make_link(first)
    assert changed() == {first.imdb_id}
    StreamingLink.objects.update(is_active=False)
    assert changed() == {first.imdb_id}
    StreamingLink.objects.update(is_active=True)
    assert changed() == {first.imdb_id}
    StreamingLink.objects.update(movie=second)
    assert changed() == {first.imdb_id, second.imdb_id}
    link.delete()
    assert changed() == {second.imdb_id}


def changed():
    """The movies with a change since the last call."""
    last = Change.objects.order_by("-number").values_list("number", flat=True).first() or 0
    number_all_changes()
    return set(Change.objects.filter(number__gt=last).values_list("imdb_id", flat=True))


def test_removed_and_restored_movies_move_to_the_end_of_the_sequence():
    first, second = make_movie(), make_movie()
    make_link(first)
    number_all_changes()
    remove_movies(Movie.objects.filter(pk=first.pk), reason="gone")
    assert changed() == {first.imdb_id}
    restore_movies([first.imdb_id])
    assert changed() == {first.imdb_id}
    numbers = dict(Change.objects.values_list("imdb_id", "number"))
    assert numbers[first.imdb_id] > numbers[second.imdb_id]


def test_numbers_are_given_in_batches_without_a_gap():
    for _ in range(5):
        make_movie()
    assert number_changes(limit=3)
    assert not number_changes(limit=3)
    assert sorted(Change.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5]
    assert not number_changes()
    assert not PendingChange.objects.exists()


def test_the_times_of_the_numbers_never_decrease_though_the_clock_was_turned_back():
    make_movie()
    number_all_changes()
    ahead = timezone.now() + timedelta(days=365)
    Change.objects.update(numbered_at=ahead)
    make_movie()
    number_all_changes()
    assert set(Change.objects.values_list("numbered_at", flat=True)) == {ahead}


@pytest.mark.django_db(transaction=True)
def test_numbering_waits_only_briefly_for_a_long_writer_and_keeps_the_usual_wait():
    make_movie()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        assert not number_changes()
        cursor.execute("ROLLBACK")
    other.close()
    assert not Change.objects.exists()
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone()[0] == 20_000
    number_all_changes()
    assert Change.objects.exists()
