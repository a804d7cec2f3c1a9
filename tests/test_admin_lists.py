"""The lists of the admin: what is searched and filtered, and that no table is read to count or to find its values."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from streaming.models import LinkCount, LinkFlip, Movie, MovieCount, ScrapeJob, StreamingLink
from tests.helpers.factories import make_job, make_link, make_movie

pytestmark = pytest.mark.django_db
LARGE = (Movie, StreamingLink, ScrapeJob, LinkFlip)


@pytest.fixture
def boss():
    client = Client()
    client.force_login(User.objects.create_superuser("alice"))
    return client


@pytest.fixture
def nosferatu():
    """Two movies with a link, a job and a change each; the first is Nosferatu."""
    movies = make_movie(title="Nosferatu", imdb_id="tt0013442"), make_movie(title="Metropolis", imdb_id="tt0017136")
    for number, movie in enumerate(movies):
        link = make_link(
            movie,
            source=("commons", "peertube")[number],
            source_url=f"https://films{number}.example.org/watch/{movie.imdb_id}",
            host=f"films{number}.example.org",
            licence=("cc0", "")[number],
            reason=("http_404", "ok")[number],
            is_active=bool(number),
        )
        make_job(movie, state="failed")
        LinkFlip.objects.create(link=link, is_active=bool(number), reason=link.reason)
    return movies[0]


def page(model):
    return reverse(f"admin:streaming_{model._meta.model_name}_changelist")


def movies_of(response):
    """The ids of the movies of the rows that are listed."""
    paths = {Movie: "imdb_id", StreamingLink: "movie__imdb_id", ScrapeJob: "movie__imdb_id"}
    rows = response.context["cl"].queryset
    return set(rows.values_list(paths.get(rows.model, "link__movie__imdb_id"), flat=True))


@pytest.mark.parametrize("model", LARGE)
@pytest.mark.parametrize("text", ["nosferatu", "NOSF", "nosfaratu", "tt0013442", " nosferatu "])
def test_rows_are_searched_by_the_movie_as_everywhere(boss, nosferatu, model, text):
    assert movies_of(boss.get(page(model), {"q": text})) == {"tt0013442"}


@pytest.mark.parametrize("model", [StreamingLink, LinkFlip])
@pytest.mark.parametrize(
    "text",
    [
        "films0.example.org",
        "FILMS0.example.org",
        "https://films0.example.org/watch",
        "films0.example.org/watch/tt0013442",
    ],
)
def test_links_are_searched_by_host_and_url_too(boss, nosferatu, model, text):
    assert movies_of(boss.get(page(model), {"q": text})) == {"tt0013442"}


@pytest.mark.parametrize("model", LARGE)
def test_without_a_word_everything_is_listed_and_a_word_of_nothing_finds_nothing(boss, nosferatu, model):
    assert movies_of(boss.get(page(model), {"q": " "})) == {"tt0013442", "tt0017136"}
    assert movies_of(boss.get(page(model), {"q": "zzqqxx"})) == set()


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ({"source__exact": "commons"}, {"tt0013442"}),
        ({"licence__exact": "cc0"}, {"tt0013442"}),
        ({"licence__exact": "-"}, {"tt0017136"}),
        ({"reason__exact": "http_404"}, {"tt0013442"}),
        ({"source__exact": "nobody"}, set()),
    ],
    ids=str,
)
def test_the_filters_of_links_have_the_values_that_there_are(boss, nosferatu, filters, shown):
    response = boss.get(page(StreamingLink), filters)
    assert movies_of(response) == shown
    assert {"commons", "peertube"} <= {text for _, text in response.context["cl"].filter_specs[3].lookup_choices}


@pytest.mark.parametrize("value", ["abc", "2", "-", "\x00", ""])
def test_a_filter_with_a_value_that_cannot_be_leads_to_the_list_as_in_all_lists(boss, nosferatu, value):
    response = boss.get(page(StreamingLink), {"is_published__exact": value})
    assert response.status_code == 302
    assert response.url == f"{page(StreamingLink)}?e=1"


@pytest.mark.parametrize("name", ["q", "o", "source__exact", "kind__exact", "host__contains"])
def test_a_parameter_with_a_zero_byte_which_postgres_does_not_take_is_no_error(boss, nosferatu, name):
    response = boss.get(page(StreamingLink), {name: "a\x00b"})
    assert (response.status_code, response.headers.get("Location")) == (302, f"{page(StreamingLink)}?e=1")


@pytest.mark.parametrize("term", ["", " ", "\x00"])
def test_the_choice_of_a_movie_has_an_order(boss, nosferatu, term):
    query = {"term": term, "app_label": "streaming", "model_name": "streaminglink", "field_name": "movie"}
    found = boss.get(reverse("admin:autocomplete"), query).json()["results"]
    assert [int(one["id"]) for one in found] == list(Movie.objects.order_by("title").values_list("pk", flat=True))


@pytest.mark.parametrize(("maximum", "published"), [(1, 2), (2, 0)])
def test_an_action_on_all_rows_is_refused_if_they_are_more_than_the_list_says(
    boss, nosferatu, monkeypatch, maximum, published
):
    monkeypatch.setattr("streaming.admin.MAX_LISTED_ROWS", maximum)
    chosen = {"action": "withdraw", "index": "0", "select_across": "1", "_selected_action": ["1"]}
    response = boss.post(f"{page(StreamingLink)}?taken_down__exact=0", chosen, follow=True)
    assert StreamingLink.objects.filter(is_published=True).count() == published
    assert ("Nothing was done" in response.text) is bool(published)


@pytest.mark.parametrize("model", LARGE)
@pytest.mark.parametrize("query", [{}, {"q": "nosferatu"}, {"q": "tt0013442"}, {"p": "1"}], ids=str)
def test_no_list_reads_all_values_or_all_rows(boss, nosferatu, model, query):
    with CaptureQueriesContext(connection) as queries:
        assert boss.get(page(model), query).status_code == 200
    statements = [one["sql"] for one in queries.captured_queries]
    for sql in statements:
        assert "DISTINCT" not in sql, sql
        assert "LIKE" not in sql.partition("WHERE")[2] or "streaming_title" in sql, sql
        assert "COUNT(*)" not in sql or "LIMIT 10000" in sql, sql


def test_the_whole_tables_have_their_true_size_and_a_bounded_number_of_pages(boss, nosferatu):
    MovieCount.objects.all().delete()
    MovieCount.objects.create(type="movie", year=0, is_watchable=True, movies=1_000_000)
    LinkCount.objects.filter(source="commons").update(links=4_900_000)
    movies, links = (boss.get(page(model)).context["cl"] for model in (Movie, StreamingLink))
    assert (movies.result_count, movies.paginator.num_pages) == (1_000_000, 100)
    assert (links.result_count, links.paginator.num_pages) == (4_900_001, 100)


@pytest.mark.parametrize("order", ["1", "-1", "2", "-2", "4", "-4", "5", "-5", "6", "-6"])
def test_movies_are_sorted_by_columns_that_have_an_index(boss, order):
    for number in range(5):
        make_movie(title=f"Movie {number}", year=1900 + number)
    plan = plan_of(boss.get(page(Movie), {"o": order}).context["cl"].queryset)
    assert "USING INDEX" in plan or "Index Scan" in plan, plan
    assert not re.search("TEMP B-TREE|Sort", plan), plan


@pytest.mark.parametrize("order", ["10", "-10"])
def test_links_are_sorted_by_their_last_check_as_the_index_has_them(boss, nosferatu, order):
    plan = plan_of(boss.get(page(StreamingLink), {"o": order}).context["cl"].queryset)
    assert "link_by_checked" in plan, plan
    assert not re.search("TEMP B-TREE|Sort", plan), plan


@pytest.mark.parametrize("order", ["1", "-1", "2", "-2", "4", "-4", "5", "-5", "6", "-6", "5.-1"])
def test_sorted_movies_are_all_there_once_and_in_order(boss, order):
    for number in range(9):
        movie = make_movie(title=f"Movie {number % 4}", year=1900 + number // 3)
        for _ in range(number % 3):
            make_link(movie)
    rows = list(boss.get(page(Movie), {"o": order}).context["cl"].queryset)
    names = ["search_title", "year", "type", "imdb_id", "active_link_count", "updated_at"]
    column, is_descending = names[abs(int(order.partition(".")[0])) - 1], order.startswith("-")
    values = [getattr(movie, column) for movie in rows]
    assert values == sorted(values, reverse=is_descending)
    assert len({movie.pk for movie in rows}) == 9


@pytest.mark.sqlite  # PostgreSQL weighs the limit itself
@pytest.mark.parametrize("filters", [{"active_links": "some"}, {"created_at__gte": "2000-01-01 00:00:00+00:00"}])
def test_a_filter_of_most_movies_leaves_the_order_to_its_index(boss, monkeypatch, filters):
    monkeypatch.setattr("streaming.admin.MAX_EXACT", 5)
    for number in range(30):
        make_link(make_movie(title=f"Movie {number}"))
    MovieCount.objects.update(movies=F("movies") * 100_000)
    rows = boss.get(page(Movie), filters).context["cl"].queryset
    plan = plan_of(rows)
    assert "movie_by_title" in plan, plan
    assert "TEMP B-TREE FOR ORDER" not in plan, plan
    assert rows.count() == 30


def test_few_movies_added_lately_are_read_from_their_index(boss):
    for number in range(30):
        make_movie(title=f"Movie {number}", created_at=datetime(2025, 1, 1 + number, tzinfo=UTC))
    rows = boss.get(page(Movie), {"created_at__gte": "2025-01-29 00:00:00+00:00"}).context["cl"].queryset
    assert [movie.title for movie in rows] == ["Movie 28", "Movie 29"]
    assert "SCAN streaming_movie" not in plan_of(rows)


RARE_LINKS = {
    "source__exact": ("rare", "link_by_source"),
    "kind__exact": ("stream", "link_by_kind"),
    "quality__exact": ("240p", "link_by_quality"),
    "licence__exact": ("cc0", "link_by_licence"),
    "reason__exact": ("http_404", "link_by_reason"),
    "strength__exact": ("proven", "link_by_strength"),
    "is_active__exact": ("0", "link_inactive"),
    "taken_down__exact": ("1", "link_taken_down"),
    "is_published__exact": ("0", "link_waiting_of_movie"),
}
"""Filters with a value that few links have, and the index that has those."""


@pytest.fixture
def a_rare_link():
    """Thousands of links, of which the oldest alone has what `RARE_LINKS` filter by; statistics are up to date."""
    rare = {"source": "rare", "kind": "stream", "quality": "240p", "licence": "cc0", "reason": "http_404"}
    link = make_link(strength="proven", is_active=False, taken_down=True, is_published=False, **rare)
    for name in ("A", "B"):
        movie = make_movie(title=name)
        urls = (f"https://films.example.org/{name}/{number}" for number in range(3000))
        StreamingLink.objects.bulk_create(
            StreamingLink(movie=movie, source="usual", source_url=url, host="films.example.org", quality="720p")
            for url in urls
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE streaming_streaminglink")
    return link


@pytest.mark.parametrize(("parameter", "value", "index"), [(name, *rest) for name, rest in RARE_LINKS.items()])
def test_a_filter_that_leaves_few_links_is_read_from_its_index(boss, a_rare_link, parameter, value, index):
    rows = boss.get(page(StreamingLink), {parameter: value}).context["cl"].queryset
    assert [link.pk for link in rows] == [a_rare_link.pk]
    for plan in (plan_of(rows), plan_of(rows.order_by().values("pk"))):
        assert index in plan, plan


@pytest.mark.sqlite  # PostgreSQL needs no hint
def test_links_that_redirect_permanently_are_read_from_their_index(boss):
    assert "link_by_moved" in plan_of(boss.get(page(StreamingLink), {"moved": "yes"}).context["cl"].queryset)


def plan_of(rows):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    return rows.all()[:100].explain()
