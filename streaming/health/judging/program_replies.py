"""What programs and storages say in a line or a few bytes, whatever the status: slow down, denied, failed. Pure."""

from __future__ import annotations

import re

MAX_REPLY_BYTES = 1024
REPLY_TYPES = ("text/plain", "application/json", "application/xml", "text/xml", "application/problem+json")
SLOW_DOWN = re.compile(
    rb"<Code>(?:SlowDown|ServerBusy|RequestLimitExceeded|TooManyRequests|Throttling(?:Exception)?|RequestThrottled"
    rb"|RateLimitExceeded)</Code>|\"(?:code|reason)\"\s{0,3}:\s{0,3}\"(?:userRateLimitExceeded|rateLimitExceeded)\""
)
"""Error codes of S3, Azure, Google and those that speak like them."""
REFUSED = re.compile(
    rb"\b(?:access ?denied|forbidden|unauthori[sz]ed|not (?:authori[sz]ed|allowed)|authentication|log ?in required"
    rb"|(?:token|session|signature|subscription|ticket) (?:has |is |was )?(?:expired|invalid|required|missing)"
    rb"|invalid (?:token|signature|session))\b|\"(?:status|code|error)\"\s{0,3}:\s{0,3}\"?(?:401|403)\b",
    re.I,
)
FAILED = re.compile(
    rb"\b(?:internal ?(?:server )?error|too many|rate ?limit|limit (?:has been )?(?:reached|exceeded)|try again"
    rb"|server ?busy|overloaded|please wait|temporarily)\b",
    re.I,
)
FILM_DATA = re.compile(rb"\.(?:mp4|m3u8|mpd|webm|mkv|mov|ogv|m4v)\b", re.I)
"""Data that name a file with a film are those of a film, not of an error; a storage names the missing file, in XML."""


def is_reply(content_type: str, body: bytes) -> bool:
    """Return whether a body may be what a program says instead of a page: a few words, or data of an error."""
    if len(body) > MAX_REPLY_BYTES or not content_type.startswith(REPLY_TYPES):
        return False
    return not (content_type == "application/json" and FILM_DATA.search(body))


def asks_to_slow_down(body: bytes) -> bool:
    """Return whether a storage or an API asks for fewer requests, by its error code."""
    start = body[:MAX_REPLY_BYTES]
    return (b"<Code>" in start or b"ateLimitExceeded" in start) and SLOW_DOWN.search(start) is not None


def is_refusal(body: bytes) -> bool:
    """Return whether a reply says that it is not for us, which says nothing of the film."""
    return REFUSED.search(body[:MAX_REPLY_BYTES]) is not None


def is_failure(body: bytes) -> bool:
    """Return whether a reply says that its program is out of order or busy."""
    return FAILED.search(body[:MAX_REPLY_BYTES]) is not None
