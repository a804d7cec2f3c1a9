"""From what somebody typed to the movies that are meant: exact words of titles and names first, then guesses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet

from streaming.models.id_list import IdList
from streaming.models.sorted_years import movies_of_year
from streaming.models.title_index import Alternative, Pattern, TitleIndex
from streaming.search_words import (
    PERSON_MARK,
    Search,
    Term,
    is_unspaced,
    keys_but_for_article,
    name_terms,
    terms_of,
)
from streaming.spelling import MIN_LENGTH, beginnings, one_mistake_away, two_words

MAX_FOUND, MAX_LOOKED_AT = 500, 10_000
CHUNK_SIZE = MAX_FOUND + 50
"""Movies that are compared with the conditions at once; some of the best known may be taken down."""
MAX_IMDB_ID_LENGTH = 11
YEAR = re.compile(r"18[7-9][0-9]|19[0-9]{2}|20[0-9]{2}")
"""One of which there may be films."""
Guess = Callable[..., list[Alternative]]
MIN_KNOWN_LENGTH = 3
"""Shorter words are not in the vocabulary, and not corrected."""
MAX_INNER_WORDS = 2
"""Words in the middle of others are sought for so many words: each reads the vocabulary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMovies:
    """Ids of movies, the best known first, and those of movies with exactly the title that was typed.

    `nearly`: of those whose title differs by the article at its beginning; of a search in a script without blanks also
    those whose whole title is such a run, before titles that have other words beside it. `named`: of those that match
    only with the names of their people.
    """

    ids: list[int]
    exact: list[int]
    nearly: list[int] = field(default_factory=list)
    named: list[int] = field(default_factory=list)


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
    return replace(titled, ids=[pk for pk in titled.ids if pk in ids])


def _with_imdb_ids(movies: QuerySet[Any], beginnings_of_ids: Iterable[str]) -> QuerySet[Any]:
    for start in beginnings_of_ids:
        # Digits compare alike in every collation; an IMDb id has at most 9 of them.
        movies = movies.filter(imdb_id__range=(start, start.ljust(MAX_IMDB_ID_LENGTH, "9")))
    return movies


def _with_title(movies: QuerySet[Any], search: Search) -> FoundMovies:
    index = TitleIndex(movies.db)
    found = _candidates(movies, index, search, limit=CHUNK_SIZE)
    if len(found.ids) < CHUNK_SIZE:
        return found
    kept = _belonging(movies, found.ids)
    if len(kept) < MAX_FOUND:
        kept = _belonging(movies, _candidates(movies, index, search, limit=MAX_LOOKED_AT).ids)
    return replace(found, ids=kept[:MAX_FOUND])


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


def _candidates(movies: QuerySet[Any], index: TitleIndex, search: Search, *, limit: int) -> FoundMovies:
    """At most `limit` movies that match, besides those with exactly the title, but for its article."""
    exact = index.titled(search.key, limit=MAX_FOUND)
    nearly = index.titled(*keys_but_for_article(search.key), limit=MAX_FOUND)
    found, named = _as_typed(index, search, limit=limit)
    if not found and not named:
        found = _of_year(movies, index, search)
    if not found and not named:
        found, named = _guessed(index, search.words, limit=limit)
    if len(search.words) == 1 and is_unspaced(search.words[0]):
        nearly += index.of_one_word(found)
    titled = dict.fromkeys([*exact, *nearly, *found])
    only_named = [pk for pk in named if pk not in titled][: max(0, limit - len(titled))]
    return FoundMovies(ids=[*titled, *only_named], exact=exact, nearly=nearly, named=only_named)


def _as_typed(index: TitleIndex, search: Search, *, limit: int) -> tuple[list[int], list[int]]:
    """The movies whose titles have all words, and those with all words in names of people.

    Of several words, some may be in the title: `murnau nosferatu`. Words that are all so short that they begin too many
    names are sought in titles only.
    """
    words, last = search.words, len(search.words) - 1
    if not words:
        return index.beginning_with(search.key, limit=limit), []
    either = [_title_or_name(word, is_last=number == last) for number, word in enumerate(words)]
    patterns = [[alternatives[:1] for alternatives in either]]
    if any(len(word) >= MIN_KNOWN_LENGTH or is_unspaced(word) for word in words):
        patterns.append(either if last else [either[0][1:]])
    found, *named = index.matching_each(patterns, limit=limit)
    return found, named[0] if named else []


