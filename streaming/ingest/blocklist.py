"""Takedowns in memory, loaded once for each batch of links."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from scraper.net.url_policy import host_of
from streaming.ingest.url_identity import canonical_key
from streaming.models import BlockedAddress


@dataclass(frozen=True, slots=True)
class Blocklist:
    """All takedowns by kind. They are few, since people enter them."""

    hosts: frozenset[str]
    prefixes: tuple[str, ...]
    imdb_ids: frozenset[str]
    links: frozenset[str] = frozenset()

    @classmethod
    def load(cls) -> Blocklist:
        """Load all takedowns with one query."""
        rows = list(BlockedAddress.objects.values_list("kind", "address"))
        return cls(
            frozenset(address for kind, address in rows if kind == BlockedAddress.Kind.HOST),
            tuple(address for kind, address in rows if kind == BlockedAddress.Kind.PREFIX),
            frozenset(address for kind, address in rows if kind == BlockedAddress.Kind.IMDB_ID),
            frozenset(canonical_key(address) for kind, address in rows if kind == BlockedAddress.Kind.LINK),
        )

    @classmethod
    def load_locked(cls) -> Blocklist:
        """Load all takedowns and lock them until the transaction ends.

        A takedown at the same time waits for the transaction and then turns off the links that it saved. SQLite, which
        has one writer at a time, needs no lock.
        """
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {BlockedAddress._meta.db_table} IN SHARE MODE")
        return cls.load()

    def is_blocked(self, *, url: str = "", imdb_id: str = "") -> bool:
        """Whether a URL (by host, parent domain, prefix or itself) or an IMDb id is taken down."""
        return imdb_id in self.imdb_ids or (bool(url) and self._is_url_blocked(url))

    def _is_url_blocked(self, url: str) -> bool:
        is_covered = self._is_host_blocked(host_of(url)) or url.startswith(self.prefixes)
        return is_covered or (bool(self.links) and canonical_key(url) in self.links)

    def _is_host_blocked(self, host: str) -> bool:
        labels = host.split(".")
        return any(".".join(labels[start:]) in self.hosts for start in range(len(labels)))
