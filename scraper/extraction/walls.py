"""Recognize what a site sends instead of its page: a check for robots, a queue for visitors, nothing at all. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from scraper.extraction.html_page import find_elements, parse_html

WALL_TITLE = re.compile(
    r"just a moment|making sure you.{0,3}re not a bot|checking your browser|attention required|are you (?:a )?"
    r"(?:robot|human)|not a (?:ro)?bot\b|verify(?:ing)? (?:that )?you are (?:a )?human|human verification|robot check|"
    r"bot (?:check|verification|challenge)|security (?:check|verification|challenge)|\bcaptcha\b|ddos[- ]guard|"
    r"pardon our interruption|one moment,? please|please wait(?:\.|\u2026|$)|access (?:to this page has been )?denied|"
    r"request unsuccessful|client challenge|browser check",
    re.IGNORECASE,
)
WALL_SCRIPT = re.compile(
    r"/cdn-cgi/challenge-platform/|challenges\.cloudflare\.com|awswaf\.com|awsWafCookieDomainList|_Incapsula_Resource|"
    r"/\.within\.website/x/|sgcaptcha|ddos-guard\.net|slowAES\.decrypt|geo\.captcha-delivery\.com|_px-captcha|"
    r"px-captcha|/_sec/cp_challenge",
)
WALL_HEADERS = ("cf-mitigated", "x-amzn-waf-action")
MAX_TITLE_LENGTH, MAX_SCANNED_LENGTH = 300, 262_144
HEADINGS = "//*[self::title or self::h1]"
CONTENT = ("//*[not(self::p)][ancestor::body]", "//text()[normalize-space()][ancestor::body]")


def is_wall(html: str, *, headers: Mapping[str, str]) -> bool:
    """Return whether a page without a film is a wall in front of it, or empty: then it says nothing about the film.

    `headers` have lower-case names. Only title and first headings are read for words, since a film may be about robots.
    """
    if any(headers.get(name) for name in WALL_HEADERS) or not html.strip():
        return True
    root = parse_html(html)
    headings = find_elements(root, HEADINGS)[:3]
    texts = [" ".join(one.xpath("string()").get("").split())[:MAX_TITLE_LENGTH] for one in headings]
    is_empty = not texts and not any(find_elements(root, path) for path in CONTENT)
    return is_empty or any(map(WALL_TITLE.search, texts)) or WALL_SCRIPT.search(html[:MAX_SCANNED_LENGTH]) is not None
