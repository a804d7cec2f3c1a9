"""Read a web page: its title, first headings and main text, as a visitor sees them. Pure."""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from streaming.health.judging.phrases import is_suspicious, is_suspicious_heading, normalize_text

MAX_SHORT_TEXT = 400
FIRST_BYTES, HEAD_BYTES = 2 * 1024, 8 * 1024
MAX_HEADINGS = 3
TAGS = re.compile(r"<[^<>]{0,4000}>")
# These are for text in lower case: to ignore case costs several times the time.
UNREAD_ELEMENTS = re.compile(r"<(!--|(?:script|style|noscript|noframes|template|svg|head)\b)")
TITLELESS_ELEMENTS = re.compile(r"<(!--|(?:script|style|noscript|template|svg)\b)")
"""What may hold the title of something else than the page: of a picture, or of what a program shows later."""
TITLE = re.compile(r"<title\b[^<>]{0,300}>(.{0,300}?)</title", re.S)
HEADING = re.compile(r"<h[12]\b[^<>]{0,300}>(.{0,300}?)</h[12]", re.S)
LINKED_HEADING = re.compile(r"<a\s[^<>]{0,2000}>\s{0,20}<h[1-6]\b[^<>]{0,300}>[^<>]{0,300}</h[1-6]", re.I)
LINK_OR_HEADING = re.compile(rf"<a[\s>]|</a\b|{HEADING.pattern}", re.S)
PLAYER = re.compile(r"<(?:video|audio|iframe|embed|object)")
PLAYERS_NAMED = ("og:video", "videoobject")
TAG = re.compile(r"<(?:(!--)|(/?)([a-z][a-z0-9-]{0,30})([^<>]{0,4000})>)", re.I)
RAW_ELEMENTS = frozenset({"script", "style", "noscript", "noframes", "template", "svg", "head", "textarea"})
SIDE_ELEMENTS = frozenset({"nav", "aside", "footer", "dialog", "select", "menu", "button", "label"})
WHOLE_ELEMENTS = frozenset({"html", "body", "main", "article", "h1", "h2"})
VOID_ELEMENTS = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
HIDDEN_ATTRIBUTE = re.compile(
    r"(?:[\s\"'=]|\A)(?:(?:is|js|u|uk|vjs|elementor|slds|mdc|ui)-hidden|hidden|d-none|display-none|(?:ng-|js-|is-)?hide"
    r"|invisible|inert)(?=[\s\"'=/]|\Z)|aria-hidden\s{0,3}=\s{0,3}[\"']?true"
    r"|display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}(?:hidden|collapse)",
    re.I,
)
TEMPLATE_ATTRIBUTE = re.compile(
    r"(?:\s|\A)(?:x-cloak|v-cloak|ng-cloak|x-show|v-show|ng-show|v-if|v-else|ng-if|x-if)(?=[\s=/-]|\Z)", re.I
)
"""Of parts that a program shows when it needs them."""
UNSEEN_ATTRIBUTE = re.compile(
    r"(?:[\s\"'=]|\A)(?:sr-only|visually-?hidden|screen-reader(?:-text)?|element-invisible|off-?screen"
    r"|collapse(?!\s{1,5}(?:show|in)\b))(?=[\s\"'/]|\Z)"
    r"|opacity\s{0,3}:\s{0,3}0(?:\.0{1,5})?(?![.0-9])|(?:left|top|text-indent)\s{0,3}:\s{0,3}-[0-9]{3,6}",
    re.I,
)
"""Of parts that only screen readers get, that are folded, or that are put beside the screen."""
SIDE_ATTRIBUTE = re.compile(
    r"\b(?:comments?|related|recommend(?:ed|ations?)|similar|sidebar|cookies?|consent|modal|toast|reviews?"
    r"|replies|disqus|guestbook|reactions)\b",
    re.I,
)
CHARSET = re.compile(r"charset\s{0,5}=\s{0,5}[\"']?\s{0,5}([a-z0-9_:.-]{2,40})", re.I)
BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Other codecs of Python do not decode to text, or take very long.
WEB_ENCODINGS = re.compile(
    r"utf-(?:8|16(?:-[lb]e)?)|iso8859-[0-9]{1,2}|cp(?:125[0-8]|866|874|932|949)|koi8-[ru]|mac-(?:roman|cyrillic)|gbk"
    r"|gb2312|gb18030|big5|euc_(?:jp|kr)|shift_jis|iso2022_jp"
)
META_BYTES = 1024
GUESSED_BYTES = 4096
KANA = re.compile(r"[\u3041-\u30fe]")
FOREIGN_WORDS = re.compile(rb"[\xc0-\xff]{3,40}")
"""Three letters in a row that are not ASCII: hardly ever in languages of Latin letters."""
MIN_KANA, MIN_FOREIGN_LETTERS = 2, 6
MAX_PLAIN_HEADING = 80
BLOCK_ENDS = re.compile(r"</(?:h[1-6]|p|div|li|dt|dd|td|section|header|main|article|title)\b[^<>]{0,100}>", re.I)


