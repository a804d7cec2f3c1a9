"""Removing movies that nobody can watch, each with a tombstone; and the numbers before and after."""

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
NO_LINK_LEFT = "no working link left"
NEVER_LINKED = "never had a link"
BATCH_SIZE = 500


@dataclass(frozen=True, slots=True)
class CatalogueCounts:
    """The catalogue in five numbers; `removed` counts the tombstones of movies that are gone now."""

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


@dataclass(frozen=True, slots=True)
class PruneReport:
    """`unwatchable`: movies whose links all failed; `never_linked`: movies that never had one; `note`: a caution."""

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
        done = "Would remove" if self.dry_run else "Removed"
        lines = [self.note] if self.note else []
        lines.append(f"Before: {self.before.summary()}.")
        lines.append(
            f"{done} {self.removed} movies: {self.unwatchable} whose links all failed, {self.never_linked} that never "
            f"had a link."
        )
        return lines if self.dry_run else [*lines, f"After: {self.after.summary()}."]


def count_catalogue() -> CatalogueCounts:
    return CatalogueCounts(
        movies=Movie.objects.count(),
        links=StreamingLink.objects.count(),
        active_links=StreamingLink.objects.active().count(),
        movies_without_active_link=Movie.objects.unwatchable().count(),
        removed=RemovedMovie.objects.filter(restored_at=None).count(),
    )


def removable_movies(*, now: datetime) -> MovieQuerySet:
    """Movies that have links, none active, each gone or failing long enough; an open scrape job protects a movie, and
    so does its return until its links were heard again."""
    links = StreamingLink.objects.filter(movie=OuterRef("pk"))
    lost = Movie.objects.filter(
        Exists(links), ~Exists(links.filter(is_active=True)), ~Exists(links.exclude(_is_dead(now))), ~_has_open_job()
    )
    unheard = RemovedMovie.objects.exclude(restored_at=None).filter(Exists(_unchecked_since_restore()))
    return lost.exclude(imdb_id__in=unheard.values("imdb_id"))


def movies_without_links(*, now: datetime) -> MovieQuerySet:
    """Movies without any link that are older than the grace and for which nobody is looking."""
    links = StreamingLink.objects.filter(movie=OuterRef("pk"))
    return Movie.objects.filter(~Exists(links), ~_has_open_job(), created_at__lte=now - _grace())


def prune_after_check(*, now: datetime) -> int:
    """The removal that ends a believed run: how many movies went. Movies that never had a link stay."""
    return remove_movies(removable_movies(now=now), reason=NO_LINK_LEFT)


def prune_by_hand(*, now: datetime, dry_run: bool = False) -> PruneReport:
    """The clean-up by hand: movies that nobody can watch, and those that never had a link.

    What the last run of the checker found is only acted on when that run was believed.
    """
    before = count_catalogue()
    note, trusted = _run_note(now)
    lost = removable_movies(now=now) if trusted else Movie.objects.none()
    bare = movies_without_links(now=now)
    if dry_run:
        return PruneReport(before, before, lost.count(), bare.count(), note, dry_run=True)
    gone = remove_movies(lost, reason=NO_LINK_LEFT) if trusted else 0
    empty = remove_movies(bare, reason=NEVER_LINKED)
    return PruneReport(before, count_catalogue(), gone, empty, note)


def would_remove(changes: Iterable[LinkUpdate], *, now: datetime) -> int:
    """How many movies a check would remove if these changes were written."""
    by_link = {change.id: change for change in changes}
    touched = list({change.movie_id for change in by_link.values()})
    lost = set(removable_movies(now=now).values_list("pk", flat=True)) - set(touched)
    for start in range(0, len(touched), BATCH_SIZE):
        lost |= _removable_with(touched[start : start + BATCH_SIZE], by_link, now)
    return len(lost)


