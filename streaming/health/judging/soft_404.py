"""Reading what a server sent: is it a video, and does a page say that there is nothing? Pure."""

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


# Only this way it cannot be had: it is there.
NOT_THIS_WAY = (
    r"(?! (?:without\b|for download\b|(?:in|on|for|with) (?:this|your) (?:[a-z]+ )?(?:browser|device|player)\b))"
)


def _denial_pattern(things: str) -> re.Pattern[str]:
    """Sentences that say a thing is not there; bounded, for pages are hostile."""
    thing = rf"\b(?:{things})(?: you (?:requested|want|are looking for|were looking for|tried to reach))?"
    return re.compile(
        rf"{thing} (?:{NOT}) (?:be )?(?:found|available|exist)\b{NOT_THIS_WAY}"
        rf"|{thing} (?:is |are )?(?:currently )?unavailable\b{NOT_THIS_WAY}"
        rf"|{thing} (?:is )?no longer (?:available|exists?|here|online)\b{NOT_THIS_WAY}"
        rf"|{thing} (?:does not|doesn't) exist\b"
        rf"|{thing} (?:has been|have been|was|were|is) (?:removed|deleted|taken down|gone)\b"
        rf"|\b(?:no such|(?:could not|couldn't|can't|cannot) find (?:that|this|the|your)) (?:{things})\b"
    )


# In running text a film may well be "removed" or "not available": it is a synopsis. In a heading it is not.
DENIAL_IN_HEADING = _denial_pattern(f"{THINGS}|{FILMS}")


DENIAL_IN_TEXT = _denial_pattern(THINGS)


UNAVAILABLE = r"(?:un|not |isn't |no longer )available(?: to (?:watch|stream)| for (?:viewing|streaming))?"


GEO_BLOCK_PHRASES = re.compile(
    rf"\b{UNAVAILABLE} (?:in|from) (?:your|this) (?:current |geographic |geographical )?"
    r"(?:country|region|location|area|territory)\b"
    rf"|\b(?:{THINGS}|{FILMS}) (?:is )?(?:currently )?{UNAVAILABLE} (?:outside|where you (?:are|live))\b"
)


# A word of each of those sentences: a page without any says none of them, which most need no closer look to tell.
SUSPICIOUS_WORDS = re.compile(r"404|410|gone|found|find|availab|exist|remov|delet|no longer|taken down|no such")


BOT_WALL_PHRASES = (
    "just a moment", "attention required! | cloudflare", "checking your browser", "verify you are human",
    "verifying you are human", "are you a robot", "ddos-guard", "please enable cookies and reload",
    "pardon our interruption", "security check to access", "complete the captcha",
    "access to this page has been denied",
)  # fmt: skip


def normalize_text(text: str) -> str:
    """Lower case without accents, blanks made one: page titles and movie titles are compared like this."""
    plain = html.unescape(text)
    if plain.isascii():  # Nearly all; letter by letter is slow.
        return " ".join(plain.lower().split())
    plain = unicodedata.normalize("NFKD", plain).casefold().replace("’", "'")
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


@dataclass(frozen=True, slots=True)
class PageText:
    """What a page says: its title and first headings; and its whole text when that is short and without a player.

    `has_player` is looked for only where a heading may say that there is nothing.
    """

    headings: tuple[str, ...] = ()
    body_text: str = ""
    has_player: bool = False


def parse_page(body: bytes) -> PageText:
    text = body.decode("utf-8", "replace")
    if "<" not in text:
        return PageText((), _if_short(text))
    headings = _headings(text, text)
    if SUSPICIOUS_WORDS.search("\n".join(headings)):
        return _parse_suspicious(text)
    return PageText(headings, _body_text(text))


def _headings(text: str, seen: str) -> tuple[str, ...]:
    found = [*islice(TITLE.finditer(text), 1), *islice(HEADING.finditer(seen), 3)]
    return tuple(normalize_text(TAGS.sub(" ", match[1])) for match in found)


