"""The change feed for mirrors: which movies were changed and removed since a cursor."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from streaming.exchange.entries import format_datetime
from streaming.models import Movie, RemovedMovie

CURSOR_PATTERN = re.compile(r"(.{10,32})~([0-2])-([0-9]{1,18})")
UPDATED, RESTORED, REMOVED = range(3)


@dataclass(frozen=True, slots=True)
class ChangeCursor:
    """The event after which the next page of changes begins.

    Many events may have the same time, so the cursor names the row (`stream`: kind of event, `pk`: id) as well. With
    `stream` -1 it comes before all events of its time.
    """

    at: datetime = datetime(1, 1, 1, tzinfo=UTC)
    stream: int = -1
    pk: int = 0

    def __str__(self) -> str:
        return format_datetime(self.at) if self.stream < 0 else f"{format_datetime(self.at)}~{self.stream}-{self.pk}"

    @classmethod
    def parse(cls, text: str) -> ChangeCursor | None:
        """Parse a cursor of an earlier response; None if the text is no cursor, ValueError if its time is invalid."""
        if not (match := CURSOR_PATTERN.fullmatch(text)):
            return None
        at = datetime.fromisoformat(match[1])
        if at.tzinfo is None:
            raise ValueError("the cursor has no time zone")
        try:
            return cls(at.astimezone(UTC), int(match[2]), int(match[3]))
        except OverflowError:
            raise ValueError("the cursor is outside the calendar") from None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """One page of changes; the next one begins at `until`. `more`: there is one already."""

    movie_ids: list[int]
    removed: list[RemovedMovie]
    until: ChangeCursor
    more: bool


@dataclass(frozen=True, slots=True, order=True)
class _ChangeEvent:
    at: datetime
    stream: int
    pk: int
    imdb_id: str = field(compare=False)


def changes_since(since: ChangeCursor, *, limit: int) -> ChangeSet:
    """At most `limit` events after `since`, oldest first; always five queries.

    The lists describe the current state and have no movie in common, so a mirror may apply them in any order.
    """
    events = sorted(
        [
            *_events_after(Movie.objects.all(), "updated_at", UPDATED, since, limit),
            *_events_after(
                RemovedMovie.objects.filter(restored_at__isnull=False), "restored_at", RESTORED, since, limit
            ),
            *_events_after(RemovedMovie.objects.filter(restored_at=None), "removed_at", REMOVED, since, limit),
        ]
    )
    page, more = events[:limit], len(events) > limit
    until = ChangeCursor(page[-1].at, page[-1].stream, page[-1].pk) if page else since
    changed = {event.imdb_id for event in page if event.stream != REMOVED}
    return ChangeSet(
        movie_ids=list(Movie.objects.shown().filter(imdb_id__in=changed).order_by("pk").values_list("pk", flat=True)),
        removed=_tombstones([event.pk for event in page if event.stream == REMOVED]),
        until=until,
        more=more,
    )


def _events_after(rows: QuerySet[Any], at: str, stream: int, since: ChangeCursor, limit: int) -> list[_ChangeEvent]:
    later = Q(**{f"{at}__gt": since.at})
    if stream == since.stream:
        later = Q(**{f"{at}__gte": since.at}) & (later | Q(pk__gt=since.pk))
    elif stream > since.stream:
        later = Q(**{f"{at}__gte": since.at})
    events = rows.filter(later).order_by(at, "pk").values_list(at, "pk", "imdb_id")[: limit + 1]
    return [_ChangeEvent(time, stream, pk, imdb_id) for time, pk, imdb_id in events]


def _tombstones(ids: Sequence[int]) -> list[RemovedMovie]:
    existing = Movie.objects.filter(imdb_id=OuterRef("imdb_id"))
    return list(
        RemovedMovie.objects.filter(~Exists(existing), pk__in=ids).defer("snapshot").order_by("removed_at", "pk")
    )
