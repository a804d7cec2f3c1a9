"""Does the catalogue agree with itself? A list of checks, each of which can mend what it finds.

`manage.py check_catalogue` runs all of them, the hourly check of links a slice. A check reads one state of the database
in each statement and needs no lock; mending keeps other writers away until it is done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from scraper.net.url_policy import host_of
from streaming.models import CatalogueVersion, Change, Movie, PendingChange, StreamingLink, StreamingLinkQuerySet
from streaming.models.change_triggers import LINK, MOVIE, WATCHED, install_triggers
from streaming.models.counter_triggers import (
    FOLD_LOCK_KEY,
    LINK_COUNT,
    MOVIE_COUNT,
    REASON_COUNT,
    install_counter_triggers,
    missing_triggers,
    recount,
    wrong_counters,
    wrong_movies,
)
from streaming.models.facet_triggers import (
    facet_trigger_names,
    install_facet_triggers,
    rebuild_facets,
    wrong_facets,
)
from streaming.search_index import rebuild, wrong_titles, wrong_words
from streaming.search_words import fold_for_search

log = logging.getLogger(__name__)

SLICE_MOVIES = 20_000
BATCH_ROWS = 500
LINES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class IdRange:
    """The ids of movies from `first` to `last`."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueCheck:
    """One thing that has to be true.

    `find` returns a line for each contradiction; `mend` removes all of them. One that is not `by_movie` does not look
    at the ids: it always reads everything. One that is not `hourly` takes too long to be mended beside other writers.
    """

    name: str
    find: Callable[[IdRange], list[str]]
    mend: Callable[[], None]
    by_movie: bool = True
    hourly: bool = True


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """What a check found; no problems: all is well."""

    check: CatalogueCheck
    problems: Sequence[str]

    @property
    def lines(self) -> list[str]:
        """The first problems, and how many more there are."""
        more = len(self.problems) - LINES_SHOWN
        return [*self.problems[:LINES_SHOWN], *([f"and {more} more"] if more > 0 else [])]


def check_all() -> Iterator[CheckFinding]:
    """Run each check on the whole catalogue."""
    ids = _all_ids()
    for check in CHECKS:
        yield CheckFinding(check, check.find(ids))


