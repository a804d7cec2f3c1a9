"""Regular expressions that are composed and compiled at their first use.

The sentences of fifteen languages take half a second to compile, in each process that judges; most runs need those of
two or three. To compose them takes a twentieth of a second, at the start of every command that checks links. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property


class LazyPattern:
    """A pattern of text, or a function that composes it. Raises re.error at its first use if it is ill-formed."""

    def __init__(self, pattern: str | Callable[[], str]) -> None:
        self._pattern = pattern

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The compiled pattern."""
        return re.compile(self._pattern if isinstance(self._pattern, str) else self._pattern())

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match anywhere in a text."""
        return self.compiled.search(text)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Return the match of a whole text."""
        return self.compiled.fullmatch(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Return all matches of a text, none over another one."""
        return self.compiled.finditer(text)
