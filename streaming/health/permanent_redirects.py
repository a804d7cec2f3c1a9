"""Permanently redirected links: counted after three checks, given their new address on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from scraper.net.url_policy import host_of
from streaming.ingest.blocklist import Blocklist
from streaming.models import LinkFlip, Movie, StreamingLink, StreamingLinkQuerySet
from streaming.models.movie import mark_updated
from streaming.reason_codes import Reason, Strength

MIN_TIMES_SEEN = 3
BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class RedirectReport:
    """`followed`: links that got their new address; `merged`: links turned off because their movie already has it."""

    followed: int = 0
    merged: int = 0


def permanently_redirected_links() -> StreamingLinkQuerySet:
    """Active links that permanent redirects led to the same other address in three checks in a row."""
    # Without the condition of the index `link_by_moved` SQLite does not see that it may use it.
    moved = StreamingLink.objects.active().filter(moved_seen__gt=0, moved_seen__gte=MIN_TIMES_SEEN)
    return moved.exclude(moved_to="")


def count_permanently_redirected() -> int:
    """Count the links that `follow_permanent_redirects` may change."""
    return permanently_redirected_links().count()


def follow_permanent_redirects(*, now: datetime, among: Sequence[int] | None = None) -> RedirectReport:
    """Store the new addresses and keep the old ones beside them; `among`: ids of the only links to change.

    A new address that was taken down is never followed. If the movie has the new address as an inactive link (it failed
    its last check or awaits review), the old one stays, because it works.
    """
    links = permanently_redirected_links() if among is None else permanently_redirected_links().filter(pk__in=among)
    followed = merged = last = 0
    while page := list(links.filter(pk__gt=last).select_related("movie").order_by("pk")[:BATCH_SIZE]):
        last = page[-1].pk
        with transaction.atomic():
            blocklist = Blocklist.load_locked()
            allowed = [link for link in page if not blocklist.is_blocked(url=link.moved_to, imdb_id=link.movie.imdb_id)]
            mark_updated(Movie.objects.filter(pk__in={link.movie_id for link in allowed}))
            for link in allowed:
                existing = StreamingLink.objects.filter(movie=link.movie_id, source_url=link.moved_to)
                if not existing.exists():
                    followed += _follow(link)
                elif existing.active().exists():
                    merged += _merge_into_existing(link, now=now)
    return RedirectReport(followed=followed, merged=merged)


def _unchanged(link: StreamingLink) -> StreamingLinkQuerySet:
    """The link's row, or nothing if it was changed meanwhile."""
    return StreamingLink.objects.active().filter(pk=link.pk, source_url=link.source_url, moved_to=link.moved_to)


def _follow(link: StreamingLink) -> int:
    """Give a link its new address; return the number of changed rows."""
    return _unchanged(link).update(
        source_url=link.moved_to, host=host_of(link.moved_to), moved_from=link.source_url, moved_to="", moved_seen=0
    )


def _merge_into_existing(link: StreamingLink, *, now: datetime) -> int:
    """Turn off a link whose movie already has the new address; it is not checked any more."""
    changed = _unchanged(link).update(
        is_active=False, reason=Reason.MOVED, strength=Strength.PROVEN, state_since=now, moved_seen=0
    )
    if changed:
        LinkFlip.objects.create(link=link, at=now, is_active=False, reason=Reason.MOVED)
    return changed
