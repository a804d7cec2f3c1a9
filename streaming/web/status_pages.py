"""Pages about the service itself: link health, sources, API guide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import dropwhile

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from scraper.sources import LICENCES
from streaming import integrity, statistics
from streaming.catalogue_query import PAGE_ROWS
from streaming.localization import day_text, percent_text
from streaming.models import HealthRun, HostPause, Movie, StreamingLink
from streaming.scheduling.timetable import ScheduleStatus, schedule_status
from streaming.web import charts
from streaming.web.movie_context import removal_rule
from streaming.web.rendering import render_page

RISKS_SHOWN, FAILURES_SHOWN, DAYS_SHOWN, HOSTS_SHOWN = 8, 8, 30, 12
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@require_safe
def link_health(request: HttpRequest) -> HttpResponse:
    """The state of the link checks: last runs, failures, movies at risk, paused hosts."""
    now = timezone.now()
    if request.GET.get("format") == "json":
        return JsonResponse(_health_values(now))
    return render_page(request, "health.html", _health_context(now))


def _health_context(now: datetime) -> dict[str, object]:
    totals = statistics.totals()
    days = statistics.runs_by_day(DAYS_SHOWN, now)
    reasons = statistics.inactive_reasons()
    run = statistics.run_status(totals.last_run, now=now)
    return {
        "totals": totals,
        "changed": statistics.changes_of_run(run.ended if run else None),
        "inactive": totals.links - totals.active_links,
        "percent_working": _percent(totals.working_links, of=totals.checked_links),
        "run": run,
        "oldest": _oldest_result(),
        "never_checked": totals.unchecked_links,
        "days": [day for day in reversed(days) if day.runs],
        "bars": [_chart_bar(day) for day in dropwhile(lambda day: not day.runs, days)],
        "alive_per_day": [day.alive for day in days if day.runs],
        "died_per_day": [day.died for day in days if day.runs],
        "checked_per_day": [day.checked for day in days if day.runs],
        "reasons": reasons,
        "highest_count": max((number for _, number in reasons), default=0),
        "at_risk": statistics.at_risk(RISKS_SHOWN),
        "recent_failures": statistics.recently_failed_links(FAILURES_SHOWN, now=now),
        "paused": list(HostPause.objects.active(now).order_by("-paused_until")[:HOSTS_SHOWN]),
        "integrity": integrity.last_check(),
        "removal_rule": removal_rule(settings.LINK_GRACE_HOURS),
        "schedule": schedule_status(),
    }


def _health_values(now: datetime) -> dict[str, object]:
    """The state of checks and schedule for programs: `?format=json`."""
    status = statistics.run_status(HealthRun.objects.latest_started(), now=now)
    ended = status.ended if status else None
    return {
        "late": status is None or status.is_late,
        "running": status is not None and status.is_running,
        "last_check": None
        if ended is None
        else {
            "finished_at": ended.finished_at,
            "checked": ended.checked,
            "withheld": ended.withheld,
            "reason": ended.reason,
        },
        "schedule": _schedule_values(schedule_status()),
    }


def _schedule_values(schedule: ScheduleStatus | None) -> dict[str, object] | None:
    if schedule is None:
        return None
    tasks = [
        {
            "name": task.row.name,
            "running": task.is_running,
            "last_start": task.row.started_at,
            "last_end": task.row.finished_at,
            "exit_status": task.row.exit_status,
            "next_run": task.row.due_at,
        }
        for task in schedule.tasks
    ]
    return {"alive": schedule.is_alive, "tasks": tasks}


def _percent(number: int, *, of: int) -> str:
    """The percentage with one decimal; empty of nothing."""
    return percent_text(number / of, decimals=1) if of > 0 else ""


def _oldest_result() -> datetime | None:
    """When the oldest result of a shown link was found; the first such entry of an index. None: there is no result."""
    # A comparison, for with IS NOT NULL SQLite would begin at the links without a result.
    checked = StreamingLink.objects.shown().filter(last_checked__gte=BEGINNING)
    return checked.order_by("last_checked", "pk").values_list("last_checked", flat=True).first()


def _chart_bar(day: statistics.DailyRunStats) -> charts.ChartBar:
    return charts.ChartBar(day_text(day.day), day.alive, max(0, day.checked - day.alive))


@require_safe
def source_list(request: HttpRequest) -> HttpResponse:
    """The sources of links: content, number of links, success rate."""
    shown = [stats for stats in statistics.source_stats() if stats.enabled or stats.links]
    common = _common_licences(shown)
    rows = [_source_card(stats, common=common) for stats in shown]
    context = {
        "rows": rows,
        "licences": _licence_names(common),
        "failing": sum(row.is_failing for row in rows),
        "searched": any(row.stats.last_search for row in rows),
    }
    return render_page(request, "sources.html", context)


@dataclass(frozen=True, slots=True)
class SourceCard:
    """A source as its card shows it.

    `success_percent` is empty if it was not searched lately, `licences` if they are those that the page names for all.
    """

    stats: statistics.SourceStats
    success_percent: str
    is_failing: bool
    licences: str


def _common_licences(shown: Sequence[statistics.SourceStats]) -> tuple[str, ...]:
    """The licences that most sources may publish, which the page says once; empty without sources."""
    counted = Counter(stats.licences for stats in shown if stats.licences)
    return counted.most_common(1)[0][0] if counted else ()


def _licence_names(licences: Sequence[str]) -> str:
    return ", ".join(gettext(LICENCES.get(licence, licence)) for licence in licences)


def _source_card(stats: statistics.SourceStats, *, common: tuple[str, ...]) -> SourceCard:
    return SourceCard(
        stats=stats,
        success_percent="" if stats.success_rate is None else percent_text(stats.success_rate),
        is_failing=stats.is_failing,
        licences="" if stats.licences == common else _licence_names(stats.licences),
    )


@require_safe
def api_guide(request: HttpRequest) -> HttpResponse:
    """The API guide, with commands to copy."""
    # For the first row alone SQLite would read the whole table and sort it.
    first = Movie.objects.shown().order_by("search_title", "id").values_list("imdb_id", flat=True)[:PAGE_ROWS]
    example = next(iter(first), "tt0013442")
    return render_page(request, "api.html", {"base": request.build_absolute_uri("/api/streaming/"), "example": example})
