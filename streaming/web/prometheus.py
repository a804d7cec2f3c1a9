"""Render statistics as Prometheus text.

Every series is there before anything happens, with 0: a rule about one that is absent would never fire. Exceptions are
the age of the last run and the success ratio of a source, which have no value before the first one.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.conf import settings
from django.db import connection

from streaming import statistics
from streaming.models import HealthRun
from streaming.models.job import FINISHED
from streaming.statistics import CatalogueTotals, SourceStats

VERDICTS = ("alive", "gone", "blocked", "unreachable", "throttled", "not_checked")


def render_metrics(now: datetime) -> Iterator[str]:
    """The statistics in the text format of Prometheus."""
    catalogue = statistics.totals()
    build = _labels(version=settings.VERSION, python=platform.python_version(), database=connection.vendor)
    yield from _render_gauge("openreel_build_info", "1, with what is running as labels", {build: 1})
    yield from _render_gauge("openreel_movies", "Movies in the catalogue", {"": catalogue.movies})
    yield from _render_gauge("openreel_open_jobs", "Queued and running scrape jobs", {"": catalogue.open_jobs})
    yield from _render_sources(statistics.source_stats())
    yield from _render_counters(statistics.event_counts())
    yield from _render_source_results(statistics.source_result_counts())
    yield from _render_last_run(catalogue, now)


def _render_sources(rows: list[SourceStats]) -> Iterator[str]:
    links = {
        _labels(source=row.slug, active=str(active).lower()): row.active if active else row.links - row.active
        for row in rows
        for active in (True, False)
        if row.links or row.enabled
    }
    yield from _render_gauge("openreel_links", "Links by source and state", links)
    enabled = [(_labels(source=row.slug), row) for row in rows if row.enabled]
    yield from _render_gauge(
        "openreel_source_failing",
        "1 if the last search of the source failed, or too many of the recent ones",
        {labels: int(row.is_failing) for labels, row in enabled},
    )
    yield from _render_gauge(
        "openreel_source_success_ratio",
        "Fraction of the recent searches of the source that succeeded, 0 to 1",
        {labels: row.success_rate for labels, row in enabled if row.success_rate is not None},
    )
    yield from _render_gauge(
        "openreel_source_last_search_timestamp_seconds",
        "When the last search of the source ended (0: never)",
        {labels: _timestamp(row.last_search) for labels, row in enabled},
    )
    yield from _render_gauge(
        "openreel_source_last_success_timestamp_seconds",
        "When the last search of the source that succeeded ended (0: never)",
        {labels: _timestamp(row.last_success) for labels, row in enabled},
    )


def _render_counters(events: statistics.EventCounts) -> Iterator[str]:
    yield from _render("openreel_scrape_jobs_total", "counter", "Scrape jobs that were queued", {"": events.jobs})
    yield from _render("openreel_health_runs_total", "counter", "Runs of the checker that started", {"": events.runs})
    yield from _render(
        "openreel_link_flips_total", "counter", "Links that began or ceased to work", {"": events.link_flips}
    )
    yield from _render(
        "openreel_movies_removed_total", "counter", "Movies that were removed", {"": events.removed_movies}
    )


def _render_source_results(counts: Mapping[tuple[str, str], int]) -> Iterator[str]:
    pairs = {*counts, *((slug, state.value) for slug in settings.SOURCES for state in FINISHED)}
    values = {_labels(source=slug, result=result): counts.get((slug, result), 0) for slug, result in sorted(pairs)}
    yield from _render(
        "openreel_source_results_total", "counter", "Sources that closed scrape jobs searched, by result", values
    )


def _render_last_run(catalogue: CatalogueTotals, now: datetime) -> Iterator[str]:
    started, ended = statistics.run_times(now)
    status = statistics.run_status(catalogue.last_run, now=now)
    run = catalogue.last_run or HealthRun()
    yield from _render_gauge(
        "openreel_health_run_last_start_timestamp_seconds",
        "When the last run started (0: never)",
        {"": _timestamp(started)},
    )
    yield from _render_gauge(
        "openreel_health_run_last_end_timestamp_seconds",
        "When the last run that reached a result ended (0: never)",
        {"": _timestamp(ended)},
    )
    if (age := statistics.run_age_seconds(now)) is not None:
        yield from _render_gauge("openreel_health_run_age_seconds", "Seconds since the last run started", {"": age})
    yield from _render_gauge(
        "openreel_health_run_late",
        "1 if no run has ended within STALE_HOURS and none is running",
        {"": int(status is None or status.is_late)},
    )
    yield from _render_gauge(
        "openreel_health_run_withheld", "1 if the results of the last run were withheld", {"": int(run.withheld)}
    )
    yield from _render_gauge(
        "openreel_health_run_links",
        "Links of the last run by verdict",
        {_labels(verdict=name): getattr(run, name) for name in VERDICTS},
    )


def _timestamp(time: datetime | None) -> float:
    return time.timestamp() if time else 0


def _labels(**values: str) -> str:
    """The labels of a series, escaped as the format wants it."""
    escaped = (
        (name, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for name, value in values.items()
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"


def _render_gauge(name: str, help_text: str, values: Mapping[str, float]) -> Iterator[str]:
    yield from _render(name, "gauge", help_text, values)


def _render(name: str, kind: str, help_text: str, values: Mapping[str, float]) -> Iterator[str]:
    """The samples by their labels."""
    yield f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n"
    for labels, value in values.items():
        yield f"{name}{labels} {value}\n"
