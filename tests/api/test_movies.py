"""GET movies/ and movies/{id}/: shape, filters, pages, cursors, 304."""

from __future__ import annotations

import base64
import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.serializers import ModelSerializer

from streaming.api.json_renderer import FastJSONRenderer
from streaming.ingest.blocklist import Blocklist
from streaming.ingest.tombstones import remove_movies
from streaming.models import BlockedAddress, CatalogueVersion, Movie, ScrapeJob, StreamingLink
from streaming.models.movie import mark_updated
from streaming.ranking import best_first
from streaming.serializers import LinkDetailSerializer, LinkSerializer, MovieSerializer
from tests.api.conftest import MOVIES
from tests.helpers.factories import make_job_outside_queue, make_link, make_movie

pytestmark = pytest.mark.django_db
MOVIE_KEYS = {
    "id", "imdb_id", "title", "year", "type", "poster_url", "synopsis", "created_at", "updated_at", "url", "links",
    "runtime_minutes", "original_title", "original_languages", "countries", "genres", "directors", "cast",
    "other_titles", "synopses", "fame",
}  # fmt: skip
LINK_KEYS = {
    "id", "source", "source_name", "source_url", "kind", "label", "quality", "language", "licence", "licence_url",
    "is_active", "last_checked", "reason", "strength", "response_ms", "uptime", "duration_seconds", "size_bytes",
    "width", "height", "captions", "length_note", "season", "episode",
}  # fmt: skip
PAGE_KEYS = {"count", "next", "previous", "results"}


def titles(response):
    return [movie["title"] for movie in response.json()["results"]]


def listing():
    """Four movies that every filter distinguishes."""
    nosferatu = make_movie(title="Nosferatu", year=1922, imdb_id="tt0013442")
    make_link(nosferatu, source="internet_archive", quality="720p", language="de", licence="public-domain")
    make_link(nosferatu, source="commons", quality="240p", language="en-GB", licence="cc0", is_active=False)
    bunny = make_movie(title="Big Buck Bunny", year=2008)
    make_link(bunny, source="commons", quality="2160p", language="en-GB", licence="cc-by")
    make_link(bunny, source="internet_archive", quality="480p", language="fr", licence="cc0")
    make_movie(title="Bonanza", year=1959, type="show")
    make_movie(title="Élan vital")


def test_a_list_has_exactly_the_keys_of_the_design(robot):
    make_link(make_movie(title="Nosferatu", year=1922))
    page = robot.get(MOVIES).json()
    assert set(page) == PAGE_KEYS
    assert set(page["results"][0]) == MOVIE_KEYS
    assert set(page["results"][0]["links"][0]) == LINK_KEYS


def test_a_movie_has_exactly_the_keys_of_the_design_under_both_ids(robot):
    movie = make_movie(imdb_id="tt0013442", title="Nosferatu", year=1922)
    make_link(movie, checks="aaag", last_checked=timezone.now(), reason="ok", response_ms=120)
    answer = robot.get(f"{MOVIES}tt0013442/").json()
    assert set(answer) == MOVIE_KEYS | {"refresh"}
    assert set(answer["refresh"]) == {"state", "job", "reason", "next_allowed_at"}
    assert (answer["title"], answer["year"], answer["url"]) == (
        "Nosferatu",
        1922,
        "http://testserver/streaming/tt0013442/",
    )
    assert answer["links"][0]["uptime"] == 0.75
    assert robot.get(f"{MOVIES}{movie.pk}/").json() == answer


def test_only_active_links_are_shown_best_first(robot):
    movie = make_movie()
    make_link(movie, source_url="https://a.example.org/dead", is_active=False)
    make_link(movie, source_url="https://a.example.org/low", quality="240p")
    make_link(movie, source_url="https://a.example.org/high", quality="1080p")
    shown = [link["source_url"] for link in robot.get(f"{MOVIES}{movie.pk}/").json()["links"]]
    assert shown == ["https://a.example.org/high", "https://a.example.org/low"]


