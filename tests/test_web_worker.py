"""The memory that slow clients take of a web worker; `test_serve` has them in front of a real server."""

from __future__ import annotations

import io
import socket
from contextlib import closing

import pytest
from waitress import create_server

from MovieBackend.settings import MAX_BODY_BYTES
from MovieBackend.web_worker import LimitedChannel, heaviest
from tests.helpers.http_origin import wait_for


@pytest.mark.parametrize(
    ("sizes", "given_up"),
    [([], []), ([5, 5], []), ([1, 9, 2], [1]), ([4, 9, 8], [1, 2]), ([11], [0]), ([0, 0, 11, 0], [2])],
)
def test_the_heaviest_are_given_up_until_the_rest_fits(sizes, given_up):
    assert heaviest(sizes, limit=10) == given_up


def respond(environ, start_response):
    """Answer with the status of the path, and a body of two bytes if one is allowed; or with a stream or file."""
    if environ["PATH_INFO"] == "/stream":
        start_response("200 OK", [])
        return (part for part in [b"a", b"b"])
    if environ["PATH_INFO"] == "/file":
        start_response("200 OK", [("Content-Length", "2")])
        return environ.get("wsgi.file_wrapper", iter)(io.BytesIO(b"ok"))
    start_response(f"{environ['PATH_INFO'][1:]} Something", [])
    return [b"ok"] if environ["PATH_INFO"] == "/200" else []


@pytest.fixture
def connection():
    """A channel of a real server, and the socket of its client."""
    ours, theirs = socket.socketpair()
    with (
        closing(theirs),
        closing(create_server(respond, host="127.0.0.1", port=0, map={})) as server,
        closing(LimitedChannel(server, ours, ("127.0.0.1", 1), server.adj, map={})) as channel,
    ):
        yield channel, theirs


@pytest.fixture
def channel(connection):
    """A channel of a real server, whose client does not read."""
    return connection[0]


def test_a_channel_holds_the_body_that_came_so_far(channel):
    channel.received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"a" * 600)
    assert channel.held_bytes() == 600


def test_a_thread_waits_for_no_client_and_what_is_unread_counts(channel):
    for _ in range(20):
        channel.write_soon(b"a" * 1_000_000)
    assert 10_000_000 < channel.held_bytes() <= 20_000_000


def test_requests_sent_ahead_are_dropped_when_too_much_is_unread(channel):
    channel.write_soon(b"a" * 10_000_000)
    channel.received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    channel.service()
    assert channel.close_when_flushed
    assert not channel.requests


@pytest.mark.parametrize(
    ("request_line", "headers", "is_closed"),
    [
        ("GET /304 HTTP/1.1", "", False),
        ("GET /204 HTTP/1.1", "", False),
        ("GET /304 HTTP/1.1", "Connection: close\r\n", True),
        ("GET /304 HTTP/1.1", "Connection: Close\r\n", True),
        ("GET /304 HTTP/1.1", "Connection: keep-alive, close\r\n", True),
        ("GET /304 HTTP/1.1", "Connection: TE\r\nConnection: close\r\n", True),
        ("GET /200 HTTP/1.1", "Connection: TE,close\r\n", True),
        ("GET /304 HTTP/1.0", "", True),
        ("GET /304 HTTP/1.0", "Connection: keep-alive\r\n", True),
        ("GET /304 HTTP/1.1", f"Content-Length: {MAX_BODY_BYTES + 1}\r\n", True),
        ("GET /200 HTTP/1.1", "", False),
    ],
)
def test_a_response_without_a_body_keeps_the_connection_unless_the_client_wants_it_closed(
    connection, request_line, headers, is_closed
):
    channel, client = connection
    channel.received(f"{request_line}\r\nHost: a\r\n{headers}\r\n".encode())
    wait_for(lambda: not channel.requests)  # a thread of the server answers
    response = client.recv(10_000)
    assert response.startswith(f"HTTP/{request_line[-3:]} {request_line[5:8]} ".encode())
    assert (b"Connection: close" in response) is is_closed
    assert channel.close_when_flushed is is_closed


@pytest.mark.parametrize("path", ["/200", "/file", "/304", "/stream"])
def test_a_response_to_head_has_no_body_that_would_be_taken_for_the_next_response(connection, path):
    channel, client = connection
    channel.received(f"HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    wait_for(lambda: not channel.requests)
    header, _, body = client.recv(10_000).partition(b"\r\n\r\n")
    assert body == b""
    assert (b"Content-Length: 2" in header) is (path in ("/200", "/file"))
    assert channel.close_when_flushed is (path == "/stream")
