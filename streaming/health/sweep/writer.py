"""Write updates of links: a batch is one short transaction with few statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter

from django.conf import settings
from django.db import connection, transaction

from streaming.health.judging.guard import RunDecision
from streaming.health.judging.results import CheckResult
from streaming.health.judging.transitions import HostNews, LinkUpdate, link_update
from streaming.models import LinkFlip, Movie, StreamingLink
from streaming.models.movie import lock_movies, mark_updated
from streaming.reason_codes import Reason

# SQLite takes 250,000 values in one statement, some builds of it only 999.
MARK_BATCH_SIZE = 500
# Without `is_active`, which `_turn` writes: SQLite would run the trigger of its changes for every link of the batch.
UPDATE_SQL = """
    UPDATE streaming_streaminglink
    SET last_checked = %s, reason = %s, http_status = %s, response_ms = %s, failures = %s,
        state_since = %s, checks = %s, next_check_at = %s, moved_to = %s, moved_seen = %s, strength = %s,
        failing_seconds = %s
    WHERE id = %s AND is_active = %s AND reason = %s AND NOT taken_down
        AND (last_checked IS NOT NULL OR next_check_at IS NULL OR next_check_at < %s)
"""


@dataclass(slots=True)
class WriteReport:
    """How many links turned off and on; `died_of` counts the former by reason."""

    died: int = 0
    revived: int = 0
    died_of: Counter[str] = field(default_factory=Counter)

    def add(self, other: WriteReport) -> None:
        """Add the counts of another batch."""
        self.died_of += other.died_of
        self.died += other.died
        self.revived += other.revived


def count_flips(updates: Iterable[LinkUpdate]) -> WriteReport:
    """Count the links that these updates turn off and on."""
    flips = [update for update in updates if update.is_flip]
    died_of = Counter(update.reason for update in flips if not update.is_active)
    return WriteReport(died=died_of.total(), revived=len(flips) - died_of.total(), died_of=died_of)


def write_updates(updates: Sequence[LinkUpdate], *, now: datetime) -> WriteReport:
    """Write a batch of updates in one transaction.

    A link that others turned, took down, removed or gave another URL meanwhile is left as it is: see `_lock_unchanged`.
    """
    with transaction.atomic():
        flips = [update for update in updates if update.is_flip]
        lock_movies(update.movie_id for update in flips)
        unchanged = _lock_unchanged(flips, now=now)
        valid = [
            update
            for update in updates
            if not update.is_flip or (update.id, update.was_active, update.was_reason) in unchanged
        ]
        _write_rows(valid, now=now)
        _record_flips([update for update in valid if update.is_flip], now=now)
    return count_flips(valid)


def _write_rows(updates: Sequence[LinkUpdate], *, now: datetime) -> None:
    """Update the rows in order of their ids.

    `executemany` and not `bulk_update`: the latter's CASE WHEN is sixteen times slower (measured on 200,000 rows).
    """
    # Most dates of a batch are the same few: each is converted once.
    adapt = cache(connection.ops.adapt_datetimefield_value)
    rows = [update.as_row(now, adapt=adapt) for update in sorted(updates, key=attrgetter("id"))]
    with connection.cursor() as cursor:
        cursor.executemany(UPDATE_SQL, rows)
    _turn([update for update in updates if update.is_flip])
    if verified := [update.id for update in updates if update.is_verified]:
        StreamingLink.objects.filter(pk__in=verified).update(verified_at=now)


def _turn(flips: Sequence[LinkUpdate]) -> None:
    """Turn links on and off. Nobody else can have turned them: they are locked."""
    for is_active in (True, False):
        if ids := [flip.id for flip in flips if flip.is_active is is_active]:
            StreamingLink.objects.filter(pk__in=ids).update(is_active=is_active)


def _record_flips(flips: Sequence[LinkUpdate], *, now: datetime) -> None:
    LinkFlip.objects.bulk_create(
        LinkFlip(link_id=flip.id, at=now, is_active=flip.is_active, reason=flip.reason) for flip in flips
    )
    if flips:
        mark_updated(Movie.objects.filter(pk__in={flip.movie_id for flip in flips}))


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
        link = result.require_link()
        netloc = link.netloc
        host = HostNews(
            is_down=netloc in decision.hosts_down,
            is_changed=netloc in decision.hosts_changed or netloc in decision.hosts_down,
            outage_seconds=decision.accepted_outages.get(netloc, 0),
            is_mass_loss=link.reason != Reason.HOST_CHANGED and link.state_since in decision.mass_losses,
        )
        grace = timedelta(hours=settings.LINK_GRACE_HOURS)
        return link_update(result, now=self.now, host=host, adaptive=settings.HEALTH_ADAPTIVE, grace=grace)


def mark_private_links(ids: Sequence[int]) -> None:
    """Store the reason why links on private addresses are never checked; their state stays."""
    active = StreamingLink.objects.filter(is_active=True).exclude(reason=Reason.PRIVATE_ADDRESS)
    for start in range(0, len(ids), MARK_BATCH_SIZE):
        active.filter(pk__in=ids[start : start + MARK_BATCH_SIZE]).update(reason=Reason.PRIVATE_ADDRESS)


def _lock_unchanged(flips: Sequence[LinkUpdate], *, now: datetime) -> set[tuple[int, bool, str]]:
    """Lock the links that turn, in the order of their ids, and return the id, state and reason of each.

    A link that got another URL since the run began is left out: it is due later than that, and its old URL was probed.
    """
    if not flips:
        return set()
    rows = StreamingLink.objects.filter(pk__in=[update.id for update in flips]).order_by("pk").select_for_update()
    rows = rows.filter(taken_down=False).exclude(last_checked=None, next_check_at__gte=now)
    return set(rows.values_list("pk", "is_active", "reason"))
