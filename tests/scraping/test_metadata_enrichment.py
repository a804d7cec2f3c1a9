"""`describe_movies` fills in missing metadata, keeps existing values and never shows a key."""

from __future__ import annotations

import gzip
import json

import pytest
from django.core.management import CommandError, call_command

from scraper.net.url_policy import PrivateHostAllowlist
from streaming.health.verification.api_client import ApiReply
from streaming.management.commands import describe_movies
from streaming.models import Movie
from streaming.scraping.metadata_enrichment import PROVIDERS, MetadataClient, MetadataError, incomplete_movies
from tests.helpers.factories import make_movie
from tests.helpers.http_servers import Page, Site, free_port, serving

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SHOW, FILM = "tt0900007", "tt0900001"
HEADER = "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres\n"
KEY = "s3cret-k3y"


@pytest.fixture(autouse=True)
def no_delay(monkeypatch):
    monkeypatch.setattr("streaming.scraping.metadata_enrichment.time.sleep", lambda seconds: None)


@pytest.fixture
def provider(settings):
    site = Site({})
    site.pages = {}
    with serving(site):
        settings.TVMAZE_URL = settings.TMDB_URL = settings.OMDB_URL = site.url
        settings.TMDB_API_KEY = settings.OMDB_API_KEY = KEY
        yield site


def data(value, **more):
    return Page(json.dumps(value), content_type="application/json", **more)


def run(*words, capsys):
    call_command("describe_movies", *words)
    return capsys.readouterr().out


def show(**more):
    about = {"name": "Mill Lane", "premiered": "1999-01-01", "summary": "<p>A mill.</p>", "externals": {"imdb": SHOW}}
    return data({**about, "image": {"original": "https://img.example.org/1.jpg"}, **more})


def test_a_show_is_described_and_a_redirect_on_the_same_host_is_followed(provider, capsys):
    movie = make_movie(imdb_id=SHOW)
    provider.pages[f"/lookup/shows?imdb={SHOW}"] = Page(status=301, headers={"Location": "/shows/1"})
    provider.pages["/shows/1"] = show()
    assert run("--source", "tvmaze", capsys=capsys) == "1 looked up, 1 found, 1 updated.\n"
    movie.refresh_from_db()
    assert (movie.year, movie.synopsis, movie.poster_url) == (1999, "A mill.", "https://img.example.org/1.jpg")
    assert provider.agents == {"Openreel/0.2.0 (+tests@example.org)"}


def test_existing_values_are_never_overwritten(provider, capsys):
    movie = make_movie(imdb_id=SHOW, title="Ours", year=2001, synopsis="Ours.")
    provider.pages[f"/lookup/shows?imdb={SHOW}"] = show()
    run("--source", "tvmaze", capsys=capsys)
    movie.refresh_from_db()
    assert (movie.title, movie.year, movie.synopsis) == ("Ours", 2001, "Ours.")
    assert movie.poster_url == "https://img.example.org/1.jpg"


def test_tmdb_is_searched_for_its_id_and_then_for_the_film(provider, capsys):
    make_movie(imdb_id=FILM)
    find = f"/3/find/{FILM}?external_source=imdb_id&api_key={KEY}"
    provider.pages[find] = data({"movie_results": [{"id": 5, "title": "Driftwood"}], "tv_results": []})
    details = {"title": "Driftwood", "imdb_id": FILM, "release_date": "1931-04-02", "overview": "A river."}
    texts = [("en", "A river."), ("de", "Ein Fluss."), ("de", "Zweiter."), ("fr", ""), ("ja", "川。")]
    stated = [{"iso_639_1": language, "data": {"overview": text}} for language, text in texts]
    details["translations"] = {"translations": [*stated, {"iso_639_1": "es", "data": None}, 5]}
    provider.pages[f"/3/movie/5?api_key={KEY}&append_to_response=translations"] = data(details)
    assert "1 updated" in run("--source", "tmdb", capsys=capsys)
    film = Movie.objects.get(imdb_id=FILM)
    assert (film.synopsis, film.synopses) == ("A river.", [["en", "A river."], ["de", "Ein Fluss."]])


