"""Rendered bodies are kept within their limits of size and age."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from rest_framework.response import Response

from streaming.api import response_bodies
from streaming.api.json_renderer import FastJSONRenderer
from streaming.api.response_bodies import ResponseBodies


def render(data, status=200):
    response = Response(data, status=status)
    response.accepted_renderer, response.accepted_media_type, response.renderer_context = FastJSONRenderer(), "json", {}
    return response


def respond(bodies, key, data, **more):
    """The body that a client gets."""
    response = bodies.respond(key, lambda: render(data, **more))
    return response.render().content if isinstance(response, Response) else response.content


@pytest.fixture
def bodies(monkeypatch):
    monkeypatch.setattr(response_bodies, "ENTRY_BYTES", 0)
    monkeypatch.setattr(response_bodies, "MAX_BODY_BYTES", 15)
    return ResponseBodies(max_bytes=30)


def test_the_same_key_has_the_same_body(bodies):
    assert respond(bodies, "a", 1) == respond(bodies, "a", 2) == b"1"
    assert respond(bodies, "b", 2) == b"2"
    bodies.clear()
    assert respond(bodies, "a", 2) == b"2"


def test_the_bodies_that_were_used_last_are_kept(bodies):
    for key in "abc":
        assert respond(bodies, key, "x" * 8) == b'"xxxxxxxx"'
    respond(bodies, "a", "")
    respond(bodies, "d", "y" * 8)
    assert [len(respond(bodies, key, "")) for key in "acd"] == [10, 10, 10]
    assert respond(bodies, "b", "") == b'""'


def test_large_bodies_and_other_statuses_are_not_kept(bodies):
    respond(bodies, "a", "x" * 20)
    respond(bodies, "b", "no", status=404)
    assert (respond(bodies, "a", 1), respond(bodies, "b", 1)) == (b"1", b"1")


def test_an_old_body_is_rendered_again(bodies, monkeypatch):
    monkeypatch.setattr(response_bodies, "MAX_AGE_SECONDS", -1.0)
    assert [respond(bodies, "a", number) for number in (1, 2)] == [b"1", b"2"]
    assert bodies._bytes == 1


def test_empty_bodies_and_long_keys_take_no_more_memory_than_the_limit():
    bodies = ResponseBodies(max_bytes=200_000)
    respond(bodies, "first", [])
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(2000):
            respond(bodies, ("etag", f"application/json; a={number:02000d}"), [])
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 300_000
    finally:
        tracemalloc.stop()
