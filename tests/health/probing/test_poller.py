"""Waiting for sockets that open and close under the same numbers."""

from __future__ import annotations

import os
import socket

import pycurl
import pytest

from streaming.health.probing.poller import EpollPoller, SelectorPoller


@pytest.fixture(params=[EpollPoller, SelectorPoller])
def poller(request):
    poller = request.param()
    yield poller
    poller.close()


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def curl_waits(poller, event, number):
    poller.on_curl_socket(event, number, None, None)


def test_it_returns_what_a_socket_is_ready_for(poller, pair):
    ours, theirs = pair
    curl_waits(poller, pycurl.POLL_IN, ours.fileno())
    assert poller.wait(0) == []
    theirs.send(b"x")
    assert poller.wait(1) == [(ours.fileno(), pycurl.CSELECT_IN)]
    curl_waits(poller, pycurl.POLL_INOUT, ours.fileno())
    assert poller.wait(1) == [(ours.fileno(), pycurl.CSELECT_IN | pycurl.CSELECT_OUT)]


def test_a_released_socket_is_not_returned_until_it_is_needed_again(poller, pair):
    ours, theirs = pair
    curl_waits(poller, pycurl.POLL_IN, ours.fileno())
    curl_waits(poller, pycurl.POLL_REMOVE, ours.fileno())
    theirs.send(b"x")
    assert poller.wait(0.05) == []
    curl_waits(poller, pycurl.POLL_IN, ours.fileno())
    assert poller.wait(1) == [(ours.fileno(), pycurl.CSELECT_IN)]


def test_a_new_socket_under_an_old_number_is_returned(poller, pair):
    ours, theirs = pair
    old, other = socket.socketpair()
    number = old.fileno()
    curl_waits(poller, pycurl.POLL_IN, number)
    curl_waits(poller, pycurl.POLL_REMOVE, number)
    old.close()
    other.close()
    os.dup2(ours.fileno(), number)
    try:
        curl_waits(poller, pycurl.POLL_IN, number)
        theirs.send(b"x")
        assert poller.wait(1) == [(number, pycurl.CSELECT_IN)]
    finally:
        os.close(number)


def test_a_closed_socket_that_still_gets_bytes_ends_nothing():
    """A process that is being started has a copy of each socket for a moment, so that a socket outlives its number."""
    poller = EpollPoller()
    ours, theirs = socket.socketpair()
    with theirs:
        number, copy = ours.fileno(), os.dup(ours.fileno())
        curl_waits(poller, pycurl.POLL_IN, number)
        curl_waits(poller, pycurl.POLL_REMOVE, number)
        ours.close()
        theirs.send(b"x")
        try:
            assert poller.wait(1) == []
        finally:
            os.close(copy)
            poller.close()
