"""Does a web page say that its film is missing, private, blocked here, or only away for a while? Pure."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from streaming.health.judging import phrases
from streaming.health.judging.page_text import PageText, visible_text
from streaming.health.judging.phrases import Sentences, normalize_text
from streaming.health.judging.site_pages import SERVER_PAGES, SitePage, site_page

SPLIT = re.compile(r"[|·•:»–—\n]| - ")
YEAR = re.compile(r" \([0-9]{4}\)\Z")
TRIMMED = " .!?-。！…"
MAX_NOTICE = 240
PROGRAM_ROOT = re.compile(r"<div id=[\"']?(?:root|app|__next|__nuxt|svelte)[\"']?\s{0,3}>\s{0,9}</div>", re.I)
"""Where a page that is one program will put its film."""
QUESTION_MARKS = ("?", "？")
SENTENCE_ENDS = ".!?\n。！？"
SENTENCE_END = re.compile(f"[{SENTENCE_ENDS}]")
MAX_WORDS_BESIDE, MAX_LETTERS_BESIDE = 3, 8
"""So much may stand before and behind a sentence that says of a page's text all there is to say."""
ANNOUNCED = re.compile(r"\bwill be (?:\w{1,12} )?\Z")
"""What will be so is not so yet."""
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
    lines = page.headings or (page.body_text,)  # Data and plain texts have no headings.
    return any(film in line and remove_title(line, film) != line for line in lines)


def is_soft_404(page: PageText, *, title: str) -> Denial:
    """Return whether a page that was sent with status 200 says "not found", "removed" or "private".

    The movie's title is removed first, because films are called "404", "Gone" and "Not Found". So are episodes: a page
    with the movie's title and a player, or a long text, is judged by whole sentences at most. The text below the
    headings is only read if it is short and there is no player, because a synopsis may be about things that were
    removed: its sentence must speak of this page's film, or be the whole of what is said. Where the page names the
    film, it remains doubtful.
    """
    if not page.is_suspicious:
        return Denial.NONE
    film = normalize_title(title)
    is_film_page = _title_is_film(page, film)
    if page.has_player and is_film_page:
        return Denial.NONE
    lines = [remove_title(line, film) for line in page.headings]
    spoken = phrases.spoken_in(_text(page))
    # Below a film's own headings, what is no sentence names other films.
    own = [] if is_film_page and page.has_long_text else lines[:2] if is_film_page else lines
    if _has_whole_title(own, spoken) or _denies(lines[:3] if is_film_page else lines, spoken):
        return Denial.CERTAIN
    return _denial_in_text(remove_title(page.body_text, film), spoken, names_film=mentions_film(page, title))


def is_not_yet(page: PageText) -> bool:
    """Return whether a page that says "unavailable" says in a sentence that this is so until later.

    What does not exist yet is missing.
    """
    text = _text(page)
    spoken = [one for one in phrases.spoken_in(text) if one.not_yet.search(text)]
    return bool(spoken) and any(
        one.not_yet.search(sentence) and phrases.AVAILABILITY.search(sentence)
        for sentence in SENTENCE_END.split(text)
        for one in spoken
    )


def is_only_now(page: PageText) -> bool:
    """Return whether a page says "unavailable" of now, as in an outage, and of nothing that it is so for good."""
    text = _text(page)
    spoken = phrases.spoken_in(text)
    sentences = [sentence for sentence in SENTENCE_END.split(text) if phrases.AVAILABILITY.search(sentence)]
    if any(phrases.EXPIRED.search(sentence) for sentence in sentences):
        return False
    if not any(one.now.search(sentence) for one in spoken for sentence in sentences):
        return False
    denied = [sentence_at(text, match) for one in spoken for match in one.heading_denial.finditer(text)]
    return all(any(one.now.search(sentence) for one in spoken) for sentence in denied)


def is_barred(page: PageText) -> bool:
    """Return whether a page that says "unavailable" says for whom: not for us, or not in a player of another site."""
    return phrases.BARRED.search(_text(page)) is not None


