"""Search by title: what is found, in which order, and that the index follows whoever writes. On both databases."""

from __future__ import annotations

import random
import re

import pytest
from django.db import connection

from scraper.items import Person
from streaming.catalogue_query import CatalogueQuery
from streaming.ingest.edits import update_movie
from streaming.ingest.records import MovieRecord
from streaming.ingest.save import save_links
from streaming.ingest.takedown import block
from streaming.models import Movie, title_search
from streaming.search_index import rebuild
from tests.helpers.external_services import run_tests_on_postgres
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db

PLANTED = [
    "The Shawshank Redemption", "Le Fabuleux Destin d'Amélie Poulain", "Amélie", "Pokémon: The First Movie",
    "Léon: The Professional", "8½", "M", "WALL·E", "Spider-Man", "Spider-Man: Into the Spider-Verse", "Se7en",
    "千と千尋の神隠し", "Москва слезам не верит", "Die Straße", "Nosferatu", "Night of the Living Dead",
    "Dawn of the Dead", "The Dead", "Crème de la Crème", "His Girl Friday", "Charade", "Metropolis", "The General",
    "Il buono, il brutto, il cattivo", "Star Trek", "The Twilight Zone", "Star Wars", "Łódź Noir", "İstanbul Hatırası",
    "기생충", "One Flew Over the Cuckoo's Nest", "C'est arrivé près de chez vous", "100% Wolf", "Under_Score",
    '"Quoted" AND NOT (this)',
]  # fmt: skip
HARD = [
    ("shawshank", "The Shawshank Redemption"),
    ("shawshenk redemption", "The Shawshank Redemption"),
    ("amelie", "Amélie"),
    ("AMELIE", "Amélie"),
    ("Amélie", "Amélie"),
    ("pokemon", "Pokémon: The First Movie"),
    ("leon", "Léon: The Professional"),
    ("leon professional", "Léon: The Professional"),
    ("8½", "8½"),
    ("8 1/2", "8½"),
    ("M", "M"),
    ("wall-e", "WALL·E"),
    ("walle", "WALL·E"),
    ("wall e", "WALL·E"),
    ("spider man", "Spider-Man"),
    ("spiderman", "Spider-Man"),
    ("spider-verse", "Spider-Man: Into the Spider-Verse"),
    ("千と千尋の神隠し", "千と千尋の神隠し"),
    ("千尋", "千と千尋の神隠し"),
    ("神隠し", "千と千尋の神隠し"),
    ("москва слезам", "Москва слезам не верит"),
    ("МОСКВА СЛЕЗАМ", "Москва слезам не верит"),
    ("strasse", "Die Straße"),
    ("STRASSE", "Die Straße"),
    ("lodz noir", "Łódź Noir"),
    ("istanbul hatirasi", "İstanbul Hatırası"),
    ("기생충", "기생충"),
    ("cuckoo nest", "One Flew Over the Cuckoo's Nest"),
    ("cuckoos nest", "One Flew Over the Cuckoo's Nest"),
    ("cest arrive", "C'est arrivé près de chez vous"),
    ("100%", "100% Wolf"),
    ("under_score", "Under_Score"),
    ('"quoted" and not', '"Quoted" AND NOT (this)'),
    ("nosfaratu", "Nosferatu"),
    ("metropolsi", "Metropolis"),
    ("twilite zone", "The Twilight Zone"),
    ("il buono il brutto", "Il buono, il brutto, il cattivo"),
    ("creme de la creme", "Crème de la Crème"),
]
SYLLABLES = [first + second for first in "bdfghklmnprstvw" for second in "aeiou"]


def found(text, movies=None):
    return list((Movie.objects.all() if movies is None else movies).search(text).values_list("title", flat=True))


@pytest.fixture
def many_titles():
    """The titles that are hard to find among 2,000 others, some of them with the same words."""
    chance = random.Random(7)
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(800)]
    words += ["the", "of", "night", "dead", "star", "zone", "noir", "man", "nest", "movie", "first", "not", "and"] * 30
    others = [" ".join(chance.choices(words, k=chance.randint(1, 6))).capitalize() for _ in range(2000)]
    Movie.objects.bulk_create(
        Movie(imdb_id=f"tt{number:07d}", title=title, year=1900 + number % 120)
        for number, title in enumerate([*others, *PLANTED], 1)
    )