def test_omdb_finds_a_film_or_not(provider, capsys):
    make_movie(imdb_id=FILM)
    make_movie(imdb_id=SHOW)
    stated = {"Response": "True", "Title": "Driftwood", "Year": "1931", "imdbID": FILM, "Poster": "N/A"}
    provider.pages[f"/?i={FILM}&apikey={KEY}"] = data(stated)
    provider.pages[f"/?i={SHOW}&apikey={KEY}"] = data({"Response": "False", "Error": "Incorrect IMDb ID."})
    assert run("--source", "omdb", capsys=capsys) == "2 looked up, 1 found, 1 updated.\n"


def test_metadata_of_another_film_is_ignored(provider, capsys):
    make_movie(imdb_id=FILM)
    provider.pages[f"/lookup/shows?imdb={FILM}"] = show()
    assert "0 found, 0 updated" in run("--source", "tvmaze", capsys=capsys)


def test_only_incomplete_movies_are_looked_up_and_at_most_the_limit(provider, capsys):
    make_movie(imdb_id="tt0900009", year=1900, synopsis="x", poster_url="https://img.example.org/2.jpg")
    for number in range(3):
        make_movie(imdb_id=f"tt095000{number}")
    assert run("--source", "tvmaze", "--limit", "2", capsys=capsys) == "2 looked up, 0 found, 0 updated.\n"
    assert len(provider.hits) == 2


@pytest.mark.parametrize("source", ["tmdb", "omdb"])
def test_a_missing_key_is_reported(source, settings):
    settings.TMDB_API_KEY = settings.OMDB_API_KEY = ""
    with pytest.raises(CommandError, match=f"needs a key: set {source.upper()}_API_KEY"):
        call_command("describe_movies", "--source", source)


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (Page("no", status=401), "OMDb responded with status 401"),
        (Page("slow down", status=429, headers={"Retry-After": "9"}), "OMDb responded with status 429"),
        (Page("busy", status=503), "OMDb responded with status 503"),
        (Page(b"x" * 2_000_000), "OMDb could not be reached, or gave no complete response"),
        (
            Page(gzip.compress(b"x" * 9_000_000), headers={"Content-Encoding": "gzip"}),
            "1 responses of omdb were unreadable",
        ),
        (Page(raw_handler=lambda handler: None), "OMDb could not be reached"),
        (Page(status=302, headers={"Location": "http://10.0.0.5/"}), "OMDb responded with status 302"),
        (Page(status=302, headers={"Location": "http://\xff/"}), "OMDb responded with status 302"),
        (Page(status=302, headers={"Location": "http://[::1/"}), "OMDb responded with status 302"),
        (Page("<html></html>"), "1 responses of omdb were unreadable"),
        (data({"Response": "False", "Error": "Invalid API key!"}), "1 responses of omdb were unreadable"),
    ],
    ids=["401", "429", "503", "too much", "packed", "silence", "away", "no text", "no host", "page", "error"],
)
def test_an_unexpected_response_is_reported_in_one_sentence_without_the_key(page, sentence, provider):
    make_movie(imdb_id=FILM)
    provider.pages["*"] = page
    with pytest.raises(CommandError, match=sentence) as raised:
        call_command("describe_movies", "--source", "omdb")
    assert KEY not in str(raised.value)


