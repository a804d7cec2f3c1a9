"""What the two checkers that we wrote to be beaten share: the list by host, a status's verdict, the file they write.

Both ask HEAD, and GET where HEAD is refused; 4 at a time a host; neither knows a film from a page that is sorry.
"""

from __future__ import annotations

import argparse
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench import lists

PER_HOST = 4
TIMEOUT = 5.0
USER_AGENT = "openreel-bench/1.0"
REFUSED_TO_HEAD = frozenset({403, 405, 501})
FIRST_BYTE = "0-0"
REDIRECTS = 10


def words(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("list", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--at-once", type=int, default=1000, help="of all hosts together")
    parser.add_argument("--ca", help="a file of the authorities to trust")
    return parser.parse_args()


def by_host(urls: Iterable[str]) -> dict[str, deque[str]]:
    hosts: dict[str, deque[str]] = defaultdict(deque)
    for url in urls:
        hosts[url.split("/", 3)[2]].append(url)
    return dict(hosts)


def turns(hosts: dict[str, deque[str]]) -> Iterator[str]:
    """Each host's places, all first ones first: a host with a single link has one place."""
    for place in range(PER_HOST):
        yield from (host for host, waiting in hosts.items() if len(waiting) > place)


def verdict(status: int) -> str:
    if 200 <= status < 400:
        return lists.ALIVE
    return "unknown" if status == 429 else lists.DEAD


def write(judged: Iterable[tuple[str, str]], out: Path) -> None:
    with out.open("w", encoding="utf-8") as file:
        file.writelines(f"{url}\t{said}\n" for url, said in judged)