@pytest.mark.parametrize(
    ("query", "header", "first"),
    [("", "", "de"), ("?language=fr", "", "fr"), ("", "en-US,en;q=0.5", "en"), ("?language=fr", "en", "fr")],
)
def test_links_in_the_viewers_language_come_first(robot, query, header, first):
    movie = make_movie()
    make_link(movie, language="de", quality="1080p")
    make_link(movie, language="fr", quality="480p")
    make_link(movie, language="en", quality="240p")
    response = robot.get(f"{MOVIES}{movie.pk}/{query}", headers={"Accept-Language": header}).json()
    assert response["links"][0]["language"] == first


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Big Buck Bunny", "Bonanza", "Élan vital", "Nosferatu"]),
        ("type=show", ["Bonanza"]),
        ("year=1922", ["Nosferatu"]),
        ("year_min=1923&year_max=1960", ["Bonanza"]),
        ("source=commons", ["Big Buck Bunny"]),
        ("quality=720p", ["Nosferatu"]),
        ("language=en", ["Big Buck Bunny"]),
        ("language=EN-gb", ["Big Buck Bunny"]),
        ("language=e", None),
        ("licence=cc0", ["Big Buck Bunny"]),
        ("source=commons&licence=cc0", []),
        ("source=internet_archive&language=fr&licence=cc0&quality=480p", ["Big Buck Bunny"]),
        ("has_links=true", ["Big Buck Bunny", "Nosferatu"]),
        ("has_links=false", ["Bonanza", "Élan vital"]),
        ("search=nosf", ["Nosferatu"]),
        ("search=elan", ["Élan vital"]),
        ("search=tt0013442", ["Nosferatu"]),
        ("search=", ["Big Buck Bunny", "Bonanza", "Élan vital", "Nosferatu"]),
        ("updated_since=2999-01-01", []),
        ("updated_since=2000-01-01T00:00:00%2B02:00&type=show", ["Bonanza"]),
        ("updated_since=2000-01-01T00:00:00+02:00&type=show", ["Bonanza"]),
        ("ordering=-title", ["Nosferatu", "Élan vital", "Bonanza", "Big Buck Bunny"]),
        ("ordering=-year&has_links=true", ["Big Buck Bunny", "Nosferatu"]),
        ("ordering=created_at", ["Nosferatu", "Big Buck Bunny", "Bonanza", "Élan vital"]),
        ("format=json&type=show", ["Bonanza"]),
    ],
)
def test_filters(robot, query, found):
    listing()
    response = robot.get(f"{MOVIES}?{query}")
    if found is None:
        assert response.status_code == 400
    else:
        assert titles(response) == found


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        ("colour=red", "detail", "year_min"),
        ("title=x", "detail", "'title'"),
        ("type=cartoon", "type", "movie, show"),
        ("type=movie&type=show", "type", "once"),
        ("type=", "type", "empty"),
        ("year=abc", "year", "1870"),
        ("year=0", "year", "1870"),
        ("year_min=" + "9" * 5000, "year_min", "2200"),
        ("source=nowhere", "source", "internet_archive"),
        ("source=" + "x" * 10_000, "source", "internet_archive"),
        ("source=%25", "source", "internet_archive"),
        ("quality=9000p", "quality", "1080p"),
        ("language=klingon!", "language", "BCP 47"),
        ("licence=warez", "licence", "cc-by-sa"),
        ("has_links=maybe", "has_links", "true, false"),
        ("updated_since=yesterday", "updated_since", "2026-01-31"),
        ("updated_since=9999-12-31T23:59:59-12:00", "updated_since", "2026-01-31"),
        ("updated_since=2026-02-30", "updated_since", "2026-01-31"),
        ("ordering=imdb_id", "ordering", "created_at"),
        ("ordering=search_title", "ordering", "created_at"),
        ("page=abc", "page", "1 to"),
        ("page=0", "page", "1 to"),
        ("page=-1", "page", "1 to"),
        ("page=1000000000000", "page", "1 to"),
        ("page=٣", "page", "1 to"),
        ("page_size=0", "page_size", "1 to 100"),
        ("page_size=101", "page_size", "1 to 100"),
        ("page_size=1000000000", "page_size", "1 to 100"),
        ("cursor=nonsense", "cursor", "next"),
        ("cursor=" + "A" * 9000, "cursor", "next"),
        ("cursor=&page=2", "page", "not both"),
        ("search=%00", "search", "Null"),
    ],
)
def test_an_invalid_parameter_is_rejected_with_the_allowed_values(robot, query, field, allowed):
    response = robot.get(f"{MOVIES}?{query}")
    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert allowed in str(response.json()[field])