def test_the_key_does_not_follow_a_redirect_to_another_scheme(settings):
    settings.OMDB_URL, settings.OMDB_API_KEY = "https://omdb.example.org", KEY
    asked = []

    def fetch_url(url):
        asked.append(url)
        return ApiReply(status=301, data=None, moved_to=url.replace("https://", "http://"))

    with pytest.raises(MetadataError, match="responded with status 301"):
        MetadataClient(PROVIDERS["omdb"], fetch_url=fetch_url).fetch(FILM)
    assert [url.partition(":")[0] for url in asked] == ["https"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_retry_after_is_not_waited_for(status, provider, monkeypatch):
    slept = [0.0]
    monkeypatch.setattr("streaming.scraping.metadata_enrichment.time.sleep", slept.append)
    make_movie(imdb_id=SHOW)
    provider.pages[f"/lookup/shows?imdb={SHOW}"] = Page("later", status=status, headers={"Retry-After": "3600"})
    with pytest.raises(CommandError, match=f"TVmaze responded with status {status}"):
        call_command("describe_movies", "--source", "tvmaze")
    assert max(slept) < 5


def test_a_provider_that_is_down_is_reported_without_the_key(settings):
    settings.OMDB_URL, settings.OMDB_API_KEY = f"http://127.0.0.1:{free_port()}", KEY
    make_movie(imdb_id=FILM)
    with pytest.raises(CommandError, match="OMDb could not be reached") as raised:
        call_command("describe_movies", "--source", "omdb")
    assert KEY not in str(raised.value)


def drip(handler):
    """A response whose end never comes, with a byte in time for every timeout between two of them."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not handler.server.over.wait(0.05):
        handler.wfile.write(b"{")


@pytest.mark.parametrize("handler", [lambda handler: handler.server.over.wait(3), drip], ids=["silence", "drip"])
def test_a_provider_that_does_not_respond_in_time_is_given_up(provider, monkeypatch, handler):
    monkeypatch.setattr(describe_movies, "TIMEOUT_SECONDS", 0.2)
    make_movie(imdb_id=FILM)
    provider.pages["*"] = Page(raw_handler=handler)
    with pytest.raises(CommandError, match="OMDb could not be reached"):
        call_command("describe_movies", "--source", "omdb")


def test_neither_a_proxy_nor_netrc_is_used(provider, capsys, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("default login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    seen = []

    def answer(handler):
        seen.append(handler.headers.get("Authorization"))
        body = b'{"Response": "False", "Error": "Movie not found!"}'
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    make_movie(imdb_id=FILM)
    provider.pages["*"] = Page(raw_handler=answer)
    assert "1 looked up, 0 found" in run("--source", "omdb", capsys=capsys)
    assert seen == [None]


def test_a_provider_on_a_private_address_is_not_asked_unless_that_is_allowed(provider, settings):
    settings.ALLOW_PRIVATE_HOSTS = PrivateHostAllowlist.parse([])
    make_movie(imdb_id=SHOW)
    with pytest.raises(CommandError, match="TVmaze could not be reached"):
        call_command("describe_movies", "--source", "tvmaze")
    assert not provider.hits


@pytest.mark.parametrize("compressed", [False, True])
def test_years_are_read_from_imdbs_file(compressed, tmp_path, capsys):
    known = {"year": 2001, "runtime_minutes": 50, "genres": ["drama"]}
    film, show = make_movie(imdb_id=FILM), make_movie(imdb_id=SHOW, **known)
    rows = (
        f"{FILM}\tmovie\tA\tA\t0\t1931\t\\N\t71\tDrama\n{SHOW}\ttvSeries\tB\tB\t0\t1950\t\\N\t\\N\t\\N\ntt1\tbroken\n"
    )
    body = (HEADER + rows).encode()
    path = tmp_path / "title.basics.tsv"
    path.write_bytes(gzip.compress(body) if compressed else body)
    assert run("--source", "imdb", "--file", str(path), capsys=capsys) == "2 looked up, 1 found, 1 updated.\n"
    film.refresh_from_db()
    show.refresh_from_db()
    assert (film.year, show.year) == (1931, 2001)
    assert Movie.objects.count() == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"version https://git-lfs.github.com/spec/v1\n", gzip.compress(b"x" * 99)[:20]],
    ids=[
        "empty",
        "pointer",
        "cut off",
    ],  # Without ids the compressed bytes, which contain the time, would be in the tests' names.
)
def test_a_file_of_another_kind_is_reported_in_one_sentence(body, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(body)
    with pytest.raises(CommandError, match=r"file (is not title.basics.tsv|cannot be read)"):
        call_command("describe_movies", "--source", "imdb", "--file", str(path))


@pytest.mark.parametrize("words", [["--source", "imdb"], ["--source", "tvmaze", "--file", "x"]])
def test_the_file_option_goes_with_the_imdb_source_only(words):
    with pytest.raises(CommandError, match="must be used together"):
        call_command("describe_movies", *words)


@pytest.mark.django_db
def test_daily_turns_come_to_all_movies():
    names = [make_movie().imdb_id for _ in range(5)]
    turns = [incomplete_movies([], limit=2, turn=turn) for turn in range(3)]
    assert turns[:2] == [names[:2], names[2:4]]
    assert names[4] in turns[2]


def test_a_movie_that_is_not_there_is_an_error():
    with pytest.raises(CommandError, match=r"No such movie: tt9999999\."):
        call_command("describe_movies", "--source", "tvmaze", "tt9999999")