def check_slice(*, now: datetime) -> list[CheckFinding]:
    """The findings of one slice of the movies, another one each hour; the first slice includes what has none."""
    highest = _all_ids().last
    number = int(now.timestamp() // 3600) % max(1, -(-highest // SLICE_MOVIES))
    ids = IdRange(number * SLICE_MOVIES + 1, (number + 1) * SLICE_MOVIES)
    findings = [
        CheckFinding(check, check.find(ids)) for check in CHECKS if check.hourly and (check.by_movie or number == 0)
    ]
    return [finding for finding in findings if finding.problems]


def mend(findings: Sequence[CheckFinding]) -> None:
    """Mend what was found, in one transaction."""
    with _alone():
        for function in dict.fromkeys(finding.check.mend for finding in findings if finding.problems):
            function()


def mend_slice(*, now: datetime) -> list[str]:
    """Check a slice and mend what is wrong; return some lines about each check that found something."""
    findings = check_slice(now=now)
    if findings:
        mend(findings)
    lines = [f"{finding.check.name}: {line}" for finding in findings for line in finding.lines]
    for line in lines:
        log.error("The catalogue contradicted itself and was mended: %s", line)
    return lines


@contextmanager
def _alone() -> Iterator[None]:
    """A transaction during which nobody else writes movies and links. SQLite has one writer anyway."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {MOVIE}, {LINK} IN EXCLUSIVE MODE")
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FOLD_LOCK_KEY])
        yield


def _all_ids() -> IdRange:
    return IdRange(1, Movie.objects.aggregate(last=Max("pk", default=0))["last"])


def _unfindable_titles(ids: IdRange) -> list[str]:
    return wrong_titles(first=ids.first, last=ids.last)


def _unknown_words(_ids: IdRange) -> list[str]:
    return wrong_words()


def _mend_search() -> None:
    rebuild(after=0, on_progress=lambda _movies: None)


def _wrong_movies(ids: IdRange) -> list[str]:
    found = wrong_movies(connection, first=ids.first, last=ids.last)
    return [f"{imdb_id} has {number} active links by its counter, which is wrong" for imdb_id, number in found]


def _wrong_counters(table: str) -> Callable[[IdRange], list[str]]:
    def find(ids: IdRange) -> list[str]:
        return [f"{' '.join(map(repr, row))}: so much too much" for row in wrong_counters(connection, table)]

    return find


def _missing_triggers(ids: IdRange) -> list[str]:
    return [f"{name} is missing" for name in missing_triggers(connection, beside=facet_trigger_names())]


def _wrong_facets(ids: IdRange) -> list[str]:
    found = wrong_facets(connection, first=ids.first, last=ids.last)
    return [f"movie {movie_id} is not found by {kind} {value} as it should be" for movie_id, kind, value in found]


def _rebuild_facets() -> None:
    rebuild_facets(connection)


def _recount() -> None:
    recount(connection)


def _install_triggers() -> None:
    install_triggers(connection.schema_editor(), WATCHED)
    install_counter_triggers(connection)
    install_facet_triggers(connection)
    recount(connection)


def _stale_titles(ids: IdRange) -> list[str]:
    return [f"{imdb_id} cannot be found by its title" for imdb_id in _unfolded(ids)]


def _unfolded(ids: IdRange) -> dict[str, str]:
    """The normalized titles of the movies that have another one."""
    rows = Movie.objects.filter(pk__range=(ids.first, ids.last)).order_by("pk")
    length = Movie._meta.get_field("search_title").max_length
    return {
        imdb_id: folded
        for imdb_id, title, stored in rows.values_list("imdb_id", "title", "search_title").iterator()
        if (folded := fold_for_search(title)[:length]) != stored
    }


def _fold_titles() -> None:
    for imdb_id, folded in _unfolded(_all_ids()).items():
        Movie.objects.filter(imdb_id=imdb_id).update(search_title=folded)


def _wrong_hosts(ids: IdRange) -> list[str]:
    return [f"link {pk} is not of the host that it names" for pk in _other_hosts(ids)]


def _other_hosts(ids: IdRange) -> dict[int, str]:
    """The hosts of the links that name another one."""
    rows = StreamingLink.objects.filter(movie_id__gte=ids.first, movie_id__lte=ids.last).order_by()
    return {
        pk: host
        for pk, address, stored in rows.values_list("pk", "source_url", "host").iterator()
        if (host := host_of(address)) != stored
    }


def _name_hosts() -> None:
    for pk, host in _other_hosts(_all_ids()).items():
        StreamingLink.objects.filter(pk=pk).update(host=host)


def _orphans(ids: IdRange) -> list[str]:
    return [f"link {pk} has no movie" for pk in _links_without_movie().values_list("pk", flat=True)]


def _links_without_movie() -> StreamingLinkQuerySet:
    return StreamingLink.objects.filter(~Exists(Movie.objects.filter(pk=OuterRef("movie_id")))).order_by("pk")


def _delete_orphans() -> None:
    _links_without_movie().delete()


def _unnumbered(ids: IdRange) -> list[str]:
    return [f"{movie.imdb_id} is not in the sequence that mirrors follow" for movie in _movies_without_change(ids)]


def _movies_without_change(ids: IdRange) -> list[Movie]:
    movies = Movie.objects.filter(pk__range=(ids.first, ids.last)).only("imdb_id").order_by("pk")
    unnumbered = movies.exclude(Exists(Change.objects.filter(imdb_id=OuterRef("imdb_id"))))
    # Pending changes have no index by IMDb id: sought for each movie, all of them would be read each time.
    pending = set(PendingChange.objects.exclude(imdb_id="").values_list("imdb_id", flat=True))
    return [movie for movie in unnumbered if movie.imdb_id not in pending]


def _note_changes() -> None:
    rows = [PendingChange(imdb_id=movie.imdb_id) for movie in _movies_without_change(_all_ids())]
    PendingChange.objects.bulk_create(rows, batch_size=BATCH_ROWS)


def _missing_version(ids: IdRange) -> list[str]:
    return [] if CatalogueVersion.objects.exists() else ["the lists have no version"]


def _create_version() -> None:
    # Beyond all versions that clients may know: those began at 1 and grew by one with each change.
    now = timezone.now()
    CatalogueVersion.objects.create(number=int(now.timestamp() * 1000), changed_at=now)


# In this order they are mended: a link without a movie is deleted before anything is counted.
CHECKS: Sequence[CatalogueCheck] = (
    CatalogueCheck(name="triggers", find=_missing_triggers, mend=_install_triggers, by_movie=False),
    CatalogueCheck(name="links without a movie", find=_orphans, mend=_delete_orphans, by_movie=False),
    CatalogueCheck(name="active links of a movie", find=_wrong_movies, mend=_recount),
    CatalogueCheck(name="links by kind", find=_wrong_counters(LINK_COUNT), mend=_recount, by_movie=False),
    CatalogueCheck(name="inactive links by reason", find=_wrong_counters(REASON_COUNT), mend=_recount, by_movie=False),
    CatalogueCheck(name="movies by year", find=_wrong_counters(MOVIE_COUNT), mend=_recount, by_movie=False),
    CatalogueCheck(name="facets", find=_wrong_facets, mend=_rebuild_facets),
    CatalogueCheck(name="version of the lists", find=_missing_version, mend=_create_version, by_movie=False),
    CatalogueCheck(name="titles", find=_stale_titles, mend=_fold_titles),
    CatalogueCheck(name="search index", find=_unfindable_titles, mend=_mend_search, hourly=False),
    CatalogueCheck(name="words of the search", find=_unknown_words, mend=_mend_search, by_movie=False, hourly=False),
    CatalogueCheck(name="hosts", find=_wrong_hosts, mend=_name_hosts),
    CatalogueCheck(name="sequence for mirrors", find=_unnumbered, mend=_note_changes),
)
