"""Divide hosts among the workers of a run, by a hash that Python and PostgreSQL compute alike. Pure."""

from __future__ import annotations

from functools import lru_cache
from hashlib import md5
from typing import NamedTuple

# A bucket is the first hexadecimal digits of the host's MD5.
BUCKET_DIGITS = 2
MAX_SHARDS = 16**BUCKET_DIGITS


@lru_cache(maxsize=10_000)
def bucket_for(host: str) -> str:
    """Return the bucket of a host, two hexadecimal digits."""
    return md5(host.encode(), usedforsecurity=False).hexdigest()[:BUCKET_DIGITS]


def shard_number(bucket: str, *, of: int) -> int:
    """Return which of `of` shards a bucket belongs to."""
    return int(bucket, 16) % of


class Shard(NamedTuple):
    """One of `of` parts of all hosts, numbered from 0; all ports and schemes of a host are in the same one."""

    number: int
    of: int

    def contains(self, host: str) -> bool:
        """Return whether a host, without port, is in this shard."""
        return shard_number(bucket_for(host), of=self.of) == self.number

    def buckets(self) -> list[str]:
        """Return all buckets of this shard."""
        return [f"{number:0{BUCKET_DIGITS}x}" for number in range(self.number, MAX_SHARDS, self.of)]
