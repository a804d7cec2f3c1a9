"""Takedowns in memory, loaded once for each batch of links: the only place that says what is blocked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from django.db import connection

from scraper.net.url_policy import host_of
from streaming.ingest.url_identity import ComparableUrl, comparable_url, without_www
from streaming.models import BlockedAddress


@dataclass(frozen=True, slots=True)
class Blocklist:
    """All takedowns, one field for each kind. `prefixes` and `links` are by host, without `www.`."""

    hosts: frozenset[str]
    prefixes: Mapping[str, tuple[ComparableUrl, ...]]
    links: Mapping[str, frozenset[ComparableUrl]]
    imdb_ids: frozenset[str]

    @classmethod
    def load(cls) -> Blocklist:
        """Load all takedowns with one query."""
        return cls.of(BlockedAddress.objects.values_list("kind", "address"))

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]]) -> Blocklist:
        """The takedowns of these kinds and addresses."""
        by_kind = defaultdict[str, list[str]](list)
        for kind, address in rows:
            by_kind[kind].append(address)
        return cls(
            hosts=frozenset(by_kind[BlockedAddress.Kind.HOST]),
            prefixes=_by_host(by_kind[BlockedAddress.Kind.PREFIX]),
            links={
                host: frozenset(url.as_link() for url in urls)
                for host, urls in _by_host(by_kind[BlockedAddress.Kind.LINK]).items()
            },
            imdb_ids=frozenset(by_kind[BlockedAddress.Kind.IMDB_ID]),
        )

    @classmethod
    def load_locked(cls) -> Blocklist:
        """Load all takedowns and lock them until the transaction ends; whatever writes links or movies begins with it.

        A takedown at the same time waits for the transaction and then hides the links that it saved. SQLite, which has
        one writer at a time, needs no lock.
        """
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {BlockedAddress._meta.db_table} IN SHARE MODE")
        return cls.load()

    def __bool__(self) -> bool:
        return bool(self.hosts or self.prefixes or self.links or self.imdb_ids)

    def is_blocked(self, *, url: str = "", imdb_id: str = "") -> bool:
        """Whether a URL (by host, parent domain, prefix or itself) or an IMDb id is taken down."""
        return imdb_id in self.imdb_ids or (bool(url) and self._is_url_blocked(url))

    def is_host_blocked(self, host: str) -> bool:
        """Whether all URLs of a host are taken down: the host, a parent domain, or the host with `www.`."""
        labels = host.split(".")
        parents = (".".join(labels[start:]) for start in range(len(labels)))
        return f"www.{host}" in self.hosts or any(parent in self.hosts for parent in parents)

    def has_urls_on(self, host: str) -> bool:
        """Whether single URLs or prefixes of a host are taken down."""
        return without_www(host) in self.prefixes or without_www(host) in self.links

    def _is_url_blocked(self, url: str) -> bool:
        host = host_of(url).rstrip(".")
        if self.is_host_blocked(host):
            return True
        if not self.has_urls_on(host):
            return False
        found, host = comparable_url(url), without_www(host)
        if any(found.begins_with(prefix) for prefix in self.prefixes.get(host, ())):
            return True
        link, links = found.as_link(), self.links.get(host, frozenset())
        return link in links or replace(link, port=None) in links


class ShownCaptions:
    """Which captions of links may be shown: their files can be elsewhere than the film, where something is taken down.

    The takedowns are loaded with the first captions, so that links without any cost no query.
    """

    def load(self) -> None:
        """Load the takedowns now, where a failing query can still be answered."""
        self._blocklist  # noqa: B018

    def of(self, captions: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
        """The captions whose files are not taken down."""
        return [one for _, one in self.numbered(captions)]

    def numbered(self, captions: Sequence[Mapping[str, str]]) -> list[tuple[int, Mapping[str, str]]]:
        """The same, each with its place among all captions of the link: their URLs name it."""
        return [
            (number, one)
            for number, one in enumerate(captions)
            if not self._blocklist.is_blocked(url=one.get("url", ""))
        ]

    @cached_property
    def _blocklist(self) -> Blocklist:
        return Blocklist.load()


def lock_takedowns() -> None:
    """Begin to change takedowns: wait for those who read them under a lock and for other changes, and keep both out."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {BlockedAddress._meta.db_table} IN EXCLUSIVE MODE")


def _by_host(addresses: Iterable[str]) -> Mapping[str, tuple[ComparableUrl, ...]]:
    grouped = defaultdict[str, list[ComparableUrl]](list)
    for address in addresses:
        url = comparable_url(address)
        grouped[url.host].append(url)
    return {host: tuple(urls) for host, urls in grouped.items()}
