"""Does a web page say that its film is missing, private, blocked here, or only away for a while? Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache

from streaming.health.judging import phrases
from streaming.health.judging.page_text import PageText
from streaming.health.judging.phrases import normalize_text

SPLIT = re.compile(r"[|·•:»–—\n]| - ")
YEAR = re.compile(r" \([0-9]{4}\)\Z")
TRIMMED = " .!?-。！…"
PLAYER_STATE = re.compile(r'"playabilityStatus"\s{0,3}:\s{0,3}\{\s{0,3}"status"\s{0,3}:\s{0,3}"([A-Z_]{2,30})"')
MISSING_STATES = frozenset({"ERROR"})
PRIVATE_STATES = frozenset({"LOGIN_REQUIRED", "UNPLAYABLE", "CONTENT_CHECK_REQUIRED", "AGE_CHECK_REQUIRED"})


class Denial(Enum):
    """Whether a page says that its film is missing; `DOUBTFUL`: it names the film all the same."""

    NONE = "none"
    DOUBTFUL = "doubtful"
    CERTAIN = "certain"


@lru_cache(maxsize=256)
def normalize_title(title: str) -> str:
    """Return a movie's title as it is looked for in pages: normalized and without the year."""
    film = normalize_text(title)
    return YEAR.sub("", film) or film


def mentions_film(page: PageText, title: str) -> bool:
    """Return whether the title or a heading of a page contains the movie's title."""
    film = normalize_title(title)
    return any(film in line and remove_title(line, film) != line for line in page.headings)


def is_soft_404(page: PageText, *, title: str) -> Denial:
    """Return whether a page that was sent with status 200 says "not found", "removed" or "private".

    The movie's title is removed first, because films are called "404", "Gone" and "Not Found". So are episodes: a page
    with the movie's title and a player, or a long text, is judged by whole sentences at most. The text below the
    headings is only read if it is short and there is no player, because a synopsis may be about things that were
    removed; where the page names the film, the text must speak of this page's film, and remains doubtful.
    """
    if not page.is_suspicious:
        return Denial.NONE
    film = normalize_title(title)
    is_film_page = _title_is_film(page, film)
    if page.has_player and is_film_page:
        return Denial.NONE
    lines = [remove_title(line, film) for line in page.headings]
    if (not (is_film_page and page.has_long_text) and _has_whole_title(lines)) or _denies(lines):
        return Denial.CERTAIN
    return _denial_in_text(remove_title(page.body_text, film), names_film=mentions_film(page, title))


def is_geo_blocked(page: PageText) -> bool:
    """Return whether a page says that the film can be watched only in other regions."""
    return page.is_suspicious and phrases.ABROAD.search(_text(page)) is not None


def is_temporary(page: PageText, *, title: str) -> bool:
    """Return whether a page only says that the site is away for a while, or busy."""
    if page.has_player or not page.is_suspicious or not phrases.LATER.search(_text(page)):
        return False
    film = normalize_title(title)
    lines = [remove_title(line, film) for line in (*page.headings, page.body_text)]
    return not (film and _title_is_film(page, film)) and any(phrases.LATER.search(line) for line in lines)


def player_denial(page: PageText) -> Denial:
    """Return what the data of a page's own player say: missing, or doubtful if some people may watch it."""
    state = PLAYER_STATE.search(page.source) if "playabilityStatus" in page.source else None
    if state is None:
        return Denial.NONE
    if state[1] in MISSING_STATES:
        return Denial.CERTAIN
    return Denial.DOUBTFUL if state[1] in PRIVATE_STATES else Denial.NONE


def remove_title(line: str, title: str) -> str:
    """Return a line without the movie's title, both normalized."""
    if not title or title not in line:
        return line
    return re.sub(rf"(?<!\w){re.escape(title)}(?!\w)", " \n ", line).strip(" ")


def _text(page: PageText) -> str:
    return "\n".join([*page.headings, page.body_text])


def _title_is_film(page: PageText, film: str) -> bool:
    """Return whether a part of the page's title is the film's: `Nosferatu (1922) | Films`, not `404 Not Found`."""
    parts = SPLIT.split(page.headings[0]) if film and page.headings else []
    return any(YEAR.sub("", part.strip()) == film for part in parts)


def _has_whole_title(lines: list[str]) -> bool:
    parts = [part.strip(TRIMMED) for line in lines for part in SPLIT.split(line)]
    return any(phrases.WHOLE_TITLE.fullmatch(part) for part in parts)


def _denies(lines: list[str]) -> bool:
    """Return whether one of these headings is a sentence that says that the film is missing or private."""
    return any(phrases.PRIVATE.search(line) or _is_said(phrases.DENIALS_IN_HEADING, line) for line in lines)


def _denial_in_text(text: str, *, names_film: bool) -> Denial:
    is_denial = (
        _is_said(phrases.DENIALS_IN_TEXT, text)
        or phrases.ASKED_DENIAL.search(text) is not None
        or phrases.PRIVATE.search(text) is not None
    )
    if not is_denial:
        return Denial.NONE
    if not names_film:
        return Denial.CERTAIN
    return Denial.DOUBTFUL if phrases.THIS_ONE.search(text) else Denial.NONE


def _is_said(patterns: Mapping[str, re.Pattern[str]], text: str) -> bool:
    """Return whether a text has a sentence of one of these patterns, by language, and not after an "if"."""
    return any(
        not _is_conditional(code, text[: match.start()])
        for code, pattern in patterns.items()
        for match in pattern.finditer(text)
    )


def _is_conditional(code: str, before: str) -> bool:
    conditional = phrases.CONDITIONALS.get(code)
    return conditional is not None and conditional.search(before[-100:]) is not None
