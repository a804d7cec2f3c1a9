"""Limit the request rate per host across all processes and machines: one row per host holds its next free slot.

Scrapy's own delay counts within one process only, so ten jobs would be ten times as fast as the host allows. Scrape
jobs and the link checker use the same slots.
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
    """Return the minimum seconds between two requests to a host; `SOURCE_DELAYS` may set them."""
    return request_delay(host, source=source, delays=settings.SOURCE_DELAYS)


@transaction.atomic
def reserve_slot(host: str, *, delay: float, max_wait: timedelta = MAX_WAIT) -> float | None:
    """Reserve the host's next slot; return the seconds until it, or None without a reservation beyond `max_wait`.

    `delay` is the seconds from this slot to the next one. Times are the database's; a slot further ahead than any
    request waits was reserved before the clock was set back, and is ignored.
    """
    host_row = HostGate.objects.filter(pk=host[:255])
    stored = host_row.select_for_update().values_list("next_at", Now()).first()
    if stored is None:
        HostGate.objects.bulk_create([HostGate(host=host[:255], next_at=EPOCH)], ignore_conflicts=True)
        stored = host_row.select_for_update().values_list("next_at", Now()).get()
    next_at, now = stored
    slot_at = next_at if now < next_at <= now + 2 * MAX_WAIT else now
    if slot_at - now > min(max_wait, MAX_WAIT):
        return None
    host_row.update(next_at=slot_at + timedelta(seconds=delay))
    return float((slot_at - now).total_seconds())
