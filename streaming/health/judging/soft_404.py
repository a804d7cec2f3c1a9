"""Read a web page: does it say that the film is missing, blocked here, or only for humans? Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from itertools import islice

MAX_SHORT_TEXT = 400
HEAD_BYTES = 8 * 1024
TAGS = re.compile(r"<[^<>]{0,4000}>")
HIDDEN_ELEMENTS = re.compile(r"<(!--|(?:script|style|noscript|template|svg|head)\b)", re.I)
TITLE = re.compile(r"<title\b[^<>]{0,300}>(.{0,300}?)</title", re.S | re.I)
HEADING = re.compile(r"<h[12]\b[^<>]{0,300}>(.{0,300}?)</h[12]", re.S | re.I)
PLAYER = re.compile(r"<(?:video|audio|iframe|embed|object)")
PLAYERS_NAMED = ("og:video", "videoobject")
SPLIT = re.compile(r"[|·•:»–—\n]| - ")
YEAR = re.compile(r" \([0-9]{4}\)\Z")
THINGS = "page|file|video|item|content|document|recording|upload|resource|url|address"
FILMS = "movie|film|title|stream|media|show|episode"
NOT = "could not|cannot|can not|can't|couldn't|was not|is not|isn't|wasn't|not"
WHOLE_TITLE = re.compile(
    r"(?:error |http |http error |status )?(?:404|410)(?: error| page)?(?:[ ,.]*(?:page |file )?(?:not found|gone))?"
    r"|(?:page |file |error )?not found"
    r"|(?:oops|sorry|whoops|uh oh)[!,. ]*(?:page |file |video )?(?:not found|unavailable|gone)"
    rf"|(?:(?:the |this )?(?:{THINGS}|{FILMS}) )?(?:is |was |has been )?"
    r"(?:unavailable|removed|deleted|gone|not available|no longer available)"
)
# Not available in this one way, so the film exists.
NOT_THIS_WAY = (
    r"(?! (?:without\b|for download\b|(?:in|on|for|with) (?:this|your) (?:[a-z]+ )?(?:browser|device|player)\b))"
)


def _denial_pattern(things: str) -> re.Pattern[str]:
    """Compile a pattern of sentences that say these things are missing; bounded, because pages may be hostile."""
    thing = rf"\b(?:{things})(?: you (?:requested|want|are looking for|were looking for|tried to reach))?"
    return re.compile(
        rf"{thing} (?:{NOT}) (?:be )?(?:found|available|exist)\b{NOT_THIS_WAY}"
        rf"|{thing} (?:is |are )?(?:currently )?unavailable\b{NOT_THIS_WAY}"
        rf"|{thing} (?:is )?no longer (?:available|exists?|here|online)\b{NOT_THIS_WAY}"
        rf"|{thing} (?:does not|doesn't) exist\b"
        rf"|{thing} (?:has been|have been|was|were|is) (?:removed|deleted|taken down|gone)\b"
        rf"|\b(?:no such|(?:could not|couldn't|can't|cannot) find (?:that|this|the|your)) (?:{things})\b"
    )


# In the text of a page a film may be "removed" or "not available", as in a synopsis; in a heading it may not.
DENIAL_IN_HEADING = _denial_pattern(f"{THINGS}|{FILMS}")
DENIAL_IN_TEXT = _denial_pattern(THINGS)
UNAVAILABLE = r"(?:un|not |isn't |no longer )available(?: to (?:watch|stream)| for (?:viewing|streaming))?"
GEO_BLOCK_PHRASES = re.compile(
    rf"\b{UNAVAILABLE} (?:in|from) (?:your|this) (?:current |geographic |geographical )?"
    r"(?:country|region|location|area|territory)\b"
    rf"|\b(?:{THINGS}|{FILMS}) (?:is )?(?:currently )?{UNAVAILABLE} (?:outside|where you (?:are|live))\b"
)
# One word of each of those sentences: a page with none of these words, as most are, needs no closer look.
SUSPICIOUS_WORDS = re.compile(r"404|410|gone|found|find|availab|exist|remov|delet|no longer|taken down|no such")
BOT_WALL_PHRASES = (
    "just a moment", "attention required! | cloudflare", "checking your browser", "verify you are human",
    "verifying you are human", "are you a robot", "ddos-guard", "please enable cookies and reload",
    "pardon our interruption", "security check to access", "complete the captcha",
    "access to this page has been denied",
)  # fmt: skip


def normalize_text(text: str) -> str:
    """Return a text in lower case without accents and repeated blanks, to compare titles of pages and movies."""
    plain = html.unescape(text)
    if plain.isascii():  # As nearly all are; letter by letter is slow.
        return " ".join(plain.lower().split())
    plain = unicodedata.normalize("NFKD", plain).casefold().replace("’", "'")
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


@dataclass(frozen=True, slots=True)
class PageText:
    """The normalized text of a page.

    `headings`: its title and first headings. `body_text`: its whole text if that is short and there is no player, else
    empty. `has_player` is determined only if a heading may say that the film is missing.
    """

    headings: tuple[str, ...] = ()
    body_text: str = ""
    has_player: bool = False


def parse_page(body: bytes) -> PageText:
    """Parse a page, of which the first bytes are enough."""
    text = body.decode("utf-8", "replace")
    if "<" not in text:
        return PageText((), _if_short(text))
    headings = _headings(text, text)
    if SUSPICIOUS_WORDS.search("\n".join(headings)):
        return _parse_suspicious(text)
    return PageText(headings, _body_text(text))


def _headings(text: str, visible: str) -> tuple[str, ...]:
    found = [*islice(TITLE.finditer(text), 1), *islice(HEADING.finditer(visible), 3)]
    return tuple(normalize_text(TAGS.sub(" ", match[1])) for match in found)


def _parse_suspicious(text: str) -> PageText:
    """Parse a page whose headings may say that the film is missing.

    Headings in scripts, templates and comments are invisible, and those next to a player are hidden until it fails.
    """
    lower = text.lower()
    visible = _visible_text(text, lower)
    has_player = PLAYER.search(visible.lower()) is not None or any(name in lower for name in PLAYERS_NAMED)
    return PageText(_headings(text, visible), _body_text(text), has_player)


def _body_text(text: str) -> str:
    """Return the text of a page if it is short and there is no player, else an empty string.

    Most pages are long already in their first bytes: then the rest is not searched for a player.
    """
    if len(text) > HEAD_BYTES:
        start = text[: text.rfind("<", 0, HEAD_BYTES)]
        if len(" ".join(TAGS.sub(" ", _visible_text(start, start.lower())).split())) > MAX_SHORT_TEXT:
            return ""
    lower = text.lower()
    if PLAYER.search(lower) or any(name in lower for name in PLAYERS_NAMED):
        return ""
    return _if_short(TAGS.sub(" ", _visible_text(text, lower)))


def _if_short(text: str) -> str:
    """Return a short text, normalized, or an empty string for a long one."""
    if len(text) > HEAD_BYTES and len(" ".join(text[:HEAD_BYTES].split())) > MAX_SHORT_TEXT:
        return ""
    words = " ".join(text.split())
    return normalize_text(words) if len(words) <= MAX_SHORT_TEXT else ""


def is_bot_wall(page: PageText, *, title: str) -> bool:
    """Return whether a page demands proof of a human visitor; a film may be called "Just a Moment"."""
    if not page.headings and not page.body_text:
        return False
    text = " ".join([*page.headings, page.body_text])
    if not any(phrase in text for phrase in BOT_WALL_PHRASES):
        return False
    text = " ".join(_remove_title(line, normalize_title(title)) for line in [*page.headings, page.body_text])
    return any(phrase in text for phrase in BOT_WALL_PHRASES)


def is_geo_blocked(page: PageText) -> bool:
    """Return whether a page says that the film can be watched only in other regions."""
    text = "\n".join([*page.headings, page.body_text])
    return "available" in text and GEO_BLOCK_PHRASES.search(text) is not None


def normalize_title(title: str) -> str:
    """Return a movie's title as it is looked for in pages: normalized and without the year."""
    film = normalize_text(title)
    return YEAR.sub("", film) or film


