"""What runs that were broken off have left: good news is written, bad news is not, so the next run meets that first.

Asked alone, the links that are left look worse than their hosts are: four hanging ones in a row would have a host given
up, and a host's few bad links would look like a host that is down. So a run is told what its forerunners heard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, OuterRef

from streaming.health.judging.verdict import Verdict
from streaming.health.selection import Selection, checked_before, in_shard
from streaming.models import LinkFlip, StreamingLink, StreamingLinkQuerySet
from streaming.reason_codes import Reason


@dataclass(frozen=True, slots=True)
class ResumeState:
    """`answered`: hosts that were alive in those runs; `not_asked`: their links that this run does not ask again."""

    responsive_hosts: frozenset[str] = frozenset()
    alive_by_host: Counter[str] = field(default_factory=Counter)


def load_resume_state(selection: Selection, *, since: datetime | None, now: datetime) -> ResumeState:
    """What the runs from `since` on (see `HealthRunQuerySet.interrupted_since`) found; empty if `since` is None."""
    if since is None:
        return ResumeState()
    answered: set[str] = set()
    not_asked: Counter[str] = Counter()
    asked_again = checked_before(selection, now)
    links = in_shard(StreamingLink.objects.filter(reason=Reason.OK, is_active=True), selection.shard)
    rows = links.filter(last_checked__gte=since, last_checked__lt=now)
    for url, checked in rows.values_list("source_url", "last_checked").iterator(chunk_size=2000):
        place = url.split("/", 3)[2]
        answered.add(place)
        not_asked[place] += checked is not None and checked >= asked_again
    return ResumeState(frozenset(answered), not_asked)


class WrittenResult(NamedTuple):
    """A link whose good news this very run has written."""

    place: str
    verdict: Verdict
    was_active: bool


def written_results(links: StreamingLinkQuerySet, *, now: datetime) -> Iterator[WrittenResult]:
    """What of these links the run of that moment has written already: a moment is one run's own."""
    revived = LinkFlip.objects.filter(link=OuterRef("pk"), at=now, is_active=True)
    rows = links.filter(last_checked=now).annotate(revived=Exists(revived))
    columns = rows.values_list("source_url", "is_active", "reason", "revived")
    for url, is_active, reason, was_revived in columns.iterator(chunk_size=2000):
        verdict = Verdict.ALIVE if is_active and reason == Reason.OK else Verdict.THROTTLED
        yield WrittenResult(url.split("/", 3)[2], verdict, is_active and not was_revived)
