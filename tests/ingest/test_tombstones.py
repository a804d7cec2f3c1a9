"""What is removed can be brought back whole."""

from __future__ import annotations

import pytest
from django.core import serializers
from django.utils import timezone

from streaming.ingest.edits import create_movie
from streaming.ingest.takedown import block, unblock
from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.models import LinkFlip, Movie, RemovedMovie, StreamingLink
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db


def everything():
    rows = [*Movie.objects.order_by("pk"), *StreamingLink.objects.order_by("pk"), *LinkFlip.objects.order_by("pk")]
    return serializers.serialize("json", rows)


def test_a_restored_movie_is_equal_to_the_byte():
    for _ in range(3):
        movie = make_movie(year=1922, synopsis="A \u2028 line")
        for n in range(2):
            make_link(
                movie, is_active=False, reason="http_404", checks="aagg", last_checked=timezone.now()
            ).flips.create(is_active=False, reason=f"http_40{n}")
    before, ids = everything(), list(Movie.objects.values_list("imdb_id", flat=True))
    assert remove_movies(Movie.objects.all(), reason="no working link") == 3
    assert (Movie.objects.count(), StreamingLink.objects.count(), RemovedMovie.objects.count()) == (0, 0, 3)
    assert sorted(restore_movies(ids)) == sorted(ids)
    assert everything() == before


def test_restoring_twice_or_what_is_here_changes_nothing():
    movie = make_movie()
    remove_movies(Movie.objects.all(), reason="test")
    assert restore_movies([movie.imdb_id]) == [movie.imdb_id]
    assert restore_movies([movie.imdb_id, "tt9999999"]) == []
    assert Movie.objects.count() == 1


def test_a_row_whose_id_was_given_away_comes_back_under_a_new_one():
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


def test_a_movie_made_anew_takes_nothing_from_what_was_removed_before():
    movie = make_movie()
    make_link(movie, is_active=False).flips.create(is_active=False, reason="http_404")
    before = everything()
    remove_movies(Movie.objects.all(), reason="first")
    create_movie({"imdb_id": movie.imdb_id, "title": "Made anew"})
    assert restore_movies([movie.imdb_id]) == []
    Movie.objects.all().delete()
    assert restore_movies([movie.imdb_id]) == [movie.imdb_id]
    assert everything() == before


def test_a_movie_made_anew_and_removed_comes_back_with_the_links_of_both():
    movie = make_movie()
    old, both = make_link(movie, is_active=False), make_link(movie, is_active=False)
    old.flips.create(is_active=False, reason="http_404")
    both.flips.create(is_active=False, reason="http_410")
    movie.bindings.create(url="https://films.example.org/binding")
    remove_movies(Movie.objects.all(), reason="first")
    anew = create_movie({"imdb_id": movie.imdb_id, "title": "Made anew"})
    again = make_link(anew, source_url=both.source_url, label="again")
    remove_movies(Movie.objects.all(), reason="second")
    assert restore_movies([movie.imdb_id]) == [movie.imdb_id]
    back = Movie.objects.get()
    assert (back.pk, back.title, back.bindings.count()) == (anew.pk, "Made anew", 1)
    assert set(back.links.values_list("pk", "label")) == {(old.pk, ""), (again.pk, "again")}
    assert [(flip.link_id, flip.reason) for flip in LinkFlip.objects.all()] == [(old.pk, "http_404")]


def test_a_movie_whose_link_came_back_in_the_last_moment_stays(meanwhile):
    saved, lost = make_movie(), make_movie()
    links = [make_link(movie, is_active=False) for movie in (saved, lost)]
    revive = StreamingLink.objects.filter(pk=links[0].pk)
    # The first question is which movies go; the link revives before the rows are taken.
    with meanwhile('"streaming_movie"."id" IN (%s, %s)', lambda: revive.update(is_active=True)):
        assert remove_movies(Movie.objects.unwatchable(), reason="test") == 1
    assert list(Movie.objects.all()) == [saved]


def test_what_was_taken_down_does_not_come_back():
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
