"""What has been taken down and may not be saved or shown, asked once a batch."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from scraper.net.url_policy import host_of
from streaming.ingest.url_identity import canonical_key
from streaming.models import BlockedAddress


@dataclass(frozen=True, slots=True)
class Blocklist:
    """All takedowns, held for one batch. Few and small: an operator writes them by hand."""

    hosts: frozenset[str]
    prefixes: tuple[str, ...]
    imdb_ids: frozenset[str]
    links: frozenset[str] = frozenset()

    @classmethod
    def load(cls) -> Blocklist:
        """One query."""
        rows = list(BlockedAddress.objects.values_list("kind", "address"))
        return cls(
            frozenset(address for kind, address in rows if kind == BlockedAddress.Kind.HOST),
            tuple(address for kind, address in rows if kind == BlockedAddress.Kind.PREFIX),
            frozenset(address for kind, address in rows if kind == BlockedAddress.Kind.IMDB_ID),
            frozenset(canonical_key(address) for kind, address in rows if kind == BlockedAddress.Kind.LINK),
        )

    @classmethod
    def load_locked(cls) -> Blocklist:
        """Load it and keep it as it is until this transaction ends: who takes an address down meanwhile waits for that,
        and then sees what has been saved. On SQLite nobody else writes meanwhile."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {BlockedAddress._meta.db_table} IN SHARE MODE")
        return cls.load()

    def is_blocked(self, *, url: str = "", imdb_id: str = "") -> bool:
        """Whether a link or a movie has been taken down: by host (its subdomains too), URL prefix, link or IMDb id."""
        return imdb_id in self.imdb_ids or (bool(url) and self._url(url))

    def _url(self, url: str) -> bool:
        is_below = self._host(host_of(url)) or url.startswith(self.prefixes)
        return is_below or (bool(self.links) and canonical_key(url) in self.links)

    def _host(self, host: str) -> bool:
        labels = host.split(".")
        return any(".".join(labels[start:]) in self.hosts for start in range(len(labels)))
