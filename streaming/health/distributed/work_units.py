"""The life cycle of a run's shards in the database: claimed, checked under a lease, finished or requeued.

A shard whose worker died is claimed by another one. Of the dead worker's results only those that it wrote to the links
count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from streaming.health.distributed import codec
from streaming.health.judging.results import CheckResult
from streaming.health.probe_types import ProbeState
from streaming.health.sharding import Shard
from streaming.health.sweep.tally import RunTally
from streaming.leases import LeaseClaim, expired, lease_end, seconds_from_now
from streaming.models import HealthPart, HealthPiece, HealthRun, HealthWorker

State, Kind = HealthPart.State, HealthPiece.Kind
MAX_SHARD_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardClaim(LeaseClaim):
    """The right to check one shard in one round; `limit`: the most links to check, None: all.

    With a lost claim no function changes anything any more.
    """

    part_id: int
    run_id: int
    round: int
    shard: Shard
    limit: int | None

    def rows(self) -> QuerySet[HealthPart]:
        """Return the shard's row while the claim is valid, else nothing."""
        return self.restrict(HealthPart.objects.filter(pk=self.part_id))


def claimable() -> Q:
    """Match shards that no worker has claimed, or whose worker died."""
    return Q(state=State.WAITING) | expired()


# --- the run
def active_run(run_id: int) -> HealthRun | None:
    """Return the run if its workers have to continue; None if it is over, of another version, or its command died."""
    since = seconds_from_now(-3 * settings.SCRAPE_LEASE_SECONDS)
    run = HealthRun.objects.filter(pk=run_id, finished_at=None, ending="", heartbeat_at__gt=since).first()
    return run if run is not None and run.plan.get("version") == codec.CODEC_VERSION else None


def stop_run(run_id: int, stop_reason: HealthRun.StopReason, message: str = "") -> bool:
    """Make all workers stop; False if they were stopped before, for then the first reason stays."""
    return bool(HealthRun.objects.filter(pk=run_id, ending="").update(ending=stop_reason, reason=message[:500]))


def shards_in_progress() -> QuerySet[HealthPart]:
    """Shards of any run that a worker checks now."""
    return HealthPart.objects.filter(state=State.RUNNING, lease_until__gt=Now())


# --- a worker and its shards
def claim_shard(run: HealthRun, *, owner: str) -> ShardClaim | None:
    """Claim the largest claimable shard; None if there is none.

    A shard that another worker checks in this run stays theirs in all rounds.
    """
    if "of" not in run.plan:
        return None  # The run was loaded before its shards were created.
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
    if not taken:
        return None
    return ShardClaim(
        owner=owner,
        attempt=part.attempt + 1,
        part_id=part.pk,
        run_id=run.pk,
        round=part.round,
        shard=Shard(part.number, run.plan["of"]),
        limit=part.limit,
    )


def register_worker(run_id: int, *, owner: str) -> None:
    """Record that this worker is ready, so that a shard is made for it."""
    HealthWorker.objects.update_or_create(run_id=run_id, owner=owner, defaults={"lease_until": lease_end()})


def active_workers() -> QuerySet[HealthWorker]:
    """Workers of any run whose lease has not ended."""
    return HealthWorker.objects.filter(lease_until__gt=Now())


def count_workers(run_id: int) -> int:
    """Count the active workers of a run."""
    return active_workers().filter(run=run_id).count()


def renew_worker(run_id: int, *, owner: str) -> None:
    """Renew this worker's leases, those of finished shards too: it also checks what redirects lead to their hosts."""
    HealthWorker.objects.filter(run=run_id, owner=owner).update(lease_until=lease_end())
    HealthPart.objects.filter(run=run_id, owner=owner).update(lease_until=lease_end())


def deregister_worker(run_id: int, *, owner: str) -> None:
    """Release this worker's shards to other workers."""
    HealthWorker.objects.filter(run=run_id, owner=owner).delete()
    HealthPart.objects.filter(run=run_id, owner=owner).exclude(state=State.RUNNING).update(lease_until=None)


def save_progress(claim: ShardClaim, tally: RunTally) -> bool:
    """Save the counts so far; False if the claim is lost."""
    return bool(claim.rows().update(counts=dict(tally.verdicts)))


def finish_shard(claim: ShardClaim, tally: RunTally) -> bool:
    """Save the results and close the shard; False if the claim is lost, for then the results do not count."""
    with transaction.atomic():
        for successes in codec.in_chunks(tally.successes):
            _save_result(claim, Kind.SUCCESSES, codec.encode_results(successes), things=len(successes))
        for data in codec.encode_tally(tally):
            _save_result(claim, Kind.TALLY, data, things=1)
        return bool(claim.rows().update(state=State.DONE, counts=dict(tally.verdicts)))


def requeue_shard(claim: ShardClaim) -> bool:
    """Return a shard for another worker to continue; the attempt does not count. False if the claim is lost."""
    return bool(claim.rows().update(state=State.WAITING, owner="", lease_until=None, attempt=claim.attempt - 1))


# --- results
class ShardResultSink:
    """Failures of a shard, written to the database a few hundred at a time."""

    def __init__(self, claim: ShardClaim) -> None:
        self.claim = claim
        self._loose: list[CheckResult] = []

    def append(self, result: CheckResult) -> None:
        self._loose.append(result)
        if len(self._loose) >= codec.CHUNK_SIZE:
            self.flush()

    def flush(self) -> None:
        """Write the failures that are still in memory."""
        loose, self._loose = self._loose, []
        if loose:
            _save_result(self.claim, Kind.FAILURES, codec.encode_results(loose), things=len(loose))


class RunResults:
    """Results of all finished shards of a run, read from the database a few hundred at a time."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id

    def failures(self) -> Iterator[list[CheckResult]]:
        """Yield the failures that await the decision about the run."""
        return map(codec.decode_results, shard_results(self.run_id, Kind.FAILURES))

    def successes(self) -> Iterator[list[CheckResult]]:
        """Yield the successes that the workers had not written yet."""
        return map(codec.decode_results, shard_results(self.run_id, Kind.SUCCESSES))


def save_forwarded(claim: ShardClaim, number: int, links: Sequence[tuple[int, ProbeState]]) -> None:
    """Pass links to the shard with this number: redirects led to its hosts."""
    _save_result(claim, Kind.FORWARDED, codec.encode_forwarded(links), things=len(links), number=number)


def forwarded_links(claim: ShardClaim) -> Iterator[list[tuple[int, ProbeState]]]:
    """The links that the previous round passed to this shard."""
    pieces = shard_results(claim.run_id, Kind.FORWARDED, part__round=claim.round - 1, number=claim.shard.number)
    return map(codec.decode_forwarded, pieces)


def shard_results(run_id: int, kind: HealthPiece.Kind, **which: int) -> Iterator[bytes]:
    """Encoded results of the finished shards, one row in memory at a time."""
    pieces = HealthPiece.objects.filter(
        part__run=run_id, part__state=State.DONE, attempt=F("part__attempt"), kind=kind, **which
    ).order_by("pk")  # fmt: skip
    last = 0
    while (piece := pieces.filter(pk__gt=last).only("pk", "data").first()) is not None:
        last = piece.pk
        yield bytes(piece.data)


def _save_result(claim: ShardClaim, kind: HealthPiece.Kind, data: bytes, *, things: int, number: int = 0) -> None:
    HealthPiece.objects.create(
        part_id=claim.part_id, attempt=claim.attempt, kind=kind, number=number, things=things, data=data
    )  # fmt: skip
