"""The review queue: links whose licence nobody states, until staff publish them or refuse them for good."""

from __future__ import annotations

from django.db import transaction

from streaming.ingest.takedown import block_link
from streaming.models import Movie, StreamingLinkQuerySet
from streaming.models.movie import mark_updated

PUBLISHED_BY = "Published by"


@transaction.atomic
def publish(links: StreamingLinkQuerySet, *, by: str) -> int:
    """Show these links to everybody; how many of them were not shown before. Who did it is their evidence."""
    mark_updated(Movie.objects.filter(pk__in=links.awaiting_review().values_list("movie", flat=True)))
    waiting = list(links.awaiting_review().select_for_update(of=("self",)).order_by("pk"))
    for link in waiting:
        link.is_published = True
        link.evidence = link.evidence or f"{PUBLISHED_BY} {by}"[:300]
    links.model.objects.bulk_update(waiting, ["is_published", "evidence"], batch_size=500)
    return len(waiting)


def reject(links: StreamingLinkQuerySet, *, reason: str) -> int:
    """Take the addresses of those that wait down for good; how many these are. What is published is left alone."""
    addresses = sorted(set(links.awaiting_review().values_list("source_url", flat=True)))
    for address in addresses:
        block_link(address, reason=reason)
    return len(addresses)


@transaction.atomic
def withdraw(links: StreamingLinkQuerySet) -> int:
    """Put published links back into the queue; how many. A source that states a free licence publishes them again."""
    shown = list(links.published().order_by("pk").values_list("pk", "movie"))
    mark_updated(Movie.objects.filter(pk__in={movie for _, movie in shown}))
    return links.model.objects.filter(pk__in=[pk for pk, _ in shown]).update(is_published=False)
