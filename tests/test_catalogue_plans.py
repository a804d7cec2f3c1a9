"""What the database reads for a list: the index of its order, or that of the rarest filter; never a whole table."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Count, F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.catalogue_query import (
    MAX_EXACT,
    ORDERINGS,
    READING_ORDERS,
    CatalogueQuery,
    ListPlan,
    order_terms,
    rows_after,
)
from streaming.models import BlockedAddress, HealthRun, LinkCount, LinkFlip, Movie, MovieCount, StreamingLink
from streaming.models.change import number_all_changes
from streaming.models.sorted_years import movies_of_year
from tests.helpers.factories import make_job, make_link, make_movie

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = [*ORDERINGS, *READING_ORDERS]
FILTERS = [
    {},
    {"type": "movie"},
    {"year_min": 1900, "year_max": 1999},
    {"has_links": True},
    {"language": "en"},
    {"quality": "720p"},
    {"source": "commons"},
    {"licence": "cc0"},
    {"language": "en", "quality": "720p", "source": "commons", "licence": "cc0"},
    {"type": "movie", "year_min": 1900, "has_links": True, "language": "en"},
    {"updated_since": NOW - timedelta(days=900)},
    {"genre": "drama"},
    {"country": "DE", "runtime_min": 60, "type": "movie"},
]
RARE = [
    ({"type": "show"}, "movie_by_type"),
    ({"year": 1968}, "movie_by_known_year|movie_newest"),
    ({"year_min": 2020}, "movie_by_known_year|movie_newest"),
    ({"year_min": 1950, "year_max": 1969}, "movie_by_known_year|movie_newest"),
    ({"has_links": False}, "movie_by_links"),
    ({"language": "eo"}, "link_by_facets"),
    ({"language": "eo", "quality": "480p"}, "link_by_facets"),
    ({"updated_since": NOW - timedelta(days=1)}, "movie_by_updated"),
    ({"genre": "western"}, "facet_once_a_movie|autoindex_streaming_moviefacet"),
    ({"person": "Q7", "genre": "western"}, "facet_once_a_movie|autoindex_streaming_moviefacet"),
    ({"captions": "eo"}, "facet_once_a_movie|autoindex_streaming_moviefacet"),
    ({"runtime_min": 200}, "movie_by_runtime"),
]


@pytest.fixture
def large(monkeypatch):
    """A few movies whose counters say that they are millions: `RARE` filters leave few of them."""
    for number in range(30):
        facts = {"genres": ["drama"], "countries": ["DE"], "runtime_minutes": 90}
        movie = make_movie(title=f"Movie {number}", year=1900 + number, updated_at=NOW - timedelta(days=30), **facts)
        make_link(movie, language="en", quality="720p", source="commons", licence="cc0")
    facts = {"genres": ["western"], "cast": [{"id": "Q7", "name": "Ida Lupino"}], "runtime_minutes": 300}
    rare = {"language": "eo", "quality": "480p", "source": "commons", "captions": [{"url": "", "language": "eo"}]}
    make_link(make_movie(title="Rare", year=1968, type="show", **facts), **rare)
    make_movie(title="Late", year=2020)
    MovieCount.objects.filter(year__lt=1960).update(movies=F("movies") * 100_000)
    LinkCount.objects.filter(language="en").update(active=F("active") * 300_000)
    monkeypatch.setattr("streaming.catalogue_query.MAX_EXACT", 5)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # Otherwise it plans by what was there when it last looked by itself.
            cursor.execute("ANALYZE streaming_movie, streaming_streaminglink, streaming_moviefacet")


def plan_of(movies, *, without=("sort", "incremental_sort")):
    """The plan; on PostgreSQL, where a scan of so small a table would be cheaper, with that and `without` expensive."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for name in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", *without):
                cursor.execute(f"SET LOCAL enable_{name} = off")
    return movies.explain()


