"""Lists from Letterboxd, IMDb and Trakt: what of them can be watched, what is named, and that nothing is kept."""

from __future__ import annotations

import html
import io
import re
import xml.etree.ElementTree as ET

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from streaming.ingest.takedown import block
from streaming.models import Movie
from tests.helpers.external_services import run_tests_on_postgres
from tests.helpers.factories import make_link, make_movie
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db

LETTERBOXD = "Date,Name,Year,Letterboxd URI\n2024-01-02,{},{},https://boxd.it/2a9q\n"
LETTERBOXD_LIST = (
    "Letterboxd list export v7\nDate,Name,Tags,URL,Description\n2024-01-02,Best,,https://boxd.it/x,\n\n"
    "Position,Name,Year,URL,Description\n1,{},{},https://boxd.it/2a9q,\n"
)
IMDB = (
    "Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year\n"
    '1,tt0013442,2024-01-02,,,"Nosferatu, eine Symphonie",,https://www.imdb.com/title/tt0013442/,Movie,7.8,94,1922\n'
    "2,nm0000001,2024-01-02,,,Fred Astaire,,https://www.imdb.com/name/nm0000001/,,,,\n"
    "3,tt0959621,2024-01-02,,,Pilot,,https://www.imdb.com/title/tt0959621/,TV Episode,9,58,2008\n"
)
TRAKT = (
    "rated_at,type,title,year,trakt_rating,trakt_id,imdb_id,tmdb_id,season_number,episode_number\n"
    "2024-01-02T00:00:00Z,movie,Nosferatu,1922,8,1,tt0013442,2,,\n"
    "2024-01-02T00:00:00Z,season,Breaking Bad,2008,8,1,,2,1,\n"
)


@pytest.fixture(autouse=True)
def unhurried(settings, tmp_path):
    settings.LIST_RATE, settings.SCRAPE_DIR = (1000, 60), tmp_path


@pytest.fixture
def nosferatu():
    movie = make_movie(imdb_id="tt0013442", title="Nosferatu", year=1922)
    make_link(movie, kind="file", reason="ok")
    return movie


def submit(client, data, name="list.csv"):
    raw = data if isinstance(data, bytes) else data.encode()
    return client.post("/lists/", {"file": SimpleUploadedFile(name, raw), "text": ""})


def text_of(response):
    return " ".join(re.sub("<[^>]+>", " ", response.content.decode()).split())


def watchable(response):
    return [movie.imdb_id for movie in response.context["found"].watchable]


@pytest.mark.parametrize(
    "data",
    [
        IMDB,
        TRAKT,
        LETTERBOXD.format("Nosferatu", 1922),
        LETTERBOXD_LIST.format("NOSFERATU!", 1922),
        LETTERBOXD.format("Nosferatu", 1923),
        LETTERBOXD.format("Nosferatu", 1922).replace(",", ";").encode("utf-16"),
        LETTERBOXD.format("Nosferatu", 1922).replace(",", ";").encode("utf-16-le"),
        b"\xef\xbb\xbf" + LETTERBOXD.format("Nosferatu", 1922).replace(",", "\t").encode(),
        "Titel;Const\r\nEinö;tt0013442\r\n".encode("cp1252"),
    ],
)
def test_an_export_shows_what_can_be_watched(client, nosferatu, data):
    response = submit(client, data)
    assert (response.status_code, watchable(response)) == (200, ["tt0013442"])
    assert "1 of 1 titles can be watched for free now." in html_of(response)


def test_pasted_ids_and_titles_are_found(client, nosferatu):
    text = "https://www.imdb.com/title/tt0013442/?ref_=x\ntt0013442, tt0099999\nNosferatu (1922)\nUnheard Of (1999)"
    found = client.post("/lists/", {"text": text}).context["found"]
    assert [movie.imdb_id for movie in found.watchable] == ["tt0013442"]
    assert [film.name for film in found.missing] == ["tt0099999", "Unheard Of (1999)"]


