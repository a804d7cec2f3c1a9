"""When a run is withheld: tables for offline, the host breaker and the brake."""

from __future__ import annotations

import pytest

from streaming.health.judging.guard import HostTally, decide_run, is_suspicious


def host(checked=10, *, below=0, active=None, failed=0, gone=0, public=True):
    active = checked if active is None else active
    return HostTally(
        public=public,
        checked=checked,
        transport_failures=below,
        active=active,
        active_failed=failed,
        active_gone=gone,
    )


FINE = host()
NO_RESPONSE = host(below=10, failed=10)


def judged(*hosts, active_links=1000, **options):
    return decide_run({f"h{number}": tally for number, tally in enumerate(hosts)}, active_links=active_links, **options)


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
    ],
)
def test_when_a_host_is_down(tally, down):
    decision = judged(tally, FINE)
    assert decision.hosts_down == ({"h0"} if down else frozenset())
    assert ("h0" in decision.reason) is down


@pytest.mark.parametrize(
    ("tally", "more"),
    [
        (host(2), 0),  # all that were due answer
        (host(2, gone=2), 0),  # a link that is gone counts whatever its host did
        (host(1, failed=1), 4),
        (host(2, failed=2), 3),
        (host(4, failed=1), 1),
        (host(4, failed=4), 5),  # the four are no majority of nine
        (host(6, active=2, failed=2), 3),  # inactive links tell nothing
        (host(5, failed=5), 0),
        (host(200, failed=3), 0),
    ],
)
def test_how_many_more_links_of_a_host_are_checked_before_it_is_judged(tally, more):
    assert tally.extra_links_needed == more


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


def test_a_captive_portal_is_recognized_by_its_redirects():
    hosts = [FINE] * 4
    assert judged(*hosts, redirect_targets={"portal.example.org": 3}).withheld
    assert not judged(*hosts, redirect_targets={"portal.example.org": 2}).withheld
    assert not judged(*[FINE] * 8, redirect_targets={"cdn.example.org": 3}).withheld


def test_a_slice_is_suspicious_when_many_links_fail_below_http():
    assert is_suspicious(checked=20, transport_failures=7)
    assert not is_suspicious(checked=20, transport_failures=6)
    assert not is_suspicious(checked=19, transport_failures=19)
