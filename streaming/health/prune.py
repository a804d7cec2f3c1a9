"""Removal of movies that nobody can watch, each with a tombstone, and the counts before and after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q

from streaming.health.judging.transitions import LinkUpdate
from streaming.health.judging.verdict import GONE_REASONS
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

IMMEDIATE_REASONS = GONE_REASONS | {Reason.MOVED}
MIN_FAILURES = 2
HEARTBEAT_TIMEOUT = timedelta(minutes=2)
NO_WORKING_LINK_REASON = "no working link left"
NEVER_LINKED_REASON = "never had a link"
BATCH_SIZE = 500


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


def count_catalogue() -> CatalogueCounts:
    """Count movies, links and tombstones now."""
    return CatalogueCounts(
        movies=Movie.objects.count(),
        links=StreamingLink.objects.count(),
        active_links=StreamingLink.objects.active().count(),
        movies_without_active_link=Movie.objects.unwatchable().count(),
        removed=RemovedMovie.objects.filter(restored_at=None).count(),
    )


def removable_movies(*, now: datetime) -> MovieQuerySet:
    """Movies that have links, all of them inactive and either gone or failing for the grace period.

    An open scrape job protects a movie. So does a restore until each of its links has been checked again.
    """
    links = StreamingLink.objects.filter(movie=OuterRef("pk"))
    unwatchable = Movie.objects.filter(
        Exists(links), ~Exists(links.filter(is_active=True)), ~Exists(links.exclude(_is_dead(now))), ~_has_open_job()
    )
    unchecked = RemovedMovie.objects.exclude(restored_at=None).filter(Exists(_unchecked_since_restore()))
    return unwatchable.exclude(imdb_id__in=unchecked.values("imdb_id"))


def movies_without_links(*, now: datetime) -> MovieQuerySet:
    """Movies without any link that are older than the grace period and have no open scrape job."""
    links = StreamingLink.objects.filter(movie=OuterRef("pk"))
    return Movie.objects.filter(~Exists(links), ~_has_open_job(), created_at__lte=now - _grace())


def prune_after_check(*, now: datetime) -> int:
    """Remove movies at the end of an accepted run; return how many. Movies that never had a link stay."""
    return remove_movies(removable_movies(now=now), reason=NO_WORKING_LINK_REASON)


def prune_by_hand(*, now: datetime, dry_run: bool = False) -> PruneReport:
    """Remove movies that nobody can watch and those that never had a link.

    If the last run of the checker was withheld, movies with links stay.
    """
    before = count_catalogue()
    note, is_accepted = _check_last_run(now)
    unwatchable = removable_movies(now=now) if is_accepted else Movie.objects.none()
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
    removed = remove_movies(unwatchable, reason=NO_WORKING_LINK_REASON) if is_accepted else 0
    emptied = remove_movies(never_linked, reason=NEVER_LINKED_REASON)
    return PruneReport(before=before, after=count_catalogue(), unwatchable=removed, never_linked=emptied, note=note)


def would_remove(updates: Iterable[LinkUpdate], *, now: datetime) -> int:
    """Count the movies that a check would remove if it wrote these updates."""
    by_link = {update.id: update for update in updates}
    changed = list({update.movie_id for update in by_link.values()})
    removable = set(removable_movies(now=now).values_list("pk", flat=True)) - set(changed)
    for start in range(0, len(changed), BATCH_SIZE):
        removable |= _removable_with(changed[start : start + BATCH_SIZE], by_link, now)
    return len(removable)


def _removable_with(movie_ids: list[int], by_link: dict[int, LinkUpdate], now: datetime) -> set[int]:
    """Those of these movies that `removable_movies` would find if the updates were written."""
    rows = StreamingLink.objects.filter(movie__in=movie_ids).exclude(_has_open_job(movie="movie"))
    removable = dict.fromkeys(rows.values_list("movie_id", flat=True), True)
    restored = _restored_at(movie_ids)
    columns = ("pk", "movie_id", "last_checked", "next_check_at", "is_active", "reason", "failures", "state_since")
    for pk, movie_id, checked, next_check, *state in rows.values_list(*columns):
        update = by_link.get(pk)
        if update is not None:
            checked, next_check = now, update.next_check_at
            state = [update.is_active, update.reason, update.failures, update.state_since]
        is_checked = movie_id not in restored or _is_checked_since_restore(
            checked, next_check, state[1], restored_at=restored[movie_id]
        )
        removable[movie_id] = removable[movie_id] and is_checked and _is_dead_link(*state, checked=checked, now=now)
    return {movie_id for movie_id, is_removable in removable.items() if is_removable}


def _restored_at(movie_ids: list[int]) -> dict[int, datetime]:
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


def _min_failures() -> int:
    """Two failed checks in a row; one when `LINK_GRACE_HOURS` is 0, for then each dead link counts at once."""
    return MIN_FAILURES if settings.LINK_GRACE_HOURS else 1


def _is_dead(now: datetime) -> Q:
    """Whether a link is gone, or failed throughout the grace period: its last check is that much later than its first
    failure, for a link that nobody has checked since may work again."""
    failing = Q(failures__gte=_min_failures(), state_since__lte=now - _grace())
    still_failing = Q(state_since__lte=F("last_checked") - _grace())
    return Q(is_active=False) & (Q(reason__in=IMMEDIATE_REASONS) | (failing & still_failing))


def _is_dead_link(
    is_active: bool, reason: str, failures: int, since: datetime | None, *, checked: datetime | None, now: datetime
) -> bool:
    """`_is_dead` for one row in memory."""
    if is_active:
        return False
    has_failed_for_grace = since is not None and checked is not None and since <= min(checked, now) - _grace()
    return reason in IMMEDIATE_REASONS or (failures >= _min_failures() and has_failed_for_grace)


def _check_last_run(now: datetime) -> tuple[str, bool]:
    """A note about the last run, and whether its results count."""
    run = HealthRun.objects.latest_started()
    if run is None:
        return "The links have never been checked.", True
    if run.withheld:
        return f"The last check was withheld ({run.reason}): movies with links stay.", False
    if run.finished_at is None and run.heartbeat_at > now - HEARTBEAT_TIMEOUT:
        return "A check is running; results that it has not written yet are not considered.", True
    return "", True
