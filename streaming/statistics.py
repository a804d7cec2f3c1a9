"""How the catalogue stands, in numbers: for the pages, the API and Prometheus. Query counts do not grow with rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Q, Subquery

from scraper import sources
from streaming.models import HealthRun, LinkFlip, Movie, RemovedMovie, ScrapeJob, StreamingLink
from streaming.models.job import FINISHED, SourceState
from streaming.models.reasons import reason_text

RECENT_JOBS = 200


AT_RISK_ORDER = ("active_count", "search_title", "pk")


ANSWERED = frozenset({SourceState.FOUND, SourceState.NOTHING})


@dataclass(frozen=True, slots=True)
class CatalogueTotals:
    """The catalogue in one line; `last_run` None: the checker has never run."""

    movies: int
    links: int
    active_links: int
    last_run: HealthRun | None
    open_jobs: int


@dataclass(frozen=True, slots=True)
class SourceStats:
    """One source. Rate and moments look at the last scrape jobs; None: it was not searched in them."""

    slug: str
    name: str
    enabled: bool
    description: str
    licences: tuple[str, ...]
    links: int
    active: int
    success_rate: float | None
    last_success: datetime | None
    last_error: str
    last_search: datetime | None


@dataclass(frozen=True, slots=True)
class DailyRunStats:
    """What the checker did on one day (UTC)."""

    day: date
    runs: int = 0
    checked: int = 0
    alive: int = 0
    died: int = 0
    revived: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class CatalogueFingerprint:
    """A fingerprint of all that the lists show: it differs when anything in them does."""

    movies: int
    updated_at: datetime | None
    removed_at: datetime | None
    checked_at: datetime | None
    run: tuple[object, ...]

    @property
    def at(self) -> datetime | None:
        moments = (self.updated_at, self.removed_at, self.checked_at, *self.run)
        return max((moment for moment in moments if isinstance(moment, datetime)), default=None)


@dataclass(slots=True)
class SourceSearchStats:
    """What the last jobs say about one source, newest first."""

    asked: int = 0
    answered: int = 0
    last_search: datetime | None = None
    last_success: datetime | None = None
    last_error: str = ""

    def count(self, *, state: str, at: datetime | None, error: str) -> None:
        self.asked += 1
        self.last_search = self.last_search or at
        if state in ANSWERED:
            self.answered += 1
            self.last_success = self.last_success or at
        else:
            self.last_error = self.last_error or error or state


def totals() -> CatalogueTotals:
    links = StreamingLink.objects.published().aggregate(all=Count("pk"), active=Count("pk", filter=Q(is_active=True)))
    return CatalogueTotals(
        movies=Movie.objects.count(),
        links=links["all"],
        active_links=links["active"],
        last_run=HealthRun.objects.latest_started(),
        open_jobs=ScrapeJob.objects.open().count(),
    )


def source_stats() -> list[SourceStats]:
    """Every known source, enabled ones first in their order of preference, then those that only appear in links."""
    rows = StreamingLink.objects.published().order_by().values_list("source")
    counted = {
        source: (links, active)
        for source, links, active in rows.annotate(n=Count("pk"), active=Count("pk", filter=Q(is_active=True)))
    }
    searches = _searches()
    slugs = dict.fromkeys([*settings.SOURCES, *sources.KNOWN_SOURCES, *sorted(counted)])
    return [_stats(slug, counted.get(slug, (0, 0)), searches.get(slug, SourceSearchStats())) for slug in slugs]


def inactive_reasons() -> list[tuple[str, int]]:
    """Why links are off, in words, the most frequent first."""
    counts: Counter[str] = Counter()
    rows = StreamingLink.objects.inactive().order_by().values_list("reason").annotate(n=Count("pk"))
    for reason, number in rows:
        counts[reason_text(reason)] += number
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def at_risk(limit: int) -> list[Movie]:
    """Movies that have lost their last active link, or are one check away from it (`active_count` 0 or 1)."""
    rows = Movie.objects.with_active_count().filter(Q(active_count__lte=1))
    return list(rows.order_by(*AT_RISK_ORDER)[:limit])


def recently_failed_links(limit: int) -> list[StreamingLink]:
    """Links that died lately and are still off, the latest first, with their movies."""
    rows = (
        LinkFlip.objects.filter(is_active=False, link__is_active=False, link__is_published=True)
        .select_related("link__movie")
        .order_by("-at", "-pk")[: 4 * limit]
    )
    return list({flip.link_id: flip.link for flip in rows}.values())[:limit]


@dataclass(frozen=True, slots=True)
class RunChanges:
    """What a run changed, beside its counts: of what links died, in words; hosts that were down before it."""

    died_of: list[tuple[str, int]]
    hosts_back: list[str]
    revived: int
    moved: int

    def __bool__(self) -> bool:
        return bool(self.died_of or self.hosts_back or self.revived or self.moved)


def changes_of_run(run: HealthRun | None) -> RunChanges | None:
    """None: no run has ended yet. A withheld run changed nothing."""
    if run is None:
        return None
    before = HealthRun.objects.previous_hosts_down(before=run.started_at)
    return RunChanges(
        died_of=sorted(
            ((reason_text(reason), n) for reason, n in run.died_of.items()), key=lambda row: (-row[1], row[0])
        ),
        hosts_back=[] if run.withheld else sorted(set(before) - set(run.hosts_down)),
        revived=run.revived,
        moved=run.moved,
    )


def runs_by_day(days: int, now: datetime) -> list[DailyRunStats]:
    """The last `days` days, the oldest first, those without a run too; withheld runs changed nothing and count not."""
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=days - 1)
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    kept: defaultdict[date, Counter[str]] = defaultdict(Counter)
    names = ("checked", "alive", "died", "revived", "removed")
    for started, *numbers in HealthRun.objects.not_withheld_since(start).values_list("started_at", *names):
        kept[started.astimezone(UTC).date()].update({"runs": 1, **dict(zip(names, numbers, strict=True))})
    every_day = (first + timedelta(days=number) for number in range(days))
    return [DailyRunStats(day=day, **kept[day]) for day in every_day]


def catalogue_fingerprint() -> CatalogueFingerprint:
    """Three index look-ups, however long the lists are."""
    removed = RemovedMovie.objects.order_by("-removed_at").values("removed_at")[:1]
    movies = Movie.objects.aggregate(n=Count("pk"), at=Max("updated_at"), gone=Max(Subquery(removed)))
    run = HealthRun.objects.newest_first().values_list("pk", "heartbeat_at", "finished_at").first()
    return CatalogueFingerprint(
        movies=movies["n"],
        updated_at=movies["at"],
        removed_at=movies["gone"],
        checked_at=StreamingLink.objects.aggregate(at=Max("last_checked"))["at"],
        run=run or (),
    )


def _searches() -> dict[str, SourceSearchStats]:
    found: defaultdict[str, SourceSearchStats] = defaultdict(SourceSearchStats)
    jobs = ScrapeJob.objects.filter(finished_at__isnull=False).order_by("-pk")
    for results, at in jobs.values_list("sources", "finished_at")[:RECENT_JOBS]:
        for row in results:
            if row["state"] in FINISHED:
                found[row["source"]].count(state=row["state"], at=at, error=row["error"])
    return found


def _stats(slug: str, counted: tuple[int, int], searched: SourceSearchStats) -> SourceStats:
    known = sources.KNOWN_SOURCES.get(slug)
    return SourceStats(
        slug=slug,
        name=sources.source_name(slug),
        enabled=slug in settings.SOURCES,
        description=known.description if known else "",
        licences=(*known.licences, *settings.ALLOW_LICENCES) if known else (),
        links=counted[0],
        active=counted[1],
        success_rate=round(searched.answered / searched.asked, 3) if searched.asked else None,
        last_success=searched.last_success,
        last_error=searched.last_error,
        last_search=searched.last_search,
    )
