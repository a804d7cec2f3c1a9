"""The cache in Redis: JSON only, and as good as empty while Redis is unavailable."""

from __future__ import annotations

import json
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from MovieBackend.cache import FailOpenCache, parse_entry

# redis-py would wait forever for a host that does not respond, and seconds between attempts for one that refuses.
CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, EXTRA_RETRIES = 1.0, 2.0, 1
# After a failure Redis is not tried again for this long, so that not every request waits for it.
RECONNECT_AFTER_SECONDS = 5.0
# What Redis says of an entry that is no text, or no number for `incr`.
WRONG_TYPE = ("WRONGTYPE", "value is not an integer")


class JsonSerializer:
    """Redis's values as JSON. Integers are stored bare in either case, which `incr` needs."""

    def dumps(self, value: Any) -> str:
        return json.dumps(value, separators=(",", ":"))

    def loads(self, data: bytes) -> Any:
        return parse_entry(data)


class FailOpenRedisCache(FailOpenCache, RedisCache):
    """The cache that `CACHE_URL=redis://...` means."""

    failures = (RedisError,)
    retry_seconds = RECONNECT_AFTER_SECONDS

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        timeouts = {"socket_connect_timeout": CONNECT_TIMEOUT_SECONDS, "socket_timeout": READ_TIMEOUT_SECONDS}
        ours = {**timeouts, "retry": Retry(NoBackoff(), EXTRA_RETRIES), "serializer": JsonSerializer}
        super().__init__(server, {**params, "OPTIONS": {**ours, **params.get("OPTIONS", {})}})

    def is_damage(self, error: Exception) -> bool:
        return isinstance(error, ResponseError) and str(error).startswith(WRONG_TYPE)
