"""The rule by which a response asks us to send fewer requests. Pure."""

from __future__ import annotations

from collections.abc import Mapping

CHALLENGE_HEADERS = ("cf-mitigated", "x-amzn-waf-action", "sg-captcha", "x-vercel-mitigated")
"""Headers with which a bot wall says that its response is a challenge: Cloudflare, AWS, SiteGround, Vercel."""
ALWAYS_THROTTLED = frozenset({420, 429, 430, 529})
"""429 and what Twitter, Shopify and Qualys say instead."""
REFUSALS = frozenset({403, 503})
LATER_STATUSES = REFUSALS | {413, 425, 500, 502, 504, 509}
"""Statuses of a state that passes when the response says when: RFC 9110 knows the header for any response."""
REMAINING_HEADERS = ("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining")


def is_throttled(status: int | None, headers: Mapping[str, str]) -> bool:
    """Return whether a response means "too many requests" or "later": 429, or an error that says when to come again.

    That is a `Retry-After`, or, with 403 and 503, 0 in a header of rate limits. `headers` has lower-case names;
    `status` None is no response. A 503 alone is a site out of order. A challenge of a bot wall may come with any
    status: it blocks robots and asks nobody to wait.
    """
    if any(name in headers for name in CHALLENGE_HEADERS):
        return False
    if status in ALWAYS_THROTTLED or (status in LATER_STATUSES and headers.get("retry-after")):
        return True
    return status in REFUSALS and _none_left(headers)


def _none_left(headers: Mapping[str, str]) -> bool:
    return any(headers.get(name, "").strip() == "0" for name in REMAINING_HEADERS)
