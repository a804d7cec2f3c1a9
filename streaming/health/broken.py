"""What runs that were broken off have left: good news is written, bad news is not, so the next run meets that first.

Asked alone, the links that are left look worse than their hosts are: four hanging ones in a row would have a host given
up, and a host's few bad links would look like a host that is down. So a run is told what its forerunners heard.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from streaming.health.due import Selection, horizon
from streaming.models import HealthRun, StreamingLink

INTERRUPTED = "interrupted; bad answers were not believed yet, those links are asked again next time"
RUNS_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Before:
    """`answered`: hosts that were alive in those runs; `not_asked`: their links that this run does not ask again."""

    answered: frozenset[str] = frozenset()
    not_asked: Counter[str] = field(default_factory=Counter)


def left_before(selection: Selection, *, now: datetime) -> Before:
    """What the runs since the last believed one heard; nothing when that was the last run."""
    since = _broken_since()
    if since is None:
        return Before()
    answered: set[str] = set()
    not_asked: Counter[str] = Counter()
    asked_again = horizon(selection, now)
    rows = StreamingLink.objects.filter(reason="ok", is_active=True, last_checked__gte=since, last_checked__lte=now)
    for url, checked in rows.values_list("source_url", "last_checked").iterator(chunk_size=2000):
        place = url.split("/", 3)[2]
        answered.add(place)
        not_asked[place] += checked is not None and checked >= asked_again
    return Before(frozenset(answered), not_asked)


def _broken_since() -> datetime | None:
    """When the first of the last runs began that were killed, interrupted or withheld; None: the last one was whole."""
    since = None
    runs = HealthRun.objects.order_by("-started_at", "-pk").values_list(
        "started_at", "finished_at", "withheld", "reason"
    )
    for started, finished, withheld, reason in runs[:RUNS_LOOKED_AT]:
        if finished is not None and not withheld and reason != INTERRUPTED:
            break
        since = started
    return since