def is_page_of_film(page: PageText, title: str) -> bool:
    """Return whether a part of a page's title is the film's."""
    return _title_is_film(page, normalize_title(title))


def is_suspicious_beside_film(page: PageText, *, title: str) -> bool:
    """Return whether a heading, without the movie's title, has a word of the phrases."""
    film = normalize_title(title)
    return phrases.is_suspicious("\n".join(remove_title(line, film) for line in page.headings))


def is_program(page: PageText) -> bool:
    """Return whether a page has nothing for visitors but the place of a program."""
    return PROGRAM_ROOT.search(page.source) is not None or ("<script" in page.source and not visible_text(page))


def is_geo_blocked(page: PageText, *, title: str) -> bool:
    """Return whether a page says that the film can be watched only in other regions.

    A heading may say so in any words but a question; a text must say it of a film, not of its subtitles or its DVD.
    """
    if not page.is_suspicious:
        return False
    film = normalize_title(title)
    headings = [line for line in page.headings if not (line.endswith(QUESTION_MARKS) or phrases.SOME.search(line))]
    lines = [remove_title(line, film) for line in headings]
    return any(
        any(sentences.abroad.search(line) for line in lines)
        or _says_abroad(remove_title(page.body_text, film), sentences)
        for sentences in phrases.spoken_in(_text(page))
    )


def is_temporary(page: PageText, *, title: str) -> bool:
    """Return whether a page only says that the site is away for a while, or busy."""
    if page.has_player or not page.is_suspicious:
        return False
    text = _text(page)
    spoken = [one for one in phrases.spoken_in(text) if one.later.search(text)]
    if not spoken:
        return False
    film = normalize_title(title)
    # A longer text has a film in it as well, and programs keep what they say of errors beside the place of the film.
    is_notice = len(page.body_text) <= MAX_NOTICE and PROGRAM_ROOT.search(page.source) is None
    short_text = page.body_text if is_notice else ""
    headings = page.headings[:1] if page.has_long_text else page.headings
    lines = [remove_title(line, film) for line in (*headings, short_text)]
    return not (film and _title_is_film(page, film)) and any(
        not ANNOUNCED.search(line[max(0, match.start() - 20) : match.start()]) and _is_said(match, line, one)
        for one in spoken
        for line in lines
        if (match := one.later.search(line))
    )


def site_page_instead(page: PageText, *, title: str) -> SitePage | None:
    """Return what page of its site or server this is, if it is none of a film: by its title.

    With a player it is no gate. A default page or an outage may say so in its first heading, too; living pages ask
    visitors to sign in there.
    """
    film = normalize_title(title)
    if _title_is_film(page, film) or (page.has_player and page.has_long_text):
        return None
    lines = [remove_title(line, film) for line in page.headings[:2]]
    if found := site_page(lines, kinds=SERVER_PAGES):
        return found
    return None if page.has_player else site_page(lines[:1])


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
    kept, position = [], 0
    start = line.find(title)
    while start >= 0:
        end = start + len(title)
        if is_whole := not (_is_letter(line[start - 1 : start]) or _is_letter(line[end : end + 1])):
            kept.append(line[position:start])
            position = end
        start = line.find(title, end if is_whole else start + 1)
    return " \n ".join([*kept, line[position:]]).strip(" ")


def _is_letter(character: str) -> bool:
    """Return whether a character is one of a word; the empty string is none."""
    return character.isalnum() or character == "_"


def _text(page: PageText) -> str:
    return "\n".join([*page.headings, page.body_text])


def _title_is_film(page: PageText, film: str) -> bool:
    """Return whether a part of the page's title is the film's: `Nosferatu (1922) | Films`, not `404 Not Found`."""
    parts = SPLIT.split(page.headings[0]) if film and page.headings else []
    return any(YEAR.sub("", part.strip()) == film for part in parts)


def _has_whole_title(lines: list[str], spoken: tuple[Sentences, ...]) -> bool:
    parts = [part.strip(TRIMMED) for line in lines for part in SPLIT.split(line)]
    return any(sentences.whole_title.fullmatch(part) for sentences in spoken for part in parts)


