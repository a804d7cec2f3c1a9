"""Figures about the catalogue for pages, API and Prometheus. The number of queries does not depend on the rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext

from scraper import sources
from streaming.models import (
    HealthRun,
    LinkCount,
    LinkFlip,
    Movie,
    RemovedMovie,
    ScrapeJob,
    SourceResultCount,
    StreamingLink,
)
from streaming.models.counters import inactive_reason_counts, movie_total
from streaming.models.health_run import CLOCK_SLACK
from streaming.models.job import FINISHED, SourceResult, SourceState
from streaming.models.reasons import reason_text

RECENT_JOBS = 200
MIN_SUCCESS_RATE = 0.8
HEARTBEAT_TIMEOUT = timedelta(minutes=5)
AT_RISK_COUNTS = (0, 1)
SUCCESSFUL = frozenset({SourceState.FOUND, SourceState.NOTHING})
RUN_FIGURES = ("checked", "alive", "died", "revived", "removed")

FINGERPRINT_SQL = """
    SELECT v.number, v.changed_at, l.checked_at, b.number, b.newest, r.id, r.heartbeat_at, r.finished_at
    FROM (SELECT COALESCE(SUM(number), 0) AS number, MAX(changed_at) AS changed_at FROM streaming_catalogueversion) v
    CROSS JOIN (SELECT MAX(last_checked) AS checked_at FROM streaming_streaminglink WHERE last_checked <= %s) l
    CROSS JOIN (SELECT COUNT(*) AS number, MAX(id) AS newest FROM streaming_blockedaddress) b
    LEFT JOIN (SELECT id, heartbeat_at, finished_at FROM streaming_healthrun ORDER BY id DESC LIMIT 1) r ON TRUE
"""


IDS_GIVEN_SQL = {
    "sqlite": "SELECT name, seq FROM sqlite_sequence",
    "postgresql": (
        "SELECT name, pg_sequence_last_value(pg_get_serial_sequence(name, 'id')::regclass) "
        "FROM unnest(ARRAY['streaming_scrapejob', 'streaming_healthrun', 'streaming_linkflip', "
        "'streaming_removedmovie']) AS name"
    ),
}
"""The highest id that each table has ever given: it never falls, although old rows are deleted, and costs no scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCounts:
    """How often something has happened since the database was created: numbers that only grow.

    They are the highest ids that were given. PostgreSQL gives one for an attempt that was rolled back, too.
    """

    jobs: int
    runs: int
    link_flips: int
    removed_movies: int


@dataclass(frozen=True, slots=True)
class CatalogueTotals:
    """The totals of the catalogue; `last_run` is None if the checker has never run.

    `links` are the shown ones, `unchecked_links` those of them that were never checked.
    """

    movies: int
    links: int
    active_links: int
    unchecked_links: int
    last_run: HealthRun | None
    open_jobs: int

    @property
    def working_links(self) -> int:
        """The active links that a check has found working, at least: an unchecked link may be inactive too."""
        return max(0, self.active_links - self.unchecked_links)

    @property
    def checked_links(self) -> int:
        return self.links - self.unchecked_links