def _parse_suspicious(text: str) -> PageText:
    """A page whose headings may say that there is nothing. Scripts, templates and comments keep such headings ready
    that nobody sees, and beside a player they wait hidden."""
    lower = text.lower()
    seen = _visible_text(text, lower)
    has_player = PLAYER.search(seen.lower()) is not None or any(name in lower for name in PLAYERS_NAMED)
    return PageText(_headings(text, seen), _body_text(text), has_player)


def _body_text(text: str) -> str:
    """What a page without a player says when that is short. Most are long already in their beginning: the rest of them,
    in which a player would have to be looked for, is not read."""
    if len(text) > HEAD_BYTES:
        start = text[: text.rfind("<", 0, HEAD_BYTES)]
        if len(" ".join(TAGS.sub(" ", _visible_text(start, start.lower())).split())) > MAX_SHORT_TEXT:
            return ""
    lower = text.lower()
    if PLAYER.search(lower) or any(name in lower for name in PLAYERS_NAMED):
        return ""
    return _if_short(TAGS.sub(" ", _visible_text(text, lower)))


def _if_short(text: str) -> str:
    """A running text that is short, folded; of a long one nothing."""
    if len(text) > HEAD_BYTES and len(" ".join(text[:HEAD_BYTES].split())) > MAX_SHORT_TEXT:
        return ""
    running = " ".join(text.split())
    return normalize_text(running) if len(running) <= MAX_SHORT_TEXT else ""


def is_bot_wall(page: PageText, *, title: str) -> bool:
    """Whether a page wants proof of a human; a film may be called "Just a Moment"."""
    if not page.headings and not page.body_text:
        return False
    said = " ".join([*page.headings, page.body_text])
    if not any(wall in said for wall in BOT_WALL_PHRASES):
        return False
    said = " ".join(_remove_title(line, normalize_title(title)) for line in [*page.headings, page.body_text])
    return any(wall in said for wall in BOT_WALL_PHRASES)


def is_geo_blocked(page: PageText) -> bool:
    """Whether a page says that people elsewhere may watch: the film is there, but not for us."""
    said = "\n".join([*page.headings, page.body_text])
    return "available" in said and GEO_BLOCK_PHRASES.search(said) is not None


def normalize_title(title: str) -> str:
    """A movie's title as pages are searched for it: folded, without the year."""
    film = normalize_text(title)
    return YEAR.sub("", film) or film


def mentions_film(page: PageText, title: str) -> bool:
    """Whether the title or a heading of a page names the movie."""
    film = normalize_title(title)
    return any(_remove_title(line, film) != line for line in page.headings)


def _title_is_film(page: PageText, film: str) -> bool:
    """Whether the page's title names this film by itself: `Nosferatu (1922) | Films`, not `404 Not Found`."""
    parts = SPLIT.split(page.headings[0]) if film and page.headings else []
    return any(YEAR.sub("", part.strip()) == film for part in parts)


def is_soft_404(page: PageText, *, title: str) -> bool:
    """Whether a page that was sent with 200 says "not found", "removed" or "unavailable".

    The movie's own title is taken out first: films are called "404", "Gone" and "Not Found". So are episodes: a page
    that names the movie and holds a player is believed. A page's running text is only read when it is short and holds
    no player, for a synopsis may tell of things that were removed.
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
    """The text without scripts, styles, comments and head; by hand, for a pattern would go over hostile pages again and
    again."""
    if len(lower) != len(text):  # Some letters grow when lowered; places would not agree.
        text = lower
    kept, here = [], 0
    for opening in HIDDEN_ELEMENTS.finditer(text):
        if opening.start() < here:
            continue
        kept.append(text[here : opening.start()])
        ending = "-->" if opening[1] == "!--" else f"</{opening[1].lower()}"
        here = lower.find(ending, opening.end())
        if here < 0:
            return "".join(kept)
    return "".join([*kept, text[here:]])


def _remove_title(line: str, title: str) -> str:
    if not title or title not in line:
        return line
    return re.sub(rf"(?<!\w){re.escape(title)}(?!\w)", " \n ", line).strip(" ")
