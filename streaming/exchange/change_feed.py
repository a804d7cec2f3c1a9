"""The change feed for mirrors: which movies were changed and removed after a number or a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from django.db.models import OuterRef, Q, Subquery

from streaming.models import Change, Movie, RemovedMovie, RestoredBackup, SecondHand
from streaming.models.change import last_number, number_changes
from streaming.models.movie import attach_active_links

CURSOR_PATTERN = re.compile(r"n([0-9]{1,18})")
# Until 0.1 a cursor was the time of a row, which another transaction could undercut: so much is repeated.
TIME_CURSOR_PATTERN = re.compile(r"(.{10,32})~[0-2]-[0-9]{1,18}")
TIME_CURSOR_OVERLAP = timedelta(minutes=10)
MAX_LINKS_PER_PAGE = 10_000
"""A show has hundreds of links: 500 films with a thousand links each took a web process a minute and 3 GB."""


class UnknownCursorError(Exception):
    """The cursor is of another catalogue, or of this one before a backup was restored."""


@dataclass(frozen=True, slots=True)
class ChangeCursor:
    """The change after which the next page begins, `number` 0 for the first page.

    With `at` the page begins with the first change numbered at that time or later; for mirrors that keep times.
    """

    number: int = 0
    at: datetime | None = None

    def __str__(self) -> str:
        return f"n{self.number}"

    @classmethod
    def parse(cls, text: str) -> ChangeCursor | None:
        """Parse a cursor of an earlier response; None if the text is no cursor, ValueError if its time is invalid."""
        if match := CURSOR_PATTERN.fullmatch(text):
            return cls(int(match[1]))
        if not (match := TIME_CURSOR_PATTERN.fullmatch(text)):
            return None
        at = datetime.fromisoformat(match[1])
        if at.tzinfo is None:
            raise ValueError("the cursor has no time zone")
        try:
            return cls(at=at.astimezone(UTC) - TIME_CURSOR_OVERLAP)
        except OverflowError:
            raise ValueError("the cursor is outside the calendar") from None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """One page of changes; the next one begins at `until`. `more`: there is one already.

    `changed` movies have `active_links`; they and these have `is_followed`.
    """

    changed: list[Movie]
    removed: list[RemovedMovie]
    until: ChangeCursor
    more: bool


class _ChangeRow(NamedTuple):
    """A change; `links` are the active links of its movie, None if it has none."""

    imdb_id: str
    number: int
    numbered_at: datetime
    links: int | None


def changes_since(since: ChangeCursor, *, limit: int) -> ChangeSet:
    """At most `limit` changes after `since`, the earliest first; always the same number of queries. Fewer if their
    movies have more than `MAX_LINKS_PER_PAGE` links together.

    The lists describe the current state and have no movie in common, so a mirror may apply them in any order. Raises
    UnknownCursorError.
    """
    more_pending = number_changes()
    start = _start(since)
    links = Movie.objects.shown().filter(imdb_id=OuterRef("imdb_id")).values("active_link_count")
    pending = Change.objects.filter(number__gt=start).annotate(links=Subquery(links)).order_by("number")
    columns = pending.values_list("imdb_id", "number", "numbered_at", "links")
    rows = [_ChangeRow(*row) for row in columns[: limit + 1]]
    page = _affordable(rows[:limit])
    order = {change.imdb_id: change.number for change in page}
    # Movies before tombstones: one that is removed meanwhile is missing here and has its tombstone there.
    found = Movie.objects.shown().filter(imdb_id__in=list(order))
    changed = sorted(found, key=lambda movie: order[movie.imdb_id])
    attach_active_links(changed)
    existing = {movie.imdb_id for movie in changed}
    gone = [change for change in page if change.imdb_id not in existing]
    _mark_second_hand(changed)
    return ChangeSet(
        changed=changed,
        removed=_tombstones(gone),
        until=ChangeCursor(page[-1].number if page else start),
        more=more_pending or len(rows) > len(page),
    )


def _affordable(rows: list[_ChangeRow]) -> list[_ChangeRow]:
    """The first of these changes whose movies have no more `links` together than a page may have; one at least."""
    totals = accumulate(row.links or 0 for row in rows)
    return rows[: max(1, sum(total <= MAX_LINKS_PER_PAGE for total in totals))]


def _mark_second_hand(changed: list[Movie]) -> None:
    """Set `is_followed` of the movies and their links: whether only instances that this one follows state them."""
    second_hand = SecondHand([movie.imdb_id for movie in changed])
    for movie in changed:
        movie.is_followed = second_hand.is_film(movie.imdb_id)
        if second_hand.has_links:
            movie.active_links = [
                link._replace(is_followed=True) if second_hand.is_link(link.id) else link for link in movie.active_links
            ]


def _start(since: ChangeCursor) -> int:
    """The number after which the page begins."""
    last = last_number()
    if since.number > last or RestoredBackup.objects.filter(_lost(since)).exists():
        raise UnknownCursorError
    if since.at is None:
        return since.number
    # By number after the first, not by time: what was numbered while the clock was ahead is repeated, never left out.
    later = Change.objects.filter(numbered_at__gte=since.at).order_by("numbered_at", "number")
    first: int | None = later.values_list("number", flat=True).first()
    return last if first is None else first - 1


def _lost(since: ChangeCursor) -> Q:
    """The restores after which a mirror with this cursor may have what this catalogue has not."""
    if since.at is None:
        return Q(last_number__lt=since.number, jumped_to__gt=since.number)
    return Q(made_at__lt=since.at + TIME_CURSOR_OVERLAP, restored_at__gt=since.at)


def _tombstones(gone: list[_ChangeRow]) -> list[RemovedMovie]:
    """The tombstone of each of these movies; one deleted without a tombstone gets a row that says no more than that."""
    ids = [change.imdb_id for change in gone]
    rows = RemovedMovie.objects.removed().filter(imdb_id__in=ids).defer("snapshot")
    known = {row.imdb_id: row for row in rows}
    return [
        known.get(change.imdb_id) or RemovedMovie(imdb_id=change.imdb_id, removed_at=change.numbered_at)
        for change in gone
    ]
