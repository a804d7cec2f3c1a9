"""Results become rows: a batch is one short transaction with few statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from django.conf import settings
from django.db import connection, transaction

from streaming.health.judging.guard import RunDecision
from streaming.health.judging.results import CheckResult
from streaming.health.judging.transitions import LinkUpdate, link_update
from streaming.models import LinkFlip, Movie, StreamingLink
from streaming.models.movie import lock_movies, mark_updated
from streaming.reason_codes import Reason

# SQLite takes 250,000 values in one statement, other builds of it 999.
MARK_BATCH_SIZE = 500
UPDATE_SQL = """
    UPDATE streaming_streaminglink
    SET last_checked = %s, is_active = %s, reason = %s, http_status = %s, response_ms = %s, failures = %s,
        state_since = %s, checks = %s, next_check_at = %s, moved_to = %s, moved_seen = %s
    WHERE id = %s AND is_active = %s AND reason = %s
        AND (last_checked IS NOT NULL OR next_check_at IS NULL OR next_check_at < %s)
"""


@dataclass(slots=True)
class WriteReport:
    """How many links turned."""

    died: int = 0
    revived: int = 0
    died_of: Counter[str] = field(default_factory=Counter)

    def add(self, other: WriteReport) -> None:
        self.died_of += other.died_of
        self.died += other.died
        self.revived += other.revived


def count_flips(changes: Iterable[LinkUpdate]) -> WriteReport:
    """What these changes turn, or would turn."""
    turned = [change for change in changes if change.is_flip]
    died_of = Counter(change.reason for change in turned if not change.is_active)
    return WriteReport(died=died_of.total(), revived=len(turned) - died_of.total(), died_of=died_of)


def write_updates(changes: Sequence[LinkUpdate], *, now: datetime) -> WriteReport:
    """Write a batch. A link that somebody else turned, took down or removed meanwhile is left as it is, and
    so is one that got another address (see `_still_standing`).

    `executemany` and not `bulk_update`: the latter's CASE WHEN is sixteen times slower (measured on 200,000 rows).
    """
    with transaction.atomic():
        flips = [change for change in changes if change.is_flip]
        lock_movies(change.movie_id for change in flips)
        link_state = _lock_unchanged(flips, now=now)
        true = [
            change
            for change in changes
            if not change.is_flip or (change.id, change.was_active, change.was_reason) in link_state
        ]
        # Most dates of a batch are the same few: each is adapted once.
        adapt = cache(connection.ops.adapt_datetimefield_value)
        rows = [change.as_row(now, adapt=adapt) for change in sorted(true, key=_by_id)]
        with connection.cursor() as cursor:
            cursor.executemany(UPDATE_SQL, rows)
        if is_verified := [change.id for change in true if change.is_verified]:
            StreamingLink.objects.filter(pk__in=is_verified).update(verified_at=now)
        turned = [change for change in true if change.is_flip]
        LinkFlip.objects.bulk_create(
            LinkFlip(link_id=change.id, at=now, is_active=change.is_active, reason=change.reason) for change in turned
        )
        if turned:
            mark_updated(Movie.objects.filter(pk__in={change.movie_id for change in turned}))
    return count_flips(true)


class ResultWriter:
    """Writes the results of one run, or of one shard of it; a dry run only counts what they would change.

    `written`: the links that changed. `planned_updates`: in a dry run, the updates that matter for removal.
    """

    def __init__(self, *, now: datetime, dry_run: bool) -> None:
        self.now, self.dry_run = now, dry_run
        self.written = WriteReport()
        self.planned_updates: list[LinkUpdate] = []

    def write(self, results: Iterable[CheckResult], decision: RunDecision) -> None:
        """Write these results in one transaction, as the decision about the run wants them."""
        updates = [self._link_update(result, decision) for result in results]
        if self.dry_run:
            self.planned_updates.extend(update for update in updates if update.is_flip or not update.is_active)
            self.written.add(count_flips(updates))
        else:
            self.written.add(write_updates(updates, now=self.now))

    def _link_update(self, result: CheckResult, decision: RunDecision) -> LinkUpdate:
        is_down = result.require_link().netloc in decision.hosts_down
        return link_update(result, now=self.now, host_down=is_down, adaptive=settings.HEALTH_ADAPTIVE)


def mark_private_links(ids: Sequence[int]) -> None:
    """Say of links whose address we may not open why they are never checked; their state stays."""
    active = StreamingLink.objects.filter(is_active=True).exclude(reason=Reason.PRIVATE_ADDRESS)
    for start in range(0, len(ids), MARK_BATCH_SIZE):
        active.filter(pk__in=ids[start : start + MARK_BATCH_SIZE]).update(reason=Reason.PRIVATE_ADDRESS)


def _lock_unchanged(flips: Sequence[LinkUpdate], *, now: datetime) -> set[tuple[int, bool, str]]:
    """Locked until the batch is written, in one order for all: nobody turns a link between this look and that.

    A link that is new at its address since this run began is due later than that; what was asked was another address.
    """
    if not flips:
        return set()
    rows = StreamingLink.objects.filter(pk__in=[change.id for change in flips]).order_by("pk").select_for_update()
    rows = rows.exclude(last_checked=None, next_check_at__gte=now)
    return set(rows.values_list("pk", "is_active", "reason"))


def _by_id(change: LinkUpdate) -> int:
    return change.id
