"""What interrupted runs found, for the run that resumes them.

Their successes are written and their failures are not, so the next run starts with the failures. On their own these
would make a host look worse than it is: after four links without a response it would not be asked any more, and a few
failures would make it look down. Hence the next run knows which hosts responded before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, OuterRef

from scraper.net.url_policy import netloc_of
from streaming.health.judging.verdict import Verdict
from streaming.health.selection import Selection, checked_before, in_shard
from streaming.models import LinkFlip, StreamingLink, StreamingLinkQuerySet
from streaming.reason_codes import Reason

CHUNK_SIZE = 2000


@dataclass(frozen=True, slots=True)
class ResumeState:
    """What interrupted runs found, by netloc.

    `responsive_hosts` had a link that was alive. `alive_by_host` counts such links as far as this run does not check
    them again.
    """

    responsive_hosts: frozenset[str] = frozenset()
    alive_by_host: Counter[str] = field(default_factory=Counter)


def load_resume_state(selection: Selection, *, since: datetime | None, now: datetime) -> ResumeState:
    """Load what the runs from `since` on found, empty if it is None; see `HealthRunQuerySet.interrupted_since`."""
    if since is None:
        return ResumeState()
    responsive: set[str] = set()
    alive_by_host: Counter[str] = Counter()
    rechecked_before = checked_before(selection, now)
    links = in_shard(StreamingLink.objects.filter(reason=Reason.OK, is_active=True), selection.shard)
    rows = links.filter(last_checked__gte=since, last_checked__lt=now)
    for url, checked in rows.values_list("source_url", "last_checked").iterator(chunk_size=CHUNK_SIZE):
        netloc = netloc_of(url)
        responsive.add(netloc)
        alive_by_host[netloc] += checked is not None and checked >= rechecked_before
    return ResumeState(responsive_hosts=frozenset(responsive), alive_by_host=alive_by_host)


class WrittenResult(NamedTuple):
    """The success of a link that an earlier attempt of the same run wrote."""

    netloc: str
    verdict: Verdict
    was_active: bool


def written_results(links: StreamingLinkQuerySet, *, now: datetime) -> Iterator[WrittenResult]:
    """Yield what the run of this moment has written to these links; no two runs have the same moment."""
    revived = LinkFlip.objects.filter(link=OuterRef("pk"), at=now, is_active=True)
    rows = links.filter(last_checked=now).annotate(revived=Exists(revived))
    columns = rows.values_list("source_url", "is_active", "reason", "revived")
    for url, is_active, reason, was_revived in columns.iterator(chunk_size=CHUNK_SIZE):
        verdict = Verdict.ALIVE if is_active and reason == Reason.OK else Verdict.THROTTLED
        yield WrittenResult(netloc=netloc_of(url), verdict=verdict, was_active=is_active and not was_revived)
