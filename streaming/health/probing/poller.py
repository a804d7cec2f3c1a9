"""Waiting for libcurl's sockets: epoll where there is one, else what the system has."""

from __future__ import annotations

import select
import selectors
import sys
from typing import Any

import pycurl

MAX_EVENTS = 512

if sys.platform == "linux":

    class SocketPoller:
        """Which sockets libcurl waits for.

        A socket that libcurl lets go of stays registered, for its next request mostly comes at once: that saves a
        system call and a good deal of bookkeeping a link. One that speaks although nobody waits is taken out then.
        """

        def __init__(self) -> None:
            self._epoll = select.epoll()
            self._wanted: dict[int, int] = {}
            self._also: set[int] = set()

        def watch_descriptor(self, fd: int) -> None:
            """Wake once for whatever comes at this one, which is not libcurl's."""
            self._also.add(fd)
            self._epoll.register(fd, select.EPOLLIN | select.EPOLLET)

        def on_curl_socket(self, event: int, fd: int, _multi: Any, _data: Any) -> None:
            """Called by libcurl, whose constants for reading and writing are not epoll's."""
            if event == pycurl.POLL_REMOVE:
                self._wanted[fd] = 0
                return
            mask = (select.EPOLLIN if event & pycurl.POLL_IN else 0) | (
                select.EPOLLOUT if event & pycurl.POLL_OUT else 0
            )
            self._set(fd, mask)
            self._wanted[fd] = mask

        def _set(self, fd: int, mask: int) -> None:
            """Closing takes a socket out unseen, and its number comes again: known numbers may be new sockets."""
            if fd in self._wanted:
                try:
                    self._epoll.modify(fd, mask)
                except FileNotFoundError:
                    self._epoll.register(fd, mask)
            else:
                self._epoll.register(fd, mask)

        def wait(self, seconds: float) -> list[tuple[int, int]]:
            """The sockets that are ready, with libcurl's word for what they are ready for."""
            ready = []
            for fd, events in self._epoll.poll(seconds, MAX_EVENTS):
                if self._wanted.get(fd):
                    ready.append((fd, _curl_events(events)))
                elif fd not in self._also:
                    self._wanted.pop(fd, None)
                    self._epoll.unregister(fd)
            return ready

        def close(self) -> None:
            self._epoll.close()

    def _curl_events(events: int) -> int:
        failed = events & (select.EPOLLHUP | select.EPOLLERR)
        return (pycurl.CSELECT_IN if failed or events & select.EPOLLIN else 0) | (
            pycurl.CSELECT_OUT if failed or events & select.EPOLLOUT else 0
        )
else:

    class SocketPoller:
        """Which sockets libcurl waits for."""

        def __init__(self) -> None:
            self._selector = selectors.DefaultSelector()

        def also(self, fd: int) -> None:
            """Nothing wakes for this one here; whoever waits for it looks often enough."""

        def change(self, event: int, fd: int, _multi: Any, _data: Any) -> None:
            if fd in self._selector.get_map():
                self._selector.unregister(fd)
            if event != pycurl.POLL_REMOVE:
                mask = (selectors.EVENT_READ if event & pycurl.POLL_IN else 0) | (
                    selectors.EVENT_WRITE if event & pycurl.POLL_OUT else 0
                )
                self._selector.register(fd, mask)

        def wait(self, seconds: float) -> list[tuple[int, int]]:
            return [
                (
                    key.fd,
                    (pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0)
                    | (pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0),
                )
                for key, events in self._selector.select(seconds)
            ]

        def close(self) -> None:
            self._selector.close()
