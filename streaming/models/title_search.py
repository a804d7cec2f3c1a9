"""From what somebody typed to the movies that are meant: exact words first, then guesses, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet

from streaming.models.id_list import IdList
from streaming.models.title_index import Alternative, Pattern, TitleIndex
from streaming.search_words import Search, Term, is_unspaced, keys_but_for_article, terms_of
from streaming.spelling import MIN_LENGTH, beginnings, one_mistake_away, two_words

MAX_FOUND, MAX_LOOKED_AT = 500, 10_000
CHUNK_SIZE = MAX_FOUND + 50
"""Movies that are compared with the conditions at once; some of the best known may be taken down."""
MAX_IMDB_ID_LENGTH = 11
Guess = Callable[..., list[Alternative]]
MIN_KNOWN_LENGTH = 3
"""Shorter words are not in the vocabulary, and not corrected."""
MAX_INNER_WORDS = 2
"""Words in the middle of others are sought for so many words: each reads the vocabulary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMovies:
    """Ids of movies, the best known first, and those of movies with exactly the title that was typed.

    `nearly`: of those whose title differs by the article at its beginning; of a search in a script without blanks also
    those whose whole title is such a run, before titles that have other words beside it.
    """

    ids: list[int]
    exact: list[int]
    nearly: list[int] = field(default_factory=list)


def find_movies(movies: QuerySet[Any], search: Search) -> FoundMovies | None:
    """The movies of the set that match; None if nothing is searched for.

    They may include others that match, unless there are more than `MAX_FOUND`.
    """
    if not search.imdb_ids:
        return _with_title(movies, search) if search.key else None
    movies = _with_imdb_ids(movies, search.imdb_ids)
    ids = list(movies.order_by("imdb_id").values_list("pk", flat=True)[:MAX_FOUND])
    if not search.key or not ids:
        return FoundMovies(ids=ids, exact=ids[:1])  # a whole id is the lowest that begins so
    titled = _with_title(movies, search)
    return FoundMovies(ids=[pk for pk in titled.ids if pk in ids], exact=titled.exact, nearly=titled.nearly)


def _with_imdb_ids(movies: QuerySet[Any], beginnings_of_ids: Iterable[str]) -> QuerySet[Any]:
    for start in beginnings_of_ids:
        # Digits compare alike in every collation; an IMDb id has at most 9 of them.
        movies = movies.filter(imdb_id__range=(start, start.ljust(MAX_IMDB_ID_LENGTH, "9")))
    return movies


def _with_title(movies: QuerySet[Any], search: Search) -> FoundMovies:
    index = TitleIndex(movies.db)
    found = _candidates(index, search, limit=CHUNK_SIZE)
    if len(found.ids) < CHUNK_SIZE:
        return found
    kept = _belonging(movies, found.ids)
    if len(kept) < MAX_FOUND:
        kept = _belonging(movies, _candidates(index, search, limit=MAX_LOOKED_AT).ids)
    return FoundMovies(ids=kept[:MAX_FOUND], exact=found.exact, nearly=found.nearly)


def _belonging(movies: QuerySet[Any], ids: Sequence[int]) -> list[int]:
    """Those of the ids that belong to the set, in their order; of many only the first `MAX_FOUND` or some more."""
    kept: list[int] = []
    for start in range(0, len(ids), CHUNK_SIZE):
        some = ids[start : start + CHUNK_SIZE]
        belonging = set(movies.filter(pk__in=IdList(some)).order_by().values_list("pk", flat=True))
        kept += [pk for pk in some if pk in belonging]
        if len(kept) >= MAX_FOUND:
            break
    return kept


def _candidates(index: TitleIndex, search: Search, *, limit: int) -> FoundMovies:
    """At most `limit` movies that match, besides those with exactly the title, but for its article."""
    exact = index.titled(search.key, limit=MAX_FOUND)
    nearly = index.titled(*keys_but_for_article(search.key), limit=MAX_FOUND)
    found = _find(index, search, limit=limit)
    if len(search.words) == 1 and is_unspaced(search.words[0]):
        nearly += index.of_one_word(found)
    return FoundMovies(ids=list(dict.fromkeys([*exact, *nearly, *found])), exact=exact, nearly=nearly)


