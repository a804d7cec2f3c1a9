"""What a program said of a list, held against what is right. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass

from bench.lists import DEAD, Listed


@dataclass(frozen=True, slots=True)
class Counted:
    """`wrong`: links; `alive_called_dead` is the part of them that hurts, links that must not be called dead.

    `films_lost`: movies that were removed although a link of theirs does not say that it is gone; `films_gone` of
    `films_all_gone`: movies of which all links do, and that were removed. None: no movie was to be removed.
    """

    wrong: int
    alive_called_dead: int
    films_lost: int | None = None
    films_gone: int | None = None
    films_all_gone: int | None = None


def count(
    listed: Iterable[Listed],
    said: Callable[[str], str | None],
    *,
    kept: Container[str] = frozenset(),
    is_there: Callable[[int], bool] | None = None,
) -> Counted:
    """`said` of a URL; `kept`: URLs rightly left as they were; `is_there`: whether a movie still is, None: unasked."""
    wrong = alive_called_dead = 0
    all_gone: dict[int, bool] = defaultdict(lambda: True)
    for link in listed:
        all_gone[link.movie] &= link.right.gone
        if link.url in kept:
            continue
        is_dead = said(link.url) == DEAD
        wrong += is_dead != (link.right.expected == DEAD)
        alive_called_dead += is_dead and link.right.expected != DEAD
    if is_there is None:
        return Counted(wrong, alive_called_dead)
    removed = [movie for movie in all_gone if not is_there(movie)]
    gone = sum(all_gone[movie] for movie in removed)
    return Counted(wrong, alive_called_dead, len(removed) - gone, gone, sum(all_gone.values()))
