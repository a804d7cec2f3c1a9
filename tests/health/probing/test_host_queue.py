"""The order of requests, and what is not requested any more."""

from __future__ import annotations

import pytest

from streaming.health.probe_types import Failure, ProbeRequest, ProbeState
from streaming.health.probing.host_queue import MAX_HOST_FAILURES, HostScheduler, ProbeTask

PLAIN, SECURE = "http://films.example.org/1", "https://films.example.org/1"


@pytest.fixture
def scheduler():
    return HostScheduler(per_host=1, delay=0.0, max_stalled=1)


def give_up(host_slot, url):
    for _ in range(MAX_HOST_FAILURES):
        host_slot.count_failure(url, Failure.REFUSED)


def test_a_closed_port_proves_nothing_about_the_other(scheduler):
    host_slot = scheduler.slot_for(PLAIN)
    assert scheduler.slot_for(SECURE) is host_slot  # They have the host's limits in common.
    give_up(host_slot, PLAIN)
    assert (host_slot.closed_reason(PLAIN), host_slot.closed_reason(SECURE)) == (Failure.REFUSED, Failure.NONE)


def test_failures_of_two_ports_are_counted_separately(scheduler):
    host_slot = scheduler.slot_for(PLAIN)
    for url in (PLAIN, SECURE) * (MAX_HOST_FAILURES - 1):
        host_slot.count_failure(url, Failure.TIMEOUT)
    assert not host_slot.closed_reason(PLAIN)
    assert not host_slot.closed_reason(SECURE)


def test_only_tasks_of_the_closed_port_are_removed_and_the_rest_keeps_its_order(scheduler):
    host_slot = scheduler.slot_for(PLAIN)
    for number, url in enumerate((SECURE, PLAIN, SECURE, PLAIN)):
        scheduler.add(host_slot, ProbeTask(ProbeRequest(number, url), state=ProbeState(url)))
    give_up(host_slot, PLAIN)
    assert [task.request.id for task in scheduler.drain(host_slot)] == [1, 3]
    assert ([task.request.id for task in host_slot.waiting], scheduler.waiting) == ([0, 2], 2)


@pytest.mark.parametrize(
    ("failures", "has_responded", "started"),
    [(0, False, 6), (1, False, 3), (2, False, 2), (3, False, 1), (3, True, 6)],
)
def test_a_host_that_fails_gets_no_more_requests_than_may_fail(failures, has_responded, started):
    scheduler = HostScheduler(per_host=6, delay=0.0, max_stalled=1)
    host_slot = scheduler.slot_for(PLAIN)
    for _ in range(failures):
        host_slot.count_failure(PLAIN, Failure.TIMEOUT)
    host_slot.has_responded = has_responded
    for number in range(10):
        scheduler.add(host_slot, ProbeTask(ProbeRequest(number, PLAIN), ProbeState(PLAIN)))
    taken = 0
    while scheduler.next(0.0):
        taken += 1
    assert taken == started
    scheduler.release(host_slot, stalled=False)
    assert scheduler.next(0.0) is not None
