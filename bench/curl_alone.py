"""`python -m bench.curl_alone LIST OUT`: libcurl's multi interface through pycurl, and nothing else.

Hosts in turn, four at a time each, connections kept, redirects left to libcurl: what our prober's engine does without
our schedule, our reading of pages and our database.
"""

from __future__ import annotations

import select
import time
from collections import deque

import pycurl

from bench import client_common, lists

READABLE = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR


class Checker:
    """One multi handle over epoll; easy handles are reused."""

    def __init__(self, urls: list[str], ca: str | None, at_once: int) -> None:
        self.hosts = client_common.by_host(urls)
        self.places = deque(client_common.turns(self.hosts))
        self.left = len(urls)
        self.told: list[tuple[str, str]] = []
        self.poll = select.epoll()
        self.watched: set[int] = set()
        self.alarm: float | None = None
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_MAXCONNECTS, 4 * at_once)
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self.on_socket)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self.on_timer)
        self.free = [handle(ca) for _ in range(min(at_once, len(urls)))]
        self.asked: dict[pycurl.Curl, tuple[str, str, bool]] = {}

    def on_socket(self, what: int, fd: int, *_: object) -> None:
        if what == pycurl.POLL_REMOVE:
            self.watched.discard(fd)
            self.poll.unregister(fd)
            return
        mask = select.EPOLLIN * bool(what & pycurl.POLL_IN) | select.EPOLLOUT * bool(what & pycurl.POLL_OUT)
        if fd in self.watched:
            self.poll.modify(fd, mask)
        else:
            self.watched.add(fd)
            self.poll.register(fd, mask)

    def on_timer(self, milliseconds: int) -> None:
        self.alarm = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def check(self) -> list[tuple[str, str]]:
        self.begin()
        while self.left:
            patience = 0.2 if self.alarm is None else min(0.2, max(0.0, self.alarm - time.monotonic()))
            for fd, what in self.poll.poll(patience, 512):
                ready = pycurl.CSELECT_IN * bool(what & READABLE) | pycurl.CSELECT_OUT * bool(what & select.EPOLLOUT)
                self.multi.socket_action(fd, ready)
            if self.alarm is not None and time.monotonic() >= self.alarm:
                self.alarm = None
                self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self.collect()
            self.begin()
        return self.told

    def begin(self) -> None:
        while self.free and self.places:
            host = self.places.popleft()
            if self.hosts[host]:
                curl, url = self.free.pop(), self.hosts[host].popleft()
                curl.setopt(pycurl.URL, url)
                self.asked[curl] = (url, host, False)
                self.multi.add_handle(curl)

    def collect(self) -> None:
        more = 1
        while more:
            more, good, bad = self.multi.info_read(256)
            for curl in good:
                self.settle(curl, failed=False)
            for curl, _code, _message in bad:
                self.settle(curl, failed=True)

    def settle(self, curl: pycurl.Curl, *, failed: bool) -> None:
        url, host, again = self.asked.pop(curl)
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        self.multi.remove_handle(curl)
        if again:
            curl.unsetopt(pycurl.RANGE)
            curl.setopt(pycurl.NOBODY, 1)
        elif not failed and status in client_common.REFUSED_TO_HEAD:
            curl.setopt(pycurl.HTTPGET, 1)
            curl.setopt(pycurl.RANGE, client_common.FIRST_BYTE)
            self.asked[curl] = (url, host, True)
            self.multi.add_handle(curl)
            return
        self.told.append((url, lists.DEAD if failed else client_common.verdict(status)))
        self.left -= 1
        self.free.append(curl)
        self.places.append(host)


def handle(ca: str | None) -> pycurl.Curl:
    curl = pycurl.Curl()
    options = {
        pycurl.NOBODY: 1, pycurl.FOLLOWLOCATION: 1, pycurl.MAXREDIRS: client_common.REDIRECTS, pycurl.NOSIGNAL: 1,
        pycurl.TIMEOUT_MS: int(client_common.TIMEOUT * 1000), pycurl.PROXY: "", pycurl.USERAGENT: client_common.USER_AGENT,
        pycurl.DNS_CACHE_TIMEOUT: -1, pycurl.WRITEFUNCTION: len,
    }  # fmt: skip
    for option, value in options.items():
        curl.setopt(option, value)
    if ca:
        curl.setopt(pycurl.CAINFO, ca)
    return curl


if __name__ == "__main__":
    asked = client_common.words(__doc__)
    client_common.write(Checker(list(lists.urls(asked.list)), asked.ca, asked.at_once).check(), asked.out)
