"""Limit how often a client may refresh links (`REFRESH_RATE`) or start scrapes by viewing pages (`VISIT_RATE`).

Counts cover all web processes. `add` and `incr` are atomic in a Redis cache, across machines; in a file cache they are
not, so a file lock makes the counts exact for the processes of one machine, and each machine counts for itself.
"""

from __future__ import annotations

import ipaddress
import math
import time
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from streaming import file_locks


def refresh_retry_after(request: HttpRequest) -> int | None:
    """Count this refresh; return None when it is allowed, else the seconds after which the client may try again."""
    return _retry_after("refresh", request, rate=settings.REFRESH_RATE)


def page_view_may_start(request: HttpRequest) -> bool:
    """Count a scrape that this page view would start; False when the client's page views have started too many."""
    return _retry_after("visit", request, rate=settings.VISIT_RATE) is None


def _retry_after(action: str, request: HttpRequest, *, rate: tuple[int, int]) -> int | None:
    limit, period = rate
    client = client_id(
        request.META.get("REMOTE_ADDR", ""),
        forwarded_for=request.META.get("HTTP_X_FORWARDED_FOR", ""),
        trusted_proxies=settings.TRUSTED_PROXIES,
    )
    with file_locks.exclusive_lock(Path(settings.SCRAPE_DIR) / "throttle.lock"):
        count, seconds_left = _count_request(f"{action}:{client}", period=period, now=time.time())
    return None if count <= limit else max(1, math.ceil(seconds_left))


def _count_request(key: str, *, period: int, now: float) -> tuple[int, float]:
    """Count a request within its window, which opens with the first one; return the count and the seconds left."""
    opened = float(cache.get_or_set(key, repr(now), timeout=period) or now)
    if not now - period < opened <= now:  # set before the clock changed
        cache.set(key, repr(now), timeout=period)
        opened = now
    left = opened + period - now
    counter = f"{key}:{opened!r}"
    cache.add(counter, 0, timeout=period)
    try:
        count = cache.incr(counter)
        # The file cache's `incr` replaces the counter's time-out with the default.
        cache.touch(counter, timeout=period)
    except ValueError:  # it has expired, or a full cache evicted it
        return 1, left
    return count, left


def client_id(address: str, *, forwarded_for: str, trusted_proxies: int) -> str:
    """Identify a client by its IPv4 address or IPv6 /64; `forwarded_for` counts only as far as our proxies wrote it."""
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    if 0 < trusted_proxies <= len(hops):
        address = hops[-trusted_proxies]
    try:
        parsed = ipaddress.ip_address(address.strip("[]").split("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, 64), strict=False)).replace("/", "-")
        return str(parsed.ipv4_mapped)
    return str(parsed)
