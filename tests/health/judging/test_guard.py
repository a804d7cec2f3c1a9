"""When a run is withheld: tables for offline, the clock, the host breaker and the brake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streaming.health.judging.guard import (
    History,
    HostTally,
    crowded_moments,
    decide_run,
    is_suspicious,
    wrong_clock,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = 24 * 3600.0


def host(checked=10, *, below=0, active=None, failed=0, gone=0, lately=0, public=True):
    active = checked if active is None else active
    return HostTally(
        public=public,
        checked=checked,
        transport_failures=below,
        active=active,
        active_failed=failed,
        active_gone=gone,
        off_lately=lately,
    )


FINE = host()
NO_RESPONSE = host(below=10, failed=10)


def judged(*hosts, active_links=1000, turned_off=0, outages=(), force=False, redirect_targets=None):
    history = History(active_links, turned_off=turned_off, outages=dict(outages), outage_limit=7 * DAY)
    tallies = {f"h{number}": tally for number, tally in enumerate(hosts)}
    return decide_run(tallies, history, force=force, redirect_targets=redirect_targets)


@pytest.mark.parametrize(
    ("hosts", "active_links", "withheld"),
    [
        ([], 0, False),
        ([FINE], 10, False),
        ([NO_RESPONSE], 10, True),  # every probe failed below HTTP
        ([host(1, below=1, failed=1)], 10, True),
        ([NO_RESPONSE, NO_RESPONSE, NO_RESPONSE], 1000, True),
        ([NO_RESPONSE, FINE], 1000, False),
        ([host(0), NO_RESPONSE], 1000, True),  # a host whose links were all skipped says nothing
        ([host(100, gone=21)], 70, False),  # 21 of 70 is 30 % exactly
        ([host(100, gone=21)], 69, True),
        ([host(100, gone=20)], 20, False),  # 20 links are never too many
        ([host(100, gone=40)], 100, True),
        ([host(30, failed=4, active=4)] * 6, 24, True),  # too few a host for the breaker: the brake holds
        ([host(10, failed=10)] * 4, 40, True),  # blocked everywhere: more likely us
        ([host(10, failed=10)] * 3 + [FINE] * 7, 1000, False),
        ([host(200, failed=200), FINE, FINE], 220, False),  # one host down, however many links
    ],
)
def test_whether_a_run_is_withheld(hosts, active_links, withheld):
    decision = judged(*hosts, active_links=active_links)
    assert decision.withheld is withheld
    assert bool(decision.reason) >= withheld


@pytest.mark.parametrize(
    ("tally", "down"),
    [
        (host(5, failed=3), True),
        (host(5, failed=2), False),
        (host(4, failed=4), False),
        (host(6, failed=3), False),
        (host(10, gone=10), False),
        (host(10, active=5, failed=3), True),
        (host(10, failed=3, gone=3), True),  # together most of its links, and as many failed as are gone
        (host(10, failed=2, gone=3), False),
        (host(10, active=6, failed=2, lately=4), True),  # bit by bit within a day
        (host(10, active=7, failed=2, lately=3), False),
        (host(10, active=6, lately=9), False),  # nothing turns bad now
        (host(10, active=2, failed=1, lately=2), False),  # four are too few
    ],
)
def test_when_a_host_is_down(tally, down):
    decision = judged(tally, FINE)
    assert decision.hosts_down == ({"h0"} if down else frozenset())
    assert ("down, links kept: h0" in decision.reason) is down


@pytest.mark.parametrize(
    ("tally", "more"),
    [
        (host(2), 0),  # all that were due answer
        (host(2, gone=2), 3),  # nor is it known whether they are gone or their host has changed
        (host(1, failed=1), 4),
        (host(2, failed=2), 3),
        (host(4, failed=1), 1),
        (host(4, failed=4), 5),  # the four are no majority of nine
        (host(6, active=2, failed=2), 3),  # inactive links tell nothing
        (host(5, failed=5), 0),
        (host(200, failed=3), 0),
        (host(4, active=1, gone=1, lately=2), 4),
        (host(9, active=1, gone=1, lately=4), 0),
    ],
)
def test_how_many_more_links_of_a_host_are_checked_before_it_is_judged(tally, more):
    assert tally.extra_links_needed == more


@pytest.mark.parametrize(
    ("tally", "changed"),
    [
        (host(5, gone=3), True),
        (host(5, gone=2), False),
        (host(4, gone=4), False),
        (host(10, failed=2, gone=4), True),
        (host(10, failed=3, gone=3), False),  # down
        (host(10, active=5, gone=3), True),
        (host(20, active=4, gone=4), False),  # links that were dead before say nothing
        (host(20, active=9, gone=3, lately=7), True),  # unless they went within a day
        (host(20, active=9, gone=1, lately=7), False),
    ],
)
def test_when_a_host_has_changed(tally, changed):
    decision = judged(tally, FINE)
    assert decision.hosts_changed == ({"h0"} if changed else frozenset())
    assert ("h0" in decision.reason) is (changed or bool(decision.hosts_down))


def test_a_host_that_has_been_down_for_seven_times_the_grace_is_accepted_like_any_other():
    down = host(10, failed=10)
    assert judged(down, FINE, outages={"h0": 7 * DAY - 1}).hosts_down == {"h0"}
    decision = judged(down, FINE, outages={"h0": 7 * DAY})
    assert (decision.hosts_down, dict(decision.accepted_outages)) == (frozenset(), {"h0": 7 * DAY})


def test_a_large_host_that_closed_for_good_is_no_sudden_loss_for_the_brake():
    closed = host(100, failed=100)
    assert not judged(closed, FINE, active_links=110, outages={"h0": 7 * DAY}).withheld


@pytest.mark.parametrize(
    ("lost", "before", "withheld"),
    [
        (1, 30, True),  # the limit holds for all runs of a day together
        (1, 29, False),
        (0, 90, False),  # a run that turns nothing off is none too many
        (20, 10, False),
        (20, 11, True),
    ],
)
def test_the_brake_counts_the_links_that_runs_before_turned_off(lost, before, withheld):
    decision = judged(host(90, gone=lost), active_links=100, turned_off=before)
    assert decision.withheld is withheld
    assert not judged(host(90, gone=lost), active_links=100, turned_off=before, force=True).withheld


def clock(offset, *, public=True):
    return HostTally(public=public, checked=1, alive=1, clock_offset=offset)


@pytest.mark.parametrize(
    ("hosts", "newest", "is_wrong"),
    [
        ([], None, False),
        ([clock(None)], None, False),
        ([clock(DAY)], None, False),
        ([clock(DAY + 1)], None, True),
        ([clock(-DAY - 1)], None, True),
        ([clock(DAY + 1), clock(0.0)], None, False),  # one of two hosts
        ([clock(DAY + 1), clock(9 * DAY), clock(0.0)], None, True),
        ([clock(DAY + 1, public=False)], None, False),
        ([], timedelta(days=1), False),
        ([], timedelta(days=1, seconds=1), True),
        ([clock(None)], timedelta(days=400), True),
        ([clock(2 * DAY, public=False)], timedelta(days=2), True),
        ([clock(0.0, public=False)], timedelta(days=400), False),
        ([clock(0.0)], timedelta(days=400), False),  # the hosts say that the stored check is wrong, not the clock
    ],
)
def test_when_the_clock_of_a_run_is_not_plausible(hosts, newest, is_wrong):
    tallies = {f"h{number}": tally for number, tally in enumerate(hosts)}
    assert bool(wrong_clock(tallies, now=NOW, newest_check=newest and NOW + newest)) is is_wrong


def test_force_lifts_the_brake_alone():
    assert not judged(host(100, gone=40), active_links=100, force=True).withheld
    assert judged(NO_RESPONSE, force=True).withheld


def test_public_hosts_that_cannot_be_reached_are_kept_while_private_ones_are_judged():
    public = [host(2, below=2, failed=2)] * 3
    decision = judged(*public, host(10, public=False, gone=1), active_links=16)
    assert not decision.withheld
    assert decision.unrouted_hosts == {"h0", "h1", "h2"}
    assert "no way to the internet" in decision.reason


def test_two_public_hosts_without_a_response_are_just_down():
    assert (
        judged(host(2, below=2, failed=2), host(2, below=2, failed=2), host(public=False)).unrouted_hosts == frozenset()
    )


def test_a_captive_portal_is_recognized_by_its_redirects_and_named_in_the_log_only(caplog):
    hosts = [FINE] * 4
    decision = judged(*hosts, redirect_targets={"portal.example.org": 3})
    # The reason is public; the name, which may be an internal one, is for the log.
    assert (decision.withheld, "portal" in decision.reason, "portal.example.org" in caplog.text) == (True, False, True)
    assert not judged(*hosts, redirect_targets={"portal.example.org": 2}).withheld
    assert not judged(*[FINE] * 8, redirect_targets={"cdn.example.org": 3}).withheld


@pytest.mark.parametrize(
    ("counts", "crowded"),
    [
        ([], set()),
        ([(0, 10)], set()),
        ([(0, 11)], {0}),
        ([(0, 4), (1, 4), (2, 4)], {0, 1, 2}),  # small runs one after the other
        ([(0, 10), (24, 10)], set()),
        ([(0, 10), (23.9, 10)], {0, 23.9}),
        ([(0, 10), (23.9, 1), (25, 9), (47, 1)], {0, 23.9, 25, 47}),
        ([(0, 10), (24, 1), (48, 10)], set()),
    ],
)
def test_runs_that_together_turned_off_many_links_within_a_day_are_one_loss(counts, crowded):
    day, moments = timedelta(hours=24), [(NOW + timedelta(hours=hour), links) for hour, links in counts]
    assert crowded_moments(moments, threshold=10, window=day) == {NOW + timedelta(hours=hour) for hour in crowded}


def test_a_slice_is_suspicious_when_many_links_fail_below_http():
    assert is_suspicious(checked=20, transport_failures=7)
    assert not is_suspicious(checked=20, transport_failures=6)
    assert not is_suspicious(checked=19, transport_failures=19)
