"""Reading what a server sent: is it a video, and does a page say that there is nothing? Pure."""

from __future__ import annotations

import html
import re
import unicodedata
import zlib
from dataclasses import dataclass
from itertools import islice

MOST_TEXT = 400
BEGINNING = 8 * 1024
MOST_OPENED = 64 * 1024
MEDIA_TYPES = (
    "video/", "audio/", "application/vnd.apple.mpegurl", "application/x-mpegurl", "application/mpegurl",
    "application/dash+xml", "application/ogg", "application/mp4", "application/x-matroska",
    "application/vnd.ms-sstr+xml",
)  # fmt: skip
OTHER_TYPES = (
    "image/", "font/", "text/css", "text/javascript", "application/json", "application/pdf", "application/zip",
    "application/javascript",
)  # fmt: skip
MARKUP_TYPES = ("text/html", "application/xhtml+xml")
MEDIA_STARTS = (
    b"\x1aE\xdf\xa3", b"OggS", b"FLV", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"0&\xb2u", b"ID3", b"fLaC",
)  # fmt: skip
MANIFESTS = (b"<MPD", b"<SmoothStreamingMedia")
NOT_MEDIA = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b")

TAGS = re.compile(r"<[^<>]{0,4000}>")
UNSEEN = re.compile(r"<(!--|(?:script|style|noscript|template|svg|head)\b)", re.I)
TITLE = re.compile(r"<title\b[^<>]{0,300}>(.{0,300}?)</title", re.S | re.I)
HEADING = re.compile(r"<h[12]\b[^<>]{0,300}>(.{0,300}?)</h[12]", re.S | re.I)
PLAYER = re.compile(r"<(?:video|audio|iframe|embed|object)")
PLAYERS_NAMED = ("og:video", "videoobject")
SPLIT = re.compile(r"[|·•:»–—\n]| - ")
YEAR = re.compile(r" \([0-9]{4}\)\Z")