def _find(index: TitleIndex, search: Search, *, limit: int) -> list[int]:
    if not search.words:
        return index.beginning_with(search.key, limit=limit)
    for pattern in _patterns(index, search.words):
        if found := index.matching(pattern, limit=limit):
            return found
    return []


def _patterns(index: TitleIndex, words: Sequence[str]) -> Iterator[Pattern]:
    """What to look for, the next only if nothing matches the one before."""
    last = len(words) - 1
    yield [[terms_of(word, is_last=number == last)] for number, word in enumerate(words)]
    yield from _glued(index, words)
    for similar in (_words_like, _other_readings):
        if corrected := _corrected(index, words, similar):
            yield corrected
    if last:
        yield [[terms_of(word, is_last=True)] for word in words]
    if len(words) <= MAX_INNER_WORDS:
        yield from _inside(index, words)


def _glued(index: TitleIndex, words: Sequence[str]) -> Iterator[Pattern]:
    """The words with two neighbours as one: `spider man` for a title that has `spiderman`."""
    pairs = {first + second: at for at, (first, second) in enumerate(pairwise(words))}
    for word in index.known_words(pairs) if pairs else []:
        at = pairs[word]
        yield [[terms_of(other, is_last=False)] for other in (*words[:at], word, *words[at + 2 :])]


def _inside(index: TitleIndex, words: Sequence[str]) -> Iterator[Pattern]:
    """The words in the middle of others."""
    pattern = [
        [(Term(other),) for other in index.words_containing(word)]
        if len(word) >= MIN_KNOWN_LENGTH
        else [terms_of(word, is_last=True)]
        for word in words
    ]
    if all(pattern):
        yield pattern


def _corrected(index: TitleIndex, words: Sequence[str], similar: Guess) -> Pattern | None:
    """The words, with guesses for those that no title has; if titles have each, any of them may be the wrong one.

    None if there is no guess.
    """
    last = len(words) - 1
    unknown = [word for number, word in enumerate(words) if not _is_known(index, word, is_last=number == last)]
    pattern: list[Sequence[Alternative]] = []
    for number, word in enumerate(words):
        alternatives: list[Alternative] = [] if word in unknown else [terms_of(word, is_last=number == last)]
        if (word in unknown or not unknown) and _may_be_wrong(word):
            alternatives += similar(index, word, is_last=number == last)
        if not alternatives:
            return None
        pattern.append(alternatives)
    return pattern


def _is_known(index: TitleIndex, word: str, *, is_last: bool) -> bool:
    if len(word) < MIN_KNOWN_LENGTH or is_unspaced(word) or word.isdecimal():
        return True
    return bool(index.known_beginnings([word]) if is_last else index.known_words([word]))


def _may_be_wrong(word: str) -> bool:
    return len(word) >= MIN_LENGTH and not is_unspaced(word) and not word.isdecimal()


def _words_like(index: TitleIndex, word: str, *, is_last: bool) -> list[Alternative]:
    """Words of titles that differ by a single mistake; for an unfinished word, if there are none, their beginnings."""
    near = one_mistake_away(word)
    if words := index.known_words(near):
        return [(Term(other),) for other in words]
    return [(Term(other, is_prefix=True),) for other in index.known_beginnings(near)] if is_last else []


def _other_readings(index: TitleIndex, word: str, *, is_last: bool) -> list[Alternative]:
    """Two words of titles without the blank between them, and words of titles with another ending."""
    found: list[Alternative] = [
        (Term(first), Term(second, is_prefix=is_last))
        for first, second in two_words(word)
        if _are_known(index, first, second)
    ]
    for start in beginnings(word):
        if index.known_beginnings([start]):
            return [*found, (Term(start, is_prefix=True),)]
    return found


def _are_known(index: TitleIndex, first: str, second: str) -> bool:
    return len(index.known_words({first, second})) == len({first, second})
