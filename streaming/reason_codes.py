"""Codes of a link's health: the reason for its state, and the results of its last checks.

Codes are stored and published, so they never change. Their texts are in `streaming.models.reasons`. Pure.
"""

from __future__ import annotations

from enum import StrEnum

MAX_CHECK_HISTORY = 24


class Reason(StrEnum):
    """The reason for a link's state."""

    UNCHECKED = ""
    OK = "ok"
    HTTP_404 = "http_404"
    HTTP_410 = "http_410"
    HTTP_401 = "http_401"
    HTTP_403 = "http_403"
    HTTP_451 = "http_451"
    HTTP_999 = "http_999"
    BOT_WALL = "bot_wall"
    LOGIN = "login"
    UNKNOWN_PAGE = "unknown_page"
    ABROAD = "abroad"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    RESET = "reset"
    DNS = "dns"
    TLS = "tls"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    PROTOCOL = "protocol"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    REDIRECT_LOOP = "redirect_loop"
    REDIRECT_HOME = "redirect_home"
    BAD_REDIRECT = "bad_redirect"
    SOFT_404 = "soft_404"
    WRONG_TYPE = "wrong_type"
    EMPTY = "empty"
    PARKED = "parked"
    MAINTENANCE = "maintenance"
    DARK = "dark"
    MISSING = "missing"
    PRIVATE = "private"
    NOT_FOUND = "not_found"
    NOT_PUBLIC = "not_public"
    EMBED_OFF = "embed_off"
    THROTTLED = "throttled"
    PRIVATE_ADDRESS = "private_address"
    BLOCKED_HOST = "blocked_host"
    PAUSED = "paused"
    ROBOTS = "robots"
    HOST_DOWN = "host_down"
    HOST_CHANGED = "host_changed"
    LOCAL = "local"
    ELSEWHERE = "elsewhere"
    MOVED = "moved"
    IMPORTED = "imported"
    TAKEN_DOWN = "taken_down"
    BY_HAND = "by_hand"


class Strength(StrEnum):
    """How certain it is that a link that fails is dead; empty: it does not fail, or was not judged by a check.

    `proven`: the URL itself or its source's API says that it is gone. `soft`: what came instead of the film says so.
    `blocked`: the host does not let the checker in. `unreachable`: no response, or a server error.
    """

    NONE = ""
    PROVEN = "proven"
    SOFT = "soft"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"


class CheckCode(StrEnum):
    """The result of one check; a link keeps its last `MAX_CHECK_HISTORY`, one letter each."""

    ALIVE = "a"
    GONE = "g"
    BLOCKED = "b"
    UNREACHABLE = "u"
