"""The rule by which a response asks us to send fewer requests. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def is_throttled(status: int | None, headers: Mapping[str, str]) -> bool:
    """Return whether a response means "too many requests": 429, or 503 with a `Retry-After`.

    `headers` has lower-case names; `status` None is no response. A 503 alone is a site out of order. A challenge of
    Cloudflare (`cf-mitigated`) may come with any status: it blocks robots and asks nobody to wait.
    """
    if "cf-mitigated" in headers:
        return False
    return status == 429 or (status == 503 and bool(headers.get("retry-after")))