def test_the_hard_searches_find_their_title_among_the_first_ten(many_titles):
    missed = [text for text, title in HARD if title not in found(text, Movie.objects.shown())[:10]]
    assert missed == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("nos", "Nosferatu"),
        ("nosferatu", "Nosferatu"),
        ("dead living", "Night of the Living Dead"),
        ("night liv", "Night of the Living Dead"),
        ("nigth living dead", "Night of the Living Dead"),
        ("nosfar", "Nosferatu"),
        ("sferat", "Nosferatu"),
        ("starwars", "Star Wars"),
        ("metro polis", "Metropolis"),
        ("千", "千と千尋の神隠し"),
        ("隠し", "千と千尋の神隠し"),
        ("il brutto buono", "Il buono, il brutto, il cattivo"),
        ("his gurl friday", "His Girl Friday"),
        ("мосвка", "Москва слезам не верит"),
    ],
)
def test_other_ways_to_type_a_title(text, title):
    for name in PLANTED:
        make_movie(title=name)
    assert title in found(text)[:10]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("murnau", ["Sunrise", "Nosferatu"]),
        ("F. W. Murnau", ["Sunrise", "Nosferatu"]),
        ("friedrich mur", ["Sunrise", "Nosferatu"]),
        ("murnua", ["Sunrise", "Nosferatu"]),
        ("murnau nosferatu", ["Nosferatu"]),
        ("schrek", ["Nosferatu"]),
        ("melies", ["The Eclipse"]),
        ("黒澤", ["Ikiru"]),
        ("keaton", ["The Keaton Mystery", "One Week"]),
        ("keatn", ["The Keaton Mystery", "One Week"]),
        ("keatn mystry", ["The Keaton Mystery"]),
        ("buster keatn", ["One Week"]),
        ("mu", ["Sunrise", "Nosferatu"]),  # no title begins so
        ("ke", ["The Keaton Mystery"]),  # one does: too many names begin with two letters
        ("murnau schreck zzzz", []),
    ],
)
def test_directors_and_cast_find_their_movies_after_those_of_the_title(text, titles):
    murnau = {"id": "Q55412", "name": "F. W. (Friedrich Wilhelm) Murnau"}
    make_movie(title="Nosferatu", year=1922, directors=[murnau], cast=[{"id": "max-schreck", "name": "Max Schreck"}])
    make_movie(title="Sunrise", year=1927, directors=[murnau])
    make_movie(title="The Eclipse", directors=[{"id": "georges-melies", "name": "Georges Méliès"}])
    make_movie(title="Ikiru", directors=[{"id": "Q8006", "name": "黒澤明"}])
    make_link(make_movie(title="One Week", directors=[{"id": "buster-keaton", "name": "Buster Keaton"}]))
    make_movie(title="The Keaton Mystery")
    assert found(text) == titles


def test_every_way_to_save_a_movie_lets_its_people_find_it(run_stated_save):
    assert found("murnau") == ["Nosferatu"]


@pytest.fixture(params=["new", "filled", "edited"])
def run_stated_save(request):
    """A movie whose director came with its first record, with a later one, or from staff."""
    director = {"directors": (Person("F. W. Murnau", "Q55412"),)}
    first = MovieRecord(imdb_id="tt0013442", title="Nosferatu", **(director if request.param == "new" else {}))
    save_links([], movies=[first], is_operator=True)
    if request.param == "filled":
        save_links([], movies=[MovieRecord(imdb_id="tt0013442", **director)], is_operator=True)
    if request.param == "edited":
        update_movie(Movie.objects.get(), {"directors": ["F. W. Murnau"]})


@pytest.mark.parametrize("text", ["zzzz", "nosferatu zzzz", "zz nosferatu", "metropolis 1927", "tt9999999", "???"])
def test_what_no_title_has_finds_nothing(text):
    make_movie(title="Nosferatu")
    make_movie(title="Metropolis")
    assert found(text) == []


