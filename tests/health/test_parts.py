"""The life of a run's parts: to whom they go, and that whoever lost one changes nothing any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from streaming.health import handing, helping, parts
from streaming.health.answers import Underway
from streaming.health.gathering import Gathering
from streaming.health.guard import HostTally
from streaming.health.held import Held
from streaming.health.options import Options
from streaming.health.sharing import GIVEN_UP, SharedRun
from streaming.health.verdict import Verdict
from streaming.models import HealthPart, HealthPiece, HealthRun, HealthWorker

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def run():
    plan = {"version": handing.VERSION, "of": 2, "options": Options().as_plan(), "canaries": [], "since": None}
    return HealthRun.objects.create(started_at=NOW, plan=plan)


def part(run, number, **fields):
    return HealthPart.objects.create(run=run, number=number, **fields)


def heard(**hosts):
    found = Gathering(now=NOW, opened=lambda place: HostTally(), shelf=Held())
    for place, links in hosts.items():
        for _ in range(links):
            found.remember(place, Verdict.ALIVE, was_active=True)
    return found


def forget(*owners):
    """Let the leases of these workers end."""
    HealthPart.objects.filter(owner__in=owners).update(lease_until=Now() - timedelta(seconds=1))


def test_the_largest_part_goes_first_and_none_to_two(run):
    part(run, 0, due=5), part(run, 1, due=50)
    first, second = (parts.claim(run, owner=owner) for owner in ("a", "b"))
    assert [first.share.number, second.share.number] == [1, 0]
    assert parts.claim(run, owner="c") is None


def test_whoever_lost_a_part_changes_nothing_and_what_it_handed_over_is_dropped(run):
    part(run, 0)
    lost = parts.claim(run, owner="a")
    parts.put_onward(lost, 1, [(1, Underway("https://films.example.org/"))])
    assert parts.claim(run, owner="b") is None
    forget("a")
    mine = parts.claim(run, owner="b")
    assert (mine.attempt, HealthPiece.objects.count()) == (2, 0)
    parts.put_onward(lost, 1, [(1, Underway("https://films.example.org/"))])
    assert not parts.close(lost, heard(a=3))
    assert not parts.tell(lost, heard(a=3))
    assert parts.close(mine, heard(a=2))
    joined = heard()
    for data in parts.packed(run.pk, HealthPiece.Kind.HEARD):
        handing.add_heard(data, joined)
    assert (joined.done, joined.hosts["a"].asked) == (2, 2)
    assert list(parts.packed(run.pk, HealthPiece.Kind.ONWARD)) == []


def test_a_worker_that_saw_the_run_before_its_parts_were_made_looks_again(run):
    early = HealthRun(pk=run.pk, plan={})
    part(run, 0)
    assert parts.claim(early, owner="a") is None
    assert HealthPart.objects.get().state == "waiting"


def test_a_worker_that_failed_and_came_again_does_not_keep_what_it_failed_at(run, monkeypatch):
    """Seen: the same name once more renewed the lease, and the part was nobody's for ever."""
    HealthRun.objects.filter(pk=run.pk).update(heartbeat_at=Now())
    part(run, 0)
    owners = []

    def fail(*args, **kwargs):
        owners.append(HealthPart.objects.get().owner)
        raise ZeroDivisionError

    monkeypatch.setattr(helping._Part, "ask", fail)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            helping.help_with(run.pk, name="worker")
        forget(*owners)
    assert len(set(owners)) == 2


def test_a_part_that_is_given_back_has_used_no_attempt(run):
    part(run, 0)
    assert parts.give_back(parts.claim(run, owner="a"))
    assert parts.claim(run, owner="b").attempt == 1


def test_what_led_to_a_share_is_for_whoever_asked_it_while_they_live(run):
    part(run, 0)
    assert parts.close(parts.claim(run, owner="a"), heard(a=1))
    part(run, 0, round=1)
    assert parts.claim(run, owner="b") is None
    forget("a")
    assert parts.claim(run, owner="b") is not None


def test_a_part_that_kills_whoever_asks_it_ends_the_run_without_belief(run):
    part(run, 0)
    for owner in "abc":
        assert parts.claim(run, owner=owner) is not None
        forget(owner)
    assert parts.claim(run, owner="d") is None
    shared = SharedRun(run, Options(shared=True), canaries=[], since=None, told=None)
    assert not shared._goes_on(lambda: None)
    run.refresh_from_db()
    assert (run.ending, run.reason) == (HealthRun.Ending.WITHHELD, GIVEN_UP)


@pytest.mark.parametrize(
    "change",
    [
        {"finished_at": NOW}, {"ending": "late"}, {"plan": {"version": handing.VERSION + 1}},
        {"heartbeat_at": NOW - timedelta(days=1)},
    ],
)  # fmt: skip
def test_workers_leave_a_run_that_is_over_or_not_theirs(run, change):
    HealthRun.objects.filter(pk=run.pk).update(heartbeat_at=Now())
    assert parts.going(run.pk) is not None
    HealthRun.objects.filter(pk=run.pk).update(**change)
    assert parts.going(run.pk) is None


def test_workers_come_once_and_are_counted_while_they_live(run):
    for owner in ("a", "b", "a"):
        parts.come(run.pk, owner=owner)
    assert parts.how_many_came(run.pk) == 2
    HealthWorker.objects.filter(owner="b").update(lease_until=Now() - timedelta(seconds=1))
    assert parts.how_many_came(run.pk) == 1
    parts.leave(run.pk, owner="a")
    assert parts.how_many_came(run.pk) == 0
