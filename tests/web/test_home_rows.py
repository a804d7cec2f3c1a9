"""The rows above the catalogue: which ones there are, what they cost, and what they read."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.models import BlockedAddress, Movie, MovieCount
from streaming.web.home_rows import CACHE_KEY, ROW_SIZE
from tests.helpers.factories import make_link, make_movie
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
MAX_QUERIES_OF_CHOICE = 36


def make_movies(number: int, *, with_link: bool = True, **fields) -> list[Movie]:
    movies = [make_movie(**fields) for _ in range(number)]
    for movie in movies if with_link else []:
        make_link(movie)
    return movies


def rows_of(client, address: str = "/") -> dict[str, list[str]]:
    return {row.key: [movie.title for movie in row.movies] for row in client.get(address).context["rows"]}


@pytest.fixture
def old() -> None:
    """The catalogue is older than a week."""
    make_movie(title="First", created_at=timezone.now() - timedelta(days=8))


def test_each_row_has_its_movies_and_leads_to_their_list(client, old):
    ago = timezone.now() - timedelta(days=30)
    make_movies(ROW_SIZE, fame=100, title="Famous", created_at=ago)
    make_movies(ROW_SIZE, runtime_minutes=12, title="Short", created_at=ago, genres=["short"])
    make_movies(ROW_SIZE, genres=["horror"], title="Horror", created_at=ago)
    make_movies(ROW_SIZE - 1, genres=["western"], title="Western", created_at=ago)
    make_movies(ROW_SIZE, genres=["war"], title="No link", created_at=ago, with_link=False)
    make_movies(ROW_SIZE, title="New")
    assert rows_of(client) == {
        name.lower() if name != "Famous" else "known": [name] * ROW_SIZE
        for name in ("Famous", "New", "Short", "Horror")
    }
    page = html_of(client.get("/"))
    heads = re.findall(r'<h2 id="row-([a-z]+)">\s*<a href="([^"]+)">([^<]+?) <', page)
    assert heads == [
        ("known", "/?working=1", "Well known"),
        ("new", "/?working=1&amp;sort=added", "New this week"),
        ("short", "/?type=movie&amp;working=1&amp;runtime_max=40", "Short films"),
        ("horror", "/?working=1&amp;genre=horror", "Horror"),
    ]
    for key, address, _ in heads:
        listed = client.get(address.replace("&amp;", "&")).context["page"]
        assert {movie.title for movie in listed} >= set(rows_of(client)[key])


def test_the_row_of_new_movies_ends_where_a_week_does(client, old):
    make_movies(ROW_SIZE, fame=9, title="Famous", created_at=timezone.now() - timedelta(days=30))
    make_movies(ROW_SIZE - 1)
    make_movies(1, created_at=timezone.now() - timedelta(days=7, minutes=1))
    assert set(rows_of(client)) == {"known"}


def test_in_the_first_week_not_all_of_the_catalogue_is_called_new(client):
    make_movies(3 * ROW_SIZE)
    assert set(rows_of(client)) == {"known"}


@pytest.mark.parametrize("query", ["q=movie", "type=movie", "sort=title", "page=2", "working=1"])
def test_a_list_that_was_asked_for_has_no_rows(client, query):
    make_movies(30)
    assert rows_of(client, f"/?{query}") == {}
    assert list(rows_of(client, "/?pages=2&sort=known")) == ["known"]


def test_what_is_taken_down_or_has_lost_its_links_leaves_its_row_at_once(client):
    for movie in make_movies(ROW_SIZE + 1, genres=["horror"]):
        BlockedAddress.objects.all().delete()
        assert list(rows_of(client)) == ["known"]
        BlockedAddress.objects.create(kind=BlockedAddress.Kind.IMDB_ID, address=movie.imdb_id, reason="taken down")
        cached = {pk for _, ids in cache.get(CACHE_KEY) for pk in ids}
        assert (rows_of(client) == {}) is (movie.pk in cached)


@pytest.mark.parametrize("cached", ["x", [("known", "x")], [("nothing", [1])], [("known", [1], 2)], {"known": [1]}])
def test_what_others_write_to_the_cache_is_not_trusted(client, cached):
    make_movies(ROW_SIZE)
    cache.set(CACHE_KEY, cached)
    assert list(rows_of(client)) == ["known"]


def test_removed_movies_do_not_hide_the_genres_of_the_others(client, old):
    ago = timezone.now() - timedelta(days=30)
    make_movies(ROW_SIZE, genres=["horror"], fame=1, created_at=ago)
    make_movies(ROW_SIZE, genres=["war"], created_at=ago)
    Movie.objects.create(pk=10**6, imdb_id="tt9999999", title="The last of a million")
    assert list(rows_of(client)) == ["known", "war"]


def test_the_choice_costs_as_many_queries_for_many_movies_as_for_few(client, old):
    genres = ["horror", "war", "western", "drama", "comedy", "crime", "music"]
    costs = []
    for _ in range(2):
        for genre in genres:
            make_movies(ROW_SIZE, genres=[genre], runtime_minutes=30)
        for is_cached in (False, True):
            if not is_cached:
                cache.clear()
            with CaptureQueriesContext(connection) as queries:
                assert len(client.get("/").context["rows"]) == 6
            costs.append(len(queries))
    assert costs[:2] == costs[2:]
    assert costs[0] - costs[1] <= MAX_QUERIES_OF_CHOICE
    with CaptureQueriesContext(connection) as queries:
        client.get("/?sort=title")
    assert costs[1] == len(queries) + 1


@pytest.mark.sqlite
def test_no_query_of_the_rows_reads_a_whole_table(client, old, monkeypatch):
    for genre in ("horror", "war", "western"):
        make_movies(2 * ROW_SIZE, genres=[genre], runtime_minutes=30)
    MovieCount.objects.update(movies=F("movies") * 100_000)
    monkeypatch.setattr("streaming.catalogue_query.MAX_EXACT", 5)
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/").context["rows"]
    for query in queries:
        if not query["sql"].startswith("SELECT"):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan = "\n".join(row[3] for row in cursor.fetchall())
        assert not re.search(r"SCAN streaming_(movie|streaminglink|moviefacet)\b(?! USING)", plan), (query["sql"], plan)
