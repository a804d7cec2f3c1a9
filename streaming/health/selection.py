"""Select the links that are due: never checked ones first, then the oldest, page by page along an index."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Count, Q
from django.db.models.functions import MD5, Substr

from scraper.net.url_policy import PrivateHostAllowlist, host_of, is_public_address, netloc_of
from streaming.health.judging.removal import DOUBTED_REASONS, SOURCE_API_REASONS
from streaming.health.judging.results import LinkState
from streaming.health.sharding import BUCKET_DIGITS, Shard, shard_number
from streaming.models import StreamingLink, StreamingLinkQuerySet
from streaming.reason_codes import Reason

PAGE_SIZE = 1000
MAX_RECHECK_DELAY = timedelta(days=31)
DENIAL_MAX_AGE = timedelta(hours=6)
"""After so long an API is asked again about a link that it denies, while the grace of that lasts."""
SHARD_BUCKET = Substr(MD5("host"), 1, BUCKET_DIGITS)
MEDIA_KINDS = (StreamingLink.Kind.FILE, StreamingLink.Kind.STREAM)
COLUMNS = (
    "id", "movie_id", "source_url", "kind", "is_active", "reason", "failures", "state_since", "checks", "movie__title",
    "movie__imdb_id", "moved_to", "moved_seen", "verified_at", "strength", "failing_seconds", "last_checked",
    "taken_down",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selection:
    """Which links a run checks.

    `older_than`: only those with the last check more than so many hours ago; None: all. `due`: only those whose next
    check is due. `shard`: only those on hosts of this shard; None: on all hosts.
    """

    source: str = ""
    movie: str = ""
    older_than: float | None = None
    due: bool = False
    shard: Shard | None = None

    def links(self) -> StreamingLinkQuerySet:
        """All links of the selection, due or not; links that were merged into others are never checked."""
        links = in_shard(StreamingLink.objects.exclude(reason=Reason.MOVED, is_active=False), self.shard)
        if self.source:
            links = links.filter(source=self.source)
        return links.filter(movie__imdb_id=self.movie) if self.movie else links


def in_shard(links: StreamingLinkQuerySet, shard: Shard | None) -> StreamingLinkQuerySet:
    """Filter links by their shard; None: no filter.

    By bucket and not by remainder: the planner then estimates the number of rows well and uses the index.
    """
    return (
        links if shard is None or shard.of == 1 else links.alias(bucket=SHARD_BUCKET).filter(bucket__in=shard.buckets())
    )


def due_links(selection: Selection, *, now: datetime) -> Iterator[LinkState]:
    """Yield all due links. A last check in the future (the clock was turned back) counts as never."""
    never, *dated = _due_querysets(selection, now)
    yield from _by_id(never)
    for links in dated:
        yield from _by_date(links, "next_check_at" if selection.due else "last_checked")


def count_due(selection: Selection, *, now: datetime) -> int:
    """Count the links that `due_links` yields."""
    return sum(links.count() for links in _due_querysets(selection, now))


def count_due_by_shard(selection: Selection, *, now: datetime, of: int, limit: int | None = None) -> Counter[int]:
    """Count the due links by shard number, of `of` shards.

    `limit`: only the first so many in the order of `due_links`; None: all.
    """
    found: Counter[int] = Counter()
    for links in _due_querysets(selection, now):
        if limit is not None:
            links = _first_due(links, selection, limit=limit - found.total())
        for bucket, number in links.order_by().values_list(SHARD_BUCKET).annotate(number=Count("pk")):
            found[shard_number(bucket, of=of)] += number
    return found


def _first_due(links: StreamingLinkQuerySet, selection: Selection, *, limit: int) -> StreamingLinkQuerySet:
    """Select the links that `due_links` yields first: by date, and by id where there is none."""
    ordered = links.order_by("next_check_at" if selection.due else "last_checked", "pk")
    return StreamingLink.objects.filter(pk__in=ordered.values("pk")[: max(0, limit)])


def _due_querysets(selection: Selection, now: datetime) -> list[StreamingLinkQuerySet]:
    """Return queries for links never checked, with an impossible date, and due: each uses an index.

    Due means strictly before `now`, so that the run does not meet again what it writes.
    """
    links = selection.links()
    if not selection.due:
        old = links.filter(last_checked__lt=checked_before(selection, now))
        return [links.filter(last_checked=None), links.filter(last_checked__gt=now), old]
    if selection.older_than is not None:
        links = links.filter(Q(last_checked=None) | Q(last_checked__lt=checked_before(selection, now)))
    impossible = links.filter(next_check_at__gt=now + MAX_RECHECK_DELAY)
    return [links.filter(next_check_at=None), impossible, links.filter(next_check_at__lt=now)]


def longest_unverified(selection: Selection, host: str, *, before: datetime, now: datetime) -> Iterator[str]:
    """Yield URLs on this host of due links not verified since `before`: never verified ones first, then the oldest.

    Links that the API has denied for some hours, perhaps in error, come last. Links that failed by HTTP are left out:
    they are not verified while they fail, so they would come first forever.
    """
    never, in_future, old = _due_querysets(selection, now)
    links = (never | in_future | old).filter(Q(is_active=True) | Q(reason__in=SOURCE_API_REASONS), host=host)
    groups = (
        links.filter(verified_at=None).order_by("pk"),
        links.filter(verified_at__gt=now).order_by("pk"),
        links.filter(verified_at__lt=before).order_by("verified_at", "pk"),
        links.filter(is_active=False, reason__in=DOUBTED_REASONS, verified_at__lte=now - DENIAL_MAX_AGE).order_by(
            "verified_at", "pk"
        ),
    )
    for group in groups:
        yield from group.values_list("source_url", flat=True).iterator(chunk_size=PAGE_SIZE)


def links_by_id(ids: list[int]) -> Iterator[LinkState]:
    """Yield these links in the order of their ids; deleted ones are left out."""
    yield from _by_id(StreamingLink.objects.filter(pk__in=ids))


def other_active_links(netloc: str, *, besides: list[int], limit: int, now: datetime) -> list[int]:
    """Return the ids of at most `limit` active links of a host that the run of `now` has not checked."""
    links = StreamingLink.objects.filter(host=host_of(f"//{netloc}"), is_active=True)
    rows = links.exclude(pk__in=besides).exclude(last_checked=now).order_by("pk").values_list("pk", "source_url")
    return [pk for pk, url in rows[:PAGE_SIZE] if netloc_of(url) == netloc][:limit]


def has_public_host(selection: Selection, allowed: PrivateHostAllowlist) -> bool:
    """Return whether any link of the selection is on a public host; reads the index up to the first one."""
    hosts = selection.links().order_by("host").values_list("host", flat=True).distinct()
    return any(not is_private(host, allowed) for host in hosts.iterator(chunk_size=100))


def is_private(netloc: str, allowed: PrivateHostAllowlist) -> bool:
    """Return whether a host (with or without port) is loopback, private, or allowed by name as such."""
    parts = urlsplit(f"//{netloc}" if not (netloc.count(":") > 1 and "[" not in netloc) else f"//[{netloc}]")
    host = parts.hostname or ""
    if allowed.allows_host(host, parts.port or 80) or allowed.allows_host(host, 443) or host == "localhost":
        return True
    try:
        return not is_public_address(host)
    except ValueError:
        return "." not in host


def checked_before(selection: Selection, now: datetime) -> datetime:
    """Return the time before which the last check of a selected link must be."""
    return now if selection.older_than is None else now - timedelta(hours=selection.older_than)


def _by_id(links: StreamingLinkQuerySet) -> Iterator[LinkState]:
    last = 0
    while page := list(links.filter(pk__gt=last).order_by("pk").values_list(*COLUMNS)[:PAGE_SIZE]):
        last = page[-1][0]
        yield from map(_to_link_state, page)


def _by_date(links: StreamingLinkQuerySet, name: str) -> Iterator[LinkState]:
    """Yield links by the date column `name`, then by id: all links of a run have the same date."""
    ordered = links.order_by(name, "pk").values_list(*COLUMNS, name)
    page = list(ordered[:PAGE_SIZE])
    while page:
        yield from map(_to_link_state, page)
        last, date = page[-1][0], page[-1][-1]
        page = list(ordered.filter(**{name: date}, pk__gt=last)[:PAGE_SIZE])
        page = page or list(ordered.filter(**{f"{name}__gt": date})[:PAGE_SIZE])


def _to_link_state(row: tuple[Any, ...]) -> LinkState:
    (
        pk, movie_id, url, kind, is_active, reason, failures, since, checks, title, imdb_id, moved_to, seen, verified,
        strength, failing_seconds, last_checked, taken_down,
    ) = row[: len(COLUMNS)]  # fmt: skip
    return LinkState(
        id=pk,
        movie_id=movie_id,
        # The same few texts in very many rows, some of which stay in memory until the run ends: each is kept once.
        netloc=sys.intern(netloc_of(url)),
        is_active=is_active,
        reason=sys.intern(reason),
        failures=failures,
        state_since=since,
        checks=sys.intern(checks),
        moved_to=moved_to,
        moved_seen=seen,
        strength=sys.intern(strength),
        failing_seconds=failing_seconds,
        last_checked=last_checked,
        url=url,
        media=kind in MEDIA_KINDS,
        title=title,
        imdb_id=imdb_id,
        verified_at=verified,
        taken_down=taken_down,
    )
