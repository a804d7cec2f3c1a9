"""Saving records: each link once, health unchanged, removed movies restored, blocked addresses rejected."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from streaming.ingest.records import parse_link, parse_movie
from streaming.ingest.save import save_links
from streaming.ingest.takedown import block, unblock
from streaming.ingest.tombstones import remove_movies, restore_movies
from streaming.models import BlockedAddress, Movie, RemovedMovie, StreamingLink
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db
KEY = "tt0063350"


def link(number=1, **fields):
    url = fields.pop("source_url", f"https://films.example.org/watch/{number}")
    return parse_link({"imdb_id": KEY, "source": "example", "source_url": url, **fields})


def movie(**fields):
    return parse_movie({"imdb_id": KEY, "title": "Night of the Living Dead", "year": 1968, **fields})


def test_an_unknown_movie_with_a_title_is_created_with_its_links():
    report = save_links([link(1), link(2)], movies=[movie()])
    assert (report.new, report.seen_again, report.movies_new) == (2, 0, 1)
    assert Movie.objects.get(imdb_id=KEY).links.count() == 2


def test_a_link_of_an_unknown_movie_is_rejected():
    report = save_links([link()])
    assert report.refused["unknown_movie"] == 1
    assert not StreamingLink.objects.exists()


def test_the_same_link_again_is_one_row_and_keeps_its_health():
    before = make_link(
        make_movie(imdb_id=KEY),
        source_url="https://films.example.org/watch/1",
        is_active=False,
        reason="http_404",
        http_status=404,
        failures=3,
        checks="aag",
        label="old",
        quality="480p",
        last_checked=timezone.now() - timedelta(hours=1),
        last_seen=timezone.now() - timedelta(days=3),
    )
    report = save_links(
        [link(1, quality="720p"), link(1, quality="720p"), link(1, source_url="HTTPS://FILMS.example.org/watch/1")]
    )
    assert (report.new, report.seen_again) == (0, 1)
    after = StreamingLink.objects.get()
    assert (after.is_active, after.reason, after.http_status, after.failures, after.checks) == (
        False,
        "http_404",
        404,
        3,
        "aag",
    )
    assert after.last_checked == before.last_checked
    assert after.label == "old"
    assert after.last_seen > before.last_seen
    assert after.first_seen == before.first_seen


def test_the_number_of_queries_does_not_depend_on_the_size_of_a_batch(django_assert_max_num_queries):
    make_movie(imdb_id=KEY, year=1968, synopsis="x", poster_url="https://example.org/p.jpg")
    # Savepoints of the test's own transaction included. PostgreSQL locks takedowns, movies and links.
    most = 8 if connection.vendor == "sqlite" else 11
    for size in (12, 25):
        with django_assert_max_num_queries(most):
            save_links([link(n) for n in range(size)], movies=[movie()])
    assert StreamingLink.objects.count() == 25


@pytest.mark.parametrize(
    ("cause", "by_source"), [("check", True), ("cleanup", True), ("staff", False), ("takedown", False)]
)
def test_what_staff_removed_returns_only_if_the_operator_imports_it(cause, by_source):
    made = make_movie(imdb_id=KEY)
    old = make_link(made, is_active=False)
    remove_movies(Movie.objects.all(), reason="test", cause=RemovedMovie.Cause(cause))
    report = save_links([link(1)], movies=[movie()])
    assert (Movie.objects.exists(), report.refused["unknown_movie"]) == (by_source, 0 if by_source else 1)
    save_links([link(1)], movies=[movie()], is_operator=True)
    assert Movie.objects.get().pk == made.pk
    assert StreamingLink.objects.filter(pk=old.pk).exists()


def test_a_known_movie_is_completed_but_never_overwritten():
    make_movie(imdb_id=KEY, title="Edited by hand", year=None)
    save_links([], movies=[movie(synopsis="The dead rise.")])
    known = Movie.objects.get()
    assert (known.title, known.year, known.synopsis) == ("Edited by hand", 1968, "The dead rise.")


def test_a_movie_is_marked_as_updated_only_when_its_links_change():
    old = timezone.now() - timedelta(days=1)
    row = make_movie(imdb_id=KEY, updated_at=old)
    save_links([link(1)])
    changed = Movie.objects.get().updated_at
    assert changed > old
    save_links([link(1)])
    assert Movie.objects.get(pk=row.pk).updated_at == changed


def test_a_removed_movie_is_restored_with_its_history_when_a_link_is_found():
    removed = make_movie(imdb_id=KEY, title="Night")
    dead = make_link(removed, is_active=False, reason="http_404", checks="gg")
    dead.flips.create(is_active=False, reason="http_404")
    remove_movies(Movie.objects.all(), reason="no working link")
    assert not Movie.objects.exists()
    report = save_links([link(9)], movies=[movie()])
    assert (report.movies_restored, report.movies_new, report.new) == (1, 0, 1)
    restored = Movie.objects.get()
    assert (restored.pk, restored.title) == (removed.pk, "Night")
    assert restored.links.get(pk=dead.pk).flips.count() == 1
    assert RemovedMovie.objects.get().restored_at is not None


def test_blocked_addresses_are_never_saved():
    make_movie(imdb_id=KEY)
    block("films.example.org", reason="asked by the owner")
    block("https://cdn.example.net/bad/", reason="asked by the owner")
    report = save_links(
        [
            link(1),
            link(source_url="https://eu.films.example.org/x"),
            link(source_url="https://cdn.example.net/bad/1.mp4"),
            link(source_url="https://cdn.example.net/good/1.mp4"),
            link(source_url="https://notfilms.example.org/x"),
        ]
    )
    assert (report.new, report.refused["blocked_address"]) == (2, 3)


def test_a_blocked_movie_is_removed_and_not_saved_again():
    save_links([link()], movies=[movie()])
    _, count = block(KEY, reason="rights claimed")
    assert count == 1
    report = save_links([link()], movies=[movie()])
    assert report.refused["blocked_address"] == 2
    assert not Movie.objects.exists()


def test_blocking_turns_links_off_and_unblocking_turns_them_on_again():
    shown = make_link(source_url="https://films.example.org/watch/1", reason="ok")
    _, hidden = block("FILMS.example.org.", reason="asked")
    shown.refresh_from_db()
    assert (hidden, shown.is_active, shown.reason) == (1, False, "taken_down")
    assert unblock("films.example.org")
    assert not unblock("films.example.org")
    assert not BlockedAddress.objects.exists()
    shown.refresh_from_db()
    assert (shown.is_active, shown.reason) == (True, "ok")


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Movie, {"imdb_id": "tt1", "title": "x"}),
        (Movie, {"imdb_id": "tt0000001\n", "title": "x"}),
        (Movie, {"imdb_id": "tt0000001", "title": "x", "type": "film"}),
        (Movie, {"imdb_id": "tt0000001", "title": ""}),
        (Movie, {"imdb_id": "tt0000001", "title": "x", "poster_url": "javascript:1"}),
        (StreamingLink, {"source_url": "javascript:alert(1)"}),
        (StreamingLink, {"source_url": "https://x.example/", "kind": "magnet"}),
        (StreamingLink, {"source_url": "https://x.example/", "quality": "HD"}),
    ],
)
def test_a_constraint_rejects_invalid_rows(model, fields):
    if model is StreamingLink:
        fields = {"movie": make_movie(), "source": "example", "host": "x.example", **fields}
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.bulk_create([model(**fields)])


def test_a_constraint_allows_one_open_job_per_movie():
    subject = make_movie()
    subject.jobs.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        subject.jobs.create(state="running", owner="x", lease_until=timezone.now())


def test_sqlite_is_configured_for_several_processes():
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        found = [
            cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "busy_timeout", "synchronous")
        ]
    assert found == ["wal", 20000, 1]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("nosf", True),
        ("NOSFERATU", True),
        ("symphonie grauens", True),
        ("éine", True),
        (KEY, True),
        ("vampyr", False),
        ("%", False),
        ("x" * 60_000, False),
        (" ".join(["nosferatu"] * 2000), True),
        ("\x00nosf", True),
        ("", True),
    ],
)
def test_search_ignores_case_and_accents_and_requires_every_word(text, is_found):
    make_movie(imdb_id=KEY, title="Nosferatu, Éine Symphonie des Grauens")
    assert Movie.objects.search(text).exists() is is_found


@pytest.mark.parametrize("identifier", ["0", "9" * 30, "tt", "tt0063350\n", "٣", "", "x" * 10_000, "-1", "1.0"])
def test_an_invalid_identifier_matches_no_movie(identifier):
    make_movie(imdb_id=KEY)
    assert not Movie.objects.by_identifier(identifier).exists()


def test_a_movie_that_another_crawl_restores_meanwhile_is_known(before_select):
    make_link(make_movie(imdb_id=KEY))
    remove_movies(Movie.objects.all(), reason="test")
    with before_select('FROM "streaming_removedmovie"', lambda: restore_movies([KEY])):
        report = save_links([link(1)])
    assert report.refused["unknown_movie"] == 0
    assert Movie.objects.get(imdb_id=KEY).links.filter(source_url=link(1).source_url).exists()


def test_rows_are_written_in_a_fixed_order():
    keys = [f"tt{number:07}" for number in (5, 3, 9, 1)]
    links = [
        parse_link({"source": "example", "imdb_id": key, "source_url": f"https://a.example.org/{n}"})
        for n in (2, 1)
        for key in keys
    ]
    save_links(links, movies=[parse_movie({"imdb_id": key, "title": "T"}) for key in keys])
    assert list(Movie.objects.order_by("pk").values_list("imdb_id", flat=True)) == sorted(keys)
    rows = list(StreamingLink.objects.order_by("pk").values_list("movie__imdb_id", "source_url"))
    assert rows == sorted(rows)
