"""The text of each reason code, for display. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from streaming.reason_codes import Reason, Strength

REASON_TEXT: Mapping[str, str] = {
    Reason.UNCHECKED: "Not checked yet",
    Reason.OK: "Working",
    Reason.HTTP_404: "Not found",
    Reason.HTTP_410: "Gone",
    Reason.HTTP_401: "Blocked: sign-in required",
    Reason.HTTP_403: "Blocked by the site",
    Reason.HTTP_451: "Blocked for legal reasons",
    Reason.HTTP_999: "Blocked by the site",
    Reason.BOT_WALL: "Blocked: bot check",
    Reason.LOGIN: "Blocked: sign-in required",
    Reason.UNKNOWN_PAGE: "Blocked: a page instead of the video",
    Reason.ABROAD: "Blocked in the country of the checker",
    Reason.TIMEOUT: "Timed out",
    Reason.REFUSED: "Connection refused",
    Reason.RESET: "Connection reset",
    Reason.DNS: "Name not found",
    Reason.TLS: "Certificate not valid",
    Reason.HTTP_4XX: "Refused by the site",
    Reason.HTTP_5XX: "Server error",
    Reason.PROTOCOL: "Invalid response",
    Reason.TOO_MANY_REDIRECTS: "Too many redirects",
    Reason.REDIRECT_LOOP: "Redirect loop",
    Reason.REDIRECT_HOME: "Redirected to the front page",
    Reason.BAD_REDIRECT: "Redirected to an address that is not allowed",
    Reason.SOFT_404: "Page says not found",
    Reason.WRONG_TYPE: "Not a video",
    Reason.EMPTY: "Empty response",
    Reason.PARKED: "Domain parked or site suspended",
    Reason.MAINTENANCE: "Site down for maintenance",
    Reason.DARK: "Withdrawn at its source",
    Reason.MISSING: "No longer at its source",
    Reason.PRIVATE: "Made private at its source",
    Reason.NOT_FOUND: "Not found at its source",
    Reason.NOT_PUBLIC: "Blocked: not public at its source",
    Reason.EMBED_OFF: "Blocked: plays only on its own page",
    Reason.THROTTLED: "Rate limited",
    Reason.PRIVATE_ADDRESS: "Private address, not checked",
    Reason.BLOCKED_HOST: "Taken down here",
    Reason.PAUSED: "Host paused",
    Reason.ROBOTS: "Not checked: robots.txt",
    Reason.HOST_DOWN: "Host down, links kept",
    Reason.HOST_CHANGED: "Most links of this host went at once",
    Reason.LOCAL: "Not judged: this server may be offline",
    Reason.ELSEWHERE: "Forwarded to another worker",
    Reason.MOVED: "Moved to an address that is listed already",
    Reason.IMPORTED: "As imported",
    Reason.TAKEN_DOWN: "Taken down here",
    Reason.BY_HAND: "Set by hand",
}

STRENGTH_TEXT: Mapping[str, str] = {
    Strength.NONE: "",
    Strength.PROVEN: "Certain",
    Strength.SOFT: "Likely",
    Strength.BLOCKED: "Blocked",
    Strength.UNREACHABLE: "No response",
}


def reason_text(reason: str) -> str:
    """The text of a reason; an unknown one is shown with blanks for underscores."""
    return REASON_TEXT.get(reason, reason.replace("_", " ").capitalize())