@pytest.mark.parametrize("text", ["cops 1922", "Cops (1922)", "keaton 1922", "cops keaton 1922"])
def test_a_year_behind_the_words_is_that_of_the_film(text):
    keaton = [{"id": "buster-keaton", "name": "Buster Keaton"}]
    make_movie(title="Cops", year=1922, directors=keaton)
    make_movie(title="Cops", year=1990)
    make_movie(title="Sherlock Jr.", year=1924, directors=keaton)
    assert [(movie.title, movie.year) for movie in Movie.objects.search(text)] == [("Cops", 1922)]


def test_a_year_alone_finds_the_films_of_that_year_the_best_known_first_unless_a_title_has_it():
    for title, links in [("Cops", 1), ("Nosferatu", 2), ("Häxan", 0)]:
        movie = make_movie(title=title, year=1922)
        for _ in range(links):
            make_link(movie)
    make_movie(title="Nineteen Eighty-Four", year=1984)
    assert found("1922") == ["Nosferatu", "Cops", "Häxan"]
    make_movie(title="1922", year=2017)
    assert found("1922") == ["1922"]


def test_a_year_in_a_title_comes_before_that_of_a_film():
    make_movie(title="Blade Runner 2049", year=2017)
    make_movie(title="Blade Runner", year=2049)
    assert found("blade runner 2049") == ["Blade Runner 2049"]


def test_the_best_come_first_the_exact_title_then_the_best_known_then_the_newest():
    for title, year, links in [
        ("Dawn of the Dead", 1978, 2), ("The Dead", 1987, 0), ("Night of the Living Dead", 1968, 3),
        ("The Dead Zone", 1983, 2), ("The Dead of No Year", None, 2), ("Another Dead Thing, the", 1999, 0),
    ]:  # fmt: skip
        movie = make_movie(title=title, year=year)
        for _ in range(links):
            make_link(movie)
        make_link(movie, is_active=False)
        make_link(movie, is_published=False)
    assert found("the dead") == [
        "The Dead", "Night of the Living Dead", "The Dead Zone", "Dawn of the Dead", "The Dead of No Year",
        "Another Dead Thing, the",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("strasse", ["Straße", "Die Straße", "Straße ohne Ende"]),
        ("die strasse", ["Die Straße", "Straße"]),
        ("avventura", ["L'Avventura", "Avventura grande"]),
        ("the straw", ["Straw"]),
    ],
)
def test_a_title_is_found_first_without_its_article_and_with_one_that_it_lacks(text, titles):
    for title in ("Straße ohne Ende", "Avventura grande"):
        make_link(make_movie(title=title))
    for title in ("Die Straße", "Straße", "L'Avventura", "Straw"):
        make_movie(title=title)
    assert [title for title in found(text) if title in titles] == titles


def test_a_title_without_blanks_is_found_before_titles_that_have_words_beside_it():
    for title in ("映画 千と千尋の神隠し", "千と千尋の神隠し"):
        make_movie(title=title)
    make_link(Movie.objects.get(title="映画 千と千尋の神隠し"))
    assert found("千尋") == ["千と千尋の神隠し", "映画 千と千尋の神隠し"]


def test_a_set_with_an_order_keeps_it():
    for title in ("Star Wars", "A Star", "Star"):
        make_movie(title=title)
    assert found("star", Movie.objects.order_by("title")) == ["A Star", "Star", "Star Wars"]


@pytest.mark.parametrize(
    "text",
    ["https://www.imdb.com/title/tt0013442/", "m.imdb.com/de/title/tt0013442/?ref_=fn_al", " IMDB.com/title/TT0013442"],
)
def test_the_address_of_a_film_at_imdb_finds_it(text):
    make_movie(imdb_id="tt0013442", title="Nosferatu")
    make_movie(imdb_id="tt0013443", title="Title")
    assert found(text) == ["Nosferatu"]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("tt0013442", ["Nosferatu", "A Longer Id"]),
        ("TT001344299", ["A Longer Id"]),
        ("tt001", ["Nosferatu", "A Longer Id"]),
        ("tt0013442 nos", ["Nosferatu"]),
        ("nosferatu tt00999999", []),
        ("tt0099999", ["Other"]),
        ("tt0013442 other", []),
    ],
)
def test_the_start_of_an_imdb_id_finds_its_movies(text, titles):
    for imdb_id, title in [("tt0013442", "Nosferatu"), ("tt00999999", "Other"), ("tt001344299", "A Longer Id")]:
        make_movie(imdb_id=imdb_id, title=title, year=1922 if title == "Nosferatu" else 1990)
    assert found(text) == titles