@pytest.mark.parametrize("text", ["x" * 60_000, "wort " * 2_000, "%", "_", "'\"\\", "[[[" * 500])
def test_a_very_long_search_is_accepted(robot, text):
    make_movie(title="Nosferatu")
    response = robot.get(MOVIES, {"search": text})
    assert response.status_code == 200
    assert titles(response) == []


@pytest.mark.parametrize(
    ("ordering", "values"),
    [
        ("title", ["\ud800", 1]),
        ("created_at", ["0001-01-01T00:00:00+23:59", 1]),
        ("created_at", ["9999-12-31T23:59:59-23:59", 1]),
        ("created_at", ["2026-01-01T", 1]),
    ],
)
def test_a_forged_cursor_with_invalid_values_is_rejected(robot, ordering, values):
    text = base64.urlsafe_b64encode(json.dumps([ordering, values, False]).encode()).decode().rstrip("=")
    response = robot.get(MOVIES, {"ordering": ordering, "cursor": text})
    assert (response.status_code, list(response.json())) == (400, ["cursor"])


def test_a_source_that_only_imported_links_have_is_known(robot):
    make_link(make_movie(title="Odd"), source="my_own_source")
    assert titles(robot.get(f"{MOVIES}?source=my_own_source")) == ["Odd"]


@pytest.mark.parametrize(
    "name",
    [
        "tt9999999", "0", "999999999999999999", "9999999999999999999999", "nosferatu", "%00", "..%2F..%2Fetc",
        "x" * 10_000,
    ],
)  # fmt: skip
def test_an_unknown_movie_is_a_404_in_json(robot, name):
    response = robot.get(f"{MOVIES}{name}/")
    assert response.status_code == 404
    assert list(response.json()) == ["detail"]


@pytest.mark.parametrize("name", ["tt12", "TT0013442", "tt0013442%0A", "tt00%D9%A1%D9%A2%D9%A3%D9%A4%D9%A5", "ttx"])
def test_a_malformed_imdb_id_is_a_400_that_names_it(robot, name):
    response = robot.get(f"{MOVIES}{name}/")
    assert response.status_code == 400
    assert "tt and 7 to 9 digits" in response.json()["imdb_id"][0]


def test_pages_by_number(robot):
    for number in range(30):
        make_movie(title=f"Film {number:02d}")
    first = robot.get(MOVIES).json()
    assert (first["count"], len(first["results"]), first["previous"]) == (30, 24, None)
    second = robot.get(first["next"]).json()
    assert (second["count"], len(second["results"]), second["next"]) == (30, 6, None)
    assert robot.get(second["previous"]).json() == first
    assert robot.get(f"{MOVIES}?page=3").status_code == 404


