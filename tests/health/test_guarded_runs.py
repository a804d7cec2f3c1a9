"""Whole runs in which something other than a link fails: a host, our own pace, our clock, or many runs together."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.utils import timezone

from streaming.health.runner import run_check
from streaming.health.sweep.options import CheckOptions
from streaming.models import HealthRun, HostOutage, HostPause, LinkFlip, StreamingLink
from tests.helpers.factories import make_link
from tests.helpers.http_origin import Origin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
HOUR = timedelta(hours=1)


@pytest.fixture
def hosts():
    with ExitStack() as stack:
        yield lambda count=1: [stack.enter_context(Origin(f"127.0.0.{2 + number}")) for number in range(count)]


def many(server, count, kind="page", **fields):
    urls = [server.url(f"{kind}/{number}") for number in range(count)]
    return [make_link(source_url=url, host=server.server_address[0], **fields) for url in urls]


def run(now, **options):
    return run_check(CheckOptions(**{"timeout": 1.0, "prune": False, **options}), now=now)


def reasons(server):
    links = StreamingLink.objects.filter(host=server.server_address[0])
    return set(links.values_list("is_active", "reason"))


def netloc(server):
    return server.url("").removeprefix("http://").rstrip("/")


def test_the_links_of_a_host_that_calls_most_of_them_gone_turn_off_for_that_reason_and_return(hosts):
    changed, fine = hosts(2)
    many(changed, 8)
    many(fine, 30)
    now = timezone.now()
    run(now)
    changed.everything = "404"
    report = run(now + HOUR)
    assert (report.withheld, report.died, report.hosts_down) == (False, 8, [])
    assert netloc(changed) in report.reason
    assert reasons(changed) == {(False, "host_changed")}
    many(changed, 1, "new")  # It belongs to what its host has done within a day.
    run(now + 2 * HOUR)
    assert reasons(changed) == {(False, "host_changed")}
    many(changed, 1, "late")  # A day later one link alone is no host, but the others still have the reason.
    run(now + 26 * HOUR)
    assert reasons(changed) == {(False, "host_changed"), (False, "http_404")}
    changed.everything = None
    assert run(now + 28 * HOUR).revived == 8
    assert reasons(changed) >= {(True, "ok")}


def test_a_host_that_calls_its_links_gone_bit_by_bit_has_changed(hosts):
    creeping, fine = hosts(2)
    links = many(creeping, 8)
    many(fine, 60)
    now = timezone.now()
    for number in range(4):
        for link in links[2 * number : 2 * number + 2]:
            StreamingLink.objects.filter(pk=link.pk).update(source_url=link.source_url.replace("page", "404"))
        run(now + number * HOUR)
        expected = {(False, "http_404"), (True, "ok")} if number < 2 else {(False, "host_changed"), (True, "ok")}
        assert reasons(creeping) == (expected if number < 3 else {(False, "host_changed")})
    assert set(StreamingLink.objects.filter(is_active=False).values_list("strength", flat=True)) == {"proven"}


def test_links_that_a_host_calls_gone_while_it_is_down_count_later(hosts):
    down, fine = hosts(2)
    many(down, 5, "503")
    many(down, 4, "404")
    many(fine, 40)
    report = run(timezone.now())
    assert (report.died, report.hosts_down) == (4, [netloc(down)])
    assert reasons(down) == {(True, "host_down"), (False, "host_changed")}


def test_a_small_run_asks_more_links_before_it_believes_that_links_are_gone(hosts):
    changed, fine = hosts(2)
    many(changed, 12)
    many(fine, 40)
    changed.everything = "404"
    report = run(timezone.now(), limit=2)
    assert report.died == 5
    assert set(StreamingLink.objects.filter(is_active=False).values_list("reason", flat=True)) == {"host_changed"}


def test_a_host_that_closed_for_good_keeps_its_links_for_seven_times_the_grace(hosts, settings):
    settings.LINK_GRACE_HOURS = 24
    closed, fine = hosts(2)
    many(closed, 30)
    many(fine, 40)
    closed.everything = "503"
    now = timezone.now()
    for number in range(15):  # Twelve hours apart: half a day counts for each.
        report = run(now + number * 12 * HOUR)
        assert (report.withheld, report.died, report.hosts_down) == (False, 0, [netloc(closed)])
    assert HostOutage.objects.get().failing_seconds == 7 * 24 * 3600
    report = run(now + 15 * 12 * HOUR)
    assert (report.withheld, report.died, report.hosts_down) == (False, 30, [])
    assert reasons(closed) == {(False, "http_5xx")}
    assert set(StreamingLink.objects.filter(is_active=False).values_list("failing_seconds")) == {(7 * 24 * 3600,)}
    closed.everything = None
    assert run(now + 16 * 12 * HOUR).revived == 30
    assert not HostOutage.objects.exists()


def test_an_outage_that_ended_begins_anew(hosts):
    unsteady, fine = hosts(2)
    many(unsteady, 10)
    many(fine, 40)
    now = timezone.now()
    for number, everything in enumerate(("503", "503", None, "503")):
        unsteady.everything = everything
        run(now + number * 2 * HOUR)
    assert HostOutage.objects.get().failing_seconds == 0


def test_what_a_host_refuses_after_it_has_served_others_is_throttled(hosts):
    server, fine = hosts(2)
    links = many(server, 20)
    many(fine, 40)
    refused = {link.source_url for link in links[10:]}
    for link in links[10:]:
        StreamingLink.objects.filter(pk=link.pk).update(source_url=link.source_url.replace("page", "403"))
    report = run(timezone.now(), per_host=1)
    assert (report.died, report.verdicts["throttled"], report.verdicts["blocked"]) == (0, len(refused), 0)
    assert HostPause.objects.get().host == netloc(server)
    assert not HostOutage.objects.exists()


def test_the_brake_holds_for_all_runs_of_a_day_together(hosts):
    servers = hosts(5)
    for server in servers:
        many(server, 20)
    now = timezone.now()
    run(now)
    # Each run some links more, on every host too few for the host breaker.
    outcomes = []
    for number in range(1, 5):
        for server in servers:
            ids = StreamingLink.objects.filter(host=server.server_address[0], source_url__contains="page")[:2]
            for link in ids:
                link.source_url = link.source_url.replace("page", "404")
                link.save()
        outcomes.append(run(now + number * HOUR).withheld)
    assert outcomes == [False, False, False, True]
    assert LinkFlip.objects.filter(is_active=False).count() == 30
    assert run(now + 5 * HOUR, limit=15).withheld  # a small run as well
    assert not run(now + 30 * HOUR).withheld  # a day later the first losses do not count any more


def test_links_that_work_again_are_written_in_a_run_with_too_many_failures(hosts):
    (server,) = hosts()
    (back,) = many(server, 1, is_active=False, reason="http_404", failures=2, failing_seconds=50_000)
    many(server, 30, "404")
    many(server, 40, "video")
    report = run(timezone.now())
    assert (report.withheld, report.died, report.revived) == (True, 0, 1)
    back.refresh_from_db()
    assert (back.is_active, back.failures, back.failing_seconds) == (True, 0, 0)
    assert StreamingLink.objects.exclude(last_checked=None).count() == 1


def test_a_run_that_lies_more_than_a_day_behind_the_newest_check_changes_nothing(hosts):
    (server,) = hosts()
    many(server, 3, last_checked=timezone.now())
    many(server, 1, "404")
    before = list(StreamingLink.objects.order_by("pk").values())
    report = run(timezone.now() - timedelta(days=3))
    assert report.withheld
    assert "clock" in report.reason
    assert list(StreamingLink.objects.order_by("pk").values()) == before
    assert not run(timezone.now()).withheld


def test_after_a_run_with_a_fast_clock_the_next_one_is_not_taken_for_an_older_one(hosts):
    (server,) = hosts()
    many(server, 3)
    now = timezone.now()
    HealthRun.objects.create(started_at=now + timedelta(days=400), outcome="withheld", withheld=True)
    run(now)
    newest = HealthRun.objects.latest_started()
    assert (newest.started_at, newest.outcome) == (now, "completed")
    assert HealthRun.objects.interrupted_since() is None
    assert list(HealthRun.objects.started_before(newest).values_list("outcome", flat=True)) == ["withheld"]