@dataclass(frozen=True, slots=True)
class SourceStats:
    """Figures of one source.

    Success rate (0 to 1), times and error are those of the last 200 scrape jobs, None or empty without any.
    """

    slug: str
    name: str
    enabled: bool
    description: str
    website: str
    licences: tuple[str, ...]
    links: int
    active: int
    unchecked: int
    success_rate: float | None
    last_success: datetime | None
    last_error: str
    last_search: datetime | None

    @property
    def is_failing(self) -> bool:
        """Whether it is searched and its last search failed, or too many of the recent ones."""
        if not self.enabled or self.success_rate is None:
            return False
        return self.success_rate < MIN_SUCCESS_RATE or self.last_success != self.last_search

    @property
    def working(self) -> int:
        """The active links that a check has found working, at least."""
        return max(0, self.active - self.unchecked)


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The newest run, and the newest finished one of all links; `is_late`: none has finished within `STALE_HOURS`.

    An end in the future, from a fast clock, does not count.
    """

    newest: HealthRun
    ended: HealthRun | None
    is_running: bool
    is_late: bool


@dataclass(frozen=True, slots=True)
class DailyRunStats:
    """The totals of all runs of one day (UTC)."""

    day: date
    runs: int = 0
    checked: int = 0
    alive: int = 0
    died: int = 0
    revived: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class CatalogueFingerprint:
    """A fingerprint of all lists: it changes whenever their content does.

    `version` grows with each change of movies and links; the dates are for Last-Modified, none in the future. `rows`
    is the number of takedowns, the newest of them, and the newest run with its heartbeat and end.
    """

    version: int
    changed_at: datetime | None
    checked_at: datetime | None
    rows: tuple[object, ...]

    @property
    def at(self) -> datetime | None:
        """The time of the last change; None if nothing has ever changed."""
        return max((time for time in (self.changed_at, self.checked_at) if time is not None), default=None)


@dataclass(slots=True)
class SourceSearchStats:
    """Counts of the recent searches of one source."""

    searched: int = 0
    succeeded: int = 0
    last_search: datetime | None = None
    last_success: datetime | None = None
    last_error: str = ""

    def add(self, *, state: str, at: datetime | None, error: str) -> None:
        """Count one search; the newest has to come first."""
        self.searched += 1
        self.last_search = self.last_search or at
        if state in SUCCESSFUL:
            self.succeeded += 1
            self.last_success = self.last_success or at
        else:
            self.last_error = self.last_error or error or state


def totals() -> CatalogueTotals:
    """The counters of movies and shown links, and the number of open jobs."""
    shown, active, unchecked = LinkCount.objects.totals()
    return CatalogueTotals(
        movies=movie_total(),
        links=shown,
        active_links=active,
        unchecked_links=unchecked,
        last_run=HealthRun.objects.latest_started(),
        open_jobs=ScrapeJob.objects.open().count(),
    )


def run_status(newest: HealthRun | None, *, now: datetime) -> RunStatus | None:
    """The status from the newest run; None if the checker has never run."""
    if newest is None:
        return None
    is_running = newest.finished_at is None and abs(now - newest.heartbeat_at) < HEARTBEAT_TIMEOUT
    is_result = not newest.is_partial and newest.outcome != HealthRun.Outcome.FAILED
    has_ended = newest.finished_at is not None and is_result
    ended = newest if has_ended else HealthRun.objects.finished().latest_started()
    is_late = not (is_running and not newest.is_partial) and not _ended_lately(ended, now=now)
    return RunStatus(newest=newest, ended=ended, is_running=is_running, is_late=is_late)


def _ended_lately(run: HealthRun | None, *, now: datetime) -> bool:
    if run is None or run.finished_at is None:
        return False
    return now - timedelta(hours=settings.STALE_HOURS) <= run.finished_at <= now + CLOCK_SLACK


def run_age_seconds(now: datetime) -> int | None:
    """Seconds since a run of the checker started; None if there is none. Starts in the future do not count."""
    run = HealthRun.objects.latest_plausible(now)
    return max(0, int((now - run.started_at).total_seconds())) if run else None


def run_times(now: datetime) -> tuple[datetime | None, datetime | None]:
    """The start of the last run, and the end of the last one that reached a result; None if there is none.

    Starts in the future do not count; instead of an end in the future, from a fast clock, the run's start counts.
    """
    run = HealthRun.objects.latest_plausible(now)
    started_at = run.started_at if run else None
    ended = HealthRun.objects.finished().latest_plausible(now)
    if ended is None or ended.finished_at is None:
        return started_at, None
    is_plausible = ended.finished_at <= now + CLOCK_SLACK
    return started_at, ended.finished_at if is_plausible else ended.started_at


def event_counts() -> EventCounts:
    """How often something has happened, from the sequences of the ids."""
    with connection.cursor() as cursor:
        cursor.execute(IDS_GIVEN_SQL[connection.vendor])
        given = {name: int(number or 0) for name, number in cursor.fetchall()}
    return EventCounts(
        jobs=given.get(ScrapeJob._meta.db_table, 0),
        runs=given.get(HealthRun._meta.db_table, 0),
        link_flips=given.get(LinkFlip._meta.db_table, 0),
        removed_movies=given.get(RemovedMovie._meta.db_table, 0),
    )


def source_result_counts() -> dict[tuple[str, str], int]:
    """How many closed jobs had each result, by slug and state: numbers that never fall."""
    return SourceResultCount.objects.by_source_and_result()


def source_stats() -> list[SourceStats]:
    """Figures of all sources: enabled ones by preference, then other known ones, then those that only links name."""
    counted = LinkCount.objects.by_source()
    searches = _recent_searches()
    slugs = dict.fromkeys([*settings.SOURCES, *sources.KNOWN_SOURCES, *sorted(counted)])
    return [_stats(slug, counted.get(slug, (0, 0, 0)), searches.get(slug, SourceSearchStats())) for slug in slugs]


def failing_sources(times: int) -> dict[str, str]:
    """The enabled sources whose last searches failed, so many running, with the newest error."""
    results: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for row, _ in _recent_results():
        results[row["source"]].append((row["state"], row["error"] or row["state"]))
    newest = {slug: results[slug][:times] for slug in settings.SOURCES}
    return {
        slug: found[0][1]
        for slug, found in newest.items()
        if len(found) == times and not any(state in SUCCESSFUL for state, _ in found)
    }


def inactive_reasons() -> list[tuple[str, int]]:
    """The texts of the reasons of inactive links with their counts, the most frequent first."""
    counts: Counter[str] = Counter()
    for reason, count in inactive_reason_counts():
        counts[gettext(reason_text(reason))] += count
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def at_risk(limit: int) -> list[Movie]:
    """Movies with one active link or none, with `active_count`; each number is a range of an index."""
    movies = Movie.objects.shown().with_active_count().order_by("search_title", "pk")
    found: list[Movie] = []
    for number in AT_RISK_COUNTS:
        found += movies.filter(active_link_count=number)[: limit - len(found)]
    return found


def recently_failed_links(limit: int, *, now: datetime) -> list[StreamingLink]:
    """Links that failed recently and are still inactive, the latest first, with their movies."""
    rows = (
        LinkFlip.objects.filter(at__lte=now, is_active=False, link__is_active=False)
        .of_shown_links()
        .select_related("link__movie")
        .order_by("-at", "-pk")[: 4 * limit]
    )
    return list({flip.link_id: flip.link for flip in rows}.values())[:limit]


@dataclass(frozen=True, slots=True)
class RunChanges:
    """What a run changed: links that died by text of the reason, hosts no longer down, revived and moved links."""

    died_of: list[tuple[str, int]]
    hosts_back: list[str]
    revived: int
    moved: int

    def __bool__(self) -> bool:
        return bool(self.died_of or self.hosts_back or self.revived or self.moved)


def changes_of_run(run: HealthRun | None) -> RunChanges | None:
    """The changes of a run; None if there is no run. A withheld run changed nothing."""
    if run is None:
        return None
    hosts_down_before = HealthRun.objects.started_before(run).previous_hosts_down()
    return RunChanges(
        died_of=sorted(
            ((gettext(reason_text(reason)), n) for reason, n in run.died_of.items()), key=lambda row: (-row[1], row[0])
        ),
        hosts_back=[] if run.withheld else sorted(set(hosts_down_before) - set(run.hosts_down)),
        revived=run.revived,
        moved=run.moved,
    )


def runs_by_day(days: int, now: datetime) -> list[DailyRunStats]:
    """The totals of the last `days` days, oldest first, including days without a run; withheld runs do not count."""
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=days - 1)
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    by_day: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for started, *numbers in HealthRun.objects.with_figures_since(start).values_list("started_at", *RUN_FIGURES):
        figures = dict(zip(RUN_FIGURES, numbers, strict=True))
        by_day[started.astimezone(UTC).date()].update({"runs": 1, **figures})
    all_days = (first + timedelta(days=number) for number in range(days))
    return [DailyRunStats(day=day, **by_day[day]) for day in all_days]


def catalogue_fingerprint(*, now: datetime) -> CatalogueFingerprint:
    """Read the fingerprint of the lists with one query, of a row of each table.

    The statement is written out: composing three took longer than a response that is otherwise ready.
    """
    with connection.cursor() as cursor:
        cursor.execute(FINGERPRINT_SQL, [connection.ops.adapt_datetimefield_value(now)])
        version, changed_at, checked_at, *rows = cursor.fetchone()
    changed_at = _as_time(changed_at)
    return CatalogueFingerprint(
        version=int(version),
        changed_at=changed_at and min(changed_at, now),
        checked_at=_as_time(checked_at),
        rows=tuple(rows),
    )


def _as_time(value: datetime | str | None) -> datetime | None:
    """A time as the driver returns it; SQLite has texts, in UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


