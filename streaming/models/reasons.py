"""Why a link stands as it does, in words for people. Pure."""

from __future__ import annotations

REASONS = {
    "": "Not checked yet",
    "ok": "Working",
    "http_404": "Not found",
    "http_410": "Gone",
    "http_401": "Blocked: sign-in wanted",
    "http_403": "Blocked by the site",
    "http_451": "Blocked for legal reasons",
    "http_999": "Blocked by the site",
    "bot_wall": "Blocked: the site asks for a human",
    "login": "Blocked: sign-in wanted",
    "abroad": "Blocked in the country of the checker",
    "timeout": "Timed out",
    "refused": "Connection refused",
    "reset": "Connection broke off",
    "dns": "Name not found",
    "tls": "Certificate not valid",
    "http_4xx": "Refused by the site",
    "http_5xx": "Server error",
    "protocol": "Answer not understood",
    "too_many_redirects": "Too many redirects",
    "redirect_loop": "Redirects in a circle",
    "redirect_home": "Sent to the front page",
    "bad_redirect": "Sent to a place we do not open",
    "soft_404": "Page says it is not there",
    "wrong_type": "Not a video",
    "empty": "Empty answer",
    "dark": "Withdrawn at its source",
    "missing": "No longer at its source",
    "private": "Made private at its source",
    "throttled": "Busy, asked to come back later",
    "private_address": "Private address, not checked",
    "blocked_host": "Taken down here",
    "paused": "Host paused",
    "robots": "Not checked: robots.txt",
    "host_down": "Host down, links kept",
    "local": "Our own fault, not judged",
    "moved": "Moved to an address that is listed",
    "imported": "As imported",
    "taken_down": "Taken down here",
    "by_hand": "Set by hand",
}


def in_words(reason: str) -> str:
    """The sentence of a reason; one that is not listed is shown with its blanks."""
    return REASONS.get(reason, reason.replace("_", " ").capitalize())