def test_what_is_not_in_the_catalogue_can_be_looked_for_with_what_the_row_says(client):
    page = submit(client, "title,year,imdb_id\nRock & Roll? <1>,1999,\nNo Year,,\nBy Id,2001,tt0099999\n")
    links = re.findall(r'<a href="(/look-for/[^"]*)">Look for it</a>', html_of(page))
    assert [html.unescape(link) for link in links] == [
        "/look-for/?q=Rock+%26+Roll%3F+%3C1%3E&year=1999",
        "/look-for/?q=No+Year",
        "/look-for/?q=tt0099999",
    ]
    form = client.get(html.unescape(links[0])).context["form"]
    assert (form["wanted"].value(), form["year"].value()) == ("Rock & Roll? <1>", "1999")
    assert client.get("/look-for/?q=x&year=19x9").context["form"]["year"].value() == ""


def test_what_is_no_film_is_named_with_its_row(client):
    text = text_of(submit(client, IMDB + "4,12345,,,,Odd,,,,,,\n"))
    assert "Row 3: Fred Astaire nm0000001 – a person, not a film" in text
    assert "Row 4: Pilot tt0959621 – an episode: the catalogue has whole shows" in text
    assert "Row 5: Odd 12345 – not an IMDb id: those are tt and 7 to 9 digits" in text
    assert "Row 3: Breaking Bad – a season: the catalogue has whole shows" in text_of(submit(client, TRAKT))


def test_several_movies_of_one_title_differ_by_year_and_type_only(client):
    for year, kind in ((1999, "movie"), (1999, "movie"), (2005, "movie"), (2005, "show")):
        make_movie(title="The Same", year=year, type=kind)
    csv = "title,year,type\nThe Same,1999,movie\nThe Same,2005,show\nThe Same,1980,movie\nThe Same,,\n"
    found = submit(client, csv).context["found"]
    assert [film.row for film in found.ambiguous] == [2, 5]
    assert [(movie.year, movie.type) for movie in found.unwatchable] == [(2005, "show")]
    assert [film.row for film in found.missing] == [4]


def test_a_title_of_many_movies_is_known_by_its_year_and_not_guessed_without(client):
    for year in range(1990, 2000):
        make_movie(title="Love", year=year)
    found = submit(client, "title,year\nLove,1992\nLove,\nLove,2000\nLove,1980\nLove!,1996\n").context["found"]
    assert [movie.year for movie in found.unwatchable] == [1992, 1999, 1996]
    assert ([film.row for film in found.ambiguous], [film.row for film in found.missing]) == ([3], [5])


def test_playlist_feed_and_link_have_the_list_in_their_address(client, nosferatu):
    query = client.post("/lists/", {"text": "tt0013442 tt0099999"}).context["query"]
    page, playlist, feed = (client.get(f"/lists/{name}{query}") for name in ("", "films.m3u8", "films.rss"))
    assert watchable(page) == ["tt0013442"]
    assert b"".join(playlist).decode().count('tvg-id="tt0013442"') == 1
    assert [item.findtext("title") for item in ET.fromstring(feed.content).iter("item")] == ["Nosferatu (1922)"]
    make_link(make_movie(imdb_id="tt0099999", title="<New> & seen"))
    titles = {
        item.findtext("title") for item in ET.fromstring(client.get(f"/lists/films.rss{query}").content).iter("item")
    }
    assert titles == {"Nosferatu (1922)", "<New> & seen"}