def _removable_with(movie_ids: list[int], by_link: dict[int, LinkUpdate], now: datetime) -> set[int]:
    rows = StreamingLink.objects.filter(movie__in=movie_ids).exclude(_protected())
    lost = dict.fromkeys(rows.values_list("movie_id", flat=True), True)
    returned = _restored_at(movie_ids)
    columns = ("pk", "movie_id", "last_checked", "next_check_at", "is_active", "reason", "failures", "state_since")
    for pk, movie_id, checked, again, *state in rows.values_list(*columns):
        change = by_link.get(pk)
        if change is not None:
            checked, again = now, change.next_check_at
            state = [change.is_active, change.reason, change.failures, change.state_since]
        is_heard = movie_id not in returned or _is_checked_since_restore(
            checked, again, state[1], since=returned[movie_id]
        )
        lost[movie_id] = lost[movie_id] and is_heard and _is_dead_link(*state, checked=checked, now=now)
    return {movie_id for movie_id, is_lost in lost.items() if is_lost}


def _restored_at(movie_ids: list[int]) -> dict[int, datetime]:
    """When those of these movies that were removed came back last."""
    ids = dict(Movie.objects.filter(pk__in=movie_ids).values_list("imdb_id", "pk"))
    came = RemovedMovie.objects.filter(imdb_id__in=list(ids)).exclude(restored_at=None).order_by("restored_at")
    return {ids[imdb_id]: at for imdb_id, at in came.values_list("imdb_id", "restored_at") if at}


def _protected() -> Q:
    return Q(Exists(ScrapeJob.objects.open().filter(movie=OuterRef("movie"))))


def _unchecked_since_restore() -> StreamingLinkQuerySet:
    """Links of a movie that came back and that have said nothing since: a busy host says nothing."""
    links = StreamingLink.objects.exclude(reason=Reason.MOVED).filter(movie__imdb_id=OuterRef("imdb_id"))
    return links.filter(Q(last_checked__lt=OuterRef("restored_at")) | Q(next_check_at__lte=F("last_checked")))


def _is_checked_since_restore(
    checked: datetime | None, again: datetime | None, reason: str, *, since: datetime
) -> bool:
    """`_unheard` for one row in memory."""
    if reason == Reason.MOVED or checked is None:
        return True
    return checked >= since and (again is None or again > checked)


def _has_open_job() -> Exists:
    return Exists(ScrapeJob.objects.open().filter(movie=OuterRef("pk")))


def _grace() -> timedelta:
    return timedelta(hours=settings.LINK_GRACE_HOURS)


def _least_failures() -> int:
    """Two failed checks; a grace of 0 is the literal rule, at once."""
    return MIN_FAILURES if settings.LINK_GRACE_HOURS else 1


def _is_dead(now: datetime) -> Q:
    """Gone, or seen to fail for the grace: one that nobody has asked since may work again."""
    failing = Q(failures__gte=_least_failures(), state_since__lte=now - _grace())
    seen = Q(state_since__lte=F("last_checked") - _grace())
    return Q(is_active=False) & (Q(reason__in=IMMEDIATE_REASONS) | (failing & seen))


def _is_dead_link(
    is_active: bool, reason: str, failures: int, since: datetime | None, *, checked: datetime | None, now: datetime
) -> bool:
    """`_is_lost` for one row in memory."""
    if is_active:
        return False
    seen = since is not None and checked is not None and since <= min(checked, now) - _grace()
    return reason in IMMEDIATE_REASONS or (failures >= _least_failures() and seen)


def _run_note(now: datetime) -> tuple[str, bool]:
    run = HealthRun.objects.latest_started()
    if run is None:
        return "The links have never been checked.", True
    if run.withheld:
        return f"The last check was not believed ({run.reason}): movies with links stay.", False
    if run.finished_at is None and run.heartbeat_at > now - HEARTBEAT_TIMEOUT:
        return "A check is running now; what it has not written yet is not looked at.", True
    return "", True