@dataclass(frozen=True, slots=True)
class PageText:
    """The normalized text of a page.

    `headings`: its title and first headings. `body_text`: its main text if that is short and there is no player, else
    empty. `is_suspicious`: one of them has a word of the phrases. `has_player`, `has_long_text`: determined only if a
    heading may say that the film is missing. `source`: the whole page as it was sent, decoded.
    """

    headings: tuple[str, ...] = ()
    body_text: str = ""
    has_player: bool = False
    has_long_text: bool = False
    is_suspicious: bool = False
    source: str = ""


def parse_page(body: bytes, content_type: str = "") -> PageText:
    """Parse a page, of which the first bytes are enough; `content_type` is the header, for its charset."""
    text = decode_page(body, content_type)
    if "<" not in text:
        return _plain_page(text)
    lower = text.lower()
    headings = _headings(lower)
    if is_suspicious_heading("\n".join(headings)):
        return _parse_suspicious(text, lower)
    body_text = _body_text(lower)
    if not (body_text and is_suspicious(body_text)):
        return PageText(headings, body_text, source=text)
    # Slow, and hardly any page needs it.
    body_text = _if_short(_text_of(LINKED_HEADING.sub(" ", visible_markup(text))))
    return PageText(headings, body_text, is_suspicious=is_suspicious(body_text), source=text)


def _plain_page(text: str) -> PageText:
    """Parse a text without markup: one line is all it says, as a heading."""
    short_text = _if_short(text)
    headings = (short_text,) if 0 < len(short_text) <= MAX_PLAIN_HEADING and "\n" not in text.strip() else ()
    return PageText(headings, short_text, is_suspicious=is_suspicious(short_text), source=text)


# --- bytes to text
def decode_page(body: bytes, content_type: str = "") -> str:
    """Decode a page by its byte order mark, its header or its `meta` element, in this order; else as UTF-8.

    What is stated as Latin-1 and is UTF-8 is read as such, for that is what servers state of everything; what is stated
    nowhere and is no UTF-8 is guessed.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    stated = _header_encoding(content_type) or _meta_encoding(body)
    if stated.startswith("utf-16") and b"\0" not in body[:META_BYTES]:
        stated = ""  # Its ASCII letters can be read, so it is not.
    if stated in ("", "utf-8", "cp1252") and (body.isascii() or _is_utf_8(body)):
        stated = "utf-8"
    return body.decode(stated or _guessed_encoding(body), "replace")


def _header_encoding(content_type: str) -> str:
    stated = CHARSET.search(content_type) if "=" in content_type else None
    return _web_encoding(stated[1]) if stated else ""


def _meta_encoding(body: bytes) -> str:
    stated = CHARSET.search(body[:META_BYTES].decode("ascii", "replace"))
    encoding = _web_encoding(stated[1]) if stated else ""
    return "utf-8" if encoding.startswith("utf-16") else encoding  # Its ASCII letters were readable.


def _is_utf_8(body: bytes) -> bool:
    """Return whether a body is UTF-8, of which the last letter may be cut off."""
    return _is_encoded(body[:GUESSED_BYTES], "utf-8")


def _guessed_encoding(body: bytes) -> str:
    """Return the likely encoding of a body that states none: of its first letters that are not ASCII.

    Japanese is known by its kana, Cyrillic by its words; most letters are lower-case ones, which are where the other
    encoding of Cyrillic has its upper-case ones.
    """
    sample = body[:GUESSED_BYTES]
    for encoding in ("shift_jis", "euc_jp"):
        if _is_encoded(sample, encoding) and len(KANA.findall(sample.decode(encoding, "ignore"))) >= MIN_KANA:
            return encoding
    words = b"".join(FOREIGN_WORDS.findall(sample))
    if len(words) < MIN_FOREIGN_LETTERS:
        return "cp1252"
    small = sum(letter >= 0xE0 for letter in words)
    return "cp1251" if 2 * small >= len(words) else "koi8-r"


def _is_encoded(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _web_encoding(name: str) -> str:
    """Return Python's name of an encoding of web pages; empty if it is none. Latin-1 means Windows-1252 on the web."""
    if name.lower() in ("utf-8", "utf8"):
        return "utf-8"
    try:
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    if codec in ("iso8859-1", "ascii"):
        return "cp1252"
    return codec if WEB_ENCODINGS.fullmatch(codec) else ""


