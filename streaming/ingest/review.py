"""The review queue: unpublished links, which staff publish or reject."""

from __future__ import annotations

from django.db import transaction

from scraper.items import MAX_EVIDENCE_LENGTH
from streaming.ingest.blocklist import Blocklist
from streaming.ingest.takedown import block_link
from streaming.models import Movie, StreamingLinkQuerySet
from streaming.models.movie import mark_updated

PUBLISHED_BY = "Published by"


@transaction.atomic
def publish(links: StreamingLinkQuerySet, *, by: str) -> int:
    """Publish those of these links that are unpublished and not taken down; return how many.

    `by` is the evidence of those without any.
    """
    blocklist = Blocklist.load_locked()
    mark_updated(Movie.objects.filter(pk__in=links.awaiting_review().values_list("movie", flat=True)))
    in_review = links.awaiting_review().select_for_update(of=("self",)).order_by("pk")
    links_in_review = [link for link in in_review if not blocklist.is_blocked(url=link.source_url)]
    for link in links_in_review:
        link.is_published = True
        link.evidence = link.evidence or f"{PUBLISHED_BY} {by}"[:MAX_EVIDENCE_LENGTH]
    links.model.objects.bulk_update(links_in_review, ["is_published", "evidence"], batch_size=500)
    return len(links_in_review)


def reject(links: StreamingLinkQuerySet, *, reason: str) -> int:
    """Take down the URLs of those links that await review; return how many URLs. Published links stay."""
    urls = sorted(set(links.awaiting_review().values_list("source_url", flat=True)))
    for url in urls:
        block_link(url, reason=reason)
    return len(urls)


@transaction.atomic
def withdraw(links: StreamingLinkQuerySet) -> int:
    """Return published links to the queue, and how many. A source that states a free licence publishes them again."""
    published = list(links.shown().order_by("pk").values_list("pk", "movie"))
    mark_updated(Movie.objects.filter(pk__in={movie for _, movie in published}))
    return links.model.objects.filter(pk__in=[pk for pk, _ in published]).update(is_published=False)
