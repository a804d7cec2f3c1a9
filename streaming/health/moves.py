"""Links whose address leads elsewhere for good: offered after three times, followed when somebody says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from scraper.addresses import host_of
from streaming.ingest.blocklist import Blocklist
from streaming.models import LinkFlip, Movie, StreamingLink, StreamingLinkQuerySet
from streaming.models.movie import touch
from streaming.reason_codes import Reason

SEEN_OFTEN_ENOUGH = 3
CHUNK = 200


@dataclass(frozen=True, slots=True)
class Moves:
    """`followed`: links that have their new address; `folded`: turned off, for the movie has that address already."""

    followed: int = 0
    folded: int = 0


def moved_links() -> StreamingLinkQuerySet:
    """Active links that led to one and the same other place, by permanent redirects, three checks running."""
    return StreamingLink.objects.active().filter(moved_seen__gte=SEEN_OFTEN_ENOUGH).exclude(moved_to="")


def how_many_moved() -> int:
    return moved_links().count()


def follow_moves(*, now: datetime, among: Sequence[int] | None = None) -> Moves:
    """Write the new addresses, the old ones kept beside them; `among`: only these links.

    An address that was taken down is never followed. Where the movie lists the new address but shows it to nobody (it
    failed when it was last asked, or waits for review), the old one stays: it works.
    """
    links = moved_links() if among is None else moved_links().filter(pk__in=among)
    blocklist = Blocklist.load()
    followed = folded = last = 0
    while page := list(links.filter(pk__gt=last).select_related("movie").order_by("pk")[:CHUNK]):
        last = page[-1].pk
        allowed = [link for link in page if not blocklist.forbids(url=link.moved_to, imdb_id=link.movie.imdb_id)]
        with transaction.atomic():
            touch(Movie.objects.filter(pk__in={link.movie_id for link in allowed}))
            for link in allowed:
                listed = StreamingLink.objects.filter(movie=link.movie_id, source_url=link.moved_to)
                if not listed.exists():
                    followed += _follow(link)
                elif listed.active().exists():
                    folded += _fold(link, now=now)
    return Moves(followed, folded)


def _still(link: StreamingLink) -> StreamingLinkQuerySet:
    """The link, unless somebody changed it meanwhile."""
    return StreamingLink.objects.active().filter(pk=link.pk, source_url=link.source_url, moved_to=link.moved_to)


def _follow(link: StreamingLink) -> int:
    return _still(link).update(
        source_url=link.moved_to, host=host_of(link.moved_to), moved_from=link.source_url, moved_to="", moved_seen=0
    )


def _fold(link: StreamingLink, *, now: datetime) -> int:
    """The movie lists the new address already: the old one is turned off and not asked any more."""
    turned = _still(link).update(is_active=False, reason=Reason.MOVED, state_since=now, moved_seen=0)
    if turned:
        LinkFlip.objects.create(link=link, at=now, is_active=False, reason=Reason.MOVED)
    return turned
