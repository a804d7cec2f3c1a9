"""/export/: the whole catalogue, from a file."""

from __future__ import annotations

import gzip
import json
import stat

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from streaming import file_locks
from streaming.exchange import export_files, loader
from streaming.ingest.edits import update_link
from streaming.ingest.review import withdraw
from streaming.ingest.takedown import block, block_link
from streaming.ingest.tombstones import remove_movies
from streaming.models import Movie, StreamingLink
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db


def text_of(address: str) -> str:
    response = Client().get(address)
    assert response.streaming
    assert response["Access-Control-Allow-Origin"] == "*"
    return b"".join(response.streaming_content).decode()


def test_jsonl_contains_every_movie_with_its_active_links():
    movie = make_movie(imdb_id="tt0000001", title="Nosferatu", year=1922)
    make_link(movie, source_url="https://a.example.org/on")
    make_link(movie, source_url="https://a.example.org/off", is_active=False)
    make_movie(imdb_id="tt0000002")
    first, second = map(json.loads, text_of("/export/movies.jsonl").splitlines())
    assert [link["source_url"] for link in first["links"]] == ["https://a.example.org/on"]
    assert (first["title"], second["imdb_id"], second["links"]) == ("Nosferatu", "tt0000002", [])


def test_the_playlist_contains_what_players_can_open():
    movie = make_movie(title="Nosferatu")
    make_link(movie, kind="page", quality="2160p")
    make_link(movie, kind="file", source_url="https://a.example.org/n.mp4")
    make_link(make_movie(), kind="embed")
    text = text_of("/export/movies.m3u8")
    assert text.startswith("#EXTM3U\n")
    assert text.splitlines()[2:] == ["https://a.example.org/n.mp4"]


def test_an_export_is_made_once_and_sent_from_its_file():
    make_link(source_url="https://a.example.org/1")
    first = text_of("/export/movies.jsonl")
    make_link(source_url="https://a.example.org/2")
    with CaptureQueriesContext(connection) as queries:
        assert text_of("/export/movies.jsonl") == first
        assert Client().head("/export/movies.jsonl").status_code == 200
    assert not any("imdb_id" in query["sql"] for query in queries)
    for file in settings.EXPORT_DIR.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_after_some_minutes_it_is_made_again(monkeypatch):
    text_of("/export/movies.jsonl")
    make_link(source_url="https://a.example.org/2")
    monkeypatch.setattr(export_files, "MAX_AGE_SECONDS", 0)
    assert "https://a.example.org/2" in text_of("/export/movies.jsonl")
    assert len(list(settings.EXPORT_DIR.glob("openreel.jsonl.????????????????????????????????*"))) == 2


def edit(link):
    update_link(link, {"is_published": False})


@pytest.mark.parametrize(
    "withdraw_it",
    [
        lambda link: block(link.host, reason="asked"),
        lambda link: block(link.source_url, reason="asked"),
        lambda link: block_link(link.source_url, reason="asked"),
        lambda link: block(link.movie.imdb_id, reason="asked"),
        lambda link: withdraw(StreamingLink.objects.all()),
        lambda link: remove_movies(Movie.objects.all(), reason="asked"),
        edit,
    ],
    ids=["host", "prefix", "link", "movie", "withdrawn", "removed", "edited"],
)
@pytest.mark.parametrize("path", ["/export/movies.jsonl", "/export/movies.m3u8"])
def test_what_is_withdrawn_is_not_sent_again(path, withdraw_it):
    link = make_link(kind="file", source_url="https://a.example.org/secret.mp4")
    assert "secret" in text_of(path)
    withdraw_it(link)
    assert "secret" not in text_of(path)


def test_an_unchanged_export_is_answered_with_304_and_compressed_for_who_accepts_it():
    make_link(make_movie(title="Nosferatu"))
    plain = Client().get("/export/movies.jsonl")
    packed = Client().get("/export/movies.jsonl", headers={"Accept-Encoding": "br, gzip"})
    assert gzip.decompress(packed.getvalue()) == plain.getvalue()
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in plain["Vary"]
    assert plain["ETag"] != packed["ETag"]
    for headers in ({"If-None-Match": plain["ETag"]}, {"If-Modified-Since": plain["Last-Modified"]}):
        assert Client().get("/export/movies.jsonl", headers=headers).status_code == 304


def test_a_folder_that_cannot_be_written_is_503_and_an_old_file_is_sent_meanwhile(monkeypatch, caplog):
    make_link(source_url="https://a.example.org/1")
    text = text_of("/export/movies.jsonl")

    def refuse(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_files, "_create", refuse)
    monkeypatch.setattr(export_files, "MAX_AGE_SECONDS", 0)
    assert text_of("/export/movies.jsonl") == text
    response = Client().get("/export/movies.m3u8")
    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert "No space left" in caplog.text


def test_while_another_request_makes_it_nobody_else_does(monkeypatch):
    monkeypatch.setattr(export_files, "WAIT_SECONDS", 0)
    make_link(source_url="https://a.example.org/1")
    text = text_of("/export/movies.jsonl")
    monkeypatch.setattr(export_files, "MAX_AGE_SECONDS", 0)
    locks = [file_locks.try_lock(settings.EXPORT_DIR / f"openreel.{kind}.lock") for kind in ("jsonl", "m3u8")]
    assert text_of("/export/movies.jsonl") == text
    assert Client().get("/export/movies.m3u8").status_code == 503
    for lock in locks:
        lock.close()
    assert Client().get("/export/movies.m3u8").status_code == 200


def test_a_damaged_folder_heals():
    make_link(source_url="https://a.example.org/1")
    text = text_of("/export/movies.jsonl")
    for file in settings.EXPORT_DIR.iterdir():
        file.write_bytes(b"\x00damaged") if file.suffix == ".json" else file.unlink()
    assert text_of("/export/movies.jsonl") == text


def test_the_catalogue_is_read_in_batches(monkeypatch):
    monkeypatch.setattr(loader, "BATCH_SIZE", 10)
    for number in range(25):
        make_link(make_movie(imdb_id=f"tt{number:07d}"))
    with CaptureQueriesContext(connection) as queries:
        found = [entry.imdb_id for entry in loader.load_entries()]
    assert found == [f"tt{number:07d}" for number in range(25)]
    assert len(queries) == 7


def test_taken_down_links_are_not_exported():
    link = make_link()
    block(link.host, reason="asked")
    (entry,) = loader.load_entries(active_only=False)
    assert entry.links == ()
