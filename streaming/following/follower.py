"""Follow one instance: page after page, the cursor of the next one in one transaction with the last part of a page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from streaming.following.feed_client import CursorLostError, FollowError, fetch_changes
from streaming.following.feed_page import BadPage, FeedPage, parse_page
from streaming.health.judging.removal import removal_allowance
from streaming.ingest.batch_limit import BatchLimit
from streaming.ingest.bulk_connection import bulk_connection
from streaming.ingest.from_instances import FollowReport, StatedFilm, Statements, films_lost_without, save_statements
from streaming.models import FollowedInstance, FollowedMovie
from streaming.models.change import number_all_changes

MAX_PAGES_WITHOUT_PROGRESS = 3
SWEPT_AT_ONCE = 500
FIRST_BATCH_ROWS, MIN_BATCH_ROWS, MAX_BATCH_ROWS = 1000, 200, 10_000
"""Films and links of one transaction: a page may have many more, and other writers would wait for minutes."""
ROWS_OF_A_FILM = 5
State = FollowedMovie.State


class FollowWithheld(FollowError):
    """Too much would be lost at once; nothing of that was changed."""


@dataclass(slots=True, kw_only=True)
class Follower:
    """One run over one instance.

    `force`: however much is lost. `on_page` gets the totals after each page, `on_refused` the sentences about what was
    left out; `should_stop` is asked before each page.
    """

    instance: FollowedInstance
    force: bool = False
    on_page: Callable[[FollowReport], None]
    on_refused: Callable[[list[str]], None]
    on_note: Callable[[str], None]
    should_stop: Callable[[], bool] = lambda: False
    report: FollowReport = field(default_factory=FollowReport)
    has_restarted: bool = False
    limit: BatchLimit = field(
        default_factory=lambda: BatchLimit(FIRST_BATCH_ROWS, minimum=MIN_BATCH_ROWS, maximum=MAX_BATCH_ROWS)
    )

    def run(self) -> FollowReport:
        """Apply all changes that there are now; return what was changed here. Raises FollowError.

        A run that is killed or fails has applied the pages before, and the next one continues.
        """
        try:
            with bulk_connection():
                self._follow()
        except FollowError as error:
            self._record(error=str(error))
            raise
        finally:
            number_all_changes()
        self._record()
        return self.report

    def forget(self) -> FollowReport:
        """Drop all that only this instance states, and the instance."""
        self.force = True
        self.instance.restart()
        self._sweep()
        self.instance.delete()
        number_all_changes()
        return self.report

    def _follow(self) -> None:
        idle, more = 0, True
        while more:
            if self.should_stop():
                return
            page = self._next_page()
            if page is None:
                continue
            idle = idle + 1 if page.cursor == self.instance.cursor else 0
            if page.more and idle >= MAX_PAGES_WITHOUT_PROGRESS:
                raise FollowError(f"it promises more changes after {page.cursor}, and sends none")
            self._apply(page)
            more = page.more
        if not self.instance.is_complete:
            self._sweep()

    def _next_page(self) -> FeedPage | None:
        """The next page; None if the other instance has to be read anew."""
        try:
            raw = fetch_changes(self.instance.url, cursor=self.instance.cursor, token=self.instance.token)
            return parse_page(raw, since=self.instance.cursor, allowed=settings.ALLOW_PRIVATE_HOSTS)
        except BadPage as error:
            raise FollowError(str(error)) from None
        except CursorLostError as error:
            if not self.instance.cursor or self.has_restarted:
                raise
            self.has_restarted = True
            self.on_note(f"{error}. Reading all of it anew.")
            self.instance.restart()
            return None

    def _apply(self, page: FeedPage) -> None:
        gone = {key: State.TAKEN_DOWN if is_taken_down else State.LEFT for key, is_taken_down in page.gone.items()}
        # Of several lines about one film the last one counts.
        films = {line.movie.imdb_id: StatedFilm(movie=line.movie, links=line.links) for line in page.lines}
        self._check_size(films.keys())
        unreadable = page.unreadable - films.keys()
        gone = {key: state for key, state in gone.items() if key not in films}
        *parts, last = self._parts(films.values())
        for part in parts:  # The cursor stays: after a kill the page is read and applied again.
            self._save(Statements(films=part), cursor=self.instance.cursor)
        self._save(Statements(films=last, gone=gone, unreadable=unreadable), cursor=page.cursor)
        if page.refused:
            self.on_refused(page.refused)

    def _parts(self, films: Iterable[StatedFilm]) -> Iterator[list[StatedFilm]]:
        """Divide the films of a page into transactions that keep other writers waiting for a moment only."""
        part, rows = list[StatedFilm](), 0
        for film in films:
            if rows >= self.limit.rows:
                yield part
                part, rows = [], 0
            part.append(film)
            rows += 1 + len(film.links)
        yield part

    def _check_size(self, imdb_ids: Iterable[str]) -> None:
        """Refuse films without end: whoever takes over an abandoned address could fill the disk."""
        stated, limit = self.instance.movies.stated(), settings.FOLLOW_MAX_FILMS
        ids = set(imdb_ids)
        if len(ids) + stated.count() > limit and len(ids) + stated.exclude(imdb_id__in=ids).count() > limit:
            raise FollowError(f"it states more than {limit:,} films: raise FOLLOW_MAX_FILMS if that is right")

    def _sweep(self) -> None:
        """After all of it was read: drop what was not stated in this generation."""
        rows = self.instance.movies.stated().filter(generation__lt=self.instance.generation)
        self._check_loss(films_lost_without(rows, at_once=SWEPT_AT_ONCE))
        ids = rows.order_by("imdb_id").values_list("imdb_id", flat=True)
        while part := list(ids[: min(SWEPT_AT_ONCE, self.limit.rows // ROWS_OF_A_FILM)]):
            self._save(Statements(gone=dict.fromkeys(part, State.LEFT)), cursor=self.instance.cursor, is_swept=True)
        FollowedInstance.objects.filter(pk=self.instance.pk).update(is_complete=True)
        self.instance.is_complete = True

    def _save(self, statements: Statements, *, cursor: str, is_swept: bool = False) -> None:
        """Save statements and cursor in one transaction. Raises FollowWithheld, and then nothing is saved."""
        instance, now = self.instance, timezone.now()
        self.limit.let_others_write()
        started = time.monotonic()
        with transaction.atomic():
            same = FollowedInstance.objects.filter(
                pk=instance.pk, cursor=instance.cursor, generation=instance.generation
            )
            if not same.update(cursor=cursor):
                raise FollowError("another process follows it now, or it was removed from the list")
            report = save_statements(instance, statements)
            if report.lost and not is_swept:
                self._check_loss(report.lost)
            losses = instance.with_loss(report.lost, now=now)
            FollowedInstance.objects.filter(pk=instance.pk).update(losses=losses)
        self.limit.adapt(time.monotonic() - started)
        instance.cursor, instance.losses = cursor, losses
        self.report.add(report)
        self.on_page(self.report)

    def _check_loss(self, number: int) -> None:
        """Refuse to lose more films within 24 hours than checks may remove, unless the operator forces it."""
        if self.force or not number:
            return
        lately = self.instance.lost_lately(now=timezone.now())
        followed = self.instance.movies.stated().count()
        if number > removal_allowance(movies=followed + number, removed=lately):
            total = f"{number} films, after {lately} within 24 hours" if lately else f"{number} films"
            raise FollowWithheld(
                f"this catalogue would lose {total}, of {followed + number} that it states: nothing more was changed. "
                "--force does it all the same"
            )

    def _record(self, *, error: str = "") -> None:
        now, rows = timezone.now(), FollowedInstance.objects.filter(pk=self.instance.pk)
        if error:
            rows.update(last_error=error[:300], last_error_at=now)
        else:
            rows.update(last_error="", last_success_at=now)