@pytest.mark.parametrize("ordering", ["title", "-title", "year", "-year", "created_at", "-created_at"])
def test_a_cursor_visits_every_movie_once_in_both_directions(robot, ordering):
    moment = timezone.now()
    for number in range(23):
        year = None if number % 4 == 0 else 1900 + number % 3
        make_movie(title=f"Film {number % 5}", year=year, created_at=moment + timedelta(hours=number % 2))
    address, there, pages = f"{MOVIES}?cursor=&page_size=5&ordering={ordering}", [], []
    while address:
        page = robot.get(address).json()
        assert set(page) == {"next", "previous", "results"}
        pages.append(page)
        there += [movie["id"] for movie in page["results"]]
        address = page["next"]
    assert there == [x["id"] for x in robot.get(f"{MOVIES}?page_size=100&ordering={ordering}").json()["results"]]
    back, address = [x["id"] for x in pages[-1]["results"]], pages[-1]["previous"]
    while address:
        page = robot.get(address).json()
        back = [movie["id"] for movie in page["results"]] + back
        address = page["previous"]
    assert back == there


def test_a_cursor_survives_new_movies_and_keeps_to_its_filter(robot):
    for letter in "bdfh":
        make_link(make_movie(title=letter), source="commons")
    first = robot.get(f"{MOVIES}?cursor=&page_size=2&source=commons").json()
    make_link(make_movie(title="a"), source="commons")
    make_movie(title="e")
    assert titles(robot.get(first["next"])) == ["f", "h"]


def test_a_cursor_of_another_order_is_rejected(robot):
    for number in range(3):
        make_movie(title=f"Film {number}")
    following = robot.get(f"{MOVIES}?cursor=&page_size=1").json()["next"]
    response = robot.get(f"{following}&ordering=-year")
    assert response.status_code == 400
    assert "ordering=title" in response.json()["cursor"][0]


def test_the_list_costs_the_same_number_of_queries_however_long_it_is(robot, django_assert_num_queries):
    def fill(number):
        for _ in range(number):
            movie = make_movie()
            make_link(movie)
            make_link(movie)

    fill(5)
    with django_assert_num_queries(3):
        robot.get(f"{MOVIES}?page_size=100")
    fill(20)
    with django_assert_num_queries(3):
        robot.get(f"{MOVIES}?page_size=100")
    with django_assert_num_queries(3):
        robot.get(f"{MOVIES}?page_size=100&cursor=")


def test_a_movie_costs_the_same_number_of_queries_however_many_links_it_has(robot, django_assert_max_num_queries):
    movie = make_movie()
    make_link(movie, last_checked=timezone.now())
    with django_assert_max_num_queries(6) as few:
        robot.get(f"{MOVIES}{movie.pk}/")
    for _ in range(20):
        make_link(movie, last_checked=timezone.now())
    with django_assert_max_num_queries(len(few)):
        robot.get(f"{MOVIES}{movie.pk}/")


