"""A Redis cache that acts as empty while Redis is unavailable, so that pages and scrapes keep working."""

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

# redis-py would wait forever for a host that does not respond, and seconds between attempts for one that refuses.
CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, EXTRA_RETRIES = 1.0, 2.0, 1
# After a failure Redis is not tried again for this long, so that not every request waits for it.
RECONNECT_AFTER_SECONDS = 5.0
T = TypeVar("T")


class FailOpenRedisCache(RedisCache):
    """While Redis is unavailable, `get` returns the default, `add` succeeds and `incr` finds no counter."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        timeouts = {"socket_connect_timeout": CONNECT_TIMEOUT_SECONDS, "socket_timeout": READ_TIMEOUT_SECONDS}
        options = {**timeouts, "retry": Retry(NoBackoff(), EXTRA_RETRIES), **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self._retry_at = 0.0

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._call_or_default(
            lambda: super(FailOpenRedisCache, self).add(key, value, timeout, version), default=True
        )

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._call_or_default(
            lambda: super(FailOpenRedisCache, self).get(key, default, version), default=default
        )

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._call_or_default(lambda: super(FailOpenRedisCache, self).set(key, value, timeout, version), default=None)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._call_or_default(
            lambda: super(FailOpenRedisCache, self).touch(key, timeout, version), default=False
        )

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._call_or_default(lambda: super(FailOpenRedisCache, self).delete(key, version), default=False)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        count = self._call_or_default(lambda: super(FailOpenRedisCache, self).incr(key, delta, version), default=None)
        if count is None:
            raise ValueError(f"Key '{key}' not found.")
        return count

    def _call_or_default(self, operation: Callable[[], T], *, default: T) -> T:
        if time.monotonic() < self._retry_at:
            return default
        try:
            return operation()
        except RedisError as error:
            log.warning("the cache did not respond: %s", error)
            self._retry_at = time.monotonic() + RECONNECT_AFTER_SECONDS
            return default
