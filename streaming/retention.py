"""Delete old history in batches: flips of links, runs of the checker, closed jobs and their logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from streaming.models import HealthRun, LinkFlip, ScrapeJob

BATCH_SIZE = 1000
"""Rows in one transaction, so that no other writer waits long."""
LOG_DAYS = 30


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """How many rows were deleted, and of how many jobs the log was emptied."""

    flips: int
    runs: int
    jobs: int
    logs: int


def delete_old_history(*, now: datetime) -> RetentionReport:
    """Delete what is older than `HISTORY_DAYS` and empty logs of jobs that ended over 30 days ago.

    Open jobs, the newest run, each movie's newest job and each link's newest flip stay. A kill loses nothing: the next
    call continues.
    """
    before = now - timedelta(days=settings.HISTORY_DAYS)
    return RetentionReport(
        flips=_in_batches(_old_flips(before), _delete),
        runs=_in_batches(_old_runs(before), _delete),
        jobs=_in_batches(_old_jobs(before), _delete),
        logs=_in_batches(_jobs_with_old_log(now - timedelta(days=LOG_DAYS)), lambda jobs: jobs.update(log="")),
    )


def _old_flips(before: datetime) -> QuerySet[LinkFlip]:
    newer = LinkFlip.objects.filter(link=OuterRef("link"), pk__gt=OuterRef("pk"))
    return LinkFlip.objects.filter(Exists(newer), at__lt=before)


def _old_runs(before: datetime) -> QuerySet[HealthRun]:
    newest = HealthRun.objects.latest_started()
    old = HealthRun.objects.filter(started_at__lt=before)
    return old.exclude(pk=newest.pk) if newest else old


def _old_jobs(before: datetime) -> QuerySet[ScrapeJob]:
    newer = ScrapeJob.objects.filter(movie=OuterRef("movie"), pk__gt=OuterRef("pk"))
    return ScrapeJob.objects.filter(Exists(newer), finished_at__lt=before)


def _jobs_with_old_log(before: datetime) -> QuerySet[ScrapeJob]:
    return ScrapeJob.objects.filter(finished_at__lt=before).exclude(log="")


def _delete(rows: QuerySet[Any]) -> object:
    return rows.delete()


def _in_batches(rows: QuerySet[Any], handle: Callable[[QuerySet[Any]], object]) -> int:
    """Apply `handle` to all of these rows, some at a time; how many there were."""
    handled = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]):
        handle(rows.model._default_manager.filter(pk__in=keys))
        handled += len(keys)
    return handled
