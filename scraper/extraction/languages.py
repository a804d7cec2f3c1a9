"""Convert the languages that sources state to BCP 47 tags. Pure."""

from __future__ import annotations

import re

# Tag, ISO 639-2 codes, and the names that sources write.
LANGUAGE_TABLE = """
af afr afrikaans|ar ara arabic|be bel belarusian|bg bul bulgarian|bn ben bengali|bs bos bosnian|ca cat catalan
cs ces cze czech|cy cym wel welsh|da dan danish|de deu ger german deutsch|el ell gre greek|en eng english
eo epo esperanto|es spa spanish castilian español|et est estonian|eu eus baq basque|fa fas per persian farsi
fi fin finnish|fr fra fre french français|ga gle irish|gl glg galician|gu guj gujarati|he heb hebrew|hi hin hindi
hr hrv croatian|hu hun hungarian|hy hye arm armenian|id ind indonesian|is isl ice icelandic|it ita italian italiano
ja jpn japanese|ka kat geo georgian|kk kaz kazakh|kn kan kannada|ko kor korean|la lat latin|lt lit lithuanian
lv lav latvian|mk mkd mac macedonian|ml mal malayalam|mr mar marathi|ms msa may malay|nb nob|nl nld dut dutch flemish
nn nno|no nor norwegian|pa pan punjabi|pl pol polish|pt por portuguese|ro ron rum romanian|ru rus russian
sk slk slo slovak|sl slv slovenian slovene|sq sqi alb albanian|sr srp serbian|sv swe swedish|sw swa swahili
ta tam tamil|te tel telugu|th tha thai|tl tgl tagalog|tr tur turkish|uk ukr ukrainian|ur urd urdu|vi vie vietnamese
yi yid yiddish|zh zho chi chinese mandarin|zxx silent
"""
TAG_BY_NAME = {
    name: words[0]
    for words in (row.split() for row in re.split(r"[|\n]", LANGUAGE_TABLE) if row.strip())
    for name in words
}
CODE_BY_TAG = {
    words[0]: words[1] for words in (row.split() for row in re.split(r"[|\n]", LANGUAGE_TABLE) if row.strip())
} | {"zxx": "zxx"}
TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-(?:[A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{2,8}){0,3}")
MAX_TAG_LENGTH = 35
UNSTATED = frozenset({"und", "mul", "mis", "qaa"})


def parse_language(words: object) -> str:
    """Return the tag of one language written as a name, a code or a tag; empty for none, several or free text.

    >>> parse_language("English"), parse_language("ger"), parse_language("french, dutch"), parse_language(["eng"])
    ('en', 'de', '', 'en')
    """
    if isinstance(words, list):
        known = {parse_language(word) for word in words[:20]}
        return known.pop() if len(known) == 1 else ""
    if not isinstance(words, str):
        return ""
    word = words.strip().casefold()
    return TAG_BY_NAME.get(word) or _known_tag(words.strip())


def normalize_language_tag(stated: object) -> str:
    """Return the tag from a field for tags, in its usual spelling: any well-formed tag is accepted, and names."""
    if not isinstance(stated, str) or len(stated) > MAX_TAG_LENGTH:
        return ""
    return TAG_BY_NAME.get(stated.strip().casefold()) or (
        _canonical_tag(stated.strip()) if TAG.fullmatch(stated.strip()) else ""
    )


def three_letter_code(tag: str) -> str:
    """Return the ISO 639-2 code of a tag, as players want it: `deu` for `de-AT`; `und` for none.

    >>> three_letter_code("pt-BR"), three_letter_code("asq"), three_letter_code("")
    ('por', 'asq', 'und')
    """
    language = tag.split("-")[0].lower()
    return CODE_BY_TAG.get(language) or (language if len(language) == 3 else "und")


def usual_spelling(tag: str) -> str:
    """Return the tag with language in lower, script in title and everything else in upper case: `zh-Hant-TW`."""
    language, *rest = tag.split("-")
    parts = [part.title() if len(part) == 4 and part.isalpha() else part.upper() for part in rest]
    return "-".join([language.lower(), *parts])


def _known_tag(text: str) -> str:
    # In free text three letters may be any word ("the"): the first part must be a code of the table.
    return _canonical_tag(text) if TAG.fullmatch(text) and text.split("-")[0].casefold() in TAG_BY_NAME else ""


def _canonical_tag(tag: str) -> str:
    first, *rest = tag.split("-")
    language = TAG_BY_NAME.get(first.casefold(), first.casefold())
    return "" if language in UNSTATED else usual_spelling("-".join([language, *rest]))
