"""Recognize what a site sends instead of its page: a check for robots, a queue for visitors, nothing at all. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from scraper.extraction.html_page import find_elements, parse_html
from scraper.net.throttling import CHALLENGE_HEADERS

WALL_TITLE = re.compile(
    r"just a moment|making sure you.{0,3}re not a bot|checking your browser|attention required|are you (?:a )?"
    r"(?:robot|human)|not a (?:ro)?bot\b|verify(?:ing)? (?:that )?you are (?:a )?human|human verification|robot check|"
    r"bot (?:check|verification|challenge)|security (?:check|verification|challenge)|\bcaptcha\b|ddos[- ]guard|"
    r"pardon our interruption|one moment,? please|please wait(?:\.|\u2026|$)|access (?:to this page has been )?denied|"
    r"request unsuccessful|client challenge|browser check|limited by the site owner|you are now in line|queue-it|"
    r"crowdsec|web page blocked|you have been blocked|request (?:could not be satisfied|is blocked)|"
    r"kein roboter|pas un robot|no (?:es|eres) un robot|non (?:sei|essere) un robot|geen robot|nie jesteś robotem|"
    r"не робот|nejste robot|ロボットではない|"
    r"inte (?:är )?en robot",
    re.IGNORECASE,
)
WALL_SCRIPT = re.compile(
    r"/cdn-cgi/challenge-platform/|challenges\.cloudflare\.com|awswaf\.com|awsWafCookieDomainList|_Incapsula_Resource|"
    r"/\.within\.website/x/|sgcaptcha|ddos-guard\.net|slowAES\.decrypt|geo\.captcha-delivery\.com|_px-captcha|"
    r"px-captcha|/_sec/cp_challenge|bobcmn",
)
SITE_TITLE = re.compile(
    r"(?:(?:http |error )*(?:401|403|429|50[0-9]|52[0-7])[ :,-]{0,3})?"
    r"(?:forbidden|access (?:denied|forbidden)|unauthorized|too many requests|internal server error|bad gateway"
    r"|service (?:temporarily )?unavailable|gateway time-?out|error establishing a database connection"
    r"|(?:site |website )?(?:is )?(?:under|down for|scheduled) maintenance|maintenance(?: mode)?|temporarily offline"
    r"|(?:please )?(?:sign|log) ?in(?: to continue)?|login|before you continue(?: to .{1,40})?)\W*",
    re.IGNORECASE,
)
"""A whole title that says that the page was not sent."""
OUTAGE_TITLE = re.compile(
    r"\b(?:site|website|service) (?:is )?temporarily (?:unavailable|offline|down)|try again later"
    r"|wartungs(?:arbeiten|modus)|(?:zurzeit|derzeit|momentan|vorübergehend) nicht (?:verfügbar|erreichbar|abrufbar)"
    r"|\ben maintenance|(?:temporairement|momentanément) (?:indisponible|inaccessible)"
    r"|\ben mantenimiento|temporalmente (?:no disponible|fuera de servicio)|no disponible temporalmente"
    r"|\bin manutenzione|(?:temporaneamente|momentaneamente) non disponibile|non (?:è )?al momento disponibile"
    r"|\bem manutenção|temporariamente (?:indisponível|fora do ar)"
    r"|onderhoudswerkzaamheden|wegens onderhoud|(?:tijdelijk|momenteel) niet (?:beschikbaar|bereikbaar)"
    r"|przerwa techniczna|(?:chwilowo|tymczasowo) niedostępn|технические работы|временно недоступ"
    r"|probíhá údržba|dočasně nedostupn|メンテナンス中|一時的にご?利用|underhåll pågår|tillfälligt otillgänglig",
    re.IGNORECASE,
)
"""That the film or its site is away for a while."""
MAX_TITLE_LENGTH, MAX_SCANNED_LENGTH = 300, 262_144
HEADINGS = "//*[self::title or self::h1]"
CONTENT = (
    "//*[not(self::p or self::div or self::script or self::noscript or self::style)][ancestor::body]",
    "//text()[normalize-space() and not(parent::script or parent::noscript or parent::style)][ancestor::body]",
)


def is_wall(html: str, *, headers: Mapping[str, str]) -> bool:
    """Return whether a page without a film is a wall in front of it, or empty: then it says nothing about the film.

    `headers` have lower-case names. Only title and first headings are read for words, since a film may be about robots.
    """
    if any(headers.get(name) for name in CHALLENGE_HEADERS) or not html.strip():
        return True
    root = parse_html(html)
    headings = find_elements(root, HEADINGS)[:3]
    texts = [" ".join(one.xpath("string()").get("").split())[:MAX_TITLE_LENGTH] for one in headings]
    is_empty = not any(texts) and not any(find_elements(root, path) for path in CONTENT)
    is_said = any(_says_so(text) for text in texts)
    return is_empty or is_said or WALL_SCRIPT.search(html[:MAX_SCANNED_LENGTH]) is not None


def _says_so(text: str) -> bool:
    """Return whether a title or heading is that of a wall, an error or an outage."""
    return (
        WALL_TITLE.search(text) is not None
        or SITE_TITLE.fullmatch(text) is not None
        or OUTAGE_TITLE.search(text) is not None
    )
