"""Whose turn it is, and what is not asked any more."""

from __future__ import annotations

import pytest

from streaming.health.answers import Trouble
from streaming.health.lanes import TRIES_BEFORE_GIVING_UP, Schedule, Task

PLAIN, SECURE = "http://films.example.org/1", "https://films.example.org/1"


@pytest.fixture
def schedule():
    return Schedule(per_host=1, delay=0.0, most_aside=1)


def fall_silent(lane, url):
    for _ in range(TRIES_BEFORE_GIVING_UP):
        lane.count_failure(url, Trouble.REFUSED)


def test_a_port_that_is_closed_says_nothing_of_the_other(schedule):
    lane = schedule.lane(PLAIN)
    assert schedule.lane(SECURE) is lane  # They share the host's limits all the same.
    fall_silent(lane, PLAIN)
    assert (lane.closed(PLAIN), lane.closed(SECURE)) == (Trouble.REFUSED, Trouble.NONE)


def test_failures_of_two_ports_are_not_added_up(schedule):
    lane = schedule.lane(PLAIN)
    for url in (PLAIN, SECURE) * (TRIES_BEFORE_GIVING_UP - 1):
        lane.count_failure(url, Trouble.TIMEOUT)
    assert not lane.closed(PLAIN)
    assert not lane.closed(SECURE)


def test_only_what_is_closed_is_taken_out_and_the_rest_keeps_its_order(schedule):
    for number, url in enumerate((SECURE, PLAIN, SECURE, PLAIN)):
        lane = schedule.add(Task(number, url, False, url))
    fall_silent(lane, PLAIN)
    assert [task.id for task in schedule.drain(lane)] == [1, 3]
    assert ([task.id for task in lane.waiting], schedule.waiting) == ([0, 2], 2)
