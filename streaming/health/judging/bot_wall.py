"""Tell the page of a bot wall by its structure: headers, scripts, cookies and addresses of the wall's own.

Walls change their wording with each version and language, and put harmless scripts into the pages they guard; so only
what a challenge itself needs counts, and sentences only in short pages. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from scraper.net.throttling import CHALLENGE_HEADERS
from streaming.health.judging.page_text import PageText, has_player, visible_text
from streaming.health.judging.phrases import spoken_in
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
    "/_guard/html.js", "kpsdk", "/_fs-ch-", "wsidchk", "rbzns",
    "/orchestrate/chl_page", "/orchestrate/managed/", "/orchestrate/jsch/", "/orchestrate/captcha/",  # Cloudflare
    "bunkerweb", "go-away-challenge", "/vddosw3data.js", "blazingfast.io/captcha",
)  # fmt: skip
"""What is only in the page of a challenge, in lower case."""
EMPTY_PAGE_MARKS = ("bobcmn", "enable javascript and cookies to continue", "your support id is")
"""What is in the pages of walls that show nothing, in lower case; of some it is in living pages, too."""
IMPERVA_FRAME = re.compile(r"<iframe\b[^<>]{0,300}_incapsula_resource")
"""Its script is in pages that are let through, too."""
WIDGETS = re.compile(
    r"class\s{0,3}=\s{0,3}[\"']?(?:[\w-]{1,40} ){0,5}(?:g-recaptcha|h-captcha|cf-turnstile|frc-captcha|smart-captcha"
    r"|mtcaptcha)\b|<altcha-widget\b|id\s{0,3}=\s{0,3}[\"']?slg-box\b",
    re.I,
)
"""Widgets that ask for proof of a human: forms of living pages have them, too."""
FILM_MARK = re.compile(r"\b(?:player|watch)\b|\.(?:mp4|webm|m3u8)\b")
"""What a page with a film has in its markup."""
MAX_WIDGET_TEXT, MAX_WIDGET_LINKS = 160, 3
"""A page with a widget, no more text and no more links is there for the widget."""
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
    is_named = headings != list(page.headings) or (bool(film) and not headings and film in page.body_text)
    text = " ".join(headings if is_named else [*headings, page.body_text])
    return any(sentences.wall.search(text) for sentences in spoken_in(text))


def _is_challenge(page: PageText) -> bool:
    """Return whether the source of a page is that of a challenge."""
    if len(page.source) > MAX_WALL_BYTES:
        return False
    source = page.source.lower()
    if _is_there_for_widget(page, source):
        return True
    return (
        any(mark in source for mark in CHALLENGE_MARKS)
        or ("_incapsula_resource" in source and IMPERVA_FRAME.search(source) is not None)
        or _reloads_with_cookie(page, source)
        or _shows_nothing(page, source)
    )


def _shows_nothing(page: PageText, source: str) -> bool:
    """Return whether a page has a script of a wall and nothing for visitors."""
    return any(mark in source for mark in EMPTY_PAGE_MARKS) and not has_player(page) and not visible_text(page)


def _reloads_with_cookie(page: PageText, source: str) -> bool:
    """Return whether an empty page sets a cookie and loads itself again."""
    return (
        not page.body_text
        and "<" in source
        and len(source) < MAX_WALL_BYTES // 8
        and not page.has_player
        and not page.headings
        and RELOAD_WITH_COOKIE.search(source) is not None
        and RELOAD.search(source) is not None
    )


def _is_there_for_widget(page: PageText, source: str) -> bool:
    """Return whether a page has nothing to offer but a widget that asks for proof of a human."""
    if "captcha" not in source and "cf-turnstile" not in source and "altcha" not in source and "slg-box" not in source:
        return False
    return (
        source.count("<a ") <= MAX_WIDGET_LINKS
        and WIDGETS.search(page.source) is not None
        and not has_player(page)
        and FILM_MARK.search(source) is None
        and len(visible_text(page)) <= MAX_WIDGET_TEXT
    )
