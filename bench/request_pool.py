"""`python -m bench.request_pool LIST OUT`: a checker that uses `requests` in threads, tuned for speed.

Each thread stays with one host until the host has no more links, with a Session whose pool keeps the connection; up to
four threads use the same host. With the default pool of ten hosts, `requests` would reconnect for nearly every link.
More threads were slower on two cores.
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


def create_session(ca: str | None) -> requests.Session:
    session = requests.Session()
    session.trust_env, session.verify, session.max_redirects = False, ca or True, client_common.MAX_REDIRECTS
    session.headers["User-Agent"] = client_common.USER_AGENT
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=1)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def check_url(client: requests.Session, url: str) -> str:
    """Check one URL. The timeout of `requests` applies to each read, so a slow server may take any time in all."""
    try:
        response = client.head(url, timeout=client_common.TIMEOUT_SECONDS, allow_redirects=True)
        if response.status_code in client_common.HEAD_REJECTED_STATUSES:
            range_header = {"Range": f"bytes={client_common.FIRST_BYTE}"}
            with client.get(url, timeout=client_common.TIMEOUT_SECONDS, headers=range_header, stream=True) as response:
                return client_common.verdict(response.status_code)
        return client_common.verdict(response.status_code)
    except requests.RequestException:
        return lists.DEAD


def check(urls: list[str], ca: str | None, threads: int) -> list[tuple[str, str]]:
    hosts = client_common.group_by_host(urls)
    results: list[tuple[str, str]] = []
    slots: queue.SimpleQueue[str] = queue.SimpleQueue()
    for host in client_common.host_slots(hosts):
        slots.put(host)

    def work() -> None:
        client = create_session(ca)
        while True:
            try:
                pending = hosts[slots.get_nowait()]
            except queue.Empty:
                return
            results.extend((url, check_url(client, url)) for url in _take_all(pending))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


def _take_all(pending: deque[str]) -> Iterator[str]:
    """Yield the URLs one by one; several threads may take from the same queue."""
    while True:
        try:
            yield pending.popleft()
        except IndexError:
            return


if __name__ == "__main__":
    options = client_common.parse_arguments(__doc__)
    verdicts = check(list(lists.urls(options.list)), options.ca, min(options.at_once, THREADS))
    client_common.write_verdicts(verdicts, options.out)
