"""The life cycle of shards: who may claim them, and that a lost claim changes nothing any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from streaming.health.distributed import codec, shard_worker, work_units
from streaming.health.distributed.coordinator import SHARD_FAILED_MESSAGE, Coordinator
from streaming.health.judging.guard import HostTally
from streaming.health.judging.verdict import Verdict
from streaming.health.probe_types import ProbeState
from streaming.health.sweep.options import CheckOptions
from streaming.health.sweep.spool import ResultSpool
from streaming.health.sweep.tally import RunTally
from streaming.models import HealthPart, HealthPiece, HealthRun, HealthWorker

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def run():
    plan = {
        "version": codec.CODEC_VERSION,
        "of": 2,
        "options": CheckOptions().to_plan(),
        "canaries": [],
        "since": None,
    }
    return HealthRun.objects.create(started_at=NOW, plan=plan)


def make_shard(run, number, **fields):
    return HealthPart.objects.create(run=run, number=number, **fields)


def tally(**hosts):
    result = RunTally(now=NOW, new_host_tally=lambda netloc: HostTally(), sink=ResultSpool())
    for place, links in hosts.items():
        for _ in range(links):
            result.add_written(place, Verdict.ALIVE, was_active=True)
    return result


def end_leases(*owners):
    HealthPart.objects.filter(owner__in=owners).update(lease_until=Now() - timedelta(seconds=1))


def test_the_largest_shard_is_claimed_first_and_none_twice(run):
    make_shard(run, 0, due=5), make_shard(run, 1, due=50)
    first, second = (work_units.claim_shard(run, owner=owner) for owner in ("a", "b"))
    assert [first.shard.number, second.shard.number] == [1, 0]
    assert work_units.claim_shard(run, owner="c") is None


def test_a_lost_claim_changes_nothing_and_its_results_are_dropped(run):
    make_shard(run, 0)
    lost = work_units.claim_shard(run, owner="a")
    work_units.save_forwarded(lost, 1, [(1, ProbeState("https://films.example.org/"))])
    assert work_units.claim_shard(run, owner="b") is None
    end_leases("a")
    claim = work_units.claim_shard(run, owner="b")
    assert (claim.attempt, HealthPiece.objects.count()) == (2, 0)
    work_units.save_forwarded(lost, 1, [(1, ProbeState("https://films.example.org/"))])
    assert not work_units.finish_shard(lost, tally(a=3))
    assert not work_units.save_progress(lost, tally(a=3))
    assert work_units.finish_shard(claim, tally(a=2))
    merged = tally()
    for data in work_units.shard_results(run.pk, HealthPiece.Kind.TALLY):
        codec.merge_encoded_tally(data, merged)
    assert (merged.done, merged.hosts["a"].checked) == (2, 2)
    assert list(work_units.shard_results(run.pk, HealthPiece.Kind.FORWARDED)) == []


def test_a_worker_that_loaded_the_run_before_its_shards_were_made_claims_none(run):
    early = HealthRun(pk=run.pk, plan={})
    make_shard(run, 0)
    assert work_units.claim_shard(early, owner="a") is None
    assert HealthPart.objects.get().state == "waiting"


def test_a_worker_that_failed_and_came_back_does_not_keep_its_shard(run, monkeypatch):
    """Seen: under the same name it renewed the lease, and no other worker could ever claim the shard."""
    HealthRun.objects.filter(pk=run.pk).update(heartbeat_at=Now())
    make_shard(run, 0)
    owners = []

    def fail(*args, **kwargs):
        owners.append(HealthPart.objects.get().owner)
        raise ZeroDivisionError

    monkeypatch.setattr(shard_worker.ShardWorker, "execute", fail)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            shard_worker.work_on_run(run.pk, name="worker")
        end_leases(*owners)
    assert len(set(owners)) == 2


def test_a_requeued_shard_has_used_no_attempt(run):
    make_shard(run, 0)
    assert work_units.requeue_shard(work_units.claim_shard(run, owner="a"))
    assert work_units.claim_shard(run, owner="b").attempt == 1


def test_a_later_round_of_a_shard_is_for_its_worker_while_that_lives(run):
    make_shard(run, 0)
    assert work_units.finish_shard(work_units.claim_shard(run, owner="a"), tally(a=1))
    make_shard(run, 0, round=1)
    assert work_units.claim_shard(run, owner="b") is None
    end_leases("a")
    assert work_units.claim_shard(run, owner="b") is not None


def test_a_run_is_withheld_when_the_workers_of_a_shard_die_again_and_again(run):
    make_shard(run, 0)
    for owner in "abc":
        assert work_units.claim_shard(run, owner=owner) is not None
        end_leases(owner)
    assert work_units.claim_shard(run, owner="d") is None
    coordinator = Coordinator(run, CheckOptions(is_distributed=True), canaries=[], since=None, on_progress=None)
    assert not coordinator._should_continue(lambda: None)
    run.refresh_from_db()
    assert (run.ending, run.reason) == (HealthRun.StopReason.WITHHELD, SHARD_FAILED_MESSAGE)


@pytest.mark.parametrize(
    "change",
    [
        {"finished_at": NOW}, {"ending": "late"}, {"plan": {"version": codec.CODEC_VERSION + 1}},
        {"heartbeat_at": NOW - timedelta(days=1)},
    ],
)  # fmt: skip
def test_workers_leave_a_run_that_is_over_or_of_another_version(run, change):
    HealthRun.objects.filter(pk=run.pk).update(heartbeat_at=Now())
    assert work_units.active_run(run.pk) is not None
    HealthRun.objects.filter(pk=run.pk).update(**change)
    assert work_units.active_run(run.pk) is None


def test_a_worker_registers_once_and_is_counted_while_its_lease_lasts(run):
    for owner in ("a", "b", "a"):
        work_units.register_worker(run.pk, owner=owner)
    assert work_units.count_workers(run.pk) == 2
    HealthWorker.objects.filter(owner="b").update(lease_until=Now() - timedelta(seconds=1))
    assert work_units.count_workers(run.pk) == 1
    work_units.deregister_worker(run.pk, owner="a")
    assert work_units.count_workers(run.pk) == 0
