"""The life of a run's parts: to whom they go, and that whoever lost one changes nothing any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from streaming.health import handing, helping, parts
from streaming.health.answers import ProbeState
from streaming.health.gathering import RunTally
from streaming.health.guard import HostTally
from streaming.health.held import ResultSpool
from streaming.health.options import CheckOptions
from streaming.health.sharing import SHARD_FAILED_MESSAGE, Coordinator
from streaming.health.verdict import Verdict
from streaming.models import HealthPart, HealthPiece, HealthRun, HealthWorker

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def run():
    plan = {
        "version": handing.CODEC_VERSION,
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
    first, second = (parts.claim_shard(run, owner=owner) for owner in ("a", "b"))
    assert [first.shard.number, second.shard.number] == [1, 0]
    assert parts.claim_shard(run, owner="c") is None


def test_whoever_lost_a_part_changes_nothing_and_what_it_handed_over_is_dropped(run):
    part(run, 0)
    lost = parts.claim_shard(run, owner="a")
    parts.save_forwarded(lost, 1, [(1, ProbeState("https://films.example.org/"))])
    assert parts.claim_shard(run, owner="b") is None
    forget("a")
    mine = parts.claim_shard(run, owner="b")
    assert (mine.attempt, HealthPiece.objects.count()) == (2, 0)
    parts.save_forwarded(lost, 1, [(1, ProbeState("https://films.example.org/"))])
    assert not parts.finish_shard(lost, heard(a=3))
    assert not parts.save_progress(lost, heard(a=3))
    assert parts.finish_shard(mine, heard(a=2))
    joined = heard()
    for data in parts.shard_results(run.pk, HealthPiece.Kind.HEARD):
        handing.merge_encoded_tally(data, joined)
    assert (joined.done, joined.hosts["a"].asked) == (2, 2)
    assert list(parts.shard_results(run.pk, HealthPiece.Kind.ONWARD)) == []


def test_a_worker_that_saw_the_run_before_its_parts_were_made_looks_again(run):
    early = HealthRun(pk=run.pk, plan={})
    part(run, 0)
    assert parts.claim_shard(early, owner="a") is None
    assert HealthPart.objects.get().state == "waiting"


def test_a_worker_that_failed_and_came_again_does_not_keep_what_it_failed_at(run, monkeypatch):
    """Seen: the same name once more renewed the lease, and the part was nobody's for ever."""
    HealthRun.objects.filter(pk=run.pk).update(heartbeat_at=Now())
    part(run, 0)
    owners = []

    def fail(*args, **kwargs):
        owners.append(HealthPart.objects.get().owner)
        raise ZeroDivisionError

    monkeypatch.setattr(helping.ShardWorker, "ask", fail)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            helping.work_on_run(run.pk, name="worker")
        forget(*owners)
    assert len(set(owners)) == 2


def test_a_part_that_is_given_back_has_used_no_attempt(run):
    part(run, 0)
    assert parts.requeue_shard(parts.claim_shard(run, owner="a"))
    assert parts.claim_shard(run, owner="b").attempt == 1


def test_what_led_to_a_share_is_for_whoever_asked_it_while_they_live(run):
    part(run, 0)
    assert parts.finish_shard(parts.claim_shard(run, owner="a"), heard(a=1))
    part(run, 0, round=1)
    assert parts.claim_shard(run, owner="b") is None
    forget("a")
    assert parts.claim_shard(run, owner="b") is not None


def test_a_part_that_kills_whoever_asks_it_ends_the_run_without_belief(run):
    part(run, 0)
    for owner in "abc":
        assert parts.claim_shard(run, owner=owner) is not None
        forget(owner)
    assert parts.claim_shard(run, owner="d") is None
    shared = Coordinator(run, CheckOptions(is_distributed=True), canaries=[], since=None, on_progress=None)
    assert not shared._should_continue(lambda: None)
    run.refresh_from_db()
    assert (run.ending, run.reason) == (HealthRun.StopReason.WITHHELD, SHARD_FAILED_MESSAGE)


@pytest.mark.parametrize(
    "change",
    [
        {"finished_at": NOW}, {"ending": "late"}, {"plan": {"version": handing.CODEC_VERSION + 1}},
        {"heartbeat_at": NOW - timedelta(days=1)},
    ],
)  # fmt: skip
def test_workers_leave_a_run_that_is_over_or_not_theirs(run, change):
    HealthRun.objects.filter(pk=run.pk).update(heartbeat_at=Now())
    assert parts.active_run(run.pk) is not None
    HealthRun.objects.filter(pk=run.pk).update(**change)
    assert parts.active_run(run.pk) is None


def test_workers_come_once_and_are_counted_while_they_live(run):
    for owner in ("a", "b", "a"):
        parts.register_worker(run.pk, owner=owner)
    assert parts.count_workers(run.pk) == 2
    HealthWorker.objects.filter(owner="b").update(lease_until=Now() - timedelta(seconds=1))
    assert parts.count_workers(run.pk) == 1
    parts.deregister_worker(run.pk, owner="a")
    assert parts.count_workers(run.pk) == 0