THINGS = "page|file|video|item|content|document|recording|upload|resource|url|address"
FILMS = "movie|film|title|stream|media|show|episode"
NOT = "could not|cannot|can not|can't|couldn't|was not|is not|isn't|wasn't|not"
WHOLE = re.compile(
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


def _denial(things: str) -> re.Pattern[str]:
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
DENIAL_IN_HEADING = _denial(f"{THINGS}|{FILMS}")
DENIAL_IN_TEXT = _denial(THINGS)
UNAVAILABLE = r"(?:un|not |isn't |no longer )available(?: to (?:watch|stream)| for (?:viewing|streaming))?"
ABROAD = re.compile(
    rf"\b{UNAVAILABLE} (?:in|from) (?:your|this) (?:current |geographic |geographical )?"
    r"(?:country|region|location|area|territory)\b"
    rf"|\b(?:{THINGS}|{FILMS}) (?:is )?(?:currently )?{UNAVAILABLE} (?:outside|where you (?:are|live))\b"
)
# A word of each of those sentences: a page without any says none of them, which most need no closer look to tell.
HINT = re.compile(r"404|410|gone|found|find|availab|exist|remov|delet|no longer|taken down|no such")
WALLS = (
    "just a moment", "attention required! | cloudflare", "checking your browser", "verify you are human",
    "verifying you are human", "are you a robot", "ddos-guard", "please enable cookies and reload",
    "pardon our interruption", "security check to access", "complete the captcha",
    "access to this page has been denied",
)  # fmt: skip


def fold(text: str) -> str:
    """Lower case without accents, blanks made one: page titles and movie titles are compared like this."""
    plain = html.unescape(text)
    if plain.isascii():  # Nearly all; letter by letter is slow.
        return " ".join(plain.lower().split())
    plain = unicodedata.normalize("NFKD", plain).casefold().replace("’", "'")
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


def is_media_type(content_type: str) -> bool:
    return content_type.startswith(MEDIA_TYPES)


def opened(body: bytes) -> bytes:
    """A body that came packed although we asked for none: some servers hand out what they have stored."""
    if body[:2] != b"\x1f\x8b":
        return body
    try:
        return zlib.decompressobj(31).decompress(body, MOST_OPENED) or body
    except zlib.error:
        return body


def is_markup(content_type: str, body: bytes) -> bool:
    """Whether this is a web page, whatever type it was sent as."""
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return content_type.startswith(MARKUP_TYPES) or start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def is_media(body: bytes) -> bool:
    """Whether the first bytes are a film's: mp4, webm, mkv, ogg, avi, flv, MPEG, wmv, mp3, HLS, DASH or Smooth."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    return body.startswith(MEDIA_STARTS) or (
        body[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp")
        or (body.startswith(b"RIFF") and body[8:12] in (b"AVI ", b"WAVE"))
        or (body[:1] == b"G" and body[188:189] == b"G" and body[376:377] in (b"G", b""))
        or start.startswith(b"#EXTM3U")
        or (start.startswith(b"<") and any(name in start[:2048] for name in MANIFESTS))
    )


def is_other_thing(body: bytes) -> bool:
    """Whether the first bytes are surely no film: a document, picture or archive, or plain text."""
    if body.startswith(NOT_MEDIA):
        return True
    start = body[:512]
    return bool(start) and all(byte >= 32 or byte in (9, 10, 13) for byte in start)


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says: its title and first headings; and its whole text when that is short and without a player.

    `has_player` is looked for only where a heading may say that there is nothing.
    """

    headings: tuple[str, ...] = ()
    running: str = ""
    has_player: bool = False


def read_page(body: bytes) -> Page:
    text = body.decode("utf-8", "replace")
    if "<" not in text:
        return Page((), _short(text))
    headings = _headings(text, text)
    if HINT.search("\n".join(headings)):
        return _doubted(text)
    return Page(headings, _running(text))


def _headings(text: str, seen: str) -> tuple[str, ...]:
    found = [*islice(TITLE.finditer(text), 1), *islice(HEADING.finditer(seen), 3)]
    return tuple(fold(TAGS.sub(" ", match[1])) for match in found)


def _doubted(text: str) -> Page:
    """A page whose headings may say that there is nothing. Scripts, templates and comments keep such headings ready
    that nobody sees, and beside a player they wait hidden."""
    lower = text.lower()
    seen = _seen(text, lower)
    has_player = PLAYER.search(seen.lower()) is not None or any(name in lower for name in PLAYERS_NAMED)
    return Page(_headings(text, seen), _running(text), has_player)


def _running(text: str) -> str:
    """What a page without a player says when that is short. Most are long already in their beginning: the rest of them,
    in which a player would have to be looked for, is not read."""
    if len(text) > BEGINNING:
        start = text[: text.rfind("<", 0, BEGINNING)]
        if len(" ".join(TAGS.sub(" ", _seen(start, start.lower())).split())) > MOST_TEXT:
            return ""
    lower = text.lower()
    if PLAYER.search(lower) or any(name in lower for name in PLAYERS_NAMED):
        return ""
    return _short(TAGS.sub(" ", _seen(text, lower)))


def _short(text: str) -> str:
    """A running text that is short, folded; of a long one nothing."""
    if len(text) > BEGINNING and len(" ".join(text[:BEGINNING].split())) > MOST_TEXT:
        return ""
    running = " ".join(text.split())
    return fold(running) if len(running) <= MOST_TEXT else ""


def is_bot_wall(page: Page, *, title: str) -> bool:
    """Whether a page wants proof of a human; a film may be called "Just a Moment"."""
    if not page.headings and not page.running:
        return False
    said = " ".join([*page.headings, page.running])
    if not any(wall in said for wall in WALLS):
        return False
    said = " ".join(_without(line, film_of(title)) for line in [*page.headings, page.running])
    return any(wall in said for wall in WALLS)


def is_for_others(page: Page) -> bool:
    """Whether a page says that people elsewhere may watch: the film is there, but not for us."""
    said = "\n".join([*page.headings, page.running])
    return "available" in said and ABROAD.search(said) is not None


def film_of(title: str) -> str:
    """A movie's title as pages are searched for it: folded, without the year."""
    film = fold(title)
    return YEAR.sub("", film) or film


def names_film(page: Page, title: str) -> bool:
    """Whether the title or a heading of a page names the movie."""
    film = film_of(title)
    return any(_without(line, film) != line for line in page.headings)


def _is_of(page: Page, film: str) -> bool:
    """Whether the page's title names this film by itself: `Nosferatu (1922) | Films`, not `404 Not Found`."""
    parts = SPLIT.split(page.headings[0]) if film and page.headings else []
    return any(YEAR.sub("", part.strip()) == film for part in parts)


def says_nothing_here(page: Page, *, title: str) -> bool:
    """Whether a page that was sent with 200 says "not found", "removed" or "unavailable".

    The movie's own title is taken out first: films are called "404", "Gone" and "Not Found". So are episodes: a page
    that names the movie and holds a player is believed. A page's running text is only read when it is short and holds
    no player, for a synopsis may tell of things that were removed.
    """
    if not HINT.search("\n".join([*page.headings, page.running])):
        return False
    film = film_of(title)
    if page.has_player and _is_of(page, film):
        return False
    lines = [_without(line, film) for line in page.headings]
    parts = [part.strip(" .!?-") for line in lines for part in SPLIT.split(line)]
    return (
        any(WHOLE.fullmatch(part) for part in parts)
        or any(DENIAL_IN_HEADING.search(line) for line in lines)
        or bool(DENIAL_IN_TEXT.search(_without(page.running, film)))
    )


def _seen(text: str, lower: str) -> str:
    """The text without scripts, styles, comments and head; by hand, for a pattern would go over hostile pages again and
    again."""
    if len(lower) != len(text):  # Some letters grow when lowered; places would not agree.
        text = lower
    kept, here = [], 0
    for opening in UNSEEN.finditer(text):
        if opening.start() < here:
            continue
        kept.append(text[here : opening.start()])
        ending = "-->" if opening[1] == "!--" else f"</{opening[1].lower()}"
        here = lower.find(ending, opening.end())
        if here < 0:
            return "".join(kept)
    return "".join([*kept, text[here:]])


def _without(line: str, title: str) -> str:
    if not title or title not in line:
        return line
    return re.sub(rf"(?<!\w){re.escape(title)}(?!\w)", " \n ", line).strip(" ")
