"""`python -m bench.curl_alone LIST OUT`: a checker that uses nothing but libcurl's multi interface through pycurl.

It checks hosts in turn, four requests at a time each, keeps connections and leaves redirects to libcurl. Compared with
Openreel it has no scheduler, does not read pages and needs no database.
"""

from __future__ import annotations

import select
import time
from collections import deque

import pycurl

from bench import client_common, lists

READABLE = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR


class Checker:
    """Checks URLs with one multi handle over epoll; easy handles are reused."""

    def __init__(self, urls: list[str], ca: str | None, at_once: int) -> None:
        self.hosts = client_common.group_by_host(urls)
        self.slots = deque(client_common.host_slots(self.hosts))
        self.remaining = len(urls)
        self.results: list[tuple[str, str]] = []
        self.poll = select.epoll()
        self.watched: set[int] = set()
        self.timer_at: float | None = None
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_MAXCONNECTS, 4 * at_once)
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self.on_socket)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self.on_timer)
        self.free = [create_handle(ca) for _ in range(min(at_once, len(urls)))]
        self.running: dict[pycurl.Curl, tuple[str, str, bool]] = {}

    def on_socket(self, events: int, fd: int, *_: object) -> None:
        if events == pycurl.POLL_REMOVE:
            self.watched.discard(fd)
            self.poll.unregister(fd)
            return
        mask = select.EPOLLIN * bool(events & pycurl.POLL_IN) | select.EPOLLOUT * bool(events & pycurl.POLL_OUT)
        if fd in self.watched:
            self.poll.modify(fd, mask)
        else:
            self.watched.add(fd)
            self.poll.register(fd, mask)

    def on_timer(self, milliseconds: int) -> None:
        self.timer_at = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def check(self) -> list[tuple[str, str]]:
        self.start_requests()
        while self.remaining:
            timeout = 0.2 if self.timer_at is None else min(0.2, max(0.0, self.timer_at - time.monotonic()))
            for fd, events in self.poll.poll(timeout, 512):
                ready = pycurl.CSELECT_IN * bool(events & READABLE) | pycurl.CSELECT_OUT * bool(
                    events & select.EPOLLOUT
                )
                self.multi.socket_action(fd, ready)
            if self.timer_at is not None and time.monotonic() >= self.timer_at:
                self.timer_at = None
                self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self.collect_responses()
            self.start_requests()
        return self.results

    def start_requests(self) -> None:
        while self.free and self.slots:
            host = self.slots.popleft()
            if self.hosts[host]:
                curl, url = self.free.pop(), self.hosts[host].popleft()
                curl.setopt(pycurl.URL, url)
                self.running[curl] = (url, host, False)
                self.multi.add_handle(curl)

    def collect_responses(self) -> None:
        more = 1
        while more:
            more, succeeded, failed = self.multi.info_read(256)
            for curl in succeeded:
                self.finish(curl, failed=False)
            for curl, _code, _message in failed:
                self.finish(curl, failed=True)

    def finish(self, curl: pycurl.Curl, *, failed: bool) -> None:
        url, host, is_second = self.running.pop(curl)
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        self.multi.remove_handle(curl)
        if is_second:
            curl.unsetopt(pycurl.RANGE)
            curl.setopt(pycurl.NOBODY, 1)
        elif not failed and status in client_common.HEAD_REJECTED_STATUSES:
            curl.setopt(pycurl.HTTPGET, 1)
            curl.setopt(pycurl.RANGE, client_common.FIRST_BYTE)
            self.running[curl] = (url, host, True)
            self.multi.add_handle(curl)
            return
        self.results.append((url, lists.DEAD if failed else client_common.verdict(status)))
        self.remaining -= 1
        self.free.append(curl)
        self.slots.append(host)


def create_handle(ca: str | None) -> pycurl.Curl:
    curl = pycurl.Curl()
    options = {
        pycurl.NOBODY: 1, pycurl.FOLLOWLOCATION: 1, pycurl.MAXREDIRS: client_common.MAX_REDIRECTS, pycurl.NOSIGNAL: 1,
        pycurl.TIMEOUT_MS: int(client_common.TIMEOUT_SECONDS * 1000), pycurl.PROXY: "",
        pycurl.USERAGENT: client_common.USER_AGENT, pycurl.DNS_CACHE_TIMEOUT: -1, pycurl.WRITEFUNCTION: len,
    }  # fmt: skip
    for option, value in options.items():
        curl.setopt(option, value)
    if ca:
        curl.setopt(pycurl.CAINFO, ca)
    return curl


if __name__ == "__main__":
    options = client_common.parse_arguments(__doc__)
    checker = Checker(list(lists.urls(options.list)), options.ca, options.at_once)
    client_common.write_verdicts(checker.check(), options.out)
