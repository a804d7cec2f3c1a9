"""Waits for libcurl's sockets: with epoll where the system has it, else with what it has."""

from __future__ import annotations

import select
import selectors
import sys
from contextlib import suppress
from typing import Any, Protocol

import pycurl

MAX_EVENTS = 512


class SocketPoller(Protocol):
    """Waits for the sockets that libcurl names."""

    def watch_descriptor(self, descriptor: int) -> None:
        """End `wait` when this descriptor, which is not libcurl's, becomes readable."""

    def on_curl_socket(self, event: int, descriptor: int, _multi: Any, _data: Any) -> None:
        """Take note of what libcurl, which calls this, waits for at a socket."""

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Return the sockets that are ready, each with libcurl's mask of what they are ready for."""

    def close(self) -> None:
        """Forget all sockets."""


class EpollPoller:
    """Waits with epoll.

    A socket that libcurl releases stays registered, since its next request mostly comes at once: that saves a system
    call and some bookkeeping for each link. It is removed when it becomes ready while nobody waits for it.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._masks: dict[int, int] = {}
        self._watched: set[int] = set()

    def watch_descriptor(self, descriptor: int) -> None:
        """End `wait` once for whatever comes at this descriptor, which is not libcurl's."""
        self._watched.add(descriptor)
        self._epoll.register(descriptor, select.EPOLLIN | select.EPOLLET)

    def on_curl_socket(self, event: int, descriptor: int, _multi: Any, _data: Any) -> None:
        """Take note of what libcurl waits for; its masks are not epoll's."""
        if event == pycurl.POLL_REMOVE:
            self._masks[descriptor] = 0
            return
        reading = select.EPOLLIN if event & pycurl.POLL_IN else 0
        writing = select.EPOLLOUT if event & pycurl.POLL_OUT else 0
        self._register(descriptor, reading | writing)
        self._masks[descriptor] = reading | writing

    def _register(self, descriptor: int, mask: int) -> None:
        """Register a socket; a known number may be a new socket, since epoll forgets a closed one without notice."""
        if descriptor in self._masks:
            try:
                self._epoll.modify(descriptor, mask)
            except FileNotFoundError:
                self._epoll.register(descriptor, mask)
        else:
            self._epoll.register(descriptor, mask)

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Return the sockets that are ready, each with libcurl's mask of what they are ready for."""
        ready = []
        for descriptor, events in self._epoll.poll(seconds, MAX_EVENTS):
            if self._masks.get(descriptor):
                ready.append((descriptor, _curl_events(events)))
            elif descriptor not in self._watched:
                self._masks.pop(descriptor, None)
                with suppress(OSError):  # It is closed, but a process that is being started still has a copy.
                    self._epoll.unregister(descriptor)
        return ready

    def close(self) -> None:
        """Forget all sockets."""
        self._epoll.close()


def _curl_events(events: int) -> int:
    failed = events & (select.EPOLLHUP | select.EPOLLERR)
    return (pycurl.CSELECT_IN if failed or events & select.EPOLLIN else 0) | (
        pycurl.CSELECT_OUT if failed or events & select.EPOLLOUT else 0
    )


class SelectorPoller:
    """Waits with the best that the system has."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch_descriptor(self, descriptor: int) -> None:
        """Do nothing: the prober looks often enough for what comes at this descriptor."""

    def on_curl_socket(self, event: int, descriptor: int, _multi: Any, _data: Any) -> None:
        """Take note of what libcurl waits for."""
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)
        if event != pycurl.POLL_REMOVE:
            reading = selectors.EVENT_READ if event & pycurl.POLL_IN else 0
            writing = selectors.EVENT_WRITE if event & pycurl.POLL_OUT else 0
            self._selector.register(descriptor, reading | writing)

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Return the sockets that are ready, each with libcurl's mask of what they are ready for."""
        return [
            (
                key.fd,
                (pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0)
                | (pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0),
            )
            for key, events in self._selector.select(seconds)
        ]

    def close(self) -> None:
        """Forget all sockets."""
        self._selector.close()


def new_poller() -> SocketPoller:
    """Return the fastest poller of this system."""
    return EpollPoller() if sys.platform == "linux" else SelectorPoller()