# --- headings and text
def _headings(lower: str) -> tuple[str, ...]:
    """Return the normalized title and first headings of a page in lower case."""
    found = [*islice(TITLE.finditer(lower), 1), *islice(HEADING.finditer(lower), MAX_HEADINGS)]
    return tuple(normalize_text(TAGS.sub(" ", match[1])) for match in found)


def _parse_suspicious(text: str, lower: str) -> PageText:
    """Parse a page whose headings may say that the film is missing; `lower` is its text in lower case.

    Headings that are hidden, beside the main text or in scripts are left out, and those that are links: they name other
    films. Below a long text only the first heading is read.
    """
    visible = visible_markup(text)
    visible_lower = visible.lower()
    has_player = PLAYER.search(visible_lower) is not None or any(name in lower for name in PLAYERS_NAMED)
    main_text = html.unescape(" ".join(_text_of(LINKED_HEADING.sub(" ", visible)).split()))
    is_long = len(main_text) > MAX_SHORT_TEXT
    titles = islice(TITLE.finditer(_without(TITLELESS_ELEMENTS, lower)), 1)
    title = [normalize_text(TAGS.sub(" ", match[1])) for match in titles]
    headings = list(islice(_unlinked_headings(visible_lower), 1 if is_long else MAX_HEADINGS))
    body_text = "" if has_player or is_long else normalize_text(main_text)
    return PageText((*title, *headings), body_text, has_player, is_long, is_suspicious=True, source=text)


def _unlinked_headings(visible_lower: str) -> Iterator[str]:
    """Yield the headings that are no links, and are not within one: those name other films."""
    is_linked = False
    for match in LINK_OR_HEADING.finditer(visible_lower):
        if match[1] is None:
            is_linked = match[0][1] == "a"
        elif not is_linked and "<a " not in match[1]:
            yield normalize_text(TAGS.sub(" ", match[1]))


def _body_text(lower: str) -> str:
    """Return the text of a page if it is short and there is no player, else an empty string; hidden text included.

    The page is in lower case. A player is looked for first: that costs 1 us, and most pages of films have one. Most
    others are long already in their first bytes, of which removing the tags costs 70 us.
    """
    if _names_player(lower):
        return ""
    for size in (FIRST_BYTES, HEAD_BYTES):
        if len(lower) <= size:
            break
        start = lower[:size]
        if start.rfind("<") > start.rfind(">"):
            start = start[: start.rfind("<")]
        if len(" ".join(TAGS.sub(" ", _read_text(start)).split())) > MAX_SHORT_TEXT:
            return ""
    return _if_short(TAGS.sub(" ", _read_text(lower)))


def has_player(page: PageText) -> bool:
    """Return whether a page has a player, or names one in its metadata."""
    return _names_player(page.source.lower())


def has_visible_player(page: PageText) -> bool:
    """Return whether a page has a player that visitors see."""
    return PLAYER.search(visible_markup(page.source).lower()) is not None