def test_the_working_links_of_a_page_are_sought_movie_by_movie(large):
    ids = list(Movie.objects.order_by("pk").values_list("pk", flat=True)[:24])
    with CaptureQueriesContext(connection) as queries:
        assert StreamingLink.objects.working_by_movie(ids) == dict.fromkeys(ids, 0)
    counted = StreamingLink.objects.active().filter(movie__in=ids).order_by().values("movie")
    plan = plan_of(counted.annotate(number=Count("last_checked")))
    assert len(queries) == 1
    assert "movie_id" in plan, plan
    assert "link_by_checked" not in plan
    assert "Seq Scan" not in plan


def is_sorted_by_index(plan):
    return "TEMP B-TREE" not in plan and "Sort  " not in plan and "Sort (" not in plan


def test_a_search_for_a_year_alone_reads_its_movies_only(large):
    plan = plan_of(movies_of_year(Movie.objects.shown(), 1968)[:500])
    assert re.search("movie_by_known_year|movie_newest", plan), plan
    assert is_sorted_by_index(plan), plan


@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("order", ORDERS)
def test_a_list_walks_the_index_of_its_order(large, order, filters):
    plan = plan_of(CatalogueQuery(order=order, **filters).apply(Movie.objects.shown())[:24])
    assert is_sorted_by_index(plan), plan
    assert "Seq Scan on streaming_movie" not in plan
    assert all("INDEX" in line.upper() for line in plan.splitlines() if "SCAN streaming_movie" in line), plan


@pytest.mark.parametrize("filters", FILTERS[:6], ids=str)
@pytest.mark.parametrize("order", ORDERS)
def test_what_follows_a_movie_is_a_range_of_that_index(large, order, filters):
    terms = order_terms(order)
    row = Movie.objects.get(title="Movie 7")
    movies = CatalogueQuery(order=order, **filters).apply(Movie.objects.shown()).order_by()
    for backwards in (False, True):
        plan = plan_of(rows_after(movies, terms, [term.value_of(row) for term in terms], backwards=backwards)[:24])
        assert is_sorted_by_index(plan), plan
        assert "SEARCH streaming_movie USING" in plan or "Index Cond" in plan, plan


@pytest.mark.parametrize(("filters", "index"), RARE, ids=str)
@pytest.mark.parametrize("order", ORDERS)
def test_a_filter_that_leaves_few_movies_is_read_from_its_own_index(large, order, filters, index):
    movies = CatalogueQuery(order=order, **filters).apply(Movie.objects.shown())
    if connection.vendor == "sqlite":
        plan = plan_of(movies[:24])
        assert any(name in plan for name in index.split("|")), plan
    else:
        # PostgreSQL weighs the indexes itself, by what it knows of the rows.
        assert "Seq Scan on streaming_movie" not in plan_of(movies[:24], without=())
    assert [movie.pk for movie in CatalogueQuery(order=order, **filters).apply(Movie.objects.shown())]


@pytest.mark.parametrize("filters", [*FILTERS, *(one for one, _ in RARE)], ids=str)
def test_both_ways_of_reading_find_the_same(large, filters):
    def found():
        return list(CatalogueQuery(order="newest", **filters).apply(Movie.objects.shown()).values_list("pk", flat=True))

    walked = found()
    MovieCount.objects.update(movies=F("movies") / 100_000 + 1)
    LinkCount.objects.update(active=F("active") / 100_000 + 1)
    assert found() == walked != []


@pytest.mark.parametrize(
    ("filters", "number", "is_exact"),
    [
        ({}, 3_000_002, True),
        ({"type": "show"}, 1, True),
        ({"has_links": False}, 1, True),
        ({"year": 1910}, 100_000, True),
        ({"year_min": 1968}, 2, True),
        ({"language": "eo"}, 1, True),
        ({"language": "eo", "type": "movie"}, 0, True),
        ({"updated_since": NOW - timedelta(days=1)}, 2, True),
        ({"language": "en"}, 3_000_000, False),
        ({"updated_since": NOW - timedelta(days=90)}, 3_000_000, False),
        ({"search": "movie"}, 30, True),
        ({"genre": "western"}, 1, True),
        ({"genre": "western", "type": "movie"}, 0, True),
        ({"runtime_min": 200}, 1, True),
        ({"genre": "drama"}, 2_810_000, False),
    ],
)
def test_counts_are_exact_when_they_are_cheap(large, filters, number, is_exact):
    total = ListPlan(CatalogueQuery(**filters)).total()
    # PostgreSQL's statistics are those of a sample.
    assert total.number == (number if is_exact else pytest.approx(number, rel=0.1))
    assert total.is_exact == is_exact