def test_what_is_taken_down_is_not_shown(client, nosferatu):
    query = client.post("/lists/", {"text": "tt0013442"}).context["query"]
    Movie.objects.filter(pk=nosferatu.pk)
    block("tt0013442", reason="asked")
    assert watchable(client.post("/lists/", {"text": "tt0013442\nNosferatu (1922)"})) == []
    assert b"tt0013442" not in b"".join(client.get(f"/lists/films.m3u8{query}"))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"PK\x03\x04rest", "Unpack it"),
        (b"\0\0\0\0\x00\xd8junk\0", "is not text"),
        ("Title,Year\n" + "x" * 200_000, "a cell is longer than 128 KiB"),
        ("", "Choose a CSV file"),
        ("\n\n", "Choose a CSV file"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence(client, data, sentence):
    response = submit(client, data)
    assert (response.status_code, sentence in html_of(response)) == (400, True)


@pytest.mark.parametrize("address", ["%00", "AAA", "é", "_" * 7000, "gmn0hQ", "/" * 9])
def test_a_wrong_address_is_refused(client, address):
    for name in ("", "films.m3u8", "films.rss"):
        response = client.get(f"/lists/{name}", {"list": address})
        assert (response.status_code, "Choose the file again" in html_of(response)) == (400, True)


@pytest.mark.parametrize("name", ["films.m3u8", "films.rss"])
def test_a_playlist_and_a_feed_are_answered_with_304_and_refuse_what_they_do_not_know(client, nosferatu, name):
    query = client.post("/lists/", {"text": "tt0013442"}).context["query"]
    first = client.get(f"/lists/{name}{query}")
    assert client.get(f"/lists/{name}{query}", headers={"If-None-Match": first["ETag"]}).status_code == 304
    for wrong, named in (
        ("&colour=red", "colour"),
        (query.replace("?", "&"), "only once"),
        ("&genre=western", "genre"),
    ):
        refused = client.get(f"/lists/{name}{query}{wrong}")
        assert (refused.status_code, named in refused.content.decode()) == (400, True)
    assert [client.get(f"/lists/{name}{none}").status_code for none in ("", "?list=")] == [400, 400]


def test_a_file_of_50_megabytes_is_refused_unread_with_a_sentence(client):
    class Unreadable(io.BytesIO):
        def read(self, *args):
            raise AssertionError("the body was read")

    response = client.generic("POST", "/lists/", CONTENT_LENGTH=str(50 * 1024**2), **{"wsgi.input": Unreadable()})
    assert (response.status_code, "A list may have up to 4 MB and 5,000 rows." in html_of(response)) == (413, True)


def test_a_list_that_is_too_long_is_read_in_part_and_says_so(client):
    response = client.post("/lists/", {"text": "\n".join(f"tt{number:07d}" for number in range(1, 5002))})
    assert "only the first 5,000 were read" in html_of(response)


@pytest.mark.parametrize(
    ("heading", "end"),
    [("", "\n"), ("", "\r"), ("", "\v"), ("", "\u2028"), ("Title,Year\n", "\n"), ("Title,Year\r\n", "\r\n")],
)
def test_rows_that_add_nothing_are_not_read_without_end(client, nosferatu, heading, end):
    """A file of 4 MB that named one film a million times took five seconds of CPU, twelve times a minute."""
    last = "Nosferatu,1922" if heading else "Nosferatu (1922)"
    response = submit(client, f"{heading}{end.join(['x,1'] * 20_000)}{end}{last}")
    assert watchable(response) == []
    assert response.context["is_cut"]
    response = submit(client, f"{heading}{end.join(['x,1'] * 100 + [''] * 1000)}{end}{last}")
    assert (watchable(response), response.context["is_cut"]) == (["tt0013442"], False)


def test_many_lists_of_one_client_are_refused_with_the_time_to_wait(client, settings):
    settings.LIST_RATE = (1, 60)
    client.post("/lists/", {"text": "tt0013442"})
    refused = client.post("/lists/", {"text": "tt0013442"})
    assert (refused.status_code, int(refused["Retry-After"]) > 0) == (429, True)


def test_another_site_cannot_submit_a_list(nosferatu):
    assert Client(enforce_csrf_checks=True).post("/lists/", {"text": "tt0013442"}).status_code == 403


def test_a_list_of_2000_rows_takes_as_many_queries_as_one_row(client, nosferatu):
    movies = [
        Movie(imdb_id=f"tt{number:07d}", title=f"Film {number}", year=1950) for number in range(2_000_000, 2_001_000)
    ]
    for movie in movies:
        movie.search_words = f"film {movie.imdb_id[2:]}|"
    Movie.objects.bulk_create(movies)
    by_id = "".join(f"{number},x,,tt{number:07d}\n" for number in range(2_000_000, 2_000_500))
    by_title = "".join(f"{number},Film {number},1950,\n" for number in range(2_000_500, 2_002_000))
    counts = []
    for rows in ("1,Film 2000001,1950,\n2,x,,tt2000002\n", by_id + by_title):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = submit(client, f"n,title,year,imdb_id\n{rows}")
        counts.append(len(queries))
    found = response.context["found"]
    assert (len(found.unwatchable), len(found.missing)) == (1000, 1000)
    assert counts[0] == counts[1] <= 5


def test_nothing_of_a_list_is_kept(client, nosferatu):
    with CaptureQueriesContext(connection) as queries:
        submit(client, IMDB)
    assert not [query for query in queries if not query["sql"].lstrip().upper().startswith("SELECT")]


@pytest.mark.postgres
def test_lists_are_matched_alike_on_postgresql():
    run_tests_on_postgres("web/test_list_page.py")
