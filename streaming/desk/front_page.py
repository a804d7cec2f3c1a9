"""What the admin's front page says: what needs somebody's attention, and figures of the site.

Each notice needs the permission to see the page it leads to. Counts stop at `MAX_COUNTED`, so that the page costs the
same however many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from streaming import statistics
from streaming.localization import time_ago
from streaming.models import HealthRun, LinkReport, Movie, RemovedMovie, ScrapeJob, StreamingLink, TakedownRequest
from streaming.storage_checks import storage_problems

MAX_COUNTED = 1000
RECENTLY = timedelta(days=7)
MAX_WAIT = timedelta(minutes=10)
"""A search that has waited longer is one that nobody takes."""
FULL_QUEUE = 0.8
"""The part of `SCRAPE_QUEUE_LIMIT` from which on the queue needs attention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that needs attention: a sentence, and the page that shows it. `is_urgent`: the site suffers from it."""

    text: str
    url: str
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the site with its name."""

    name: str
    value: str


def notices_for(user: Any, *, now: datetime) -> list[Notice]:
    """What needs the attention of this account, urgent things first."""
    found = [notice for permission, look in LOOKS if user.has_perm(f"streaming.{permission}") for notice in look(now)]
    return sorted(found, key=lambda notice: not notice.is_urgent)


def figures_for(user: Any, *, now: datetime) -> list[Figure]:
    """Figures of the site; those of the operation for accounts that may see the runs of the checker."""
    version = Figure(gettext("Version"), settings.VERSION)
    if not user.has_perm("streaming.view_healthrun"):
        return [version]
    totals = statistics.totals()
    started = totals.last_run.started_at if totals.last_run else None
    return [
        Figure(gettext("Titles"), f"{totals.movies:,}"),
        Figure(gettext("Working links"), f"{totals.working_links:,} / {totals.links:,}"),
        Figure(gettext("Last check of links"), time_ago(started, now=now)),
        Figure(gettext("Searches in the queue"), f"{totals.open_jobs:,}"),
        Figure(gettext("Size of the database"), filesizeformat(_database_bytes())),
        version,
    ]


def _links_in_review(now: datetime) -> Iterator[Notice]:
    if number := _count(StreamingLink.objects.awaiting_review()):
        text = ngettext("%(number)s link awaits review", "%(number)s links await review", number)
        yield Notice(
            text=text % {"number": _shown(number)},
            url=_list_url(StreamingLink, "is_published__exact=0&taken_down__exact=0"),
        )


def _reports(now: datetime) -> Iterator[Notice]:
    if number := _count(LinkReport.objects.awaiting_review()):
        text = ngettext("%(number)s report of visitors", "%(number)s reports of visitors", number)
        yield Notice(text=text % {"number": _shown(number)}, url=_list_url(LinkReport))


def _takedown_requests(now: datetime) -> Iterator[Notice]:
    if number := _count(TakedownRequest.objects.awaiting_review()):
        text = ngettext("%(number)s takedown request waits", "%(number)s takedown requests wait", number)
        yield Notice(text=text % {"number": _shown(number)}, url=_list_url(TakedownRequest), is_urgent=True)


def _health_runs(now: datetime) -> Iterator[Notice]:
    status = statistics.run_status(HealthRun.objects.latest_started(), now=now)
    url = _list_url(HealthRun)
    if status is None:
        yield Notice(text=gettext("Links have never been checked"), url=url)
        return
    if status.newest.withheld:
        yield Notice(text=gettext("The last check of links was withheld: it changed nothing"), url=url, is_urgent=True)
    if status.is_late:
        yield Notice(text=gettext("The check of links is late"), url=url, is_urgent=True)


def _failing_sources(now: datetime) -> Iterator[Notice]:
    names = [stats.name for stats in statistics.source_stats() if stats.is_failing]
    if names:
        text = ngettext("A source does not respond as usual: %(names)s", "Sources do not respond as usual: %(names)s",
                        len(names))  # fmt: skip
        yield Notice(text=text % {"names": ", ".join(names)}, url=reverse("sources"), is_urgent=True)


def _movies_at_risk(now: datetime) -> Iterator[Notice]:
    if number := _count(Movie.objects.unwatchable()):
        text = ngettext("%(number)s title has no working link", "%(number)s titles have no working link", number)
        yield Notice(text=text % {"number": _shown(number)}, url=_list_url(Movie, "active_links=0"))


def _removed_lately(now: datetime) -> Iterator[Notice]:
    removed = RemovedMovie.objects.removed().removed_by_checks(within=RECENTLY, now=now)
    if number := _count(removed):
        text = ngettext(
            "%(number)s title was removed by checks within a week",
            "%(number)s titles were removed by checks within a week",
            number,
        )
        yield Notice(
            text=text % {"number": _shown(number)},
            url=_list_url(RemovedMovie, "cause__exact=check&restored_at__isempty=1"),
        )


def _queue(now: datetime) -> Iterator[Notice]:
    number, url = ScrapeJob.objects.open().count(), _list_url(ScrapeJob, "state__exact=queued")
    if number >= FULL_QUEUE * settings.SCRAPE_QUEUE_LIMIT:
        text = gettext("The queue of searches is nearly full: %(number)s")
        yield Notice(text=text % {"number": f"{number:,}"}, url=url, is_urgent=True)
    queued = ScrapeJob.objects.open().filter(state=ScrapeJob.State.QUEUED, queued_at__lt=now - MAX_WAIT)
    oldest = queued.order_by("queued_at").values_list("queued_at", flat=True).first() if number else None
    if oldest:
        text = gettext("Searches wait and nobody takes them: the oldest was asked for %(ago)s")
        yield Notice(text=text % {"ago": time_ago(oldest, now=now)}, url=url, is_urgent=True)


def _storage(now: datetime) -> Iterator[Notice]:
    for problem in storage_problems():
        yield Notice(text=problem, url=reverse("readyz"), is_urgent=True)


LOOKS: Sequence[tuple[str, Callable[[datetime], Iterator[Notice]]]] = (
    ("view_streaminglink", _links_in_review),
    ("view_linkreport", _reports),
    ("view_takedownrequest", _takedown_requests),
    ("view_healthrun", _health_runs),
    ("view_scrapejob", _failing_sources),
    ("view_movie", _movies_at_risk),
    ("view_removedmovie", _removed_lately),
    ("view_scrapejob", _queue),
    ("view_healthrun", _storage),
)
"""The permission that each look needs."""


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by().values("pk")[:MAX_COUNTED].count()


def _shown(number: int) -> str:
    return f"{number:,}+" if number == MAX_COUNTED else f"{number:,}"


def _list_url(model: type[Any], query: str = "") -> str:
    url = reverse(f"admin:streaming_{model._meta.model_name}_changelist")
    return f"{url}?{query}" if query else url


def _database_bytes() -> int:
    sql = "SELECT pg_database_size(current_database())"
    if connection.vendor == "sqlite":
        sql = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])
