"""Waiting for sockets that come and go under the same numbers."""

from __future__ import annotations

import os
import socket

import pycurl
import pytest

from streaming.health.probing.poller import SocketPoller


@pytest.fixture
def watch():
    watch = SocketPoller()
    yield watch
    watch.close()


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def change(watch, event, number):
    watch.on_curl_socket(event, number, None, None)


def test_it_tells_what_a_socket_is_ready_for(watch, pair):
    ours, theirs = pair
    change(watch, pycurl.POLL_IN, ours.fileno())
    assert watch.wait(0) == []
    theirs.send(b"x")
    assert watch.wait(1) == [(ours.fileno(), pycurl.CSELECT_IN)]
    change(watch, pycurl.POLL_INOUT, ours.fileno())
    assert watch.wait(1) == [(ours.fileno(), pycurl.CSELECT_IN | pycurl.CSELECT_OUT)]


def test_a_socket_that_was_let_go_is_silent_and_can_be_taken_up_again(watch, pair):
    ours, theirs = pair
    change(watch, pycurl.POLL_IN, ours.fileno())
    change(watch, pycurl.POLL_REMOVE, ours.fileno())
    theirs.send(b"x")
    assert watch.wait(0.05) == []
    change(watch, pycurl.POLL_IN, ours.fileno())
    assert watch.wait(1) == [(ours.fileno(), pycurl.CSELECT_IN)]


def test_a_new_socket_under_an_old_number_is_heard(watch, pair):
    ours, theirs = pair
    old, other = socket.socketpair()
    number = old.fileno()
    change(watch, pycurl.POLL_IN, number)
    change(watch, pycurl.POLL_REMOVE, number)
    old.close()
    other.close()
    os.dup2(ours.fileno(), number)
    try:
        change(watch, pycurl.POLL_IN, number)
        theirs.send(b"x")
        assert watch.wait(1) == [(number, pycurl.CSELECT_IN)]
    finally:
        os.close(number)
