"""Removed movies can be restored completely."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.core import serializers
from django.utils import timezone

from streaming.ingest.edits import create_movie
from streaming.ingest.takedown import block, unblock
from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.models import LinkFlip, Movie, RemovedMovie, StreamingLink
from streaming.models.removed import ExactEncoder
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db


def all_rows():
    rows = [*Movie.objects.order_by("pk"), *StreamingLink.objects.order_by("pk"), *LinkFlip.objects.order_by("pk")]
    return serializers.serialize("json", rows)


def test_a_restored_movie_has_identical_rows():
    for _ in range(3):
        movie = make_movie(year=1922, synopsis="A \u2028 line")
        for n in range(2):
            make_link(
                movie, is_active=False, reason="http_404", checks="aagg", last_checked=timezone.now()
            ).flips.create(is_active=False, reason=f"http_40{n}")
    before, ids = all_rows(), list(Movie.objects.values_list("imdb_id", flat=True))
    assert remove_movies(Movie.objects.all(), reason="no working link") == 3
    assert (Movie.objects.count(), StreamingLink.objects.count(), RemovedMovie.objects.count()) == (0, 0, 3)
    assert sorted(restore_movies(ids)) == sorted(ids)
    assert all_rows() == before


def test_a_tombstone_has_its_rows_as_the_serializer_writes_them():
    facts = {"genres": ["drama"], "cast": [{"id": "murnau", "name": 'F. W. "M." Murnau \u2028 \\'}]}
    movie = make_movie(title="Noſferatu – 千と千尋", year=None, synopsis="Two\nlines\tand 'more'", **facts)
    checked = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
    captions = [{"url": "https://films.example.org/é.vtt", "language": "pt-BR", "format": "vtt"}]
    link = make_link(movie, is_active=False, last_checked=checked, captions=captions, size_bytes=10**13, season=None)
    link.flips.create(is_active=False, reason="http_404", at=checked.replace(microsecond=120))
    movie.bindings.create(url="https://films.example.org/watch?a=1&b=2")
    movie.refresh_from_db()
    rows = [movie, link, *link.flips.all(), *movie.bindings.all()]
    expected = json.loads(json.dumps(serializers.serialize("python", rows), cls=ExactEncoder))
    remove_movies(Movie.objects.all(), reason="test")
    written = json.dumps(RemovedMovie.objects.get().snapshot)
    assert json.loads(written.replace(".000000+00:00", "+00:00")) == {"rows": expected}  # PostgreSQL writes the zeros


def test_restoring_an_existing_movie_changes_nothing():
    movie = make_movie()
    remove_movies(Movie.objects.all(), reason="test")
    assert restore_movies([movie.imdb_id]) == [movie.imdb_id]
    assert restore_movies([movie.imdb_id, "tt9999999"]) == []
    assert Movie.objects.count() == 1


def test_a_row_whose_id_is_in_use_is_restored_with_a_new_one():
    movie = make_movie()
    link = make_link(movie, is_active=False)
    link.flips.create(is_active=False, reason="http_404")
    remove_movies(Movie.objects.all(), reason="test")
    other = make_movie(pk=movie.pk)
    make_link(other, pk=link.pk)
    assert restore_movies([movie.imdb_id]) == [movie.imdb_id]
    back = Movie.objects.get(imdb_id=movie.imdb_id)
    assert back.pk != movie.pk
    assert back.links.get().flips.count() == 1
    assert other.links.count() == 1


def test_a_movie_removed_twice_has_one_open_tombstone():
    movie = make_movie()
    remove_movies(Movie.objects.all(), reason="first")
    restore_movies([movie.imdb_id])
    remove_movies(Movie.objects.all(), reason="second")
    assert [row.reason for row in RemovedMovie.objects.filter(restored_at=None)] == ["second"]
    assert RemovedMovie.objects.count() == 2


def test_a_tombstone_stays_when_its_movie_is_created_again():
    movie = make_movie()
    make_link(movie, is_active=False).flips.create(is_active=False, reason="http_404")
    before = all_rows()
    remove_movies(Movie.objects.all(), reason="first")
    create_movie({"imdb_id": movie.imdb_id, "title": "Created again"})
    assert restore_movies([movie.imdb_id]) == []
    Movie.objects.all().delete()
    assert restore_movies([movie.imdb_id]) == [movie.imdb_id]
    assert all_rows() == before


def test_a_movie_created_again_and_removed_is_restored_with_the_links_of_both():
    movie = make_movie()
    old, both = make_link(movie, is_active=False), make_link(movie, is_active=False)
    old.flips.create(is_active=False, reason="http_404")
    both.flips.create(is_active=False, reason="http_410")
    movie.bindings.create(url="https://films.example.org/binding")
    remove_movies(Movie.objects.all(), reason="first")
    recreated = create_movie({"imdb_id": movie.imdb_id, "title": "Created again"})
    again = make_link(recreated, source_url=both.source_url, label="again")
    remove_movies(Movie.objects.all(), reason="second")
    assert restore_movies([movie.imdb_id]) == [movie.imdb_id]
    back = Movie.objects.get()
    assert (back.pk, back.title, back.bindings.count()) == (recreated.pk, "Created again", 1)
    assert set(back.links.values_list("pk", "label")) == {(old.pk, ""), (again.pk, "again")}
    assert [(flip.link_id, flip.reason) for flip in LinkFlip.objects.all()] == [(old.pk, "http_404")]


def test_a_movie_whose_link_revives_just_before_the_removal_stays(before_select):
    kept, removed = make_movie(), make_movie()
    links = [make_link(movie, is_active=False) for movie in (kept, removed)]
    revive = StreamingLink.objects.filter(pk=links[0].pk)
    # The link revives after the movies have been selected and before their rows are locked.
    with before_select('"streaming_movie"."id" IN (SELECT', lambda: revive.update(is_active=True)):
        assert remove_movies(Movie.objects.unwatchable(), reason="test") == 1
    assert list(Movie.objects.all()) == [kept]


def test_what_was_taken_down_is_not_restored():
    movie = make_movie()
    for host in ("bad", "good"):
        make_link(movie, source_url=f"https://{host}.example.org/film", host=f"{host}.example.org")
    remove_movies(Movie.objects.all(), reason="test")
    block(movie.imdb_id, reason="asked for")
    assert restore_movies([movie.imdb_id]) == []
    unblock(movie.imdb_id)
    block("bad.example.org", reason="asked for")
    assert restore_movies([movie.imdb_id]) == [movie.imdb_id]
    assert list(StreamingLink.objects.order_by("host").values_list("host", "is_active", "reason")) == [
        ("bad.example.org", False, "taken_down"),
        ("good.example.org", True, ""),
    ]
