"""Politeness over processes: one row a host that reserves the next moment at which it may be asked.

Scrapy keeps its distance in one process; ten jobs at once would be ten times as fast as the host allows. It stands
below the rooms, for scrape jobs and the checker ask the same sources.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from scraper.sources import request_delay
from streaming.models import HostGate

MAX_WAIT = timedelta(seconds=60)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def request_delay_for(host: str, *, source: str) -> float:
    """The least seconds between two requests to a host, with the operator's `SOURCE_DELAYS`."""
    return request_delay(host, source=source, delays=settings.SOURCE_DELAYS)


@transaction.atomic
def reserve_slot(host: str, *, delay: float, max_wait: timedelta = MAX_WAIT) -> float | None:
    """Seconds until our turn, which is ours alone; None, and nothing reserved, when that is longer than `patience`.

    In the database's time. A moment further ahead than anybody waits was set before its clock went back.
    """
    gate = HostGate.objects.filter(pk=host[:255])
    seen = gate.select_for_update().values_list("next_at", Now()).first()
    if seen is None:
        HostGate.objects.bulk_create([HostGate(host=host[:255], next_at=EPOCH)], ignore_conflicts=True)
        seen = gate.select_for_update().values_list("next_at", Now()).get()
    next_at, now = seen
    mine = next_at if now < next_at <= now + 2 * MAX_WAIT else now
    if mine - now > min(max_wait, MAX_WAIT):
        return None
    gate.update(next_at=mine + timedelta(seconds=delay))
    return float((mine - now).total_seconds())
