"""What the guard remembers between runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streaming.health.sweep.outages import load_history, newest_check, outage_limit, record_outages
from streaming.models import HostOutage, LinkFlip
from tests.helpers.factories import make_link

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def turned_off(hours_ago, *, reason="http_404", host="films.example.org", is_active=False):
    link = make_link(is_active=is_active, host=host)
    LinkFlip.objects.create(link=link, at=NOW - hours_ago * HOUR, is_active=False, reason=reason)
    return link


def test_the_links_turned_off_within_a_day_are_counted_once_each():
    twice = turned_off(1)
    LinkFlip.objects.create(link=twice, at=NOW - 5 * HOUR, is_active=False, reason="timeout")
    LinkFlip.objects.create(link=twice, at=NOW - 3 * HOUR, is_active=True, reason="ok")
    turned_off(23.9, is_active=True)  # it works again
    turned_off(24)  # a daily run may begin a little late
    turned_off(25)
    turned_off(-1)  # a clock was ahead
    turned_off(2, reason="by_hand")
    turned_off(2, reason="taken_down")
    make_link()
    history = load_history(now=NOW)
    assert (history.turned_off, history.active_links) == (3, 4)


def turned_off_together(count, hours_ago, **fields):
    for _ in range(count):
        turned_off(hours_ago, **fields)


def test_more_than_ten_links_and_5_percent_that_turned_off_within_a_day_are_a_mass_loss(settings):
    settings.LINK_GRACE_HOURS = 24
    turned_off_together(6, 5)
    turned_off_together(5, 6)
    turned_off_together(1, 12, reason="host_changed")
    turned_off_together(12, 47.9)
    turned_off_together(12, 48)
    turned_off_together(12, -1)
    turned_off_together(12, 7, is_active=True)  # they work again
    turned_off_together(12, 8, reason="host_changed")
    assert load_history(now=NOW).mass_losses == {NOW - 5 * HOUR, NOW - 6 * HOUR, NOW - 47.9 * HOUR}
    for _ in range(460):
        make_link()
    assert load_history(now=NOW).mass_losses == frozenset()  # 24 of 490 are less than 5 %


def test_links_of_hosts_that_closed_for_good_are_no_sudden_loss():
    turned_off(1, host="closed.example.org")
    turned_off(1, host="down.example.org")
    limit = int(outage_limit().total_seconds())
    HostOutage.objects.create(host="closed.example.org:8080", failing_seconds=limit)
    HostOutage.objects.create(host="down.example.org", failing_seconds=limit - 1)
    history = load_history(now=NOW)
    assert (history.turned_off, history.long_outages()) == (1, {"closed.example.org:8080": limit})


@pytest.mark.parametrize(("grace", "days"), [(24, 7), (48, 14), (1, 7 / 24), (0, 7)])
def test_a_host_may_be_down_for_seven_times_the_grace(settings, grace, days):
    settings.LINK_GRACE_HOURS = grace
    assert outage_limit() == timedelta(days=days)


def test_an_outage_is_the_sum_of_the_time_between_runs_that_found_it():
    for hours in (0, 1, 3, 50, 40, 41):  # 12 hours for the long break, nothing for the clock that was turned back
        record_outages(["h"], recovered=[], now=NOW + hours * HOUR)
    outage = HostOutage.objects.get()
    assert (outage.began_at, outage.last_failed_at) == (NOW, NOW + 41 * HOUR)
    assert outage.failing_seconds == (1 + 2 + 12 + 0 + 1) * 3600


def test_an_outage_ends_with_the_first_run_that_finds_the_host_well():
    record_outages(["a", "b"], recovered=[], now=NOW)
    record_outages(["b", "c"], recovered=["a"], now=NOW + HOUR)
    assert dict(HostOutage.objects.values_list("host", "failing_seconds")) == {"b": 3600, "c": 0}


def test_the_newest_check_may_lie_in_the_future():
    assert newest_check() is None
    make_link(last_checked=NOW)
    make_link(last_checked=NOW + 100 * HOUR)
    make_link(last_checked=None)
    assert newest_check() == NOW + 100 * HOUR