@pytest.mark.parametrize(
    "text",
    [
        '"quoted" and not', '"', "'", "100%", "a_b\\", "AND", "OR NOT", "NEAR(a b)", "title:x", "a*", "^a", "-", "(((",
        "\x00", "nul\x00 in it", "x" * 10_000, "word " * 2_000, "!:*&|", ":*", "a & !b | c", "<->",
        "😀", "\u200b", "\u0301", "ﷺ" * 200, "'; DROP TABLE streaming_movie; --", "{}", "[1]", "null", "\\u0000",
    ],
)  # fmt: skip
def test_no_search_fails(client, text):
    movie = make_movie(title="Nosferatu")
    assert len(list(Movie.objects.search(text))) <= 1
    assert client.get("/", {"q": text}).status_code == 200
    # A NUL and half a character are no text for the API.
    assert client.get("/api/streaming/movies/", {"search": text}).status_code in (200, 400)
    assert client.get("/stremio/catalog/movie/openreel-movies/search=x.json").status_code == 200
    assert found("nosferatu") == [movie.title]


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "\u0301"])
def test_without_a_word_all_movies_are_meant(text):
    make_movie(title="Nosferatu")
    assert found(text) == ["Nosferatu"]


@pytest.mark.parametrize("title", ["???", "…", "$", "|", "😀", "-"])
def test_a_title_without_a_letter_is_found_by_its_signs(title):
    make_movie(title="Other")
    make_movie(title=title)
    assert found(title) == [title]


def test_a_very_long_title_is_found():
    make_movie(title="ﷺ" * 200)
    make_movie(title="ab " * 66)
    assert len(found("ab ab ab")) == len(found("ﷺ" * 200)) == 1


def test_the_index_follows_each_way_to_write_a_movie():
    movie = make_movie(title="First Name")
    movie.title = "Second Name"
    movie.save()
    assert (found("first"), found("second")) == ([], ["Second Name"])
    Movie.objects.bulk_create([Movie(imdb_id="tt0000001", title="In Bulk"), Movie(imdb_id="tt0000002", title="Too")])
    assert found("bulk") == ["In Bulk"]
    Movie.objects.filter(title="In Bulk").update(synopsis="Of no importance")
    Movie.objects.filter(title="In Bulk").delete()
    assert found("bulk") == []
    movie.delete()
    assert found("second") == []


def test_the_index_follows_sql_by_hand():
    with connection.cursor() as cursor:
        columns = "imdb_id, title, search_title, type, poster_url, synopsis, created_at, updated_at, fruitless_scrapes"
        cursor.execute(
            f"INSERT INTO streaming_movie ({columns}) VALUES "
            "('tt0000001', 'By Hand', 'by \"hand\" \\', 'movie', '', '', '2026-01-01', '2026-01-01', 0)"
        )
        assert found("hand") == ["By Hand"]
        cursor.execute("UPDATE streaming_movie SET search_title = 'by foot' WHERE imdb_id = 'tt0000001'")
        assert (found("hand"), found("foot")) == ([], ["By Hand"])
        cursor.execute("DELETE FROM streaming_movie")
    assert found("foot") == []


def test_what_is_imported_and_what_staff_edit_is_found_by_all_its_words():
    record = MovieRecord(imdb_id="tt0000001", title="Spider-Man", year=2002)
    save_links([], movies=[record])
    assert found("spiderman") == ["Spider-Man"]
    update_movie(Movie.objects.get(), {"title": "WALL·E"})
    assert (found("spiderman"), found("walle")) == ([], ["WALL·E"])


def test_new_words_are_known_to_the_correction_at_once():
    make_movie(title="Nosferatu")
    assert found("nosfaratu") == ["Nosferatu"]


def test_a_movie_that_was_taken_down_is_not_found(client):
    movie = make_movie(title="Nosferatu")
    make_movie(title="Nosferatu Again")
    block(movie.imdb_id, reason="a court")
    assert found("nosferatu", Movie.objects.shown()) == ["Nosferatu Again"]
    assert "Nosferatu Again" in client.get("/?q=nosferatu").content.decode()
    assert found(movie.imdb_id, Movie.objects.shown()) == []


