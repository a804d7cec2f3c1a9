"""Check the links of removed movies again: a movie with one that is alive returns with its history."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from scraper.net.url_policy import netloc_of
from streaming.health.judging.causes import CommonCauses, Exemptions
from streaming.health.judging.guard import RunDecision
from streaming.health.judging.results import CheckResult, LinkState
from streaming.health.judging.transitions import INCONCLUSIVE
from streaming.health.judging.verdict import Verdict
from streaming.health.selection import MEDIA_KINDS, is_private, links_by_id
from streaming.health.sweep.checker import LinkChecker
from streaming.health.sweep.outages import long_outages
from streaming.ingest.tombstones import restore_movies, snapshot_links
from streaming.models import RemovedMovie, StreamingLink
from streaming.models.removed import next_removed_check
from streaming.reason_codes import Reason

MAX_LINKS = 500
"""Links of removed movies that a run checks; the others come in the next runs."""
UNSURE_DELAY = timedelta(hours=1)
"""After so long a movie is checked again if a host of its links was paused or busy."""
MAX_SECONDS = 120.0
"""How long a run checks them, beyond its own time limit: a catalogue that takes all the time must not starve them."""


def return_movies(checker: LinkChecker, *, now: datetime, stop: Callable[[], bool]) -> list[str]:
    """Check what is due and restore the movies with a link that is alive; return their titles.

    To be called after a run that was accepted, or withheld by the brake alone. A dry run changes nothing.
    """
    deadline = time.monotonic() + MAX_SECONDS
    due = list(_due(checker, now))
    tombstones = {movie.imdb_id: movie for movie, _ in due}
    checks = _Checks([link for _, links in due for link in links])

    def is_over() -> bool:
        return stop() or time.monotonic() > deadline

    checks.take(checker, stop=is_over)
    alive = alive_by_movie(checks.alive, checker)
    checks.unsure.update(result.require_link().imdb_id for result in checks.alive)
    returned = list(alive)
    if not checker.options.dry_run:
        unchecked = set(checks.waiting.values()) if is_over() else set()
        _schedule([movie for imdb_id, movie in tombstones.items() if imdb_id not in unchecked], checks.unsure, now=now)
        returned = _restore(alive, checker, now=now)
    return [f"{tombstones[imdb_id].title} ({imdb_id})" for imdb_id in sorted(returned)]


class _Checks:
    """The checks of these links. `waiting`: by id, the movies of links without a result.

    `alive`: the results of links that seem to work. `unsure`: movies with a link of which nothing is known now, since
    its host is paused or busy, or a portal responds for it.
    """

    def __init__(self, links: Sequence[LinkState]) -> None:
        self.links = links
        self.waiting = {link.id: link.imdb_id for link in links}
        self.alive: list[CheckResult] = []
        self.unsure: set[str] = set()

    def take(self, checker: LinkChecker, *, stop: Callable[[], bool]) -> None:
        """Check the links until all are through or `stop` returns True."""
        for result in checker.probe_only(self.links, stop=stop, on_skip=self._skip):
            imdb_id = self.waiting.pop(result.id)
            if result.judgement.verdict is Verdict.ALIVE:
                self.alive.append(result)
            elif result.judgement.verdict in INCONCLUSIVE:
                self.unsure.add(imdb_id)

    def _skip(self, link_id: int, reason: str) -> None:
        if reason == Reason.PAUSED:
            self.unsure.add(self.waiting[link_id])


def alive_by_movie(results: Sequence[CheckResult], checker: LinkChecker) -> dict[str, list[CheckResult]]:
    """The results of links that work, by movie, without those that have a page in common: that is a captive portal."""
    causes = CommonCauses()
    causes.merge(checker.tally.causes)
    for result in results:
        if not is_private(result.require_link().netloc, checker.config.allowed):
            causes.add(result)
    exemptions = Exemptions(causes.common, accepted=long_outages() if causes.common else frozenset())
    alive: defaultdict[str, list[CheckResult]] = defaultdict(list)
    for result in results:
        if exemptions.verdict(result) is None:
            alive[result.require_link().imdb_id].append(result)
    return alive


def _due(checker: LinkChecker, now: datetime) -> Iterator[tuple[RemovedMovie, list[LinkState]]]:
    """Yield the due tombstones with their links, until there are enough links for one run.

    The links have ids of their own: those in the snapshot may belong to other links by now.
    """
    options = checker.options
    if options.selection.source:
        return  # A run for one source is no run for all movies.
    maximum = MAX_LINKS if options.limit is None else min(MAX_LINKS, options.limit)
    tombstones = RemovedMovie.objects.due(now)
    if options.selection.movie:
        tombstones = tombstones.filter(imdb_id=options.selection.movie)
    count = 0
    for movie in tombstones[:maximum].iterator(chunk_size=100):
        links = [
            _link_state(movie, row, number=-(count + number))
            for number, row in enumerate(islice(_links_to_check(movie), maximum), start=1)
        ]
        if count and count + len(links) > maximum:
            return
        count += len(links)
        yield movie, links


def _links_to_check(movie: RemovedMovie) -> Iterator[dict[str, Any]]:
    return (row for row in snapshot_links(movie) if row["reason"] != Reason.MOVED)


def _link_state(movie: RemovedMovie, row: dict[str, Any], *, number: int) -> LinkState:
    return LinkState(
        id=number,
        movie_id=0,
        netloc=netloc_of(row["source_url"]),
        is_active=False,
        reason=row["reason"],
        failures=row["failures"],
        state_since=None,
        checks="",
        url=row["source_url"],
        media=row["kind"] in MEDIA_KINDS,
        title=movie.title,
        imdb_id=movie.imdb_id,
    )


def _schedule(tombstones: Iterable[RemovedMovie], unsure: Collection[str], *, now: datetime) -> None:
    """Store when the links of these movies are checked again; the `unsure` ones soon."""
    changed = list(tombstones)
    for movie in changed:
        movie.next_check_at = next_removed_check(removed_at=movie.removed_at, now=now)
        if movie.imdb_id in unsure and movie.next_check_at:
            movie.next_check_at = now + UNSURE_DELAY
    RemovedMovie.objects.bulk_update(changed, ["next_check_at"], batch_size=100)


def _restore(alive: Mapping[str, list[CheckResult]], checker: LinkChecker, *, now: datetime) -> list[str]:
    """Restore the movies, then write the results of the links that brought them back; return the ids of the movies."""
    restored = restore_movies(alive, causes=RemovedMovie.RETURNING_CAUSES, now=now)
    for imdb_id in restored:
        results = {result.require_link().url: result for result in alive[imdb_id]}
        rows = StreamingLink.objects.filter(movie__imdb_id=imdb_id, source_url__in=list(results))
        states = links_by_id(list(rows.values_list("pk", flat=True)))
        checker.writer.write([results[state.url]._replace(id=state.id, link=state) for state in states], RunDecision())
    return restored
