"""`language=` means the same on the home page, in its filter bar and in the API."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from streaming.models import Movie
from streaming.models.movie import has_active_link
from tests.api.conftest import MOVIES
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db
STORED = ("en", "en-GB", "EN-us", "enm", "fr", "zh-Hans", "zh-Hant", "zh-Hant-TW", "pt-BR", "nb", "no", "zxx")


@pytest.fixture
def catalogue() -> None:
    for tag in STORED:
        make_link(make_movie(title=tag), language=tag, quality="720p")
    make_link(make_movie(title="inactive"), language="en", is_active=False)
    make_link(make_movie(title="in review"), language="en", is_published=False)
    make_link(make_movie(title="not stated"))
    make_movie(title="without links")


def found_on_the_page(client: Client, query: str) -> set[str]:
    return {movie.title for movie in client.get(f"/?{query}").context["page"]}


def found_by_the_api(client: Client, query: str) -> set[str]:
    return {movie["title"] for movie in client.get(f"{MOVIES}?{query}").json()["results"]}


@pytest.mark.parametrize("find", [found_on_the_page, found_by_the_api])
@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("language=en", {"en", "en-GB", "EN-us"}),
        ("language=EN", {"en", "en-GB", "EN-us"}),
        ("language=en-GB", {"en-GB"}),
        ("language=en-gb", {"en-GB"}),
        ("language=en-US", {"EN-us"}),
        ("language=en-AU", set()),
        ("language=enm", {"enm"}),
        ("language=zh", {"zh-Hans", "zh-Hant", "zh-Hant-TW"}),
        ("language=zh-Hant", {"zh-Hant", "zh-Hant-TW"}),
        ("language=zh-Hant-TW", {"zh-Hant-TW"}),
        ("language=zh-TW", set()),
        ("language=pt", {"pt-BR"}),
        ("language=no", {"no"}),
        ("language=zxx", {"zxx"}),
        ("language=en&quality=720p", {"en", "en-GB", "EN-us"}),
        ("language=en&quality=480p", set()),
    ],
)
def test_a_language_finds_itself_and_its_regional_forms(client, catalogue, find, query, titles):
    assert find(client, query) == titles


@pytest.mark.parametrize("find", [found_on_the_page, found_by_the_api])
@pytest.mark.parametrize("tag", ["ca-ES-valencia", "sl-IT-nedis-rozaj-biske", "qaa"])
def test_every_tag_that_can_be_stored_can_be_filtered(client, find, tag):
    make_link(make_movie(title="wanted"), language=tag)
    make_link(make_movie(title="other"), language="fr")
    assert find(client, f"language={tag}") == {"wanted"}


def test_one_link_must_match_language_and_quality(client):
    movie = make_movie()
    make_link(movie, language="en-GB", quality="480p")
    make_link(movie, language="de", quality="720p")
    for find in (found_on_the_page, found_by_the_api):
        assert find(client, "language=en&quality=720p") == set()
        assert find(client, "language=en&quality=480p") == {movie.title}


def test_the_bar_offers_each_form_and_the_language_of_several_forms(client, catalogue):
    assert client.get("/").context["filter_choices"].language == [
        ("zh", "Chinese"),
        ("zh-Hans", "Chinese (Simplified)"),
        ("zh-Hant", "Chinese (Traditional)"),
        ("zh-Hant-TW", "Chinese (Traditional, Taiwan)"),
        ("en", "English"),
        ("en-GB", "English (United Kingdom)"),
        ("en-US", "English (United States)"),
        ("fr", "French"),
        ("enm", "Middle English"),
        ("zxx", "No dialogue"),
        ("no", "Norwegian"),
        ("nb", "Norwegian Bokmål"),
        ("pt-BR", "Portuguese (Brazil)"),
    ]


def test_every_choice_of_the_bar_finds_the_same_titles_on_the_page_and_in_the_api(client, catalogue):
    for tag, _ in client.get("/").context["filter_choices"].language:
        titles = found_on_the_page(client, f"language={tag}")
        assert titles, tag
        assert titles == found_by_the_api(client, f"language={tag}")


def test_spellings_of_a_tag_in_different_case_are_one_choice(client):
    make_link(make_movie(), language="en-GB")
    make_link(make_movie(), language="EN-gb")
    page = client.get("/?language=En-gB")
    assert page.context["filter_choices"].language == [("en-GB", "English (United Kingdom)")]
    assert '<option value="en-GB" selected>English (United Kingdom)</option>' in page.content.decode()
    assert [active.label for active in page.context["active_filters"]] == ["English (United Kingdom)"]
    assert len(page.context["page"].movies) == 2


@pytest.mark.parametrize("path", ["/", MOVIES])
def test_a_language_needs_as_many_queries_as_another_filter(client, path):
    def cost(query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{path}?{query}")
        return len(queries)

    make_link(make_movie(), language="en", quality="720p")
    client.get(path)  # fills the caches
    for_one = cost("language=en")
    for _ in range(12):
        make_link(make_movie(), language="en-GB", quality="720p")
    assert cost("language=en") == for_one == cost("quality=720p")


@pytest.mark.sqlite
@pytest.mark.parametrize("tag", ["en", "zh-Hant"])
def test_a_language_is_found_by_the_index_of_published_links(tag):
    plan = Movie.objects.filter(has_active_link(language=tag)).explain()
    assert "SEARCH" in plan
    assert "USING INDEX link_shown_of_movie" in plan