def test_what_is_counted_exactly_is_counted_from_its_index_even_where_the_page_walks_its_order(large, monkeypatch):
    monkeypatch.setattr("streaming.catalogue_query.MAX_EXACT", 50)
    monkeypatch.setattr("streaming.catalogue_query.ALWAYS_CHEAP", 0)
    plan = ListPlan(CatalogueQuery(genre="drama", order="newest"))
    plan.counts.rows = [("movie", 1900, True, 30)]  # walking 24 of 30 movies is cheaper than sorting 30
    assert "EXISTS" in str(plan.apply(Movie.objects.shown()).query)
    with CaptureQueriesContext(connection) as queries:
        assert plan.total().number == 30
    assert "EXISTS" not in queries.captured_queries[-1]["sql"]


@pytest.mark.parametrize("filters", [{"quality": "240p"}, {"type": "show", "year": 1990}, {"genre": "war"}], ids=str)
def test_a_search_among_no_movies_compares_nothing(large, django_assert_max_num_queries, filters):
    with django_assert_max_num_queries(3):
        assert not CatalogueQuery(search="movie", **filters).apply(Movie.objects.shown())


def test_a_page_of_a_search_is_searched_once(large, client):
    with CaptureQueriesContext(connection) as queries:
        answer = client.get("/api/streaming/movies/?search=movie&page_size=5").json()
    assert (answer["count"], len(answer["results"])) == (30, 5)
    assert sum("MATCH" in one["sql"] or "@@" in one["sql"] for one in queries.captured_queries) == 1


def test_the_page_says_about_and_the_api_documents_it(large, client):
    page = " ".join(client.get("/?language=en").content.decode().split())
    assert "About 3,000,000 titles" in page
    assert "24 of about 3,000,000" in page
    schema = client.get("/api/streaming/schema/?format=json").content.decode()
    assert "otherwise an estimate" in schema


def test_no_page_ends_behind_an_estimate(large, client):
    following = client.get("/?genre=drama").context["page"].next
    page = client.get(f"/{following.replace('page=2', 'page=999999999')}").context["page"]
    assert (page.total.is_exact, page.end) == (False, page.total.number)


@pytest.mark.parametrize(("first", "distance"), [(1, 1), (100_001, 1), (1, 4), (100_001, 4), (3, 1_000)])
def test_an_estimate_is_near_the_truth_wherever_the_ids_are(monkeypatch, first, distance):
    """Every fourth movie is in German, which a sample of every fourth id would meet always or never."""
    monkeypatch.setattr("streaming.catalogue_query.MAX_EXACT", 50)
    monkeypatch.setattr("streaming.catalogue_query.SAMPLED_MOVIES", 100 if distance == 1 else 500)
    for number in range(400):
        make_link(make_movie(pk=first + number * distance), language="en" if number % 4 else "de")
    make_movie(pk=500_000)  # what is far behind most ids
    total = ListPlan(CatalogueQuery(language="en")).total()
    assert not total.is_exact
    assert total.number == pytest.approx(300, rel=0.1)
    assert MAX_EXACT > 50


