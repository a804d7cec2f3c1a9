"""Whose turn it is, and what is not asked any more."""

from __future__ import annotations

import pytest

from streaming.health.probe_types import Failure
from streaming.health.probing.host_queue import MAX_HOST_FAILURES, HostScheduler, ProbeTask

PLAIN, SECURE = "http://films.example.org/1", "https://films.example.org/1"


@pytest.fixture
def schedule():
    return HostScheduler(per_host=1, delay=0.0, max_stalled=1)


def fall_silent(host_slot, url):
    for _ in range(MAX_HOST_FAILURES):
        host_slot.count_failure(url, Failure.REFUSED)


def test_a_port_that_is_closed_says_nothing_of_the_other(schedule):
    host_slot = schedule.slot_for(PLAIN)
    assert schedule.slot_for(SECURE) is host_slot  # They share the host's limits all the same.
    fall_silent(host_slot, PLAIN)
    assert (host_slot.closed_reason(PLAIN), host_slot.closed_reason(SECURE)) == (Failure.REFUSED, Failure.NONE)


def test_failures_of_two_ports_are_not_added_up(schedule):
    host_slot = schedule.slot_for(PLAIN)
    for url in (PLAIN, SECURE) * (MAX_HOST_FAILURES - 1):
        host_slot.count_failure(url, Failure.TIMEOUT)
    assert not host_slot.closed_reason(PLAIN)
    assert not host_slot.closed_reason(SECURE)


def test_only_what_is_closed_is_taken_out_and_the_rest_keeps_its_order(schedule):
    for number, url in enumerate((SECURE, PLAIN, SECURE, PLAIN)):
        host_slot = schedule.add(ProbeTask(number, url, False, url))
    fall_silent(host_slot, PLAIN)
    assert [task.id for task in schedule.drain(host_slot)] == [1, 3]
    assert ([task.id for task in host_slot.waiting], schedule.waiting) == ([0, 2], 2)
