"""Compares the verdicts of a program with the correct ones. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass

from bench.lists import DEAD, Listed


@dataclass(frozen=True, slots=True)
class Score:
    """The errors of a program on one list.

    `wrong` counts links with a wrong verdict, `alive_called_dead` those of them wrongly called dead. `films_lost`
    counts movies removed although not all their links are dead; `films_gone` those rightly removed, out of
    `films_all_dead`. The counts of films are None if the run removes none.
    """

    wrong: int
    alive_called_dead: int
    films_lost: int | None = None
    films_gone: int | None = None
    films_all_dead: int | None = None


def count(
    listed: Iterable[Listed],
    verdict_of: Callable[[str], str | None],
    *,
    kept: Container[str] = frozenset(),
    movie_exists: Callable[[int], bool] | None = None,
) -> Score:
    """Count the errors.

    `verdict_of` returns the verdict of a URL, None without one; `kept` are URLs rightly left unjudged; `movie_exists`
    tells by number which movies are left, None if the run removes no movies.
    """
    wrong = alive_called_dead = 0
    all_dead: dict[int, bool] = defaultdict(lambda: True)
    for link in listed:
        all_dead[link.movie] &= link.right.expected == DEAD
        if link.url in kept:
            continue
        is_dead = verdict_of(link.url) == DEAD
        wrong += is_dead != (link.right.expected == DEAD)
        alive_called_dead += is_dead and link.right.expected != DEAD
    if movie_exists is None:
        return Score(wrong, alive_called_dead)
    removed = [movie for movie in all_dead if not movie_exists(movie)]
    gone = sum(all_dead[movie] for movie in removed)
    return Score(wrong, alive_called_dead, len(removed) - gone, gone, sum(all_dead.values()))