def test_a_list_that_has_not_changed_is_not_sent_again(robot, django_assert_num_queries):
    make_link(make_movie())
    first = robot.get(MOVIES)
    with django_assert_num_queries(1):
        again = robot.get(MOVIES, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert robot.get(MOVIES, headers={"If-Modified-Since": first["Last-Modified"]}).status_code == 304
    assert first["Cache-Control"] == "no-cache"


def test_a_list_that_was_rendered_lately_is_not_rendered_again(robot, django_assert_num_queries):
    make_link(make_movie(title="Nosferatu"))
    first = robot.get(MOVIES)
    with django_assert_num_queries(1):
        again = robot.get(MOVIES)
    assert (again.content, again.headers) == (first.content, first.headers)
    indented = robot.get(MOVIES, headers={"Accept": "application/json; indent=4"})
    assert (indented.json(), indented.content != first.content) == (first.json(), True)


def test_a_movie_that_was_rendered_lately_is_not_rendered_again(robot, django_assert_num_queries):
    movie = make_movie(title="Nosferatu")
    make_link(movie, last_checked=timezone.now())
    first = robot.get(f"{MOVIES}{movie.pk}/")
    with django_assert_num_queries(4):
        again = robot.get(f"{MOVIES}{movie.pk}/")
    assert (again.content, again.headers) == (first.content, first.headers)
    by_its_other_id = robot.get(f"{MOVIES}{movie.imdb_id}/")
    assert (by_its_other_id.json(), by_its_other_id["ETag"] != first["ETag"]) == (first.json(), True)


def test_each_check_of_a_link_is_shown_at_once(robot):
    movie, now = make_movie(), timezone.now()
    make_link(movie, last_checked=now)
    later = make_link(movie, last_checked=now - timedelta(hours=1))
    make_link(movie, last_checked=now - timedelta(hours=1))
    first = robot.get(f"{MOVIES}{movie.pk}/")
    StreamingLink.objects.filter(pk=later.pk).update(last_checked=now)  # as a later batch of the same run writes it
    again = robot.get(f"{MOVIES}{movie.pk}/", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert len({link["last_checked"] for link in again.json()["links"][:2]}) == 1


@pytest.mark.parametrize("path", [MOVIES, f"{MOVIES}?search=nosferatu", f"{MOVIES}?cursor="])
def test_a_movie_that_is_taken_down_leaves_the_lists_at_once(robot, path):
    movie = make_movie(title="Nosferatu")
    assert titles(robot.get(path)) == ["Nosferatu"]
    # By SQL alone: nothing but the row of the takedown changes.
    BlockedAddress.objects.create(kind=BlockedAddress.Kind.IMDB_ID, address=movie.imdb_id, reason="asked")
    assert titles(robot.get(path)) == []
    BlockedAddress.objects.all().delete()
    assert titles(robot.get(path)) == ["Nosferatu"]


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False},
        {"quality": "720p"},
        {"language": "eo"},
        {"label": "Restored"},
        {"is_published": False},
        {"licence": "cc0"},
        {"last_checked": datetime(2026, 3, 5, tzinfo=UTC), "checks": "a", "response_ms": 7},
    ],
    ids=str,
)
def test_a_change_of_a_link_shows_in_the_lists_at_once(robot, change):
    link = make_link(make_movie(), quality="480p", last_checked=None)
    before = robot.get(MOVIES).json()
    StreamingLink.objects.filter(pk=link.pk).update(**change)
    assert robot.get(MOVIES).json() != before


def test_without_a_session_a_response_does_not_vary_by_cookie(robot, client):
    make_movie()
    assert "Cookie" not in robot.get(MOVIES)["Vary"]
    client.force_login(User.objects.create_user("alice"))
    assert "Cookie" in client.get(MOVIES)["Vary"]


def test_a_client_that_asks_by_date_notices_a_removed_movie(robot):
    past = timezone.now() - timedelta(hours=1)
    stays, goes = make_movie(updated_at=past - timedelta(hours=1)), make_movie(updated_at=past)
    CatalogueVersion.objects.update(changed_at=past)
    known = {"If-Modified-Since": robot.get(MOVIES)["Last-Modified"]}
    assert robot.get(MOVIES, headers=known).status_code == 304
    remove_movies(Movie.objects.filter(pk=goes.pk), reason="by hand")
    assert titles(robot.get(MOVIES, headers=known)) == [stays.title]


@pytest.mark.slow
@pytest.mark.parametrize("path", [MOVIES, f"{MOVIES}tt0013442/"])
def test_the_date_of_the_last_change_is_one_of_http_in_every_locale(robot, foreign_locale, path):
    movie = make_movie(imdb_id="tt0013442", updated_at=datetime(2026, 3, 5, 7, 8, 9, tzinfo=UTC))
    CatalogueVersion.objects.update(changed_at=movie.updated_at)
    first = robot.get(path)
    assert first["Last-Modified"] == "Thu, 05 Mar 2026 07:08:09 GMT"
    assert robot.get(path, headers={"If-Modified-Since": first["Last-Modified"]}).status_code == 304
    Movie.objects.filter(pk=movie.pk).update(updated_at=datetime(2026, 3, 5, 7, 8, 10, tzinfo=UTC))
    # The list has the time of the change, by the database's clock.
    assert robot.get(path, headers={"If-Modified-Since": first["Last-Modified"]}).status_code == 200


