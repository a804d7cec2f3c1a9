"""`python -m bench.request_pool LIST OUT`: `requests` as fast as threads make it.

A thread keeps to one host until that host has no more links, with a Session whose pool holds that host's connection;
up to four threads share a host. That is what `requests` wants: its usual pool of ten hosts would dial anew nearly each
time. More threads were slower on two cores.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator

import requests
from requests.adapters import HTTPAdapter

from bench import client_common, lists

THREADS = 128


def session(ca: str | None) -> requests.Session:
    made = requests.Session()
    made.trust_env, made.verify, made.max_redirects = False, ca or True, client_common.REDIRECTS
    made.headers["User-Agent"] = client_common.USER_AGENT
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=1)
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


def ask(client: requests.Session, url: str) -> str:
    """A time-out of `requests` is one of each read: a server that drips has all the time it likes."""
    try:
        answer = client.head(url, timeout=client_common.TIMEOUT, allow_redirects=True)
        if answer.status_code in client_common.REFUSED_TO_HEAD:
            first = {"Range": f"bytes={client_common.FIRST_BYTE}"}
            with client.get(url, timeout=client_common.TIMEOUT, headers=first, stream=True) as answer:
                return client_common.verdict(answer.status_code)
        return client_common.verdict(answer.status_code)
    except requests.RequestException:
        return lists.DEAD


def check(urls: list[str], ca: str | None, threads: int) -> list[tuple[str, str]]:
    hosts = client_common.by_host(urls)
    results: list[tuple[str, str]] = []
    places: queue.SimpleQueue[str] = queue.SimpleQueue()
    for host in client_common.turns(hosts):
        places.put(host)

    def work() -> None:
        client = session(ca)
        while True:
            try:
                waiting = hosts[places.get_nowait()]
            except queue.Empty:
                return
            results.extend((url, ask(client, url)) for url in _taken(waiting))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


def _taken(waiting: deque[str]) -> Iterator[str]:
    """One after the other; four threads may take from the same."""
    while True:
        try:
            yield waiting.popleft()
        except IndexError:
            return


if __name__ == "__main__":
    asked = client_common.words(__doc__)
    client_common.write(check(list(lists.urls(asked.list)), asked.ca, min(asked.at_once, THREADS)), asked.out)
