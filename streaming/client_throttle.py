"""How often one client may ask for a refresh (`REFRESH_RATE`) or start a search by opening a movie (`VISIT_RATE`),
counted over all web processes.

`add` and `incr` of a Redis cache are atomic over all machines. Those of the file cache are not: so one process at a
time counts, under a file lock, and the limit holds exactly for the processes of one machine; a second machine with a
file cache of its own counts for itself.
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
    """Count this refresh: None when it is allowed, else after how many seconds the client may ask again."""
    return _retry_after("refresh", request, rate=settings.REFRESH_RATE)


def page_view_may_start(request: HttpRequest) -> bool:
    """Count a search that this visit would start; False: this client's visits have started enough for now."""
    return _retry_after("visit", request, rate=settings.VISIT_RATE) is None


def _retry_after(what: str, request: HttpRequest, *, rate: tuple[int, int]) -> int | None:
    limit, period = rate
    client = client_id(
        request.META.get("REMOTE_ADDR", ""),
        forwarded_for=request.META.get("HTTP_X_FORWARDED_FOR", ""),
        trusted_proxies=settings.TRUSTED_PROXIES,
    )
    with file_locks.exclusive_lock(Path(settings.SCRAPE_DIR) / "throttle.lock"):
        count, seconds_left = _count_request(f"{what}:{client}", period=period, now=time.time())
    return None if count <= limit else max(1, math.ceil(seconds_left))


def _count_request(key: str, *, period: int, now: float) -> tuple[int, float]:
    """The how-maniest of its window this request is, and how long the window lasts. It opens with the first one."""
    opened = float(cache.get_or_set(key, repr(now), timeout=period) or now)
    if not now - period < opened <= now:  # a window of another clock
        cache.set(key, repr(now), timeout=period)
        opened = now
    left = opened + period - now
    counter = f"{key}:{opened!r}"
    cache.add(counter, 0, timeout=period)
    try:
        count = cache.incr(counter)
        # The file cache's `incr` forgets how long the counter was to live and gives it the default instead.
        cache.touch(counter, timeout=period)
    except ValueError:  # it ended, or a full cache threw it out, in between
        return 1, left
    return count, left


def client_id(address: str, *, forwarded_for: str, trusted_proxies: int) -> str:
    """Who asks. Only what our own proxies have written is believed; an IPv6 client is its /64."""
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
