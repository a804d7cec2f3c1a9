"""Limit how often a client may refresh links (`REFRESH_RATE`), start scrapes by viewing pages (`VISIT_RATE`), report
problems (`REPORT_RATE`), submit lists (`LIST_RATE`) or ask for titles that are not there (`TITLE_RATE`).

Counts cover all web processes. `add` and `incr` are atomic in a Redis cache, across machines; in a file cache they are
not, so a file lock makes the counts exact for the processes of one machine, and each machine counts for itself.
"""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from streaming import file_locks
from streaming.write_wait import OPTIONAL_WRITE_SECONDS

log = logging.getLogger(__name__)

TAKEDOWN_RATE = (5, 3600)
"""Requests and seconds: who has more to say has a lawyer, or the contact address."""
SMALLEST, LARGEST = 0, -1
"""Of a client's networks. What fills a store that is bounded for all is counted by the largest: whoever has an IPv6 /48
has 65,536 /64, and each of them would be a client."""
MAX_CLICK_WAIT_SECONDS = 3.0
"""For the lock; many clicks at once wait for each other longer than for other writers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What is left of a limit after a request was counted. `retry_after`: None if the request is allowed."""

    name: str
    limit: int
    period: int
    remaining: int
    reset: int
    retry_after: int | None = None

    def headers(self) -> dict[str, str]:
        """The headers of draft-ietf-httpapi-ratelimit-headers."""
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={self.period}',
            "RateLimit": f'"{self.name}";r={self.remaining};t={self.reset}',
        }


def refresh_retry_after(request: HttpRequest) -> int | None:
    """Count this refresh; return None when it is allowed, else the seconds after which the client may try again."""
    return refresh_quota(request).retry_after


def refresh_quota(request: HttpRequest) -> Quota:
    """Count this refresh."""
    return _count("refresh", request, rate=settings.REFRESH_RATE, max_wait=MAX_CLICK_WAIT_SECONDS)


def report_retry_after(request: HttpRequest) -> int | None:
    """Count this report; return None when it is allowed, else the seconds after which the client may try again."""
    return _retry_after("report", request, rate=settings.REPORT_RATE, max_wait=MAX_CLICK_WAIT_SECONDS)


def list_retry_after(request: HttpRequest) -> int | None:
    """Count this list; return None when it is allowed, else the seconds after which the client may try again."""
    return _retry_after("list", request, rate=settings.LIST_RATE, max_wait=MAX_CLICK_WAIT_SECONDS)


def title_retry_after(request: HttpRequest) -> int | None:
    """Count this request for a title; return None when it is allowed, else the seconds after which to try again."""
    return title_quota(request).retry_after


def title_quota(request: HttpRequest) -> Quota:
    """Count this request for a title."""
    return _count("title", request, rate=settings.TITLE_RATE, max_wait=MAX_CLICK_WAIT_SECONDS, network=LARGEST)


def takedown_retry_after(request: HttpRequest) -> int | None:
    """Count this takedown request; return None when it is allowed, else the seconds after which to try again."""
    return _retry_after("takedown", request, rate=TAKEDOWN_RATE, max_wait=MAX_CLICK_WAIT_SECONDS, network=LARGEST)


def page_view_may_start(request: HttpRequest) -> bool:
    """Count a scrape that this page view would start; False when the client's page views have started too many."""
    wait = _retry_after("visit", request, rate=settings.VISIT_RATE, max_wait=OPTIONAL_WRITE_SECONDS)
    return wait is None


def client_key(request: HttpRequest) -> str:
    """Return a keyed hash of the client's IPv4 address or IPv6 /48, to count its open jobs without storing it."""
    return salted_hmac("streaming.client", client_networks(request)[-1], algorithm="sha256").hexdigest()[:32]


def _retry_after(
    action: str, request: HttpRequest, *, rate: tuple[int, int], max_wait: float, network: int = SMALLEST
) -> int | None:
    return _count(action, request, rate=rate, max_wait=max_wait, network=network).retry_after


def _count(
    action: str, request: HttpRequest, *, rate: tuple[int, int], max_wait: float, network: int = SMALLEST
) -> Quota:
    """Count the request, for one of the client's `client_networks`.

    It is refused when others hold the lock for `max_wait` seconds, for many requests at once must not evade the limit;
    it is allowed when the lock file does not work at all, for open jobs are limited anyway.
    """
    limit, period = rate
    try:
        with file_locks.exclusive_lock(Path(settings.SCRAPE_DIR) / "throttle.lock", timeout=max_wait):
            count, left = _count_request(
                f"{action}:{client_networks(request)[network]}", period=period, now=time.time()
            )
    except TimeoutError as error:
        log.warning("A request is refused because it could not be counted: %s.", error)
        return Quota(name=action, limit=limit, period=period, remaining=0, reset=1, retry_after=1)
    except OSError as error:
        log.error("Requests of clients are not counted: %s.", error)
        count, left = 0, float(period)
    reset = max(1, math.ceil(left))
    return Quota(
        name=action,
        limit=limit,
        period=period,
        remaining=max(0, limit - count),
        reset=reset,
        retry_after=None if count <= limit else reset,
    )


def _count_request(key: str, *, period: int, now: float) -> tuple[int, float]:
    """Count a request within its window, which opens with the first one; return the count and the seconds left."""
    stored = cache.get_or_set(key, now, timeout=period)
    opened = stored if isinstance(stored, float) else now
    if not now - period < opened <= now:  # set before the clock changed
        cache.set(key, now, timeout=period)
        opened = now
    left = opened + period - now
    counter = f"{key}:{opened!r}"
    cache.add(counter, 0, timeout=period)
    try:
        count = cache.incr(counter)
    except ValueError:  # it has expired, or a full cache evicted it
        return 1, left
    return count, left


def client_networks(request: HttpRequest) -> list[str]:
    """Return the networks that count as one client, the smallest first: the IPv4 address, or the IPv6 /64 and /48.

    X-Forwarded-For counts only as far as our own proxies (`TRUSTED_PROXIES`) wrote it.
    """
    address = request.META.get("REMOTE_ADDR", "")
    forwarded_for = request.META.get("HTTP_X_FORWARDED_FOR", "")
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    if 0 < settings.TRUSTED_PROXIES <= len(hops):
        address = hops[-settings.TRUSTED_PROXIES]
    try:
        parsed = ipaddress.ip_address(address.strip("[]").split("%")[0])
    except ValueError:
        return ["unknown"]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            networks = [ipaddress.ip_network((parsed, length), strict=False) for length in (64, 48)]
            return [str(network).replace("/", "-") for network in networks]
        return [str(parsed.ipv4_mapped)]
    return [str(parsed)]
