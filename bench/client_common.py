"""Common parts of the two reference checkers: URLs by host, verdicts by status, and the output file.

Both send HEAD requests, or GET where HEAD is rejected, at most 4 at a time per host, and do not read pages.
"""

from __future__ import annotations

import argparse
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench import lists
from scraper.net.url_policy import netloc_of

PER_HOST = 4
TIMEOUT_SECONDS = 5.0
USER_AGENT = "openreel-bench/1.0"
HEAD_REJECTED_STATUSES = frozenset({403, 405, 501})
FIRST_BYTE = "0-0"
MAX_REDIRECTS = 10


def parse_arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("list", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--at-once", type=int, default=1000, help="requests at a time over all hosts")
    parser.add_argument("--ca", help="a file of trusted certificate authorities")
    return parser.parse_args()


def group_by_host(urls: Iterable[str]) -> dict[str, deque[str]]:
    hosts: dict[str, deque[str]] = defaultdict(deque)
    for url in urls:
        hosts[netloc_of(url)].append(url)
    return dict(hosts)


def host_slots(hosts: dict[str, deque[str]]) -> Iterator[str]:
    """Yield each host once per slot, all first slots first; a host has no more slots than URLs."""
    for number in range(PER_HOST):
        yield from (host for host, urls in hosts.items() if len(urls) > number)


def verdict(status: int) -> str:
    if 200 <= status < 400:
        return lists.ALIVE
    return "unknown" if status == 429 else lists.DEAD


def write_verdicts(verdicts: Iterable[tuple[str, str]], out: Path) -> None:
    with out.open("w", encoding="utf-8") as file:
        file.writelines(f"{url}\t{result}\n" for url, result in verdicts)