def _denies(lines: list[str], spoken: tuple[Sentences, ...]) -> bool:
    """Return whether one of these headings is a sentence that says that the film is missing or private."""
    # With a year it is the title of another film.
    asserting = [line for line in lines if not line.endswith(QUESTION_MARKS) and not YEAR.search(line)]
    return any(
        sentences.private.search(line)
        or any(_is_said(match, line, sentences) for match in sentences.heading_denial.finditer(line))
        for sentences in spoken
        for line in asserting
    )


def _is_question(text: str, match: re.Match[str]) -> bool:
    """Return whether the sentence of a text in which a match ends is a question."""
    end = next((letter for letter in text[match.end() : match.end() + MAX_NOTICE] if letter in SENTENCE_ENDS), "")
    return end in QUESTION_MARKS


def _denial_in_text(text: str, spoken: tuple[Sentences, ...], *, names_film: bool) -> Denial:
    found = Denial.DOUBTFUL if names_film else Denial.CERTAIN
    for sentences in spoken:
        for match in sentences.heading_denial.finditer(text):
            if _is_said(match, text, sentences) and _is_of_this_page(match, text, sentences, names_film=names_film):
                return found
        if (private := sentences.private.search(text)) and (
            not names_film or sentences.this_one.search(sentence_at(text, private))
        ):
            return found
    return Denial.NONE


def _is_said(match: re.Match[str], text: str, sentences: Sentences) -> bool:
    """Return whether a sentence is said of a film: it is no question or condition, as in "if the video is not found".

    Nor does it speak of what is beside the film, such as its trailer, of its copyright, or of the past.
    """
    before, between = text[max(0, match.start() - 100) : match.start()], match.groupdict().get("between") or ""
    return not (
        _is_question(text, match)
        or sentences.condition.search(before)
        or phrases.BESIDE_SUBJECT.search(before[-60:])
        or (phrases.PAST if sentences.is_spaced else phrases.OTHER_SUBJECT).search(between)
        or (phrases.EXPIRED.search(match[0]) and phrases.COPYRIGHT.search(sentence_at(text, match)))
    )


def _is_of_this_page(match: re.Match[str], text: str, sentences: Sentences, *, names_film: bool) -> bool:
    """Return whether a sentence of a text speaks of the page's own film, or says nothing beside that it is missing."""
    sentence = sentence_at(text, match)
    if sentences.this_one.search(sentence):
        return True
    before, _, after = sentence.partition(match[0])
    if YEAR.search(after):
        return False  # The title of another film.
    is_of_a_film = sentences.denial.search(sentence) is None
    if names_film or (is_of_a_film and (after or len(before) > MAX_LETTERS_BESIDE)):
        return False
    if not sentences.is_spaced:
        return len(before) <= MAX_LETTERS_BESIDE and len(after) <= MAX_LETTERS_BESIDE
    between = match.groupdict().get("between") or ""
    words = before.split()
    return (
        len(words) <= MAX_WORDS_BESIDE
        and len(after.split()) <= MAX_WORDS_BESIDE
        and len(words) + len(after.split()) < 2 * MAX_WORDS_BESIDE
        and len(between.split()) <= 1
        and phrases.INDEFINITE.isdisjoint(words)
    )


def _says_abroad(text: str, sentences: Sentences) -> bool:
    for match in sentences.abroad.finditer(text):
        sentence = sentence_at(text, match)
        if sentences.nouns.search(sentence):
            return True
    return False


def sentence_at(text: str, match: re.Match[str]) -> str:
    """Return the sentence of a text in which a match begins, up to the end of the one in which it ends."""
    start = max(text.rfind(mark, 0, match.start()) for mark in SENTENCE_ENDS) + 1
    ends = [end for mark in SENTENCE_ENDS if (end := text.find(mark, match.end())) >= 0]
    return text[start : min(ends, default=len(text))].strip()
