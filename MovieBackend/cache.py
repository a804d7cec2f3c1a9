"""A Redis cache that is away has forgotten everything and breaks nothing: pages, clicks and searches go on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

# redis-py would wait for ever for a machine that says nothing, and seconds between its tries for one that refuses.
CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, EXTRA_RETRIES = 1.0, 2.0, 1
# One that did not answer is not waited for by each request anew.
RECONNECT_AFTER_SECONDS = 5.0
T = TypeVar("T")


class FailOpenRedisCache(RedisCache):
    """Nothing is there while Redis is away: `get` gives the default, `add` adds, `incr` finds no counter."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        soon = {"socket_connect_timeout": CONNECT_TIMEOUT_SECONDS, "socket_timeout": READ_TIMEOUT_SECONDS}
        options = {**soon, "retry": Retry(NoBackoff(), EXTRA_RETRIES), **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self._away_until = 0.0

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._ask(lambda: super(FailOpenRedisCache, self).add(key, value, timeout, version), away=True)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._ask(lambda: super(FailOpenRedisCache, self).get(key, default, version), away=default)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._ask(lambda: super(FailOpenRedisCache, self).set(key, value, timeout, version), away=None)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._ask(lambda: super(FailOpenRedisCache, self).touch(key, timeout, version), away=False)

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._ask(lambda: super(FailOpenRedisCache, self).delete(key, version), away=False)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        count = self._ask(lambda: super(FailOpenRedisCache, self).incr(key, delta, version), away=None)
        if count is None:
            raise ValueError(f"Key '{key}' not found.")
        return count

    def _ask(self, operation: Callable[[], T], *, away: T) -> T:
        if time.monotonic() < self._away_until:
            return away
        try:
            return operation()
        except RedisError as error:
            log.warning("the cache did not answer: %s", error)
            self._away_until = time.monotonic() + RECONNECT_AFTER_SECONDS
            return away