def _of_year(movies: QuerySet[Any], index: TitleIndex, search: Search) -> list[int]:
    """The movies of the year that ends the search: `cops 1922` for *Cops*. Of a year alone, the best known."""
    *words, year = search.words or ("",)
    if not YEAR.fullmatch(year):
        return []
    if not words:
        return _best_known_of(movies, int(year))
    found, named = _as_typed(index, replace(search, words=tuple(words)), limit=MAX_LOOKED_AT)
    return _belonging(movies.filter(year=int(year)), [*found, *named])


def _best_known_of(movies: QuerySet[Any], year: int) -> list[int]:
    """The movies of a year, the best known first; of very many the first `MAX_FOUND` by title."""
    first = movies_of_year(movies, year).values_list("active_link_count", "pk")[:MAX_FOUND]
    return [pk for _, pk in sorted(first, key=lambda row: -row[0])]


def _title_or_name(word: str, *, is_last: bool) -> list[Alternative]:
    terms = terms_of(word, is_last=is_last)
    return [terms, name_terms(terms)]


def _guessed(index: TitleIndex, words: Sequence[str], *, limit: int) -> tuple[list[int], list[int]]:
    """Of the first guess that any movie matches, the movies whose titles do, and those that need names for it."""
    for pattern in _guesses(index, words):
        found, *named = index.matching_each(_titles_first(pattern), limit=limit)
        if found or any(named):
            return found, named[0] if named else []
    return [], []


def _titles_first(pattern: Pattern) -> list[Pattern]:
    """The pattern, and before it the same without names, if each entry has other alternatives too."""
    of_titles = [
        [terms for terms in alternatives if not any(term.word.startswith(PERSON_MARK) for term in terms)]
        for alternatives in pattern
    ]
    return [of_titles, pattern] if all(of_titles) and of_titles != pattern else [pattern]


def _guesses(index: TitleIndex, words: Sequence[str]) -> Iterator[Pattern]:
    """What to look for if nothing has the words as they are, the next only if nothing matches the one before."""
    if not words:
        return
    last = len(words) - 1
    yield from _glued(index, words)
    for similar in (_words_like, _other_readings):
        if corrected := _corrected(index, words, similar):
            yield corrected
    if last:
        yield [_title_or_name(word, is_last=True) for word in words]
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
        alternatives = [] if word in unknown else _title_or_name(word, is_last=number == last)
        if (word in unknown or not unknown) and _may_be_wrong(word):
            alternatives += similar(index, word, is_last=number == last)
        if not alternatives:
            return None
        pattern.append(alternatives)
    return pattern


def _is_known(index: TitleIndex, word: str, *, is_last: bool) -> bool:
    if len(word) < MIN_KNOWN_LENGTH or is_unspaced(word) or word.isdecimal():
        return True
    words = [word, f"{PERSON_MARK}{word}"]
    return bool(index.known_beginnings(words) if is_last else index.known_words(words))


def _may_be_wrong(word: str) -> bool:
    return len(word) >= MIN_LENGTH and not is_unspaced(word) and not word.isdecimal()


def _words_like(index: TitleIndex, word: str, *, is_last: bool) -> list[Alternative]:
    """Words of titles and names with a single mistake less; of an unfinished word, without any, their beginnings."""
    near = one_mistake_away(word)
    both = (near, {f"{PERSON_MARK}{other}" for other in near})
    if words := [known for candidates in both for known in index.known_words(candidates)]:
        return [(Term(other),) for other in words]
    starts = (start for candidates in both for start in index.known_beginnings(candidates)) if is_last else ()
    return [(Term(other, is_prefix=True),) for other in starts]


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