def _recent_searches() -> dict[str, SourceSearchStats]:
    by_source: defaultdict[str, SourceSearchStats] = defaultdict(SourceSearchStats)
    for row, at in _recent_results():
        by_source[row["source"]].add(state=row["state"], at=at, error=row["error"])
    return by_source


def _recent_results() -> Iterator[tuple[SourceResult, datetime | None]]:
    """The results of the recent jobs, with the end of the job, the newest first."""
    jobs = ScrapeJob.objects.filter(finished_at__isnull=False).order_by("-pk")
    for results, at, state in jobs.values_list("sources", "finished_at", "state")[:RECENT_JOBS]:
        yield from ((row, at) for row in results if _is_stated(row, job_state=state))


def _is_stated(row: SourceResult, *, job_state: str) -> bool:
    """Whether the source has finished; a source that had not when its job was cancelled did not fail."""
    was_cancelled = job_state == ScrapeJob.State.CANCELLED and row.get("seconds") is None
    return row["state"] in FINISHED and not was_cancelled


def _stats(slug: str, counted: tuple[int, int, int], searches: SourceSearchStats) -> SourceStats:
    known = sources.KNOWN_SOURCES.get(slug)
    return SourceStats(
        slug=slug,
        name=sources.source_name(slug),
        enabled=slug in settings.SOURCES,
        description=known.description if known else "",
        website=known.website if known else "",
        licences=(*known.licences, *settings.ALLOW_LICENCES) if known else (),
        links=counted[0],
        active=counted[1],
        unchecked=counted[2],
        success_rate=round(searches.succeeded / searches.searched, 3) if searches.searched else None,
        last_success=searches.last_success,
        last_error=searches.last_error,
        last_search=searches.last_search,
    )
