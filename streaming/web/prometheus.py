"""Render statistics as Prometheus text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from streaming.statistics import run_age_seconds, source_stats, totals


def render_metrics(now: datetime) -> Iterator[str]:
    """The statistics in the text format of Prometheus."""
    catalogue = totals()
    yield from _render_gauge("openreel_movies", "Movies in the catalogue", {"": catalogue.movies})
    yield from _render_gauge("openreel_open_jobs", "Queued and running scrape jobs", {"": catalogue.open_jobs})
    yield from _render_gauge(
        "openreel_links",
        "Links by source and state",
        {
            f'{{source="{row.slug}",active="{str(active).lower()}"}}': row.active if active else row.links - row.active
            for row in source_stats()
            for active in (True, False)
            if row.links
        },
    )
    if (age := run_age_seconds(now)) is not None:
        yield from _render_gauge("openreel_health_run_age_seconds", "Seconds since the last run started", {"": age})
    if (run := catalogue.last_run) is not None:
        yield from _render_gauge(
            "openreel_health_run_withheld", "1 if the results of the last run were withheld", {"": int(run.withheld)}
        )
        by_verdict = ("alive", "gone", "blocked", "unreachable", "throttled", "not_checked")
        yield from _render_gauge(
            "openreel_health_run_links",
            "Links of the last run by verdict",
            {f'{{verdict="{name}"}}': getattr(run, name) for name in by_verdict},
        )


def _render_gauge(name: str, help_text: str, values: dict[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {help_text}\n# TYPE {name} gauge\n"
    for labels, value in values.items():
        yield f"{name}{labels} {value}\n"
