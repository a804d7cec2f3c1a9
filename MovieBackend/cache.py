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
CONNECT_SECONDS, ANSWER_SECONDS, MORE_TRIES = 1.0, 2.0, 1
# One that did not answer is not waited for by each request anew.
LEFT_ALONE_SECONDS = 5.0
T = TypeVar("T")


class ForgetfulRedis(RedisCache):
    """Nothing is there while Redis is away: `get` gives the default, `add` adds, `incr` finds no counter."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        soon = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": ANSWER_SECONDS}
        told = {**soon, "retry": Retry(NoBackoff(), MORE_TRIES), **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": told})
        self._away_until = 0.0

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._ask(lambda: super(ForgetfulRedis, self).add(key, value, timeout, version), away=True)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._ask(lambda: super(ForgetfulRedis, self).get(key, default, version), away=default)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._ask(lambda: super(ForgetfulRedis, self).set(key, value, timeout, version), away=None)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._ask(lambda: super(ForgetfulRedis, self).touch(key, timeout, version), away=False)

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._ask(lambda: super(ForgetfulRedis, self).delete(key, version), away=False)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        count = self._ask(lambda: super(ForgetfulRedis, self).incr(key, delta, version), away=None)
        if count is None:
            raise ValueError(f"Key '{key}' not found.")
        return count

    def _ask(self, deed: Callable[[], T], *, away: T) -> T:
        if time.monotonic() < self._away_until:
            return away
        try:
            return deed()
        except RedisError as error:
            log.warning("the cache did not answer: %s", error)
            self._away_until = time.monotonic() + LEFT_ALONE_SECONDS
            return away
