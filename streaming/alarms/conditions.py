"""The conditions that need an operator, read from the database and the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from scraper import sources
from streaming import statistics
from streaming.models import AlarmState, HealthRun, LinkReport, RemovedMovie, StreamingLink
from streaming.models.health_run import CLOCK_SLACK

FAILED_SEARCHES = 3
DISK_BEGIN_BYTES, DISK_END_BYTES = 512 * 2**20, 1024 * 2**20
"""Two limits, or a disk at one of them would send a message with each file."""
REMOVED = "films_removed"
MAX_FILMS_NAMED = 20
FIRST_LOOK_BACK = timedelta(days=1)
"""How far back the very first look reports removed films."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that holds or does not; `text` says so in a sentence."""

    code: str
    holds: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """Films that checks removed since the last look; `last_id` is the newest tombstone."""

    last_id: int
    count: int
    films: tuple[tuple[str, str], ...]


def current_conditions(*, now: datetime) -> list[Condition]:
    """Return all conditions, whether they hold or not."""
    return [_withheld(), _late(now), *_failing_sources(), *_waiting(), _disk()]


def removals_after(seen_id: int) -> Removals:
    """Return the films that checks removed after this tombstone and that are still removed; the first of them named."""
    newest = RemovedMovie.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    removed = RemovedMovie.objects.removed().filter(cause=RemovedMovie.Cause.CHECK, pk__gt=seen_id, pk__lte=newest)
    named = removed.order_by("pk").values_list("imdb_id", "title")[:MAX_FILMS_NAMED]
    return Removals(last_id=max(newest, seen_id), count=removed.count(), films=tuple(named))


def first_seen_id(*, now: datetime) -> int:
    """Return the tombstone from which on a first look reports removals."""
    old = RemovedMovie.objects.filter(removed_at__lt=now - FIRST_LOOK_BACK)
    return old.order_by("-pk").values_list("pk", flat=True).first() or 0


def _withheld() -> Condition:
    run = HealthRun.objects.finished().latest_started()
    holds = run is not None and run.withheld
    text = f"The last link check was withheld, nothing was changed: {run.reason}." if run and holds else ""
    return Condition(code="run_withheld", holds=holds, text=text or "Link checks count again.")


def _late(now: datetime) -> Condition:
    """As on /health/: no check has finished within `STALE_HOURS`; of a new installation nothing is expected before."""
    since = now - timedelta(hours=settings.STALE_HOURS)
    finished = HealthRun.objects.finished().filter(finished_at__gte=since, finished_at__lte=now + CLOCK_SLACK)
    holds = StreamingLink.objects.filter(first_seen__lt=since).exists() and not finished.exists()
    text = f"No link check has finished for {settings.STALE_HOURS:g} hours." if holds else "A link check has finished."
    return Condition(code="run_late", holds=holds, text=text)


def _failing_sources() -> Iterator[Condition]:
    errors = statistics.failing_sources(FAILED_SEARCHES)
    for slug in settings.SOURCES:
        name, holds = sources.source_name(slug), slug in errors
        text = f"The source {name} failed {FAILED_SEARCHES} searches running: {errors[slug]}" if holds else ""
        yield Condition(code=f"source_failing:{slug}", holds=holds, text=text or f"The source {name} responds again.")


def _waiting() -> Iterator[Condition]:
    links = StreamingLink.objects.awaiting_review().count()
    text = f"{links} links await review: {_page('/admin/streaming/streaminglink/?is_published__exact=0')}"
    yield Condition(code="links_waiting", holds=links > 0, text=text if links else "No link awaits review any more.")
    reports = LinkReport.objects.awaiting_review().count()
    text = f"{reports} reports of visitors await review: {_page('/admin/streaming/linkreport/')}"
    yield Condition(code="reports_waiting", holds=reports > 0, text=text if reports else "No report awaits review.")


def _page(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def _disk() -> Condition:
    folder = Path(settings.VAR_DIR)
    # With PostgreSQL and Redis nothing may ever have made the folder.
    free = shutil.disk_usage(next(one for one in (folder, *folder.parents) if one.exists())).free
    known = AlarmState.objects.filter(pk="disk_nearly_full").exclude(began_at=None).exists()
    holds = free < (DISK_END_BYTES if known else DISK_BEGIN_BYTES)
    text = f"The disk is nearly full: {free // 2**20} MiB are free." if holds else "The disk has free space again."
    return Condition(code="disk_nearly_full", holds=holds, text=text)
