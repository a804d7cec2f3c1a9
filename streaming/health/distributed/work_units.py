"""The life of a run's parts, kept by the database: claimed, leased in database time, handed over, given back.

A part whose worker died is claimed by another; of what the dead one heard only what it wrote for good counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from streaming.health.distributed import codec
from streaming.health.judging.results import Finding
from streaming.health.probe_types import ProbeState
from streaming.health.sharding import Shard
from streaming.health.sweep.tally import RunTally
from streaming.models import HealthPart, HealthPiece, HealthRun, HealthWorker

State, Kind = HealthPart.State, HealthPiece.Kind
MAX_SHARD_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class ShardClaim:
    """The right to ask one part. Whoever lost it (`owner`, `attempt`) changes nothing any more."""

    part_id: int
    run_id: int
    round: int
    shard: Shard
    limit: int | None
    owner: str
    attempt: int

    def row(self) -> QuerySet[HealthPart]:
        """The part's row while the claim stands, else nothing."""
        return HealthPart.objects.filter(
            pk=self.part_id, state=State.RUNNING, owner=self.owner, attempt=self.attempt
        )  # fmt: skip


def _in(seconds: float) -> CombinedExpression:
    return Now() + timedelta(seconds=seconds)


def lease_end() -> CombinedExpression:
    return _in(settings.SCRAPE_LEASE_SECONDS)


def _abandoned() -> Q:
    return Q(state=State.RUNNING, lease_until__lt=Now())


def claimable() -> Q:
    return Q(state=State.WAITING) | _abandoned()


# --- the run
def active_run(run_id: int) -> HealthRun | None:
    """The run while its workers are to go on: not when whoever began it has died."""
    since = _in(-3 * settings.SCRAPE_LEASE_SECONDS)
    run = HealthRun.objects.filter(pk=run_id, finished_at=None, ending="", heartbeat_at__gt=since).first()
    return run if run is not None and run.plan.get("version") == codec.CODEC_VERSION else None


def stop_run(run_id: int, why: HealthRun.StopReason, reason: str = "") -> bool:
    """Let all workers come to an end; the first reason stands."""
    return bool(HealthRun.objects.filter(pk=run_id, ending="").update(ending=why, reason=reason[:500]))


def shards_in_progress() -> QuerySet[HealthPart]:
    """Parts that a worker asks now, of whatever run."""
    return HealthPart.objects.filter(state=State.RUNNING, lease_until__gt=Now())


# --- a worker and its parts
def claim_shard(run: HealthRun, *, owner: str) -> ShardClaim | None:
    """The largest part that waits, or was abandoned. A share that somebody else asks in this run is left to them."""
    if "of" not in run.plan:
        return None  # Read before the parts were made.
    others = HealthPart.objects.filter(run=run, number=OuterRef("number"), lease_until__gt=Now()).exclude(owner=owner)
    with transaction.atomic():
        rows = HealthPart.objects.filter(claimable(), run=run, attempt__lt=MAX_SHARD_ATTEMPTS).exclude(Exists(others))
        part = rows.select_for_update(skip_locked=True, of=("self",)).order_by("-due", "pk").first()
        if part is None:
            return None
        taken = HealthPart.objects.filter(claimable(), pk=part.pk, attempt=part.attempt).update(
            state=State.RUNNING, owner=owner, attempt=F("attempt") + 1, lease_until=lease_end(), counts={}
        )
        part.pieces.all().delete()
    shard = Shard(part.number, run.plan["of"])
    return ShardClaim(part.pk, run.pk, part.round, shard, part.limit, owner, part.attempt + 1) if taken else None


def register_worker(run_id: int, *, owner: str) -> None:
    """Say that this worker is here, so that there is a part for it."""
    HealthWorker.objects.update_or_create(run_id=run_id, owner=owner, defaults={"lease_until": lease_end()})


def active_workers() -> QuerySet[HealthWorker]:
    """Workers that are here, of whatever run."""
    return HealthWorker.objects.filter(lease_until__gt=Now())


def count_workers(run_id: int) -> int:
    return active_workers().filter(run=run_id).count()