@pytest.fixture
def few_are_enough(monkeypatch):
    monkeypatch.setattr(title_search, "MAX_FOUND", 4)
    monkeypatch.setattr(title_search, "CHUNK_SIZE", 5)
    monkeypatch.setattr(title_search, "MAX_LOOKED_AT", 20)


def test_of_very_many_movies_that_match_the_best_known_are_found(few_are_enough):
    movies = [make_movie(title=f"Star {number}", year=1950 + number) for number in range(12)]
    for movie in (movies[3], movies[3], movies[7]):
        make_link(movie)
    exact = make_movie(title="Star", year=1900)
    rebuild(after=0, on_progress=lambda movies: None)
    assert found("star") == ["Star", "Star 3", "Star 7", "Star 11"]
    assert Movie.objects.search("star").count() == 4
    assert found("star", Movie.objects.filter(year__lt=1955)) == ["Star", "Star 3", "Star 4", "Star 2"]
    block(exact.imdb_id, reason="a court")
    assert found("star", Movie.objects.shown()) == ["Star 3", "Star 7", "Star 11", "Star 10"]


def test_conditions_and_pages_hold_for_a_search():
    for number in range(30):
        make_link(make_movie(title=f"Star {number}", type="show" if number % 2 else "movie"), quality="720p")
    make_movie(title="Star without Links")
    query = CatalogueQuery(search="star", type="show", quality="720p")
    first, second = query.apply(Movie.objects.shown())[:10], query.apply(Movie.objects.shown())[10:20]
    assert query.apply(Movie.objects.all()).count() == 15
    assert len({movie.pk for movie in [*first, *second]}) == 15
    assert {movie.type for movie in first} == {"show"}


def test_the_api_lists_the_best_match_first_unless_an_order_is_asked_for(client):
    for title in ("A Star", "Star", "Star Wars"):
        make_link(make_movie(title=title))
    make_link(Movie.objects.get(title="Star Wars"))

    def titles(query):
        return [movie["title"] for movie in client.get(f"/api/streaming/movies/?{query}").json()["results"]]

    assert titles("search=star") == ["Star", "A Star", "Star Wars"]
    assert titles("search=star&ordering=title") == ["A Star", "Star", "Star Wars"]
    assert titles("search=star&cursor=") == ["A Star", "Star", "Star Wars"]


def test_stremio_and_the_admin_list_the_best_match_first(client, admin_client):
    for title in ("A Star", "Star"):
        make_link(make_movie(title=title))
    metas = client.get("/stremio/catalog/movie/openreel-movies/search=star.json").json()["metas"]
    assert [meta["name"] for meta in metas] == ["Star", "A Star"]
    listed = admin_client.get("/admin/streaming/movie/?q=star").context["cl"].result_list
    assert [movie.title for movie in listed] == ["Star", "A Star"]
    offered = admin_client.get(
        "/admin/autocomplete/?app_label=streaming&model_name=streaminglink&field_name=movie&term=star"
    ).json()
    assert [row["text"] for row in offered["results"]] == ["Star", "A Star"]


@pytest.mark.parametrize("text", ["star", "t", "the", "night of the living dead", "nosfaratu", "tt00000", "千尋"])
def test_a_search_reads_no_whole_table(many_titles, text):
    plans = plans_of(text)
    scanned = re.compile(r"(SCAN|Seq Scan on) streaming_(movie|searchtitle)\b")
    assert len(plans) >= 2
    assert [plan for plan in plans if scanned.search(plan)] == []


def plans_of(text):
    """How the database reads the first page of a search."""
    statements = []

    def note(execute, sql, params, many, context):
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # the tables are small
    with connection.execute_wrapper(note):
        list(Movie.objects.shown().search(text)[:24])
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        return ["\n".join(str(row) for row in cursor.execute(f"{explain} {sql}", params)) for sql, params in statements]


@pytest.mark.postgres
@pytest.mark.slow(seconds=45)
def test_all_this_holds_on_postgresql():
    run_tests_on_postgres("test_search.py", "test_search_index.py")
