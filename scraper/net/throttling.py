"""The rule by which a response asks us to send fewer requests. Pure."""

from __future__ import annotations

from collections.abc import Mapping

CHALLENGE_HEADERS = ("cf-mitigated", "x-amzn-waf-action", "sg-captcha", "x-vercel-mitigated")
"""Headers with which a bot wall says that its response is a challenge: Cloudflare, AWS, SiteGround, Vercel."""
REMAINING_HEADERS = ("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining")


def is_throttled(status: int | None, headers: Mapping[str, str]) -> bool:
    """Return whether a response means "too many requests": 429, or 403 or 503 that says when, or that no more are left.

    That is a `Retry-After`, or 0 in a header of rate limits. `headers` has lower-case names; `status` None is no
    response. A 503 alone is a site out of order. A challenge of a bot wall may come with any status: it blocks robots
    and asks nobody to wait.
    """
    if any(name in headers for name in CHALLENGE_HEADERS):
        return False
    return status == 429 or (status in (403, 503) and (bool(headers.get("retry-after")) or _none_left(headers)))


def _none_left(headers: Mapping[str, str]) -> bool:
    return any(headers.get(name, "").strip() == "0" for name in REMAINING_HEADERS)