def renew_worker(run_id: int, *, owner: str) -> None:
    """Renew the leases on all that this worker has or had: what redirects lead to those hosts is for it to ask too."""
    HealthWorker.objects.filter(run=run_id, owner=owner).update(lease_until=lease_end())
    HealthPart.objects.filter(run=run_id, owner=owner).update(lease_until=lease_end())


def deregister_worker(run_id: int, *, owner: str) -> None:
    """Let others have this worker's shares."""
    HealthWorker.objects.filter(run=run_id, owner=owner).delete()
    HealthPart.objects.filter(run=run_id, owner=owner).exclude(state=State.RUNNING).update(lease_until=None)


def save_progress(mine: ShardClaim, tally: RunTally) -> bool:
    """How far the part is; False when it is somebody else's by now."""
    return bool(mine.row().update(counts=dict(tally.verdicts)))


def finish_shard(mine: ShardClaim, tally: RunTally) -> bool:
    """Hand over what was heard; False, and nothing is, when the part is somebody else's by now."""
    with transaction.atomic():
        for good in codec.in_chunks(tally.successes):
            _save_result(mine, Kind.SUCCESSES, codec.encode_results(good), things=len(good))
        for data in codec.encode_tally(tally):
            _save_result(mine, Kind.TALLY, data, things=1)
        return bool(mine.row().update(state=State.DONE, counts=dict(tally.verdicts)))


def requeue_shard(mine: ShardClaim) -> bool:
    """Let another worker go on with this part; no attempt is used up."""
    return bool(mine.row().update(state=State.WAITING, owner="", lease_until=None, attempt=mine.attempt - 1))


# --- what is handed over
class ShardResultSink:
    """Bad news of a part, put into the database a few hundred at once."""

    def __init__(self, mine: ShardClaim) -> None:
        self.mine = mine
        self._loose: list[Finding] = []

    def append(self, finding: Finding) -> None:
        self._loose.append(finding)
        if len(self._loose) >= codec.CHUNK_SIZE:
            self.flush()

    def flush(self) -> None:
        loose, self._loose = self._loose, []
        if loose:
            _save_result(self.mine, Kind.FAILURES, codec.encode_results(loose), things=len(loose))


class RunResults:
    """The bad news of all parts of a run, as `Held` gives it: read anew each time, a few hundred at once."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id

    def batches(self) -> Iterator[list[Finding]]:
        return map(codec.decode_results, shard_results(self.run_id, Kind.FAILURES))

    def successes(self) -> Iterator[list[Finding]]:
        return map(codec.decode_results, shard_results(self.run_id, Kind.SUCCESSES))


def save_forwarded(mine: ShardClaim, number: int, links: Sequence[tuple[int, ProbeState]]) -> None:
    """Links that led to a host of that share."""
    _save_result(mine, Kind.FORWARDED, codec.encode_forwarded(links), things=len(links), number=number)


def forwarded_links(mine: ShardClaim) -> Iterator[list[tuple[int, ProbeState]]]:
    """The links that the round before handed on to this share."""
    pieces = shard_results(mine.run_id, Kind.FORWARDED, part__round=mine.round - 1, number=mine.shard.number)
    return map(codec.decode_forwarded, pieces)


def shard_results(run_id: int, kind: HealthPiece.Kind, **which: int) -> Iterator[bytes]:
    """What the parts that are done handed over, one piece in memory at a time."""
    pieces = HealthPiece.objects.filter(
        part__run=run_id, part__state=State.DONE, attempt=F("part__attempt"), kind=kind, **which
    ).order_by("pk")  # fmt: skip
    last = 0
    while (piece := pieces.filter(pk__gt=last).only("pk", "data").first()) is not None:
        last = piece.pk
        yield bytes(piece.data)


def _save_result(mine: ShardClaim, kind: HealthPiece.Kind, data: bytes, *, things: int, number: int = 0) -> None:
    HealthPiece.objects.create(
        part_id=mine.part_id, attempt=mine.attempt, kind=kind, number=number, things=things, data=data
    )  # fmt: skip
