"""Ask the Wayback Machine for copies of pages that are gone, a few at the end of each run.

A copy is offered beside the dead link and counts for nothing: neither as a working link nor for or against removal.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction

from scraper.extraction.json_values import UnreadableResponse
from scraper.extraction.wayback import WaybackCopy, availability_url, parse_availability
from streaming.health.probing.config import ProbeConfig
from streaming.health.verification.api_client import ApiReply, fetch_json
from streaming.health.verification.verification_queue import is_throttled_reply
from streaming.host_rate_limit import request_delay_for, reserve_slot
from streaming.models import ArchivedCopy, HostPause, StreamingLink
from streaming.models.archived_copy import pages_to_look_up
from streaming.retry_after import PauseKind, PauseSet

log = logging.getLogger(__name__)

MAX_PAGES_PER_RUN, MAX_SECONDS = 20, 30.0
MIN_DELAY_SECONDS = 1.0
"""Between two requests to the archive; loopback has none."""
MAX_SLOT_WAIT = timedelta(seconds=5)
TIMEOUT_SECONDS, MAX_RESPONSE_BYTES = 10.0, 64 * 1024
MAX_URL_LENGTH = 1500


def look_up_archived_copies(config: ProbeConfig, *, now: datetime, stop: Callable[[], bool]) -> int:
    """Ask about the pages that are due and store what the archive has; return how many copies were found.

    Does nothing unless `WAYBACK_URL` is set. Ends early when the archive fails or asks for fewer requests.
    """
    base = settings.WAYBACK_URL
    host = urlsplit(base).hostname or ""
    if not base or HostPause.objects.active(now).filter(host=host).exists():
        return 0
    found, end = 0, time.monotonic() + MAX_SECONDS
    for link in pages_to_look_up(now=now)[:MAX_PAGES_PER_RUN]:
        if stop() or time.monotonic() >= end or not _wait_for_slot(host):
            break
        url = availability_url(base, link.source_url[:MAX_URL_LENGTH], before=link.state_since or now)
        reply = fetch_json(url, config, timeout=TIMEOUT_SECONDS, max_bytes=MAX_RESPONSE_BYTES)
        if is_throttled_reply(reply):
            _pause(host, reply, now=now)
            break
        try:
            copy = _copy_of(reply, base=base, config=config)
        except UnreadableResponse as error:
            log.warning("%s: archived copies could not be looked up: %s", host, error)
            break
        found += _store(link, copy, now=now)
    return found


def _wait_for_slot(host: str) -> bool:
    """Wait until the archive may be asked; False if others have taken all slots."""
    delay = request_delay_for(host, source="internet_archive")
    wait = reserve_slot(host, delay=max(delay, MIN_DELAY_SECONDS), max_wait=MAX_SLOT_WAIT) if delay else 0.0
    if wait is None:
        return False
    time.sleep(wait)
    return True


def _copy_of(reply: ApiReply, *, base: str, config: ProbeConfig) -> WaybackCopy | None:
    if reply.status != 200:
        raise UnreadableResponse(f"the response has the status {reply.status}")
    return parse_availability(reply.data, base=base, allowed=config.allowed)


def _pause(host: str, reply: ApiReply, *, now: datetime) -> None:
    pauses = PauseSet()
    pauses.add_requested(host, reply.retry_after or "", now=now)
    for kind in PauseKind:
        HostPause.objects.extend(pauses.of_kind(kind), HostPause.Kind(kind))


def _store(link: StreamingLink, copy: WaybackCopy | None, *, now: datetime) -> bool:
    """Store what there is; whether there is a copy, and its link still is."""
    try:
        with transaction.atomic():
            ArchivedCopy.objects.record(
                link.pk, url=copy.url if copy else "", archived_at=copy.archived_at if copy else None, now=now
            )
    except IntegrityError:  # the link was deleted meanwhile
        return False
    return copy is not None
