"""Pages of a server or a site that are in the place of a film's: its default page, an error in words, a gate.

They are recognized by whole headings alone, since films are called "Forbidden" and "503": the caller leaves out the
film's own title first. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Container
from enum import StrEnum


class SitePage(StrEnum):
    """What a heading says instead of a film's title."""

    DEFAULT = "default"
    """Nobody has set up a site, or not any more."""
    OUTAGE = "outage"
    """The site is out of order."""
    FORBIDDEN = "forbidden"
    UNAUTHORIZED = "unauthorized"
    GATE = "gate"
    """Something is to be done first: signing in, consenting, being of age."""


SERVER_PAGES = frozenset({SitePage.DEFAULT, SitePage.OUTAGE})
NUMBER = r"(?:http |error |http error |status )?"
PATTERNS = {
    SitePage.DEFAULT: (
        r"welcome to (?:nginx|openresty|caddy|tengine|centos|apache|your new .{1,30})(?: on .{1,30})?!?|it works!?"
        r"|apache2? (?:\w{1,20} )?default page(?:: it works)?|iis windows(?: server)?|iis ?[0-9.]{1,4}"
        r"|test page for the .{1,60}|(?:apache|http|nginx) (?:http )?server test page.{0,60}|domain default page"
        r"|default (?:web ?site |web |server |parking )?page|web server's default page|site not found . github pages"
        r"|future home of something quite cool|congratulations[!,]? your .{1,30} (?:is ready|works)!?"
        r"|website expired|website not (?:found|configured)|domain not (?:configured|found|connected)"
        r"|looks like this domain isn't connected to a website yet!?|this domain has just been registered"
        r"|there isn't a github pages site here|sorry, this shop is currently unavailable"
        r"|(?:[a-z0-9-]{1,60}\.){1,3}[a-z]{2,12} is no longer available|this domain (?:name )?has been seized.{0,80}"
        r"|(?:this domain|(?:\w[\w-]{0,40}\.){1,3}[a-z]{2,12}) has expired"
    ),
    SitePage.OUTAGE: (
        rf"{NUMBER}(?:50[0-9]|52[0-7])(?: error|[ :,-]{{1,3}}(?:internal |http )?server error"
        r"|[ :,-]{1,3}bad gateway|[ :,-]{1,3}service (?:temporarily )?unavailable|[ :,-]{1,3}gateway time-?out"
        r"|[ :,-]{1,3}web server is down|[ :,-]{1,3}connection timed out)"
        r"|(?:error |http error )(?:50[0-9]|52[0-7])|(?:internal )?server error|bad gateway|gateway time-?out"
        r"|service (?:temporarily )?unavailable|error establishing a database connection|database error"
        r"|application error|bandwidth limit exceeded|resource limit is reached|web server is down(?: error code 521)?"
        r"|(?:\w{1,10} ){0,2}?(?:backend fetch failed|backend is unhealthy|first byte timeout|no healthy upstream)"
        r"|origin is unreachable|web server is returning an unknown error|(?:origin )?dns (?:resolution )?error"
        r"|proxy error|too many requests|429 too many requests|error \(?429\)?|wordpress . error|something went wrong"
    ),
    SitePage.FORBIDDEN: rf"{NUMBER}(?:403[ :,-]{{0,3}})?(?:forbidden|access (?:denied|forbidden))|error 403",
    SitePage.UNAUTHORIZED: rf"{NUMBER}(?:401[ :,-]{{0,3}})?(?:unauthorized|authorization required)|error 401",
    SitePage.GATE: (
        r"(?:please )?(?:sign|log) ?in(?: or (?:register|sign up))?(?: (?:to|before) [\w ]{1,40})?|login(?: required)?"
        r"|members only|(?:this (?:video|content|page|film) is )?password protected(?: (?:video|page))?"
        r"|this (?:video|page|content) is protected|before you (?:continue|go on)(?: to .{1,40})?"
        r"|(?:are you|you must be) (?:over|at least|older than) (?:16|18|21)(?: years old)?"
        r"|age (?:verification|check|gate)"
        r"|this (?:video|content|film) is age[- ]restricted"
    ),
}
"""Whole headings, normalized."""
SITE_PAGE = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in PATTERNS.items()))
SITE_PAGE_WORDS = (
    "welcome to", "it works", "default", "iis", "test page", "found", "future home", "congratulations", "website",
    "domain", "expired", "server", "gateway", "backend", "first byte", "upstream", "origin is",
    "availab", "database", "error", "bandwidth", "limit",
    "too many", "wrong", "forbidden", "denied", "unauthorized", "authorization", "sign in", "signin", "log in",
    "login", "members only", "password", "protected", "before you", "over 1", "over 2", "at least", "older than",
    "age ", "age-restricted", *map(str, (*range(500, 510), *range(520, 528))),
)  # fmt: skip
"""One word of each of these headings."""
SPLIT = re.compile(r"[|·•»–—\n]| - ")
TRIMMED = " .?-。…"


def site_page(lines: list[str], *, kinds: Container[SitePage] = frozenset(SitePage)) -> SitePage | None:
    """Return the kind of page of which one of these headings is, or a part of it; None for others than `kinds`."""
    for line in lines:
        found = SITE_PAGE.fullmatch(line) or next(
            (match for part in SPLIT.split(line) if (match := SITE_PAGE.fullmatch(part.strip(TRIMMED)))), None
        )
        if found and found.lastgroup and SitePage(found.lastgroup) in kinds:
            return SitePage(found.lastgroup)
    return None
