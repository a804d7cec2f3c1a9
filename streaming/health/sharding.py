"""Whose host a host is when several workers share a run: by a hash of its name, the same in Python and in SQL. Pure."""

from __future__ import annotations

from functools import lru_cache
from hashlib import md5
from typing import NamedTuple

# The first letters of the host's MD5: both PostgreSQL and Python make it, on every machine and in every release alike.
BUCKET_DIGITS = 2
MAX_SHARDS = 16**BUCKET_DIGITS


@lru_cache(maxsize=10_000)
def bucket_for(host: str) -> str:
    return md5(host.encode(), usedforsecurity=False).hexdigest()[:BUCKET_DIGITS]


def shard_number(bucket: str, *, of: int) -> int:
    return int(bucket, 16) % of


class Shard(NamedTuple):
    """The `number`th of `of` shares of all hosts. A host's ports and schemes are in the same one."""

    number: int
    of: int

    def contains(self, host: str) -> bool:
        return shard_number(bucket_for(host), of=self.of) == self.number

    def buckets(self) -> list[str]:
        return [f"{number:0{BUCKET_DIGITS}x}" for number in range(self.number, MAX_SHARDS, self.of)]
