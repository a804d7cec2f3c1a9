"""Inputs that are as bad as can be for a regular expression, derived from its own parts.

Work grows faster than its input where a part that may repeat is retried from every place, or in several ways: by long
runs of what repeats, of what comes before it, and of the whole without its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from re import _constants, _parser  # The parser has no public name.
from typing import Any

REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
NEVER_MATCHED = "\x00"
SAMPLES = {
    _constants.CATEGORY_DIGIT: "1",
    _constants.CATEGORY_SPACE: " ",
    _constants.CATEGORY_WORD: "a",
    _constants.CATEGORY_NOT_DIGIT: "a",
    _constants.CATEGORY_NOT_SPACE: "a",
    _constants.CATEGORY_NOT_WORD: "-",
}
CANDIDATES = "a1 -./&=;\"'<>\n\\({[éж" + NEVER_MATCHED
MAX_PIECES = 60
COMPARED_SIZE = 8 * 1024


def worst_inputs(pattern: re.Pattern[Any], size: int) -> Iterator[str]:
    """Texts of about this size, always as many and in the same order whatever the size."""
    return (_filled(before, unit, size) for before, unit in _distinct_pumps(pattern))


def worst_input(pattern: re.Pattern[Any], size: int, number: int) -> str:
    """One of `worst_inputs`, by its place among them; the others are not made."""
    before, unit = _distinct_pumps(pattern)[number]
    return _filled(before, unit, size)


@cache
def _distinct_pumps(pattern: re.Pattern[Any]) -> list[tuple[str, str]]:
    """Those that make different texts of `COMPARED_SIZE`."""
    pieces = list(_pieces(_parser.parse(_text(pattern.pattern), pattern.flags)))[:MAX_PIECES]
    return list({_filled(before, unit, COMPARED_SIZE): (before, unit) for before, unit in _pumps(pieces)}.values())


def _text(source: str | bytes) -> str:
    return source if isinstance(source, str) else source.decode("latin-1")


def _filled(before: str, unit: str, size: int) -> str:
    """The end matches nothing, so that whatever went well until there was in vain."""
    return before + unit * max(1, (size - len(before)) // len(unit)) + NEVER_MATCHED


def _pumps(pieces: list[str]) -> Iterator[tuple[str, str]]:
    """What to begin with, and what to repeat after it."""
    for letter in CANDIDATES:
        yield "", letter
    for index, piece in enumerate(pieces):
        before = "".join(pieces[:index])
        yield before, piece or "a"
        yield "", before + piece or "a"
        yield "", before + piece * 50 or "a"


def _pieces(parsed: Iterable[Any]) -> Iterator[str]:
    """One sample for each part of a pattern, in order; alternatives one after the other."""
    for operator, argument in parsed:
        if operator in REPEATS:
            yield from _pieces(argument[2])
        elif operator is _constants.SUBPATTERN:
            yield from _pieces(argument[-1])
        elif operator is _constants.ATOMIC_GROUP:
            yield from _pieces(argument)
        elif operator is _constants.BRANCH:
            for branch in argument[1]:
                yield from _pieces(branch)
        elif operator in (_constants.LITERAL, _constants.IN, _constants.ANY, _constants.NOT_LITERAL):
            yield _sample(operator, argument)


def _sample(operator: Any, argument: Any) -> str:
    """A character that a part of one character matches."""
    if operator is _constants.LITERAL:
        return chr(argument)
    if operator is _constants.IN and argument[0][0] is not _constants.NEGATE:
        kind, value = argument[0]
        return {_constants.LITERAL: chr, _constants.RANGE: lambda ends: chr(ends[0])}.get(kind, SAMPLES.get)(value)
    return "a"
