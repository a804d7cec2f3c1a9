"""Removal of movies that nobody can watch, each with a tombstone, and the counts before and after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, Exists, F, IntegerField, Min, OuterRef, Q, Value, When

from streaming.health.judging.removal import (
    GRACE_FACTORS,
    HOST_CHANGED_FACTOR,
    IMMEDIATE_REASONS,
    REMOVAL_WINDOW,
    SLOWEST_FACTOR,
    counts_towards_removal,
    removal_allowance,
    required_failures,
)
from streaming.health.judging.transitions import LinkUpdate
from streaming.ingest.tombstones import remove_movies
from streaming.models import (
    HealthRun,
    Movie,
    MovieQuerySet,
    RemovedMovie,
    ScrapeJob,
    StreamingLink,
    StreamingLinkQuerySet,
)
from streaming.reason_codes import Reason

HEARTBEAT_TIMEOUT = timedelta(minutes=2)
NO_WORKING_LINK_REASON = "no working link left"
NEVER_LINKED_REASON = "never had a link"
BATCH_SIZE = 500
HEALTH_COLUMNS = ("is_active", "reason", "strength", "failures", "failing_seconds")


@dataclass(frozen=True, slots=True)
class CatalogueCounts:
    """The catalogue in five numbers; `removed` counts tombstones of movies that were not restored."""

    movies: int
    links: int
    active_links: int
    movies_without_active_link: int
    removed: int

    def summary(self) -> str:
        return (
            f"{self.movies} movies, {self.links} links, {self.active_links} active links, "
            f"{self.movies_without_active_link} movies without active link, {self.removed} removed"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneReport:
    """What a removal by hand did, or in a dry run would do, in numbers of movies.

    `unwatchable`: movies whose links all failed; `never_linked`: movies that never had a link; `note`: a caution about
    the last run, or empty.
    """

    before: CatalogueCounts
    after: CatalogueCounts
    unwatchable: int
    never_linked: int
    note: str = ""
    dry_run: bool = False

    @property
    def removed(self) -> int:
        return self.unwatchable + self.never_linked

    def summary_lines(self) -> list[str]:
        """The report as sentences for people."""
        verb = "Would remove" if self.dry_run else "Removed"
        lines = [self.note] if self.note else []
        lines.append(f"Before: {self.before.summary()}.")
        lines.append(
            f"{verb} {self.removed} movies: {self.unwatchable} whose links all failed, {self.never_linked} that never "
            f"had a link."
        )
        return lines if self.dry_run else [*lines, f"After: {self.after.summary()}."]


@dataclass(frozen=True, slots=True)
class CheckRemoval:
    """What a run removed, or in a dry run would remove; `waiting`: the movies over the limit, for later runs."""

    removed: int = 0
    waiting: int = 0


def count_catalogue() -> CatalogueCounts:
    """Count movies, links and tombstones now."""
    return CatalogueCounts(
        movies=Movie.objects.count(),
        links=StreamingLink.objects.count(),
        active_links=StreamingLink.objects.active().count(),
        movies_without_active_link=Movie.objects.unwatchable().count(),
        removed=RemovedMovie.objects.filter(restored_at=None).count(),
    )


def removable_movies() -> MovieQuerySet:
    """Movies that have links, all of them inactive and failing for as long as the strength of their deaths requires.

    An open scrape job protects a movie. So does a restore until each of its links has been checked again.
    """
    links = StreamingLink.objects.filter(movie=OuterRef("pk"))
    unwatchable = Movie.objects.filter(
        Exists(links), ~Exists(links.filter(is_active=True)), ~Exists(links.exclude(_counts())), ~_has_open_job()
    )
    unchecked = RemovedMovie.objects.exclude(restored_at=None).filter(Exists(_unchecked_since_restore()))
    return unwatchable.exclude(imdb_id__in=unchecked.values("imdb_id"))


def movies_without_links(*, now: datetime) -> MovieQuerySet:
    """Movies without any link that are older than the grace period and have no open scrape job."""
    links = StreamingLink.objects.filter(movie=OuterRef("pk"))
    return Movie.objects.filter(~Exists(links), ~_has_open_job(), created_at__lte=now - _grace())


def prune_after_check(*, now: datetime, force: bool = False) -> CheckRemoval:
    """Remove movies at the end of an accepted run, those that have failed longest first, up to the limit of a day.

    `force` lifts the limit. Movies that never had a link stay.
    """
    removable = removable_movies()
    count = removable.count()
    removal = _within_limit(count, now=now, force=force)
    if removal.waiting == 0:
        return CheckRemoval(removed=_remove_checked(removable, now=now)) if count else removal
    longest = removable.annotate(failing=Min("links__failing_seconds")).order_by("-failing", "pk")
    chosen = list(longest.values_list("pk", flat=True)[: removal.removed])
    removed = sum(_remove_checked(removable.filter(pk__in=ids), now=now) for ids in _batches(chosen))
    return CheckRemoval(removed=removed, waiting=removal.waiting)


def _remove_checked(movies: MovieQuerySet, *, now: datetime) -> int:
    return remove_movies(movies, reason=NO_WORKING_LINK_REASON, cause=RemovedMovie.Cause.CHECK, now=now)


def _within_limit(count: int, *, now: datetime, force: bool) -> CheckRemoval:
    """Divide so many removable movies into those to remove now and those that wait."""
    if force or not count:
        return CheckRemoval(removed=count)
    removed = RemovedMovie.objects.removed_by_checks(within=REMOVAL_WINDOW, now=now).count()
    allowed = removal_allowance(movies=Movie.objects.count(), removed=removed)
    return CheckRemoval(removed=min(count, allowed), waiting=max(0, count - allowed))


def _batches(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + BATCH_SIZE] for start in range(0, len(ids), BATCH_SIZE))


def prune_by_hand(*, now: datetime, dry_run: bool = False) -> PruneReport:
    """Remove movies that nobody can watch, without the limit that runs have, and those that never had a link.

    If the last run of the checker was withheld, movies with links stay.
    """
    before = count_catalogue()
    note, is_accepted = _check_last_run(now)
    unwatchable = removable_movies() if is_accepted else Movie.objects.none()
    never_linked = movies_without_links(now=now)
    if dry_run:
        return PruneReport(
            before=before,
            after=before,
            unwatchable=unwatchable.count(),
            never_linked=never_linked.count(),
            note=note,
            dry_run=True,
        )
    cause = RemovedMovie.Cause.CLEANUP
    removed = remove_movies(unwatchable, reason=NO_WORKING_LINK_REASON, cause=cause, now=now) if is_accepted else 0
    emptied = remove_movies(never_linked, reason=NEVER_LINKED_REASON, cause=cause, now=now)
    return PruneReport(before=before, after=count_catalogue(), unwatchable=removed, never_linked=emptied, note=note)


def would_remove(updates: Iterable[LinkUpdate], *, now: datetime, force: bool = False) -> CheckRemoval:
    """Count the movies that a check would remove if it wrote these updates."""
    by_link = {update.id: update for update in updates}
    changed = list({update.movie_id for update in by_link.values()})
    removable = set(removable_movies().values_list("pk", flat=True)) - set(changed)
    for ids in _batches(changed):
        removable |= _removable_with(ids, by_link, now)
    return _within_limit(len(removable), now=now, force=force)


def _removable_with(movie_ids: Sequence[int], by_link: dict[int, LinkUpdate], now: datetime) -> set[int]:
    """Those of these movies that `removable_movies` would find if the updates were written."""
    rows = StreamingLink.objects.filter(movie__in=movie_ids).exclude(_has_open_job(movie="movie"))
    removable = dict.fromkeys(rows.values_list("movie_id", flat=True), True)
    restored = _restored_at(movie_ids)
    for row in rows.only("pk", "movie_id", "last_checked", "next_check_at", *HEALTH_COLUMNS):
        update = by_link.get(row.pk)
        health: StreamingLink | LinkUpdate = update or row
        is_checked = row.movie_id not in restored or _is_checked_since_restore(
            now if update else row.last_checked,
            health.next_check_at,
            health.reason,
            restored_at=restored[row.movie_id],
        )
        removable[row.movie_id] = removable[row.movie_id] and is_checked and _counts_in_memory(health)
    return {movie_id for movie_id, is_removable in removable.items() if is_removable}


def _restored_at(movie_ids: Sequence[int]) -> dict[int, datetime]:
    """When these movies were last restored, by id; movies that never were are left out."""
    ids = dict(Movie.objects.filter(pk__in=movie_ids).values_list("imdb_id", "pk"))
    rows = RemovedMovie.objects.filter(imdb_id__in=list(ids)).exclude(restored_at=None).order_by("restored_at")
    return {ids[imdb_id]: at for imdb_id, at in rows.values_list("imdb_id", "restored_at") if at}


def _unchecked_since_restore() -> StreamingLinkQuerySet:
    """Links without a conclusive check since their movie was restored; a throttled check is due again at once."""
    links = StreamingLink.objects.exclude(reason=Reason.MOVED).filter(movie__imdb_id=OuterRef("imdb_id"))
    return links.filter(Q(last_checked__lt=OuterRef("restored_at")) | Q(next_check_at__lte=F("last_checked")))


def _is_checked_since_restore(
    checked: datetime | None, next_check: datetime | None, reason: str, *, restored_at: datetime
) -> bool:
    """The opposite of `_unchecked_since_restore` for one row in memory."""
    if reason == Reason.MOVED or checked is None:
        return True
    return checked >= restored_at and (next_check is None or next_check > checked)


def _has_open_job(*, movie: str = "pk") -> Exists:
    """Whether a scrape job is open for the movie whose id the outer query has under this name."""
    return Exists(ScrapeJob.objects.open().filter(movie=OuterRef(movie)))


def _grace() -> timedelta:
    return timedelta(hours=settings.LINK_GRACE_HOURS)


def _counts() -> Q:
    """Whether a link counts towards removal: `counts_towards_removal` in SQL."""
    seconds = int(_grace().total_seconds())
    by_strength = [When(strength=one, then=Value(factor * seconds)) for one, factor in GRACE_FACTORS.items()]
    host_changed = When(reason=Reason.HOST_CHANGED, then=Value(HOST_CHANGED_FACTOR))
    required = Case(*by_strength, default=Value(SLOWEST_FACTOR * seconds), output_field=IntegerField()) * Case(
        host_changed, default=Value(1), output_field=IntegerField()
    )
    failing = Q(failures__gte=required_failures(_grace()), failing_seconds__gte=required)
    return Q(is_active=False) & (Q(reason__in=IMMEDIATE_REASONS) | failing)


def _counts_in_memory(link: StreamingLink | LinkUpdate) -> bool:
    values = {name: getattr(link, name) for name in HEALTH_COLUMNS}
    return counts_towards_removal(**values, grace=_grace())


def _check_last_run(now: datetime) -> tuple[str, bool]:
    """A note about the last run, and whether its results count."""
    run = HealthRun.objects.latest_started()
    if run is None:
        return "The links have never been checked.", True
    if run.withheld:
        return f"The last check was withheld ({run.reason}): movies with links stay.", False
    if run.finished_at is None and abs(now - run.heartbeat_at) < HEARTBEAT_TIMEOUT:
        return "A check is running; results that it has not written yet are not considered.", True
    return "", True
