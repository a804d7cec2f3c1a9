"""The lists of the admin: what is searched and filtered, and that no table is read to count or to find its values."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
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


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"is_published__exact": "0"}, "link_waiting_of_movie"),
        # Of so few rows PostgreSQL walks the key.
        pytest.param({"reason__exact": "http_404"}, "link_by_reason", marks=pytest.mark.sqlite),
        pytest.param({"moved": "yes"}, "link_by_moved", marks=pytest.mark.sqlite),  # PostgreSQL needs no hint
    ],
)
def test_a_filter_that_leaves_few_links_is_read_from_its_index(boss, nosferatu, filters, index):
    assert index in plan_of(boss.get(page(StreamingLink), filters).context["cl"].queryset)


def plan_of(rows):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    return rows[:100].explain()