def mentions_film(page: PageText, title: str) -> bool:
    """Return whether the title or a heading of a page contains the movie's title."""
    film = normalize_title(title)
    return any(_remove_title(line, film) != line for line in page.headings)


def _title_is_film(page: PageText, film: str) -> bool:
    """Return whether a part of the page's title is the film's: `Nosferatu (1922) | Films`, not `404 Not Found`."""
    parts = SPLIT.split(page.headings[0]) if film and page.headings else []
    return any(YEAR.sub("", part.strip()) == film for part in parts)


def is_soft_404(page: PageText, *, title: str) -> bool:
    """Return whether a page that was sent with status 200 says "not found", "removed" or "unavailable".

    The movie's title is removed first, because films are called "404", "Gone" and "Not Found". So are episodes: a page
    with the movie's title and a player is never a soft 404. The text below the headings is only read if it is short
    and there is no player, because a synopsis may be about things that were removed.
    """
    if not SUSPICIOUS_WORDS.search("\n".join([*page.headings, page.body_text])):
        return False
    film = normalize_title(title)
    if page.has_player and _title_is_film(page, film):
        return False
    lines = [_remove_title(line, film) for line in page.headings]
    parts = [part.strip(" .!?-") for line in lines for part in SPLIT.split(line)]
    return (
        any(WHOLE_TITLE.fullmatch(part) for part in parts)
        or any(DENIAL_IN_HEADING.search(line) for line in lines)
        or bool(DENIAL_IN_TEXT.search(_remove_title(page.body_text, film)))
    )


def _visible_text(text: str, lower: str) -> str:
    """Return the text without scripts, styles, comments and head; `lower` is the text in lower case.

    Not by one pattern, which would take quadratic time on hostile pages.
    """
    if len(lower) != len(text):  # Some letters become longer in lower case, so positions would differ.
        text = lower
    visible, position = [], 0
    for opening in HIDDEN_ELEMENTS.finditer(text):
        if opening.start() < position:
            continue
        visible.append(text[position : opening.start()])
        ending = "-->" if opening[1] == "!--" else f"</{opening[1].lower()}"
        position = lower.find(ending, opening.end())
        if position < 0:
            return "".join(visible)
    return "".join([*visible, text[position:]])


def _remove_title(line: str, title: str) -> str:
    if not title or title not in line:
        return line
    return re.sub(rf"(?<!\w){re.escape(title)}(?!\w)", " \n ", line).strip(" ")
