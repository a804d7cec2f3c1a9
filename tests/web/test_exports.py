"""/export/: the whole catalogue, streamed."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from streaming.exchange import loader
from streaming.ingest.takedown import block
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


def test_head_reads_nothing(django_assert_num_queries):
    make_link()
    with django_assert_num_queries(0):
        assert Client().head("/export/movies.jsonl").status_code == 200


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
