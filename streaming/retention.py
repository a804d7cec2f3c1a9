"""Delete old history in batches: flips, runs, jobs and logs, handled reports and requests, requests for titles, log-in
counts, sessions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from streaming.models import HealthRun, LinkFlip, LinkReport, LoginCounter, ScrapeJob, TakedownRequest, TitleRequest

BATCH_SIZE = 1000
"""Rows in one transaction, so that no other writer waits long."""
LOG_DAYS = 30
LOGIN_COUNTER_DAYS = 1
"""Longer than any count of wrong passwords is used."""


def delete_old_history(*, now: datetime) -> None:
    """Delete what is older than `HISTORY_DAYS` and empty logs of jobs that ended over 30 days ago. Counts of wrong
    passwords go after a day, sessions when they have expired, and titles for which nobody has asked since then.

    Open jobs, the newest run, each movie's newest job and each link's newest flip stay. A kill loses nothing: the next
    call continues.
    """
    before = now - timedelta(days=settings.HISTORY_DAYS)
    counters = LoginCounter.objects.filter(opened_at__lt=now - timedelta(days=LOGIN_COUNTER_DAYS))
    reports = LinkReport.objects.filter(handled_at__lt=before)
    requests = TakedownRequest.objects.filter(handled_at__lt=before)
    titles = TitleRequest.objects.filter(asked_at__lt=before)
    sessions = Session.objects.filter(expire_date__lt=now)
    history = (_old_flips(before), _old_runs(before), _old_jobs(before))
    for rows in (*history, reports, requests, titles, counters, sessions):
        _in_batches(rows, lambda batch: batch.delete())
    _in_batches(_jobs_with_old_log(now - timedelta(days=LOG_DAYS)), _empty_logs)


def _old_flips(before: datetime) -> QuerySet[LinkFlip]:
    newer = LinkFlip.objects.filter(link=OuterRef("link"), pk__gt=OuterRef("pk"))
    return LinkFlip.objects.filter(Exists(newer), at__lt=before)


def _old_runs(before: datetime) -> QuerySet[HealthRun]:
    newest = HealthRun.objects.latest_started()
    old = HealthRun.objects.filter(started_at__lt=before)
    return old.exclude(pk=newest.pk) if newest else old


def _old_jobs(before: datetime) -> QuerySet[ScrapeJob]:
    newer = ScrapeJob.objects.filter(pk__gt=OuterRef("pk"))
    is_followed = Exists(newer.filter(movie=OuterRef("movie"))) | Exists(
        newer.filter(title_request=OuterRef("title_request"))
    )
    return ScrapeJob.objects.filter(is_followed, finished_at__lt=before)


def _jobs_with_old_log(before: datetime) -> QuerySet[ScrapeJob]:
    return ScrapeJob.objects.filter(finished_at__lt=before).exclude(log="")


@transaction.atomic
def _empty_logs(jobs: QuerySet[ScrapeJob]) -> None:
    jobs.update(log="")
    if connection.vendor == "sqlite":
        _write_anew(jobs)


def _write_anew(jobs: QuerySet[ScrapeJob]) -> None:
    """Delete these rows and insert them again as they were. SQLite merges pages when rows are deleted, never when they
    become shorter: what the logs had filled would stay empty until the jobs themselves are deleted."""
    quote, fields = connection.ops.quote_name, ScrapeJob._meta.concrete_fields
    columns, ids = ", ".join(quote(str(field.column)) for field in fields), list(jobs.values_list("pk", flat=True))
    table, places = quote(ScrapeJob._meta.db_table), ", ".join(["%s"] * len(fields))
    chosen = f"FROM {table} WHERE id IN ({', '.join(['%s'] * len(ids))})"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} {chosen}", ids)
        rows = cursor.fetchall()
        cursor.execute(f"DELETE {chosen}", ids)
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)  # noqa: S608  our own names


def _in_batches(rows: QuerySet[Any], handle: Callable[[QuerySet[Any]], object]) -> None:
    """Apply `handle` to all of these rows, some at a time, in the order of their keys: what stays is read once."""
    ordered = rows.order_by("pk").values_list("pk", flat=True)
    keys = list(ordered[:BATCH_SIZE])
    while keys:
        handle(rows.model._default_manager.filter(pk__in=keys))
        keys = list(ordered.filter(pk__gt=keys[-1])[:BATCH_SIZE])
