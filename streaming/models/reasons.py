"""Why a link stands as it does, in words for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from streaming.reason_codes import Reason

REASON_TEXT: Mapping[str, str] = {
    Reason.UNCHECKED: "Not checked yet",
    Reason.OK: "Working",
    Reason.HTTP_404: "Not found",
    Reason.HTTP_410: "Gone",
    Reason.HTTP_401: "Blocked: sign-in wanted",
    Reason.HTTP_403: "Blocked by the site",
    Reason.HTTP_451: "Blocked for legal reasons",
    Reason.HTTP_999: "Blocked by the site",
    Reason.BOT_WALL: "Blocked: the site asks for a human",
    Reason.LOGIN: "Blocked: sign-in wanted",
    Reason.ABROAD: "Blocked in the country of the checker",
    Reason.TIMEOUT: "Timed out",
    Reason.REFUSED: "Connection refused",
    Reason.RESET: "Connection broke off",
    Reason.DNS: "Name not found",
    Reason.TLS: "Certificate not valid",
    Reason.HTTP_4XX: "Refused by the site",
    Reason.HTTP_5XX: "Server error",
    Reason.PROTOCOL: "Answer not understood",
    Reason.TOO_MANY_REDIRECTS: "Too many redirects",
    Reason.REDIRECT_LOOP: "Redirects in a circle",
    Reason.REDIRECT_HOME: "Sent to the front page",
    Reason.BAD_REDIRECT: "Sent to a place we do not open",
    Reason.SOFT_404: "Page says it is not there",
    Reason.WRONG_TYPE: "Not a video",
    Reason.EMPTY: "Empty answer",
    Reason.DARK: "Withdrawn at its source",
    Reason.MISSING: "No longer at its source",
    Reason.PRIVATE: "Made private at its source",
    Reason.THROTTLED: "Busy, asked to come back later",
    Reason.PRIVATE_ADDRESS: "Private address, not checked",
    Reason.BLOCKED_HOST: "Taken down here",
    Reason.PAUSED: "Host paused",
    Reason.ROBOTS: "Not checked: robots.txt",
    Reason.HOST_DOWN: "Host down, links kept",
    Reason.LOCAL: "Our own fault, not judged",
    Reason.ELSEWHERE: "Passed on to another worker",
    Reason.MOVED: "Moved to an address that is listed",
    Reason.IMPORTED: "As imported",
    Reason.TAKEN_DOWN: "Taken down here",
    Reason.BY_HAND: "Set by hand",
}


def reason_text(reason: str) -> str:
    """The sentence of a reason; one that is not listed is shown with its blanks."""
    return REASON_TEXT.get(reason, reason.replace("_", " ").capitalize())
