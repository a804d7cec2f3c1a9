"""Copies of films under other numbers, with other words in their titles."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

from bench.catalogue.films import SEED, imdb_id, make_vocabulary, number_of

NEIGHBOURS = 10
"""A word becomes one that is about as frequent: of the same so many ranks."""


class Titles:
    """The titles of copies. Their words are as frequent as those of other films."""

    def __init__(self) -> None:
        self.words = make_vocabulary(random.Random(SEED)).words
        self.ranks = {word: rank for rank, word in enumerate(self.words)}

    def of_copy(self, title: str, copy: int) -> str:
        """The title of the copy with this number, from 1."""
        words = (title[:1].lower() + title[1:]).split(" ")
        changed = " ".join(self._other(word, copy) for word in words)
        return changed[:1].upper() + changed[1:]

    def _other(self, word: str, copy: int) -> str:
        rank = self.ranks.get(word)
        if rank is None:
            return word
        return self.words[rank - rank % NEIGHBOURS + (rank + copy) % NEIGHBOURS]


def with_copies(films: Iterable[dict[str, Any]], *, imported: int, copies: int) -> Iterator[dict[str, Any]]:
    """The films, and after each of them its copies, as they would be in the file of a larger catalogue."""
    titles = Titles()
    for film in films:
        yield film
        number = number_of(film["imdb_id"])
        for copy in range(1, copies + 1):
            name = imdb_id(number + copy * imported)
            links = [{**one, "source_url": one["source_url"].replace(film["imdb_id"], name)} for one in film["links"]]
            yield {**film, "imdb_id": name, "title": titles.of_copy(film["title"], copy), "links": links}
