"""Many writes of staff in one request: the same rules as single ones, each with its own result."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from rest_framework.test import APIClient

from streaming.ingest.takedown import block
from streaming.models import Movie, StreamingLink
from tests.helpers.factories import make_link, make_movie
from tests.helpers.staff import make_staff_with

pytestmark = pytest.mark.django_db
BULK = "/api/streaming/bulk/"
NOSFERATU = {"imdb_id": "tt0013442", "title": "Nosferatu"}


def send(client, *operations):
    return client.post(BULK, {"operations": list(operations)})


def operation(kind, action, row=None, **data):
    return {"type": kind, "action": action, **({"id": row} if row else {}), **({"data": data} if data else {})}


def test_what_is_refused_changes_nothing_and_the_others_are_done(staff):
    old, dead = make_movie(imdb_id="tt0000001", title="Old"), make_link()
    block("tt0000009", reason="asked")
    response = send(
        staff,
        operation("movie", "add", **NOSFERATU),
        operation("movie", "add", **NOSFERATU),
        operation("movie", "add", imdb_id="tt0000009", title="Taken down"),
        operation("link", "add", movie="tt0013442", source="commons", source_url="https://a.example.org/1"),
        operation("link", "add", movie="tt0013442", source="commons", source_url="http://10.0.0.5/"),
        operation("movie", "change", "tt0000001", title="New"),
        operation("link", "change", dead.pk, label="x", nonsense=1),
        operation("link", "delete", dead.pk),
        operation("link", "delete", dead.pk),
        operation("movie", "delete", old.pk),
        operation("movie", "change", "tt0099999", title="Nobody"),
    )
    results = response.json()["results"]
    assert response.status_code == 200
    assert [one["status"] for one in results] == [201, 400, 400, 201, 400, 200, 400, 204, 404, 204, 404]
    assert [one["index"] for one in results] == list(range(11))
    assert set(results[4]["body"]) == {"source_url"}
    assert (Movie.objects.get(imdb_id="tt0013442").title, Movie.objects.count()) == ("Nosferatu", 2)
    assert StreamingLink.objects.get().source_url == "https://a.example.org/1"
    assert LogEntry.objects.count() == 5


def test_each_write_needs_its_own_permission():
    client = APIClient()
    client.force_authenticate(make_staff_with("bob", "streaming.add_movie"))
    results = send(client, operation("movie", "add", **NOSFERATU), operation("movie", "delete", "tt0013442"))
    assert [one["status"] for one in results.json()["results"]] == [201, 403]
    assert Movie.objects.exists()


def test_it_is_for_staff():
    assert send(APIClient(), operation("movie", "add", **NOSFERATU)).status_code == 401
    visitor = APIClient()
    visitor.force_authenticate(make_staff_with("eve", "streaming.add_movie", is_staff=False))
    assert send(visitor, operation("movie", "add", **NOSFERATU)).status_code == 403
    assert not Movie.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {"operations": []}, {"operations": "x"}, {"operations": [1]}, {"operations": [{"type": "movie"}]},
        {"operations": [{"type": "job", "action": "add"}]}, {"operations": [{**operation("movie", "add"), "x": 1}]},
        {"operations": [{**operation("movie", "delete"), "id": ["a"]}]},
        {"operations": [operation("movie", "add", **NOSFERATU)] * 101},
    ],
)  # fmt: skip
def test_a_malformed_request_is_refused_whole(staff, body):
    assert staff.post(BULK, body).status_code == 400
    assert not Movie.objects.exists()
