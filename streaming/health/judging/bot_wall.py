"""Tell the page of a bot wall by its structure: headers, scripts, cookies and addresses of the wall's own.

Walls change their wording with each version and language, and put harmless scripts into the pages they guard; so only
what a challenge itself needs counts, and sentences only in short pages. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from scraper.net.throttling import CHALLENGE_HEADERS
from streaming.health.judging.page_text import PageText
from streaming.health.judging.soft_404 import normalize_title, remove_title

CHALLENGE_MARKS = (
    "_cf_chl_opt", "cf-browser-verification", "cf-challenge-running", "cf-error-details",  # Cloudflare
    "anubis_challenge", "/.within.website/x/cmd/anubis", "anubis_base_prefix",
    "gokuprops", "awswafintegration.saverefer",  # AWS WAF
    "/.well-known/sgcaptcha", "/.well-known/captcha/",  # SiteGround
    "incapsula incident id", "_incapsula_resource?cwudnsai", "_incapsula_resource?incident",  # Imperva
    "slowaes.decrypt", "__test=\"+tohex",  # testcookie
    "/.well-known/ddos-guard/js-challenge", "ddos-guard.net/js-challenge", "data-ddg-origin",
    "px-captcha", "_pxblockscript", "captcha.px-cdn.net", "captcha.px-cloud.net",  # PerimeterX, now HUMAN
    "geo.captcha-delivery.com", "ct.captcha-delivery.com",  # DataDome
    "sec-if-cpt-container", "sec-bc-tile", "/_sec/cp_challenge",  # Akamai
    "validate.perfdrive.com", "sucuri_cloudproxy_js", "acw_sc__v2", "__arcsjs", "/__qrator/", "/.basedflare/",
    "/_guard/html.js", "kpsdk", "bunkerweb", "go-away-challenge", "/vddosw3data.js", "blazingfast.io/captcha",
)  # fmt: skip
"""What is only in the page of a challenge, in lower case."""
PHRASES = (
    "just a moment", "attention required! | cloudflare", "checking your browser", "verify you are human",
    "verifying you are human", "are you a robot", "you are not a robot", "you're not a robot", "you're not a bot",
    "you are not a bot", "you are human", "ddos-guard", "ddos protection by", "please enable cookies",
    "does not accept cookies", "cookies are disabled", "cookies disabled", "requires javascript to work",
    "pardon our interruption", "security check to access", "complete the captcha", "solve the captcha",
    "vercel security checkpoint", "unusual traffic", "request unsuccessful", "the requested url was rejected",
    "access to this page has been denied", "automated requests",
)  # fmt: skip
RELOAD_WITH_COOKIE = re.compile(r"document\.cookie\s{0,3}=[^=]")
RELOAD = re.compile(r"location\.(?:reload|replace|assign|href)|(?:window|document|self)\.location\s{0,3}=")
MAX_WALL_BYTES = 48 * 1024


def states_challenge(headers: Mapping[str, str]) -> bool:
    """Return whether the headers, with names in lower case, are those of a challenge."""
    return any(name in headers for name in CHALLENGE_HEADERS)


def is_bot_wall(page: PageText, *, title: str) -> bool:
    """Return whether a page demands proof of a human visitor; a film may be called "Just a Moment"."""
    film = normalize_title(title)
    if page.is_suspicious and not (page.has_player and page.has_long_text) and _says_so(page, film):
        return True
    if film and any(film in line for line in page.headings):
        return False  # A wall does not know what film it hides.
    return _is_challenge(page)


def _says_so(page: PageText, film: str) -> bool:
    """Return whether the headings, without the movie's title, have a sentence of a bot wall.

    Or the short text, unless the page names the film: a banner asks for cookies in the same words.
    """
    headings = [remove_title(line, film) for line in page.headings]
    is_named = headings != list(page.headings)
    text = " ".join(headings if is_named else [*headings, page.body_text])
    return any(phrase in text for phrase in PHRASES)


def _is_challenge(page: PageText) -> bool:
    """Return whether the source of a page is that of a challenge."""
    if len(page.source) > MAX_WALL_BYTES:
        return False
    source = page.source.lower()
    return any(mark in source for mark in CHALLENGE_MARKS) or (
        not page.body_text
        and "<" in source
        and len(source) < MAX_WALL_BYTES // 8
        and not page.has_player
        and not page.headings
        and RELOAD_WITH_COOKIE.search(source) is not None
        and RELOAD.search(source) is not None
    )
