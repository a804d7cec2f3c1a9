"""The memory that slow clients take of a web worker; `test_serve` has them in front of a real server."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest
from waitress import create_server

from MovieBackend.web_worker import LimitedChannel, heaviest


@pytest.mark.parametrize(
    ("sizes", "given_up"),
    [([], []), ([5, 5], []), ([1, 9, 2], [1]), ([4, 9, 8], [1, 2]), ([11], [0]), ([0, 0, 11, 0], [2])],
)
def test_the_heaviest_are_given_up_until_the_rest_fits(sizes, given_up):
    assert heaviest(sizes, limit=10) == given_up


@pytest.fixture
def channel():
    """A channel of a real server, whose client does not read."""
    ours, theirs = socket.socketpair()
    with (
        closing(theirs),
        closing(create_server(lambda *_: [], host="127.0.0.1", port=0, map={})) as server,
        closing(LimitedChannel(server, ours, ("127.0.0.1", 1), server.adj, map={})) as channel,
    ):
        yield channel


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
