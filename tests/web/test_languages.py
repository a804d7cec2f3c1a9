"""Pages in the viewer's language: which one, what stays English, and that nobody gets another viewer's texts."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
NOSFERATU = {
    "imdb_id": "tt0013442",
    "title": "Nosferatu",
    "original_title": "Nosferatu, eine Symphonie des Grauens",
    "original_languages": ["de"],
    "other_titles": [["fr", "Nosferatu le vampire"], ["es-419", "Nosferatu el vampiro"]],
    "genres": ["short"],
    "countries": ["DE"],
    "year": 1922,
}
CATALOGUE = {"en": "Catalogue", "de": "Katalog", "fr": "Catalogue", "es": "Catálogo"}
CARDS = {"en": "1 link", "de": "1 Link", "fr": "1 lien", "es": "1 enlace"}
TITLES = {
    "en": "Nosferatu",
    "de": "Nosferatu, eine Symphonie des Grauens",
    "fr": "Nosferatu le vampire",
    "es": "Nosferatu el vampiro",
}


@pytest.fixture
def nosferatu():
    movie = make_movie(**NOSFERATU)
    make_link(movie, checks="1", reason="ok", last_checked="2026-01-01T00:00:00Z")
    return movie


def get(client, path, language, **headers):
    return client.get(path, headers={"Accept-Language": language, **headers})


@pytest.mark.parametrize(
    "path", ["/", "/streaming/tt0013442/", "/health/", "/sources/", "/api/", "/genres/short/", "/no/"]
)
@pytest.mark.parametrize("language", ["de", "fr", "es", "en"])
def test_every_page_is_in_the_language_and_says_so(client, nosferatu, path, language):
    response = get(client, path, language)
    page = html_of(response)
    assert f'<html lang="{language}"' in page
    assert f">{CATALOGUE[language]}</a>" in page
    assert response.headers["Content-Language"] == language
    assert {"Accept-Language", "Cookie"} <= set(response.headers["Vary"].split(", "))
    assert "sessionid" not in response.cookies


def test_viewers_of_different_languages_in_turn_get_their_own_cards_and_fragments(client, nosferatu):
    """Cards are kept between requests: that of one viewer must not be served to another."""
    for language in [*TITLES, *reversed(TITLES), *TITLES]:
        for headers in ({}, {"HX-Request": "true"}, {"HX-Request": "true", "HX-Target": "more"}):
            page = html_of(get(client, "/", language, **headers))
            assert f">{TITLES[language]}</span>" in page
            assert f"{CARDS[language]}</span>" in page
            others = {text for other, text in CARDS.items() if other != language}
            assert [text for text in others if f"{text}</span>" in page] == []


@pytest.mark.parametrize(
    ("cookie", "header", "language"),
    [
        ("", "de-AT,en;q=0.5", "de"),
        ("", "xx,fr-CA;q=0.9,de;q=0.8", "fr"),
        ("", "de;q=0,en", "en"),
        ("", "pl", "en"),
        ("", "d" * 9000, "en"),
        ("es", "de", "es"),
        ("en", "de", "en"),
        ("../../etc", "de", "de"),
        ("", "", "en"),
    ],
)
def test_the_cookie_decides_then_the_browser_else_english(client, cookie, header, language):
    client.cookies["language"] = cookie
    assert get(client, "/sources/", header).headers["Content-Language"] == language


@pytest.mark.parametrize(
    "path",
    [
        "/api/streaming/movies/",
        "/api/streaming/movies/tt0013442/",
        "/api/streaming/stats/",
        "/api/no/",
        "/feeds/new.xml",
        "/feeds/lost.xml",
        "/stremio/manifest.json",
        "/admin/login/",
        "/robots.txt",
        "/opensearch.xml",
        "/badge/tt0013442.svg",
        "/oembed/?url=http://testserver/streaming/tt0013442/",
        "/lists/films.rss?ids=tt0013442",
        "/.well-known/security.txt",
        "/sitemap.xml",
    ],
)
def test_what_programs_and_staff_read_is_english(client, nosferatu, path):
    german, english = get(client, path, "de"), get(client, path, "en")
    assert "Content-Language" not in german.headers
    if path != "/admin/login/":  # has a token
        assert german.content == english.content
    assert "Katalog" not in german.content.decode()


def test_the_switch_sets_a_cookie_and_leads_back(client):
    headers = {"Referer": "http://testserver/?genre=short&page=2"}
    response = client.post("/language/", {"language": "de", "next": "/sources/"}, headers=headers)
    assert (response.status_code, response["Location"]) == (303, "/?genre=short&page=2")
    assert html_of(client.get("/sources/")).count('value="de" lang="de" aria-current="true">Deutsch</button>') == 1
    assert set(client.cookies) == {"language"}
    for code in ("en", "es", "fr"):
        assert f'value="{code}" lang="{code}" >' in html_of(client.get("/"))


@pytest.mark.parametrize(
    ("referer", "field", "target"),
    [
        ("", "/health/", "/health/"),
        ("http://evil.example/x", "/health/", "/health/"),
        ("", "//evil.example/", "/"),
        ("", "https://evil.example/", "/"),
        ("", "javascript:alert(1)", "/"),
        ("http://testserver//evil.example/", "", "/"),
        ("http://[", "/health/", "/health/"),
        ("", "", "/"),
    ],
)
def test_the_switch_leads_to_our_own_pages_only(client, referer, field, target):
    response = client.post("/language/", {"language": "fr", "next": field}, headers={"Referer": referer})
    assert response["Location"] == target


def test_the_switch_knows_its_languages_only(client):
    assert client.post("/language/", {"language": "xx"}).status_code == 400
    assert client.get("/language/").status_code == 405


@pytest.mark.parametrize("language", TITLES)
def test_a_movie_has_the_title_of_the_language_and_names_the_others(client, nosferatu, language):
    page = html_of(get(client, nosferatu.get_absolute_url(), language))
    assert f">{TITLES[language]}</h1>" in page
    original = '<dd dir="auto" lang="de"> Nosferatu, eine Symphonie des Grauens </dd>'
    assert (original in page) == (language != "de")
    assert ('<dd dir="auto"> Nosferatu </dd>' in page) == (language != "en")


GERMAN, ENGLISH, UNKNOWN = "Ein Vampir.", "A vampire.", "Whatever."
BOTH = [["de-AT", GERMAN], ["en", ENGLISH]]
SYNOPSES = [
    # The catalogue's, those by language; what pages in English, German and French show, and in which language.
    (ENGLISH, BOTH, (ENGLISH, ""), (GERMAN, ""), (ENGLISH, "en")),
    (GERMAN, BOTH, (ENGLISH, ""), (GERMAN, ""), (GERMAN, "de-AT")),
    (GERMAN, BOTH[:1], (GERMAN, "de-AT"), (GERMAN, ""), (GERMAN, "de-AT")),
    (UNKNOWN, BOTH, (UNKNOWN, ""), (GERMAN, ""), (UNKNOWN, "")),
    (UNKNOWN, [], (UNKNOWN, ""), (UNKNOWN, ""), (UNKNOWN, "")),
    ("", BOTH, (ENGLISH, ""), (GERMAN, ""), ("", "")),
    ("گاو.", [["fa", "گاو."]], *[("گاو.", "fa")] * 3),
]


@pytest.mark.parametrize(("own", "stated", "en", "de", "fr"), SYNOPSES)
def test_a_synopsis_is_that_of_the_language_else_that_of_the_catalogue_which_says_its_language(
    client, own, stated, en, de, fr
):
    movie = make_movie(**NOSFERATU, synopsis=own, synopses=stated)
    make_link(movie)
    for language, (text, tag) in [("en", en), ("de", de), ("fr", fr), ("en", en)]:
        page = html_of(get(client, movie.get_absolute_url(), language))
        attributes = f'dir="auto" lang="{tag}"' if tag else 'dir="auto"'
        shown = f'<p class="synopsis" {attributes}>{text}</p>'
        assert shown in page if text else 'class="synopsis"' not in page
        assert text in page.partition('<meta name="description"')[2].partition(">")[0]
        assert not any(other in page for other in {GERMAN, ENGLISH, UNKNOWN} - {text})


def test_a_movie_is_found_by_its_title_in_another_language(client, nosferatu):
    make_movie(title="Faust")
    for text in ("vampiro", "le vampire", "Symphonie des Grauens"):
        page = html_of(get(client, f"/?q={text}", "es"))
        assert f">{TITLES['es']}</span>" in page
        assert ">Faust</span>" not in page


def test_a_title_in_another_language_than_the_page_says_which(client):
    make_movie(imdb_id="tt0064276", title="گاو", original_title="گاو", original_languages=["fa"])
    assert '<h1 dir="auto" lang="fa">گاو</h1>' in html_of(get(client, "/streaming/tt0064276/", "fr"))
    assert '<span class="name" dir="auto" lang="fa">گاو</span>' in html_of(get(client, "/", "de"))


def test_a_chosen_language_comes_first_among_the_links(client):
    movie = make_movie()
    for language in ("en", "fr"):
        make_link(movie, language=language, source_url=f"https://films.example.org/{language}")
    client.cookies["language"] = "fr"
    assert get(client, movie.get_absolute_url(), "en").context["best"].language == "fr"


def test_the_list_of_another_language_asks_no_more_queries(client):
    for number in range(5):
        make_link(make_movie(other_titles=[["de", f"Film {number}"]]))
    numbers = []
    for language in ("en", "de"):
        get(client, "/", language)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = html_of(get(client, "/", language))
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]
    assert "Film 4" in page


def test_the_panel_of_a_search_is_in_the_language(client):
    job = make_job(make_movie(), state="running")
    response = get(client, job.get_absolute_url(), "fr", **{"HX-Request": "true"})
    assert "Recherche de liens…" in html_of(response)
    assert response.headers["Content-Language"] == "fr"


def test_filters_name_and_sort_their_values_in_the_language(client, nosferatu):
    make_link(make_movie(countries=["AT", "US"]), language="fr")
    page = html_of(get(client, "/?country=DE&genre=short&decade=1920", "de"))
    assert "Kurzfilm</option>" in page
    assert page.index(">Deutschland</option>") < page.index(">Österreich</option>") < page.index(">Vereinigte Staaten")
    assert "1920er" in page
    assert ">Französisch</option>" in page
