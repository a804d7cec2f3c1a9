"""The life of a run's parts: to whom they go, and that whoever lost one changes nothing any more."""

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


def part(run, number, **fields):
    return HealthPart.objects.create(run=run, number=number, **fields)


def heard(**hosts):
    found = RunTally(now=NOW, opened=lambda place: HostTally(), sink=ResultSpool())
    for place, links in hosts.items():
        for _ in range(links):
            found.add_written(place, Verdict.ALIVE, was_active=True)
    return found


def forget(*owners):
    """Let the leases of these workers end."""
    HealthPart.objects.filter(owner__in=owners).update(lease_until=Now() - timedelta(seconds=1))


def test_the_largest_part_goes_first_and_none_to_two(run):
    part(run, 0, due=5), part(run, 1, due=50)
    first, second = (work_units.claim_shard(run, owner=owner) for owner in ("a", "b"))
    assert [first.shard.number, second.shard.number] == [1, 0]
    assert work_units.claim_shard(run, owner="c") is None


def test_whoever_lost_a_part_changes_nothing_and_what_it_handed_over_is_dropped(run):
    part(run, 0)
    lost = work_units.claim_shard(run, owner="a")
    work_units.save_forwarded(lost, 1, [(1, ProbeState("https://films.example.org/"))])
    assert work_units.claim_shard(run, owner="b") is None
    forget("a")
    mine = work_units.claim_shard(run, owner="b")
    assert (mine.attempt, HealthPiece.objects.count()) == (2, 0)
    work_units.save_forwarded(lost, 1, [(1, ProbeState("https://films.example.org/"))])
    assert not work_units.finish_shard(lost, heard(a=3))
    assert not work_units.save_progress(lost, heard(a=3))
    assert work_units.finish_shard(mine, heard(a=2))
    joined = heard()
    for data in work_units.shard_results(run.pk, HealthPiece.Kind.TALLY):
        codec.merge_encoded_tally(data, joined)
    assert (joined.done, joined.hosts["a"].asked) == (2, 2)
    assert list(work_units.shard_results(run.pk, HealthPiece.Kind.FORWARDED)) == []


def test_a_worker_that_saw_the_run_before_its_parts_were_made_looks_again(run):
    early = HealthRun(pk=run.pk, plan={})
    part(run, 0)
    assert work_units.claim_shard(early, owner="a") is None
    assert HealthPart.objects.get().state == "waiting"


def test_a_worker_that_failed_and_came_again_does_not_keep_what_it_failed_at(run, monkeypatch):
    """Seen: the same name once more renewed the lease, and the part was nobody's for ever."""
    HealthRun.objects.filter(pk=run.pk).update(heartbeat_at=Now())
    part(run, 0)
    owners = []

    def fail(*args, **kwargs):
        owners.append(HealthPart.objects.get().owner)
        raise ZeroDivisionError

    monkeypatch.setattr(shard_worker.ShardWorker, "execute", fail)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            shard_worker.work_on_run(run.pk, name="worker")
        forget(*owners)
    assert len(set(owners)) == 2


def test_a_part_that_is_given_back_has_used_no_attempt(run):
    part(run, 0)
    assert work_units.requeue_shard(work_units.claim_shard(run, owner="a"))
    assert work_units.claim_shard(run, owner="b").attempt == 1


def test_what_led_to_a_share_is_for_whoever_asked_it_while_they_live(run):
    part(run, 0)
    assert work_units.finish_shard(work_units.claim_shard(run, owner="a"), heard(a=1))
    part(run, 0, round=1)
    assert work_units.claim_shard(run, owner="b") is None
    forget("a")
    assert work_units.claim_shard(run, owner="b") is not None


def test_a_part_that_kills_whoever_asks_it_ends_the_run_without_belief(run):
    part(run, 0)
    for owner in "abc":
        assert work_units.claim_shard(run, owner=owner) is not None
        forget(owner)
    assert work_units.claim_shard(run, owner="d") is None
    shared = Coordinator(run, CheckOptions(is_distributed=True), canaries=[], since=None, on_progress=None)
    assert not shared._should_continue(lambda: None)
    run.refresh_from_db()
    assert (run.ending, run.reason) == (HealthRun.StopReason.WITHHELD, SHARD_FAILED_MESSAGE)


@pytest.mark.parametrize(
    "change",
    [
        {"finished_at": NOW}, {"ending": "late"}, {"plan": {"version": codec.CODEC_VERSION + 1}},
        {"heartbeat_at": NOW - timedelta(days=1)},
    ],
)  # fmt: skip
def test_workers_leave_a_run_that_is_over_or_not_theirs(run, change):
    HealthRun.objects.filter(pk=run.pk).update(heartbeat_at=Now())
    assert work_units.active_run(run.pk) is not None
    HealthRun.objects.filter(pk=run.pk).update(**change)
    assert work_units.active_run(run.pk) is None


def test_workers_come_once_and_are_counted_while_they_live(run):
    for owner in ("a", "b", "a"):
        work_units.register_worker(run.pk, owner=owner)
    assert work_units.count_workers(run.pk) == 2
    HealthWorker.objects.filter(owner="b").update(lease_until=Now() - timedelta(seconds=1))
    assert work_units.count_workers(run.pk) == 1
    work_units.deregister_worker(run.pk, owner="a")
    assert work_units.count_workers(run.pk) == 0