def check_a_link():
    link = make_link(make_movie())
    link.last_checked = timezone.now() + timedelta(seconds=5)
    link.save()


@pytest.mark.parametrize(
    "change",
    [
        make_movie,
        check_a_link,
        lambda: mark_updated(Movie.objects.all()),
        lambda: Movie.objects.last().delete(),
    ],
)
def test_a_list_that_has_changed_is_sent_again(robot, change):
    make_movie()
    etag = robot.get(MOVIES)["ETag"]
    change()
    assert robot.get(MOVIES, headers={"If-None-Match": etag}).status_code == 200


def test_another_query_has_another_etag(robot):
    make_movie()
    plain = robot.get(MOVIES)
    assert "Accept-Language" in plain["Vary"]
    assert robot.get(f"{MOVIES}?type=show")["ETag"] != plain["ETag"]
    assert robot.get(MOVIES, headers={"Accept-Language": "fr"})["ETag"] != plain["ETag"]


def test_a_movie_is_sent_again_when_a_link_was_checked_or_a_job_goes_on(robot):
    movie = make_movie()
    link = make_link(movie, last_checked=timezone.now() - timedelta(hours=1))
    address = f"{MOVIES}{movie.pk}/"
    first = robot.get(address)
    assert first["Cache-Control"] == "private, no-cache"
    assert robot.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    link.last_checked = timezone.now()
    link.save()
    second = robot.get(address, headers={"If-None-Match": first["ETag"]})
    assert second.status_code == 200
    make_job_outside_queue(movie)
    third = robot.get(address, headers={"If-None-Match": second["ETag"]})
    assert (third.status_code, third.json()["refresh"]["state"]) == (200, "running")


def test_opening_a_movie_without_links_starts_one_job(person):
    movie = make_movie()
    first = person.get(f"{MOVIES}{movie.pk}/").json()["refresh"]
    job = ScrapeJob.objects.get()
    assert first == {"state": "queued", "job": job.pk, "reason": "no_active_link", "next_allowed_at": None}
    assert person.get(f"{MOVIES}{movie.imdb_id}/").json()["refresh"]["job"] == job.pk
    assert ScrapeJob.objects.count() == 1


def test_a_conditional_get_starts_the_job_too(person, robot):
    movie = make_movie()
    etag = robot.get(f"{MOVIES}{movie.pk}/")["ETag"]
    person.get(f"{MOVIES}{movie.pk}/", headers={"If-None-Match": etag})
    assert ScrapeJob.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("head", {}),
        ("options", {}),
        ("get", {"Sec-Purpose": "prefetch"}),
        ("get", {"Purpose": "prefetch"}),
        ("get", {"User-Agent": "Mozilla/5.0 (compatible; bingbot/2.0)"}),
    ],
)
def test_robots_prefetches_and_other_methods_start_no_job(person, method, headers):
    movie = make_movie()
    response = getattr(person, method)(f"{MOVIES}{movie.pk}/", headers=headers)
    assert response.status_code == 200
    assert not ScrapeJob.objects.exists()


def test_a_list_starts_no_job(person):
    make_movie()
    assert person.get(MOVIES).status_code == 200
    assert not ScrapeJob.objects.exists()


def test_an_invalid_language_of_a_movie_is_rejected(robot):
    response = robot.get(f"{MOVIES}{make_movie().pk}/?language=e+n")
    assert (response.status_code, list(response.json())) == (400, ["language"])


