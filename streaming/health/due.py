"""Which links are due: never checked before all, then the oldest; page by page along an index, never a whole table."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from scraper.addresses import Allowed, address_ok
from streaming.health.changes import Standing
from streaming.models import StreamingLink, StreamingLinkQuerySet

PAGE = 1000
MEDIA_KINDS = (StreamingLink.Kind.FILE, StreamingLink.Kind.STREAM)
COLUMNS = (
    "id", "movie_id", "source_url", "kind", "is_active", "reason", "failures", "state_since", "checks", "movie__title",
    "movie__imdb_id", "last_checked",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selection:
    """Which links a run is about; `older_than` hours since the last check, None: all."""

    source: str = ""
    movie: str = ""
    older_than: float | None = None

    def links(self) -> StreamingLinkQuerySet:
        links = StreamingLink.objects.all()
        if self.source:
            links = links.filter(source=self.source)
        return links.filter(movie__imdb_id=self.movie) if self.movie else links


class DueLink(NamedTuple):
    """A link that is to be asked, with all that judging it needs."""

    standing: Standing
    url: str
    media: bool
    title: str
    imdb_id: str


def due_links(selection: Selection, *, now: datetime) -> Iterator[DueLink]:
    """All due links. A last check in the future (the clock was turned back) counts as never."""
    links = selection.links()
    yield from _by_id(links.filter(last_checked=None))
    yield from _by_moment(links.filter(last_checked__gt=now))
    yield from _by_moment(links.filter(last_checked__lt=_horizon(selection, now)))


def how_many_due(selection: Selection, *, now: datetime) -> int:
    links = selection.links()
    checked = links.filter(last_checked__lt=_horizon(selection, now)).count()
    return links.filter(last_checked=None).count() + links.filter(last_checked__gt=now).count() + checked


def these_links(ids: list[int]) -> Iterator[DueLink]:
    yield from _by_id(StreamingLink.objects.filter(pk__in=ids))


def has_public(selection: Selection, allowed: Allowed) -> bool:
    """Whether any link to be asked is on a public host; steps from host to host along the index."""
    host = ""
    while (found := selection.links().filter(host__gt=host).order_by("host").values_list("host", flat=True)[:1]) and (
        host := found[0]
    ):
        if not is_private(host, allowed):
            return True
    return False


def is_private(place: str, allowed: Allowed) -> bool:
    """Whether a host (with or without port) is loopback, private, or allowed by name as such."""
    parts = urlsplit(f"//{place}" if not (place.count(":") > 1 and "[" not in place) else f"//[{place}]")
    host = parts.hostname or ""
    if allowed.host(host, parts.port or 80) or allowed.host(host, 443) or host == "localhost":
        return True
    try:
        return not address_ok(host)
    except ValueError:
        return "." not in host


def _horizon(selection: Selection, now: datetime) -> datetime:
    return now if selection.older_than is None else now - timedelta(hours=selection.older_than)


def _by_id(links: StreamingLinkQuerySet) -> Iterator[DueLink]:
    last = 0
    while page := list(links.filter(pk__gt=last).order_by("pk").values_list(*COLUMNS)[:PAGE]):
        last = page[-1][0]
        yield from map(_due, page)


def _by_moment(links: StreamingLinkQuerySet) -> Iterator[DueLink]:
    """By last check, then id. A whole run shares one moment, so the pages within a moment go by id."""
    ordered = links.order_by("last_checked", "pk").values_list(*COLUMNS)
    page = list(ordered[:PAGE])
    while page:
        yield from map(_due, page)
        last, moment = page[-1][0], page[-1][-1]
        page = list(ordered.filter(last_checked=moment, pk__gt=last)[:PAGE])
        page = page or list(ordered.filter(last_checked__gt=moment)[:PAGE])


def _due(row: tuple[object, ...]) -> DueLink:
    pk, movie_id, url, kind, is_active, reason, failures, since, checks, title, imdb_id, _ = row
    place = sys.intern(str(url).split("/", 3)[2])
    standing = Standing(pk, movie_id, place, is_active, reason, failures, since, checks)  # type: ignore[arg-type]
    return DueLink(standing, str(url), kind in MEDIA_KINDS, str(title), str(imdb_id))
