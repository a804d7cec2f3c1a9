"""Links whose address leads elsewhere for good: offered after three times, followed when somebody says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from scraper.net.url_policy import host_of
from streaming.ingest.blocklist import Blocklist
from streaming.models import LinkFlip, Movie, StreamingLink, StreamingLinkQuerySet
from streaming.models.movie import mark_updated
from streaming.reason_codes import Reason

MIN_TIMES_SEEN = 3
BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class RedirectReport:
    """`followed`: links that have their new address; `folded`: turned off, for the movie has that address already."""

    followed: int = 0
    merged: int = 0


def permanently_redirected_links() -> StreamingLinkQuerySet:
    """Active links that led to one and the same other place, by permanent redirects, three checks running."""
    return StreamingLink.objects.active().filter(moved_seen__gte=MIN_TIMES_SEEN).exclude(moved_to="")


def count_permanently_redirected() -> int:
    return permanently_redirected_links().count()


def follow_permanent_redirects(*, now: datetime, among: Sequence[int] | None = None) -> RedirectReport:
    """Write the new addresses, the old ones kept beside them; `among`: only these links.

    An address that was taken down is never followed. Where the movie lists the new address but shows it to nobody (it
    failed when it was last asked, or waits for review), the old one stays: it works.
    """
    links = permanently_redirected_links() if among is None else permanently_redirected_links().filter(pk__in=among)
    blocklist = Blocklist.load()
    followed = folded = last = 0
    while page := list(links.filter(pk__gt=last).select_related("movie").order_by("pk")[:BATCH_SIZE]):
        last = page[-1].pk
        allowed = [link for link in page if not blocklist.is_blocked(url=link.moved_to, imdb_id=link.movie.imdb_id)]
        with transaction.atomic():
            mark_updated(Movie.objects.filter(pk__in={link.movie_id for link in allowed}))
            for link in allowed:
                listed = StreamingLink.objects.filter(movie=link.movie_id, source_url=link.moved_to)
                if not listed.exists():
                    followed += _follow(link)
                elif listed.active().exists():
                    folded += _merge_into_existing(link, now=now)
    return RedirectReport(followed, folded)


def _unchanged(link: StreamingLink) -> StreamingLinkQuerySet:
    """The link, unless somebody changed it meanwhile."""
    return StreamingLink.objects.active().filter(pk=link.pk, source_url=link.source_url, moved_to=link.moved_to)


def _follow(link: StreamingLink) -> int:
    return _unchanged(link).update(
        source_url=link.moved_to, host=host_of(link.moved_to), moved_from=link.source_url, moved_to="", moved_seen=0
    )


def _merge_into_existing(link: StreamingLink, *, now: datetime) -> int:
    """The movie lists the new address already: the old one is turned off and not asked any more."""
    turned = _unchanged(link).update(is_active=False, reason=Reason.MOVED, state_since=now, moved_seen=0)
    if turned:
        LinkFlip.objects.create(link=link, at=now, is_active=False, reason=Reason.MOVED)
    return turned
