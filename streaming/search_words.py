"""The words of a title and of a search, made the same way, so that both databases only compare plain words. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_SEARCH_LENGTH = 200
MAX_SEARCH_WORDS = 8
MAX_WORD_LENGTH = 64
MAX_OTHER_WORDS = MAX_PERSON_WORDS = 100
PERSON_MARK = "§"
"""Begins the words of the names of people; no word of a title or a search has it."""
KEY_END = "|"
"""Ends the key in the words of a title; no word has it. The next character in ASCII order is `AFTER_KEY_END`."""
AFTER_KEY_END = "}"
# Scripts that put no blanks between words: Thai, Lao, Burmese, Khmer, kana and Han.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
UNSPACED_RUN = re.compile(f"([{UNSPACED}]+)")
LETTER_REPLACEMENTS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "þ": "th", "ð": "d"}
ASCII_WORD = re.compile("[a-z0-9]+")
ARTICLES = frozenset(
    ("the", "a", "an", "der", "die", "das", "ein", "eine", "le", "la", "les", "l", "un", "une", "el", "los", "las",
     "una", "il", "lo", "i", "gli", "o", "os", "as", "um", "uma", "de", "het", "een", "en", "ett")
)  # fmt: skip
"""With which titles begin, and which people leave out when they type one."""
IMDB_ID_START = re.compile(r"tt[0-9]{1,9}")
IMDB_ADDRESS = re.compile(r"imdb\.com/\S*?(tt[0-9]{7,9})(?![0-9])", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """A word that a title has to have; with `is_prefix` it is enough that one of its words begins so."""

    word: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What was typed: the key of a title that it names exactly, its words in order, and beginnings of IMDb ids."""

    key: str
    words: tuple[str, ...]
    imdb_ids: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.key or self.imdb_ids)


def fold_for_search(text: str) -> str:
    """Normalize text: lower case, no accents, single blanks. `Nosferatu – Éine` becomes `nosferatu – eine`."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = "".join(LETTER_REPLACEMENTS.get(letter, letter) for letter in text.casefold())
    decomposed = unicodedata.normalize("NFKD", plain)
    return " ".join("".join(letter for letter in decomposed if not unicodedata.combining(letter)).split())


def title_words(title: str, *others: str, people: Iterable[str] = ()) -> str:
    """The key of a title, `|`, and more words by which it is found: those of other titles of the movie, too.

    The key has all words in order. Words that a sign joins count as one word too, so `Spider-Man` becomes
    `spider man|spiderman`. Of scripts without blanks each two neighbours are a word: `千と千尋` is found by `千尋`.
    Those of the names of `people` begin with a mark, which tells them from words of titles: `§murnau`.
    """
    chunks = _chunks(title)
    words = [word for chunk in chunks for word in chunk]
    joined = ["".join(chunk)[:MAX_WORD_LENGTH] for chunk in chunks if len(chunk) > 1]
    more = [part for word in words for part in _parts_of_title(word)]
    known = {*words, *joined, *more}
    added = list(dict.fromkeys(word for word in _all_words(others) if word not in known))[:MAX_OTHER_WORDS]
    names = [f"{PERSON_MARK}{word}" for word in list(dict.fromkeys(_all_words(people)))[:MAX_PERSON_WORDS]]
    return f"{_key(words, title)}{KEY_END}{' '.join(dict.fromkeys([*joined, *more, *added, *names]))}"


def parse_search(text: str) -> Search:
    """Read what somebody typed; only the first 200 characters and 8 words count.

    The address of a film at IMDb counts as its id.
    """
    text = text[:MAX_SEARCH_LENGTH]
    if address := IMDB_ADDRESS.search(text):
        return Search(key="", words=(), imdb_ids=(address[1].lower(),))
    words = [word for chunk in _chunks(text) for word in chunk]
    imdb_ids = tuple(word for word in words if IMDB_ID_START.fullmatch(word))
    titles = [word for word in words if word not in imdb_ids]
    key = _key(titles, "" if imdb_ids else text)
    return Search(key=key, words=tuple(titles[:MAX_SEARCH_WORDS]), imdb_ids=imdb_ids[:MAX_SEARCH_WORDS])


def keys_but_for_article(key: str) -> tuple[str, ...]:
    """The keys of the titles that differ from this one by the article at the beginning only."""
    first, _, rest = key.partition(" ")
    if first in ARTICLES and rest:
        return (rest,)
    return tuple(f"{article} {key}" for article in sorted(ARTICLES)) if key else ()


def terms_of(word: str, *, is_last: bool) -> tuple[Term, ...]:
    """What a title has to have to match this word of a search; the last word may be unfinished."""
    runs = [run for run in UNSPACED_RUN.split(word) if run]
    found: list[Term] = []
    for number, run in enumerate(runs, 1):
        if not UNSPACED_RUN.fullmatch(run):
            found.append(Term(run, is_prefix=is_last and number == len(runs)))
        elif len(run) == 1:
            found.append(Term(run, is_prefix=True))
        else:
            found += [Term(run[at : at + 2]) for at in range(len(run) - 1)]
    return tuple(dict.fromkeys(found))


def is_unspaced(word: str) -> bool:
    """Whether the word has letters of a script without blanks."""
    return UNSPACED_RUN.search(word) is not None


def name_terms(terms: Iterable[Term]) -> tuple[Term, ...]:
    """The same for the names of people."""
    return tuple(Term(f"{PERSON_MARK}{term.word}", is_prefix=term.is_prefix) for term in terms)


def _all_words(texts: Iterable[str]) -> Iterator[str]:
    return (word for text in texts for word in title_words(text).replace(KEY_END, " ").split())


def _chunks(text: str) -> list[list[str]]:
    """The words between blanks, each divided at its signs."""
    if text.isascii():
        return [words for chunk in text.lower().split() if (words := _cut(ASCII_WORD.findall(chunk)))]
    apart = "".join(f"-{letter}-" if unicodedata.category(letter) == "No" else letter for letter in text)
    chunks = []
    for chunk in fold_for_search(apart).split():
        plain = "".join(letter if unicodedata.category(letter)[0] in "LMN" else "-" for letter in chunk)
        if words := _cut(plain.split("-")):
            chunks.append(words)
    return chunks


def _cut(words: list[str]) -> list[str]:
    return [word[:MAX_WORD_LENGTH] for word in words if word]


def _key(words: list[str], text: str) -> str:
    """All words in order; a title without any, such as `!!!`, has its signs."""
    if words:
        return " ".join(words)
    signs = "".join(sign for sign in text if unicodedata.category(sign)[0] != "C")
    return fold_for_search(signs).replace(KEY_END, "/")


def _parts_of_title(word: str) -> list[str]:
    if not is_unspaced(word):
        return []
    parts: list[str] = []
    for run in filter(None, UNSPACED_RUN.split(word)):
        parts += [run[at : at + 2] for at in range(len(run))] if UNSPACED_RUN.fullmatch(run) else [run]
    return parts