API = "/api/streaming/"
PATHS = [
    "/", "/?sort=links", "/?sort=newest", "/?working=1&language=en", "/?decade=1920", "/?page=2", "/health/",
    "/sources/", "/sitemap.xml", "/sitemap-movies.xml", "/feeds/new.xml", "/feeds/lost.xml", "/metrics", "/readyz",
    "/streaming/tt0000001/", "/?genre=drama&runtime_max=100", "/?captions=eo", "/genres/drama/", "/people/Q7/",
    "/countries/DE/", "/stremio/catalog/movie/openreel-movies.json", "/api/",
    *(f"{API}movies/{query}" for query in (
        "", "?cursor=", "?type=show&ordering=-year", "?source=commons&language=en", "?has_links=false",
        "?updated_since=2020-01-01", "tt0000001/", "?genre=drama&runtime_min=60", "?person=Q7&captions=eo",
    )),
    f"{API}stats/", f"{API}sources/", f"{API}changes/",
]  # fmt: skip
TABLES = (
    "streaming_movie", "streaming_streaminglink", "streaming_linkflip", "streaming_change", "streaming_moviefacet",
)  # fmt: skip


@pytest.mark.sqlite
@pytest.mark.parametrize("path", PATHS)
def test_no_request_reads_a_whole_table(large, path):
    make_job(make_link(make_movie(imdb_id="tt0000001")).movie, state="failed")
    LinkFlip.objects.create(link=make_link(is_active=False), is_active=False, reason="http_404")
    HealthRun.objects.create(finished_at=timezone.now(), outcome="completed")
    number_all_changes()
    with CaptureQueriesContext(connection) as queries:
        answer = Client(HTTP_USER_AGENT="Googlebot/2.1").get(path)
    assert answer.status_code == 200
    for query in queries.captured_queries:
        if query["sql"].startswith("SELECT") and " LIMIT " not in query["sql"]:
            with connection.cursor() as cursor:
                plan = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}").fetchall()]
            scans = [line for line in plan for table in TABLES if f"{line} ".startswith(f"SCAN {table} ")]
            assert not scans, (query["sql"], plan)


STATISTICS_OF_A_MILLION = {
    "movie_by_fame": "542640 334 33 2 1 1", "movie_by_runtime": "1194930 286 1", "movie_by_links": "519120 501 1 1",
    "movie_added": "1439478 501 1 1", "movie_oldest": "592596 201 1 1", "movie_newest": "667464 1001 1 1",
    "movie_by_known_year": "810198 1001 1 1", "movie_by_type": "1094145 1001 2 1", "movie_by_updated": "512400 501 1",
    "movie_by_created": "512400 501 1", "movie_by_title": "1368432 5 1",
    "sqlite_autoindex_streaming_movie_1": "1111800 1",
}  # fmt: skip
"""What SQLite's ANALYZE noted of a million movies."""


@pytest.mark.sqlite
@pytest.mark.parametrize("path", [f"{API}movies/?page_size=1", f"{API}movies/?page_size=1&cursor=", "/api/"])
def test_the_first_row_of_a_list_is_read_along_its_index(large, client, path):
    """For one or two of a million rows SQLite would sort all of them, by the statistics that it has of so many."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("DELETE FROM sqlite_stat1 WHERE tbl = 'streaming_movie'")
        rows = [("streaming_movie", index, stat) for index, stat in STATISTICS_OF_A_MILLION.items()]
        cursor.executemany("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", rows)
        cursor.execute("ANALYZE sqlite_master")
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    (sql,) = (one["sql"] for one in queries.captured_queries if '"search_title" ASC' in one["sql"])
    with connection.cursor() as cursor:
        plan = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan, (sql, plan)


def test_takedowns_are_found_by_their_ids_and_leave_the_count(large, client):
    hidden = Movie.objects.get(title="Rare")
    BlockedAddress.objects.create(kind=BlockedAddress.Kind.IMDB_ID, address=hidden.imdb_id, reason="asked")
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/api/streaming/movies/?year=1968").json()["count"] == 0
    assert client.get("/api/streaming/movies/?type=show").json()["count"] == 0
    for sql in (one["sql"] for one in queries.captured_queries):
        assert not ("streaming_blockedaddress" in sql and "COUNT(*) AS" in sql), sql