def test_the_fast_representation_is_that_of_the_declared_fields():
    movie = make_movie(title="Nosferatu", year=1922)
    make_link(movie, checks="aaag", last_checked=timezone.now(), reason="ok", response_ms=120, quality="720p")
    make_link(movie, last_checked=None)
    context = {"request": RequestFactory().get("/")}
    fast, declared = MovieSerializer(movie, context=context), ModelSerializer.to_representation
    render = FastJSONRenderer().render
    assert render(fast.data) == render(declared(MovieSerializer(movie, context=context), movie))
    for link in movie.links.all():
        for kind in (LinkSerializer, LinkDetailSerializer):
            assert list(kind(link).data.items()) == list(declared(kind(), link).items())


def test_links_of_lists_are_read_as_rows_and_shown_as_their_instances_are(robot):
    movie, captions = make_movie(runtime_minutes=94), [{"url": "https://a.example.org/a.vtt", "language": "en"}]
    now = timezone.now()
    make_link(movie, checks="aaag", last_checked=now, reason="ok", response_ms=120, quality="720p", captions=captions)
    make_link(movie, last_checked=now.replace(microsecond=0), duration_seconds=600, source="unknown", strength="soft")
    make_link(movie, last_checked=None, season=1, episode=2, label="The Key", width=640, size_bytes=10**12)
    ranked = best_first(movie.links.active())
    expected = json.loads(FastJSONRenderer().render([LinkSerializer(link).data for link in ranked]))
    assert [len(link["captions"]) for link in expected] == [0, 1, 0]
    assert {link["length_note"] for link in expected} == {"", "shorter than the film"}
    for address in (MOVIES, f"{MOVIES}{movie.pk}/", "/api/streaming/changes/"):
        body = robot.get(address).json()
        shown = (body.get("results") or body.get("changed") or [body])[0]["links"]
        assert [list(link.items())[: len(LINK_KEYS)] for link in shown] == [list(link.items()) for link in expected]


def test_the_links_of_a_serialized_movie_are_a_list_in_all_but_type_and_read_anew_each_time():
    movie = make_movie()
    first = make_link(movie, source_url="https://archive.org/details/first", quality="1080p")
    second = make_link(movie, source_url="https://archive.org/details/second", quality="480p")
    make_link(movie, source_url="https://archive.org/details/off", is_active=False)
    context = {"request": RequestFactory().get("/")}
    links = MovieSerializer(movie, context=context).data["links"]
    assert (len(links), bool(links)) == (2, True)
    assert [link["id"] for link in links] == [links[0]["id"], links[-1]["id"]] == [first.pk, second.pk]
    assert links == list(links) == links[:]
    first.is_active = False
    first.save()
    again = MovieSerializer(movie, context=context).data["links"]
    assert [link["id"] for link in again] == [second.pk]
    assert links != again


@pytest.mark.parametrize("path", ["movies/", "movies/tt0000001/", "changes/"])
def test_a_database_that_does_not_answer_about_takedowns_of_captions_is_a_503(client, monkeypatch, path):
    captions = [{"language": "en", "format": "vtt", "url": "https://archive.org/download/x/x.vtt"}]
    make_link(make_movie(imdb_id="tt0000001"), captions=captions)

    def locked():
        error = OperationalError("database is locked")
        error.__cause__ = sqlite3.OperationalError("database is locked")
        error.__cause__.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    monkeypatch.setattr(Blocklist, "load", locked)
    response = client.get(f"/api/streaming/{path}")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")


def test_an_error_in_a_value_is_raised_as_it_is():
    class Broken:
        def __iter__(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        FastJSONRenderer().render({"links": Broken()})
    with pytest.raises(TypeError, match="not JSON serializable"):
        FastJSONRenderer().render({"links": object()})


def test_rendering_makes_no_query(django_assert_num_queries):
    captions = [{"language": "en", "format": "vtt", "url": "https://archive.org/download/x/x.vtt"}]
    make_link(make_movie(), captions=captions)
    data = MovieSerializer(Movie.objects.get(), context={"request": RequestFactory().get("/")}).data
    with django_assert_num_queries(0):
        assert b"x.vtt" in FastJSONRenderer().render(data)
