"""What is known of movies on pages, in lists, in the API and in exports."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from streaming.ingest.takedown import block
from streaming.models import Movie
from streaming.web.similar_movies import similar_movies
from tests.helpers.factories import make_link, make_movie
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
API = "/api/streaming/movies/"
MURNAU = {"id": "Q55394", "name": "F. W. Murnau"}
FACTS = {
    "title": "Nosferatu",
    "year": 1922,
    "runtime_minutes": 94,
    "original_title": "Nosferatu, eine Symphonie des Grauens",
    "original_languages": ["de"],
    "countries": ["DE"],
    "genres": ["horror", "fantasy"],
    "directors": [MURNAU],
    "cast": [{"id": "max-b-schreck-b", "name": "Max <b>Schreck</b>"}],
    "other_titles": [["fr", "Nosferatu le vampire"]],
    "synopses": [["fr", "Un vampire."]],
    "fame": 74,
}
CAPTIONS = [{"url": "https://films.example.org/n.srt", "language": "pt-BR", "format": "srt"}]


@pytest.fixture
def nosferatu():
    movie = make_movie(imdb_id="tt0013442", **FACTS)
    make_link(movie, kind="file", captions=CAPTIONS, duration_seconds=600, size_bytes=7, width=640, height=480)
    make_link(make_movie(title="Faust", year=1926, runtime_minutes=106, directors=[MURNAU], genres=["drama"]))
    make_link(make_movie(title="Detour", year=1945, countries=["US"], genres=["film-noir"], runtime_minutes=67))
    return movie


def text_of(response):
    return " ".join(response.content.decode().split())


def titles(client, query):
    return sorted(movie["title"] for movie in client.get(f"{API}?{query}").json()["results"])


def test_the_page_says_what_is_known_and_leads_on(client, nosferatu):
    page = text_of(client.get("/streaming/tt0013442/"))
    assert "<span>1 h 34 min</span>" in page
    assert '<a href="/genres/horror/">Horror</a>' in page
    assert '<a href="/people/Q55394/">F. W. Murnau</a>' in page
    assert '<a href="/people/max-b-schreck-b/">Max &lt;b&gt;Schreck&lt;/b&gt;</a>' in page
    assert '<a href="/countries/DE/">Germany</a>' in page
    assert 'lang="de"> Nosferatu, eine Symphonie des Grauens' in page
    data = json.loads(page.split('<script type="application/ld+json">')[1].split("</script>")[0])
    assert (data["duration"], data["genre"]) == ("PT94M", ["Horror", "Fantasy"])
    assert data["director"][0]["sameAs"] == "http://www.wikidata.org/entity/Q55394"


def test_of_a_movie_of_which_nothing_is_known_nothing_is_said(client):
    make_movie(imdb_id="tt0000001", year=None)
    page = text_of(client.get("/streaming/tt0000001/"))
    assert "Director" not in page
    assert "Original" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("genre=horror", ["Nosferatu"]),
        ("genre=horror&country=DE&runtime_max=94", ["Nosferatu"]),
        ("genre=western", []),
        ("person=Q55394", ["Faust", "Nosferatu"]),
        ("person=max-b-schreck-b", ["Nosferatu"]),
        ("person=nobody", []),
        ("country=US", ["Detour"]),
        ("runtime_min=95", ["Faust"]),
        ("runtime_min=60&runtime_max=94", ["Detour", "Nosferatu"]),
        ("captions=pt", ["Nosferatu"]),
        ("captions=pt-BR&quality=1080p", []),
        ("captions=PT-br", ["Nosferatu"]),
        ("captions=de", []),
        ("search=nosferatu&genre=horror", ["Nosferatu"]),
        ("search=nosferatu&genre=drama", []),
    ],
)
def test_pages_and_api_filter_alike(client, nosferatu, query, found):
    assert titles(client, query) == found
    page = text_of(client.get(f"/?{query.replace('search=', 'q=')}"))
    assert f'id="count">{len(found)} title' in page
    assert [
        title for title in ("Detour", "Faust", "Nosferatu") if f'<span class="name" dir="auto">{title}<' in page
    ] == found


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("genre", "horror films", "Allowed: action, adventure"),
        ("country", "Germany", "Allowed: AD, AE"),
        ("person", "F. W. Murnau", "Write the id of a person"),
        ("captions", "none!", "Write a BCP 47 tag"),
        ("runtime_min", "0", "Write minutes from 1 to 6000."),
        ("runtime_max", "long", "Write minutes from 1 to 6000."),
        ("runtime_max", "99999999999999999999", "Write minutes from 1 to 6000."),
    ],
)
def test_an_unknown_value_is_refused_by_the_api_and_ignored_by_the_page(client, nosferatu, name, value, message):
    response = client.get(API, {name: value})
    assert (response.status_code, list(response.json())) == (400, [name])
    assert message in response.json()[name][0]
    assert 'id="count">3 titles' in text_of(client.get("/", {name: value}))


def test_filters_that_have_no_select_survive_the_form_and_have_chips(client, nosferatu):
    page = text_of(client.get("/?person=Q55394&runtime_min=60"))
    assert '<input type="hidden" name="person" value="Q55394">' in page
    assert '<input type="hidden" name="runtime_min" value="60">' in page
    assert '<a href="/?runtime_min=60"> F. W. Murnau' in page
    assert '<a href="/?person=Q55394"> At least 60 min' in page


@pytest.mark.parametrize(
    ("path", "name", "found", "catalogue"),
    [
        ("/people/Q55394/", "F. W. Murnau", 2, "/?person=Q55394&amp;sort=newest"),
        ("/people/max-b-schreck-b/", "Max &lt;b&gt;Schreck&lt;/b&gt;", 1, "/?person=max-b-schreck-b&amp;sort=newest"),
        ("/genres/horror/", "Horror", 1, "/?genre=horror&amp;sort=known"),
        ("/genres/western/", "Western", 0, "/?genre=western&amp;sort=known"),
        ("/countries/DE/", "Germany", 1, "/?country=DE&amp;sort=known"),
    ],
)
def test_people_genres_and_countries_have_pages(client, nosferatu, path, name, found, catalogue):
    response = client.get(path)
    page = text_of(response)
    assert response.status_code == 200
    assert f'dir="auto">{name}</h1>' in page
    assert page.count('<li class="movie-card') == found
    assert f'<a href="{catalogue}">Filter and sort them</a>' in page


@pytest.mark.parametrize(
    "path", ["/people/Q1/", "/people/NOBODY/", "/people/%00/", "/genres/nonsense/", "/countries/ZZ/", "/countries/de/"]
)
def test_other_pages_do_not_exist(client, nosferatu, path):
    assert client.get(path).status_code == 404


def test_a_page_of_many_movies_costs_as_many_queries_as_of_few(client):
    def queries():
        with CaptureQueriesContext(connection) as found:
            client.get("/genres/horror/")
        return len(found)

    make_link(make_movie(genres=["horror"]))
    few = queries()
    for _ in range(30):
        make_link(make_movie(genres=["horror"]))
    assert queries() <= few + 1


def test_similar_movies_have_people_and_genres_in_common(nosferatu, django_assert_max_num_queries):
    make_link(make_movie(title="Vampyr", year=1932, genres=["horror"]))
    make_link(make_movie(title="Safety Last", year=1923, genres=["comedy"]))
    with django_assert_max_num_queries(5):
        assert [movie.title for movie in similar_movies(nosferatu)][:3] == ["Faust", "Vampyr", "Safety Last"]


def test_the_api_has_the_facts_of_movies_and_files(client, nosferatu):
    movie = client.get(f"{API}?search=nosferatu").json()["results"][0]
    assert (movie["runtime_minutes"], movie["genres"], movie["fame"]) == (94, ["horror", "fantasy"], 74)
    assert movie["directors"] == [MURNAU]
    assert movie["other_titles"] == {"fr": "Nosferatu le vampire"}
    assert movie["synopses"] == {"fr": "Un vampire."}
    (link,) = movie["links"]
    assert (link["captions"], link["length_note"]) == (CAPTIONS, "shorter than the film")


def test_an_export_that_is_imported_again_loses_nothing(nosferatu, tmp_path):
    before = {name: getattr(nosferatu, name) for name in FACTS}
    file = tmp_path / "all.jsonl"
    call_command("export_catalogue", str(file))
    Movie.objects.all().delete()
    call_command("import_catalogue", str(file), stdout=io.StringIO())
    movie = Movie.objects.get(imdb_id="tt0013442")
    assert {name: getattr(movie, name) for name in FACTS} == before
    link = movie.links.get()
    assert (link.duration_seconds, link.size_bytes, link.width, link.captions) == (600, 7, 640, CAPTIONS)
    again = tmp_path / "again.jsonl"
    call_command("export_catalogue", str(again))
    assert [json.loads(line)["genres"] for line in again.read_text().splitlines()] == [
        json.loads(line)["genres"] for line in file.read_text().splitlines()
    ]


def test_the_table_has_the_facts_too(nosferatu, tmp_path):
    file = tmp_path / "all.csv"
    call_command("export_catalogue", str(file))
    header, *rows = file.read_text().splitlines()
    assert header.endswith("genres,directors,cast,other_titles,fame")
    (row,) = [row for row in rows if "tt0013442" in row]
    assert "horror | fantasy,F. W. Murnau (Q55394)," in row
    assert "fr: Nosferatu le vampire,74" in row


def test_a_bad_fact_of_an_imported_line_is_named_and_the_film_is_kept(tmp_path, capsys):
    line = {"imdb_id": "tt0013442", "title": "Nosferatu", "runtime_minutes": -1, "genres": ["horror"] * 10_000}
    file = tmp_path / "bad.jsonl"
    file.write_text(json.dumps(line))
    with pytest.raises(CommandError, match="Skipped: 2 invalid facts"):
        call_command("import_catalogue", str(file))
    said = capsys.readouterr()
    assert "runtime_minutes -1 is not a number from 1 to 6000" in said.err + said.out
    assert "genres has more than 30 entries" in said.err + said.out
    assert Movie.objects.get().runtime_minutes is None


def test_random_leads_to_a_movie_that_can_be_watched(client, nosferatu):
    for _ in range(30):
        make_movie()
    found = {client.get("/random/")["Location"] for _ in range(20)}
    watchable = {movie.get_absolute_url() for movie in Movie.objects.watchable()}
    assert found <= watchable | {"/"}
    assert len(found & watchable) > 1
    assert "no-store" in client.get("/random/")["Cache-Control"]


def test_random_leads_to_the_catalogue_if_there_is_nothing_to_watch(client):
    assert client.get("/random/")["Location"] == "/"


def test_the_page_of_a_person_leads_to_movies_that_state_only_the_name(client):
    make_movie(directors=[MURNAU])
    assert "state only this name" not in client.get("/people/Q55394/").content.decode()
    named = make_movie(directors=[{"id": "f-w-murnau", "name": "F. W. Murnau"}])
    page = html_of(client.get("/people/Q55394/"))
    assert '<a href="/people/f-w-murnau/">Titles that state only this name</a>' in page
    block(named.imdb_id, reason="asked")
    assert "state only this name" not in client.get("/people/Q55394/").content.decode()
