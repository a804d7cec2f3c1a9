"""What has changed since a moment, for mirrors: movies that are here, tombstones of those that are not."""

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
TOUCHED, RESTORED, REMOVED = range(3)


@dataclass(frozen=True, slots=True)
class ChangeCursor:
    """Behind which row the answer begins. Many rows may bear one moment, so the mark names the row as well.

    `stream` -1: behind no row yet, at the very moment.
    """

    at: datetime = datetime(1, 1, 1, tzinfo=UTC)
    stream: int = -1
    pk: int = 0

    def __str__(self) -> str:
        return format_datetime(self.at) if self.stream < 0 else f"{format_datetime(self.at)}~{self.stream}-{self.pk}"

    @classmethod
    def parse(cls, text: str) -> ChangeCursor | None:
        """The mark that an earlier answer gave; None: it is none. ValueError: its moment cannot be read."""
        if not (match := CURSOR_PATTERN.fullmatch(text)):
            return None
        at = datetime.fromisoformat(match[1])
        if at.tzinfo is None:
            raise ValueError("a mark without a zone")
        try:
            return cls(at.astimezone(UTC), int(match[2]), int(match[3]))
        except OverflowError:
            raise ValueError("a mark out of the calendar") from None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A piece of the story; `until` is where the next one begins."""

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
    """At most `limit` events in the order in which they happened; five queries however many movies there are.

    The lists say how things stand now and have no movie in common, so that a mirror may apply them in any order.
    """
    events = sorted(
        [
            *_events_after(Movie.objects.all(), "updated_at", TOUCHED, since, limit),
            *_events_after(
                RemovedMovie.objects.filter(restored_at__isnull=False), "restored_at", RESTORED, since, limit
            ),
            *_events_after(RemovedMovie.objects.filter(restored_at=None), "removed_at", REMOVED, since, limit),
        ]
    )
    shown, more = events[:limit], len(events) > limit
    until = ChangeCursor(shown[-1].at, shown[-1].stream, shown[-1].pk) if shown else since
    here = {event.imdb_id for event in shown if event.stream != REMOVED}
    return ChangeSet(
        movie_ids=list(Movie.objects.filter(imdb_id__in=here).order_by("pk").values_list("pk", flat=True)),
        removed=_tombstones([event.pk for event in shown if event.stream == REMOVED]),
        until=until,
        more=more,
    )


def _events_after(rows: QuerySet[Any], at: str, stream: int, since: ChangeCursor, limit: int) -> list[_ChangeEvent]:
    later = Q(**{f"{at}__gt": since.at})
    if stream == since.stream:
        later = Q(**{f"{at}__gte": since.at}) & (later | Q(pk__gt=since.pk))
    elif stream > since.stream:
        later = Q(**{f"{at}__gte": since.at})
    found = rows.filter(later).order_by(at, "pk").values_list(at, "pk", "imdb_id")[: limit + 1]
    return [_ChangeEvent(moment, stream, pk, imdb_id) for moment, pk, imdb_id in found]


def _tombstones(ids: Sequence[int]) -> list[RemovedMovie]:
    back = Movie.objects.filter(imdb_id=OuterRef("imdb_id"))
    return list(RemovedMovie.objects.filter(~Exists(back), pk__in=ids).defer("snapshot").order_by("removed_at", "pk"))