def _names_player(lower: str) -> bool:
    """Return whether a page in lower case has a player, hidden ones included, or names one in its metadata."""
    return any(name in lower for name in PLAYERS_NAMED) or PLAYER.search(lower) is not None


def visible_text(page: PageText) -> str:
    """Return the normalized main text of a page, however long."""
    return normalize_text(TAGS.sub(" ", visible_markup(page.source)))


def _text_of(markup: str) -> str:
    """Return the text of markup; a paragraph or heading ends a sentence."""
    return TAGS.sub(" ", BLOCK_ENDS.sub(" . ", markup))


def _if_short(text: str) -> str:
    """Return a short text, normalized, or an empty string for a long one."""
    if len(text) > HEAD_BYTES and len(" ".join(text[:HEAD_BYTES].split())) > MAX_SHORT_TEXT:
        return ""
    words = " ".join(text.split())
    return normalize_text(words) if len(words) <= MAX_SHORT_TEXT else ""


def _read_text(lower: str) -> str:
    """Return a text in lower case without scripts, styles, comments and head."""
    return _without(UNREAD_ELEMENTS, lower)


def _without(elements: re.Pattern[str], lower: str) -> str:
    """Return a text in lower case without these elements.

    Not by one pattern, which would take quadratic time on hostile pages.
    """
    visible, position = [], 0
    for opening in elements.finditer(lower):
        if opening.start() < position:
            continue
        visible.append(lower[position : opening.start()])
        position = lower.find("-->" if opening[1] == "!--" else f"</{opening[1]}", opening.end())
        if position < 0:
            return "".join(visible)
    return "".join([*visible, lower[position:]])


# --- what a visitor sees
def visible_markup(text: str) -> str:
    """Return the markup of the main text: without what is hidden, beside it, or in scripts and comments."""
    return _VisibleMarkup(text).read()


class _VisibleMarkup:
    """One pass over the tags of a page; `skipped` is the element that is left out, `depth` how often it is open."""

    def __init__(self, text: str) -> None:
        lower = text.lower()
        self.text, self.lower = (text, lower) if len(lower) == len(text) else (lower, lower)
        self.pieces: list[str] = []
        self.position, self.skipped, self.depth = 0, "", 0

    def read(self) -> str:
        for tag in TAG.finditer(self.text):
            if tag.start() < self.position:
                continue  # Within a script or comment.
            if not self.skipped:
                self.pieces.append(self.text[self.position : tag.start()])
                self.position = tag.start()
            if not self._pass(tag):
                return " ".join(self.pieces)
        if not self.skipped:
            self.pieces.append(self.text[self.position :])
        return " ".join(self.pieces)

    def _pass(self, tag: re.Match[str]) -> bool:
        """Move behind this tag, or behind its element if that has no text for visitors; False if it never ends."""
        name = (tag[3] or "").lower()
        if tag[1] or (name in RAW_ELEMENTS and not tag[2]):
            self.position = self.lower.find("-->" if tag[1] else f"</{name}", tag.end())
            return self.position >= 0
        if self.skipped:
            self._count(tag, name)
        elif not tag[2] and name not in VOID_ELEMENTS and _is_beside(name, tag[4]):
            self.skipped, self.depth = name, 1
        return True

    def _count(self, tag: re.Match[str], name: str) -> None:
        """Follow how often the skipped element is open; it may contain others of its name."""
        if name == self.skipped:
            self.depth += -1 if tag[2] else 1
        if self.depth == 0:
            self.skipped = ""
        self.position = tag.end()


def _is_beside(name: str, attributes: str) -> bool:
    """Return whether an element is hidden, or beside the main text."""
    if name in SIDE_ELEMENTS or HIDDEN_ATTRIBUTE.search(attributes):
        return True
    return name not in WHOLE_ELEMENTS and (
        SIDE_ATTRIBUTE.search(attributes) is not None
        or TEMPLATE_ATTRIBUTE.search(attributes) is not None
        or UNSEEN_ATTRIBUTE.search(attributes) is not None
    )
