"""Whole runs over real servers and a real database: what is written, accepted and removed."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from streaming.health.prune import prune_by_hand
from streaming.health.runner import run_check
from streaming.health.selection import Selection, count_due, due_links
from streaming.health.sweep.immediate_check import check_now
from streaming.health.sweep.options import CheckOptions
from streaming.health.sweep.writer import mark_private_links
from streaming.ingest.edits import update_link
from streaming.ingest.takedown import block, block_link
from streaming.ingest.tombstones import restore_movies
from streaming.models import HealthRun, HostGate, HostPause, LinkFlip, Movie, RemovedMovie, StreamingLink
from tests.helpers.factories import LONG_DEAD, make_link, make_movie
from tests.helpers.http_origin import Origin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
# test_distributed_rules.py runs this module once more with distributed runs.
IS_DISTRIBUTED = bool(os.environ.get("TESTS_DISTRIBUTED"))
FIELDS = ("id", "is_active", "reason", "failures", "checks", "last_checked", "state_since", "http_status")


@pytest.fixture
def hosts():
    """Start the given number of servers, each on its own address."""
    with ExitStack() as stack:
        yield lambda count=1, **options: [
            stack.enter_context(Origin(f"127.0.0.{2 + number}", **options)) for number in range(count)
        ]


@pytest.fixture(autouse=True)
def no_wait_for_workers(monkeypatch):
    """The only worker of a distributed run is a thread of this process; neither waits long for the other."""
    monkeypatch.setattr("streaming.health.distributed.coordinator.LOCAL_FALLBACK_SECONDS", 0.0)
    monkeypatch.setattr("streaming.health.distributed.coordinator.POLL_SECONDS", 0.02)
    monkeypatch.setattr("streaming.health.distributed.shard_worker.POLL_SECONDS", 0.02)


def links_at(server, *paths, **fields):
    """Make one link per path, each with its own movie, so that removed movies can be counted."""
    return [make_link(source_url=server.url(path), host=server.server_address[0], **fields) for path in paths]


def many(server, count, kind="page", **fields):
    return links_at(server, *(f"{kind}/{number}" for number in range(count)), **fields)


def run(*, now=None, stop=lambda: False, on_progress=None, **options):
    options.setdefault("timeout", 1.0)
    options.setdefault("is_distributed", IS_DISTRIBUTED and not options.get("dry_run"))
    options.setdefault("shard_count", 3 if IS_DISTRIBUTED else None)
    return run_check(CheckOptions(**options), now=now or timezone.now(), stop=stop, on_progress=on_progress)


def stop_when_quiet(*servers, seconds=1.0):
    """A `stop` for runs that returns True once no request has come for a while: only hanging ones are left."""
    seen = [0, time.monotonic()]

    def stop():
        count = sum(len(server.log) for server in servers)
        if count != seen[0]:
            seen[:] = count, time.monotonic()
        return count > 0 and time.monotonic() - seen[1] > seconds

    return stop


def state():
    return list(StreamingLink.objects.order_by("pk").values_list(*FIELDS))


def active():
    return StreamingLink.objects.active().count()


def test_each_link_gets_its_verdict_and_dead_links_turn_off(hosts):
    (server,) = hosts()
    many(server, 10)
    links_at(server, "404/1", "soft/1", "403/1", "nohead/1", "busy/1")
    report = run(prune=False)
    reasons = dict(StreamingLink.objects.values_list("source_url", "reason"))
    assert reasons[server.url("404/1")] == "http_404"
    assert reasons[server.url("soft/1")] == "soft_404"
    assert reasons[server.url("403/1")] == "http_403"
    assert reasons[server.url("nohead/1")] == "ok"
    assert (report.verdicts["alive"], report.died, report.revived, report.checked) == (11, 3, 0, 15)
    assert active() == 12
    assert LinkFlip.objects.filter(is_active=False).count() == 3
    row = HealthRun.objects.get()
    assert (row.checked, row.gone, row.died, row.withheld, bool(row.finished_at)) == (15, 2, 3, False, True)


def test_a_dead_link_revives_at_once_and_its_movie_is_updated(hosts):
    (server,) = hosts()
    (link,) = links_at(server, "page/1", is_active=False, reason="http_404", failures=3)
    before = link.movie.updated_at
    assert run().revived == 1
    link.refresh_from_db()
    assert (link.is_active, link.reason, link.failures, link.checks) == (True, "ok", 0, "a")
    assert Movie.objects.get().updated_at > before


def test_a_movie_with_only_gone_links_is_removed_and_one_with_a_blocked_link_stays(hosts):
    (server,) = hosts()
    many(server, 5)
    gone, blocked = links_at(server, "404/1", "403/1")
    now = timezone.now()
    removed = [run(now=now + timedelta(hours=hours)).removed for hours in (0, 12, 23, 24, 25)]
    assert removed == [0, 0, 0, 1, 0]
    assert RemovedMovie.objects.get().imdb_id == gone.movie.imdb_id
    assert Movie.objects.filter(pk=blocked.movie_id).exists()


def test_no_prune_removes_nothing(hosts):
    (server,) = hosts()
    links_at(server, "page/1", "404/1")
    assert run(prune=False).removed == 0
    assert Movie.objects.count() == 2


def test_a_run_in_which_no_host_responds_changes_nothing(hosts):
    servers = hosts(3)
    for server in servers:
        many(server, 4)
        server.go_down()
    before = state()
    report = run()
    assert report.withheld
    assert "no host responded" in report.reason
    assert state() == before
    assert HealthRun.objects.get().withheld
    assert HostPause.objects.count() == 0


@pytest.mark.parametrize("kind", ["403", "404", "500"])
def test_when_all_hosts_fail_at_once_nothing_changes(hosts, kind):
    for server in hosts(4, everything=kind):
        many(server, 8)
    before = state()
    report = run()
    assert report.withheld
    assert state() == before
    assert Movie.objects.count() == 32


def test_when_the_network_fails_during_a_run_nothing_is_turned_off(hosts):
    servers = hosts(3)
    for server in servers:
        many(server, 15)
        server.shut_after = 13  # HEAD once, then a GET a page: too little is lost for breaker and brake
    report = run(per_host=1)
    assert report.withheld
    assert active() == 45


def test_one_host_that_is_down_is_paused_and_its_movies_stay(hosts):
    down, *fine = hosts(3)
    many(down, 25)
    down.everything = "503"
    for server in fine:
        many(server, 10)
    report = run()
    assert not report.withheld
    assert (report.died, report.removed, active()) == (0, 0, 45)
    assert len(report.hosts_down) == 1
    assert HostPause.objects.get().host == report.hosts_down[0]
    assert set(StreamingLink.objects.filter(host="127.0.0.2").values_list("reason", flat=True)) == {"host_down"}
    requests = len(down.log)
    again = run(now=timezone.now() + timedelta(minutes=5))
    assert (len(down.log), again.verdicts["not_checked"]) == (requests, 25)


def test_the_brake_holds_unless_it_is_forced(hosts):
    (server,) = hosts()
    many(server, 60)
    many(server, 40, "404")
    before = state()
    report = run()
    assert report.withheld
    assert "--force" in report.reason
    assert state() == before
    forced = run(force=True)
    # One failed check removes nothing yet, see tests/health/test_prune.py.
    assert (forced.withheld, forced.died, forced.removed) == (False, 40, 0)


def test_a_dry_run_writes_nothing_and_reports_what_it_would_do(hosts):
    (server,) = hosts()
    many(server, 5)
    links_at(server, "404/1", "busy/1")
    links_at(server, "page/9", is_active=False, reason="http_404")
    links_at(server, "404/2", **LONG_DEAD)
    before = state()
    report = run(dry_run=True)
    assert (report.died, report.revived, report.removed) == (1, 1, 1)
    assert state() == before
    assert HealthRun.objects.count() == HostPause.objects.count() == 0


def test_a_throttling_host_is_paused_as_long_as_it_says_and_its_link_stays(hosts):
    (server,) = hosts()
    links_at(server, "page/1", "busy/1")
    now = timezone.now()
    report = run(now=now)
    pause = HostPause.objects.get()
    assert pause.paused_until == now + timedelta(seconds=120)
    assert report.verdicts["throttled"] == 1
    assert active() == 2
    assert run(now=now + timedelta(seconds=60)).verdicts["not_checked"] == 2
    assert run(now=now + timedelta(seconds=121)).checked == 2


def test_a_host_is_down_even_if_only_a_few_of_its_links_are_due_at_a_time(hosts, settings, monkeypatch):
    settings.HEALTH_ADAPTIVE = True
    monkeypatch.setattr("streaming.health.probing.prober.RETRY_DELAY_SECONDS", 0.01)  # in each of 39 runs
    down, fine = hosts(2)
    start = timezone.now() - timedelta(days=2)
    late = {"checks": "a" * 20, "last_checked": start - timedelta(days=3), "reason": "ok"}
    for number, link in enumerate(many(down, 30, **late)):
        StreamingLink.objects.filter(pk=link.pk).update(next_check_at=start + timedelta(hours=number // 2))
    many(fine, 10, **late, next_check_at=start)
    down.everything = "500"
    removed = sum(
        run(now=start + timedelta(hours=hour), selection=Selection(due=True)).removed for hour in range(1, 40)
    )
    assert removed == 0
    assert active() == 40
    down.everything = ""
    run()
    assert set(StreamingLink.objects.values_list("is_active", "reason", "failures")) == {(True, "ok", 0)}


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_run_with_a_limit_finds_that_a_host_is_down(hosts, dry_run):
    down, *_ = hosts(1)
    many(down, 12, last_checked=timezone.now() - timedelta(days=1))
    down.everything = "503"
    report = run(limit=2, dry_run=dry_run)
    assert (report.died, len(report.hosts_down)) == (0, 1)
    assert active() == 12
    assert len({path for _, path in down.log}) == 5  # two due links and three extra ones


def test_extra_links_distinguish_dead_links_from_a_host_that_is_down(hosts):
    (server,) = hosts()
    links_at(server, "500/1", "500/2", last_checked=timezone.now() - timedelta(days=2))
    many(server, 20, last_checked=timezone.now() - timedelta(days=1))
    report = run(limit=2)
    assert (report.died, report.hosts_down) == (2, [])
    assert report.verdicts == {"unreachable": 2, "alive": 3}
    assert StreamingLink.objects.filter(last_checked__gt=timezone.now() - timedelta(hours=1)).count() == 5


def test_a_host_with_few_links_is_judged_by_these(hosts):
    (server,) = hosts()
    links_at(server, "500/1", "500/2", "page/3")
    report = run()
    assert (report.died, report.hosts_down, report.verdicts.total()) == (2, [], 3)


def test_private_and_blocked_addresses_are_not_requested(hosts):
    (server,) = hosts()
    links_at(server, "page/1", "page/2")
    private = make_link(source_url="http://10.0.0.5/film")
    taken = links_at(server, "secret/1")[0]
    block(server.url("secret"), reason="the owner asked")
    report = run()
    assert report.verdicts["not_checked"] == 2
    assert not any("secret" in path for _, path in server.log)
    private.refresh_from_db()
    taken.refresh_from_db()
    assert (private.is_active, private.reason, private.last_checked) == (True, "private_address", None)
    assert (taken.is_active, taken.reason) == (False, "taken_down")


@pytest.mark.parametrize("state", [{"reason": "ok"}, {"is_active": False, "reason": "timeout", "failures": 1}])
def test_what_was_taken_down_is_neither_asked_nor_revived(hosts, state):
    """Refused links alone (no other kind of takedown exists) were revived."""
    (server,) = hosts()
    links_at(server, "page/1")
    refused, hidden = links_at(server, "secret/1", "secret/2", **state)
    block_link(refused.source_url, reason="no licence")
    StreamingLink.objects.filter(pk=hidden.pk).take_down()  # as by a takedown that the run did not load
    run()
    assert check_now([refused.pk]) == {refused.pk: "blocked_host"}
    assert not any("secret" in path for _, path in server.log)
    for link in (refused, hidden):
        link.refresh_from_db()
        assert (link.is_active, link.reason, link.taken_down) == (False, "taken_down", True)


def test_public_links_are_kept_when_only_loopback_can_be_reached(hosts):
    (server,) = hosts()
    many(server, 4)
    links_at(server, "404/1")
    for number in range(4):
        make_link(source_url=f"http://no-such-host-{number}.invalid/film")
    report = run()
    assert not report.withheld
    assert "no way to the internet" in report.reason
    assert (report.died, report.removed) == (1, 0)
    assert StreamingLink.objects.filter(host__endswith=".invalid", is_active=True, last_checked=None).count() == 4


def test_without_a_canary_that_responds_the_run_is_withheld_before_any_request(hosts, settings):
    (server,) = hosts()
    many(server, 3)
    make_link(source_url="http://no-such-host.invalid/film")
    with Origin() as canary:
        settings.HEALTH_CANARIES = [canary.url("page/1")]
        canary.go_down()
        report = run()
    assert report.withheld
    assert "canary" in report.reason
    assert server.log == []


def test_with_loopback_links_only_no_canary_is_probed(hosts, settings):
    settings.HEALTH_CANARIES = ["http://127.0.0.1:1/"]
    (server,) = hosts()
    many(server, 3)
    assert not run().withheld


def test_never_checked_links_come_first_then_the_oldest(hosts):
    (server,) = hosts()
    now = timezone.now()
    moments = [now - timedelta(hours=1), None, now + timedelta(days=365), now - timedelta(days=9), None]
    made = [links_at(server, f"page/{n}", last_checked=moment)[0] for n, moment in enumerate(moments)]
    order = [due.id for due in due_links(Selection(), now=now)]
    assert order == [made[number].pk for number in (1, 4, 2, 3, 0)]
    assert count_due(Selection(older_than=5), now=now) == 4
    assert run(limit=2, now=now).checked == 2
    assert StreamingLink.objects.filter(last_checked=now).count() == 2


@pytest.mark.parametrize(("strict", "maximum"), [(True, 2), (False, 10)])
def test_strict_counts_requests_without_a_response(hosts, strict, maximum):
    (server,) = hosts()
    many(server, 4)
    many(server, 12, "hang")
    hanging = []
    began = time.monotonic()

    def stop():
        hanging.append(sum(path.startswith("/hang") and method == "GET" for method, path in server.log))
        return time.monotonic() - began > (1.3 if strict else 20) or hanging[-1] > 2

    run(timeout=3.0, per_host=2, strict_per_host=strict, stop=stop)
    assert hanging[-1] <= 2 if strict else 2 < hanging[-1] <= maximum


def test_due_checks_only_links_whose_next_check_is_due(hosts):
    (server,) = hosts()
    now = timezone.now()
    moments = [None, now - timedelta(hours=1), now + timedelta(hours=1), now + timedelta(days=400)]
    made = [links_at(server, f"page/{n}", next_check_at=moment)[0] for n, moment in enumerate(moments)]
    due = Selection(due=True)
    assert {link.id for link in due_links(due, now=now)} == {made[number].pk for number in (0, 1, 3)}
    assert count_due(due, now=now) == 3
    assert run(selection=due, now=now).checked == 3
    assert run(now=now + timedelta(seconds=1)).checked == 4


def test_steady_links_wait_longer_if_checks_are_adaptive_and_failing_ones_always(hosts, settings):
    (server,) = hosts()
    steady, new = many(server, 2)
    (dead,) = links_at(server, "503/1")
    StreamingLink.objects.filter(pk=steady.pk).update(checks="a" * 24)
    now, due = timezone.now(), Selection(due=True)
    settings.HEALTH_ADAPTIVE = True
    assert run(selection=due, now=now, prune=False).checked == 3
    assert [link.id for link in due_links(due, now=now + timedelta(minutes=1))] == [new.pk]
    later = {link.id for link in due_links(due, now=now + timedelta(days=1, minutes=1))}
    assert later == {new.pk, dead.pk}
    settings.HEALTH_ADAPTIVE = False
    assert run(selection=Selection(), now=now + timedelta(minutes=1), prune=False).checked == 3
    ids = {link.id for link in due_links(due, now=now + timedelta(minutes=2))}
    assert ids == {new.pk, steady.pk}


def test_due_and_older_than_together_select_links_that_match_both(hosts):
    (server,) = hosts()
    now = timezone.now()
    links_at(server, "page/1", last_checked=now - timedelta(hours=1), next_check_at=now - timedelta(minutes=1))
    links_at(server, "page/2", last_checked=now - timedelta(hours=9), next_check_at=now - timedelta(minutes=1))
    assert count_due(Selection(due=True, older_than=5), now=now) == 1


def test_pages_within_one_moment_are_complete(monkeypatch):
    monkeypatch.setattr("streaming.health.selection.PAGE_SIZE", 3)
    now = timezone.now()
    movie = make_movie()
    for number in range(20):
        make_link(movie, last_checked=now - timedelta(hours=number // 8) - timedelta(minutes=1))
    found = [due.id for due in due_links(Selection(), now=now)]
    assert len(found) == len(set(found)) == 20


def test_source_and_movie_select_the_links(hosts):
    (server,) = hosts()
    mine = links_at(server, "page/1", source="commons")[0]
    other = links_at(server, "page/2")[0]
    assert run(selection=Selection(source="commons")).checked == 1
    assert run(selection=Selection(movie=other.movie.imdb_id)).checked == 1
    mine.refresh_from_db()
    assert mine.reason == "ok"


def test_batches_are_written_while_a_run_goes_on(hosts, monkeypatch):
    monkeypatch.setattr("streaming.health.sweep.checker.BATCH_SIZE", 10)
    (server,) = hosts()
    many(server, 40)
    seen = []
    run(stop=lambda: seen.append(StreamingLink.objects.exclude(last_checked=None).count()) or False)
    assert any(0 < count < 40 for count in seen)


def test_an_interrupted_run_keeps_successes_and_turns_nothing_off(hosts):
    (server,) = hosts()
    many(server, 10)
    links_at(server, "404/1")
    many(server, 5, "hang")
    report = run(timeout=20.0, stop=stop_when_quiet(server))
    assert not report.complete
    assert report.checked == 10 + 1
    assert report.died == 0
    assert active() == 16
    assert StreamingLink.objects.filter(reason="ok").count() == 10
    assert HealthRun.objects.get().finished_at


def test_links_that_an_interrupted_run_left_are_judged_as_in_a_whole_run(hosts):
    """Only failing links are left: they must not be taken for a host that is down or never responds."""
    (server,) = hosts()
    many(server, 40)
    many(server, 6, "hang")
    links_at(server, "403/1", "403/2")
    run(timeout=20.0, stop=stop_when_quiet(server))
    assert StreamingLink.objects.exclude(last_checked=None).count() == 40
    later = links_at(server, "page/new")[0]
    report = run(timeout=0.6, selection=Selection(older_than=1))
    later.refresh_from_db()
    assert later.reason == "ok"
    assert (report.verdicts["unreachable"], report.verdicts["blocked"], report.verdicts["alive"]) == (6, 2, 1)
    assert (report.died, report.hosts_down) == (8, [])
    assert all(len(checks) == 1 for checks in StreamingLink.objects.values_list("checks", flat=True))


def test_a_whole_run_after_an_interrupted_one_still_finds_a_host_that_is_down(hosts):
    first, second = hosts(2)
    many(first, 10)
    many(second, 10)
    many(second, 1, "hang")
    run(timeout=20.0, stop=stop_when_quiet(first, second))
    first.everything = "503"
    report = run(timeout=0.5)
    assert len(report.hosts_down) == 1
    assert active() == 20


def test_the_report_names_changes_since_the_last_run(hosts):
    first, second = hosts(2)
    many(first, 10)
    many(second, 10)
    first.everything = "503"
    assert run().hosts_down == [first.url("").split("/")[2]]
    HostPause.objects.all().delete()
    first.everything = ""
    links_at(second, "404/1", "404/2", "403/1")
    report = run(prune=False)
    text = "\n".join(report.summary_lines())
    assert "Died: Not found (2), Blocked by the site (1)." in text
    assert f"Hosts that are back: {first.url('').split('/')[2]}." in text
    assert HealthRun.objects.latest("pk").died_of == {"http_404": 2, "http_403": 1}


def test_a_run_that_max_runtime_ends_is_accepted(hosts):
    (server,) = hosts()
    many(server, 10)
    links_at(server, "404/1")
    many(server, 3, "hang")
    report = run(timeout=60.0, max_runtime_minutes=3 / 60)
    assert report.complete
    assert (report.checked, report.died) == (11, 1)


def test_a_second_run_does_nothing(hosts):
    (server,) = hosts()
    many(server, 3)
    inner = []

    def run_second():
        try:
            inner.append(run())
        finally:
            connection.close()

    def start_second_run(progress):
        if not inner:
            second = threading.Thread(target=run_second)
            second.start()
            second.join(10)

    run(on_progress=start_second_run)
    assert inner == [None]
    assert HealthRun.objects.count() == 1


def test_changes_made_during_a_run_are_not_overwritten(hosts):
    (server,) = hosts()
    kept, taken, removed = links_at(server, "page/1", "page/2", "404/3")

    def change_links(handler):
        server.asked = lambda handler: None
        StreamingLink.objects.filter(pk=taken.pk).update(is_active=False, reason="taken_down")
        Movie.objects.filter(pk=removed.movie_id).delete()
        connections.close_all()  # those of the server's thread

    server.asked = change_links
    report = run()
    taken.refresh_from_db()
    assert (taken.is_active, taken.reason) == (False, "taken_down")
    assert report.died == 0
    assert StreamingLink.objects.get(pk=kept.pk).reason == "ok"


def test_the_result_of_an_address_that_was_changed_meanwhile_is_not_written(hosts):
    (server,) = hosts()
    many(server, 3)
    link, other = links_at(server, "404/typo", "page/typo")

    def correct_urls(handler):
        server.asked = lambda handler: None
        update_link(StreamingLink.objects.get(pk=link.pk), {"source_url": server.url("page/right")})
        update_link(StreamingLink.objects.get(pk=other.pk), {"source_url": server.url("404/wrong")})
        connections.close_all()  # those of the server's thread

    server.asked = correct_urls
    report = run()
    assert (report.died, report.removed) == (0, 0)
    kept = StreamingLink.objects.filter(pk__in=[link.pk, other.pk], is_active=True, last_checked=None, reason="")
    assert kept.count() == 2
    assert run(selection=Selection(due=True)).died == 1
    assert StreamingLink.objects.get(pk=link.pk).reason == "ok"


@pytest.mark.parametrize("turned", ["page", "busy", "404"])
def test_a_restored_movie_is_removed_again_only_after_its_link_was_checked(hosts, turned):
    (server,) = hosts()
    many(server, 5)
    # Its link has failed for a month, so its own schedule would check it in another month.
    since = timezone.now() - timedelta(days=31)
    (link,) = links_at(server, f"{turned}/1", source="commons", **LONG_DEAD)
    StreamingLink.objects.filter(pk=link.pk).update(
        state_since=since, last_checked=since, next_check_at=timezone.now() + timedelta(days=29)
    )
    assert prune_by_hand(now=timezone.now()).removed == 1
    restore_movies([link.movie.imdb_id])
    assert run(selection=Selection(source="example")).removed == 0
    assert prune_by_hand(now=timezone.now()).removed == 0
    would = run(selection=Selection(due=True), dry_run=True).removed
    assert run(selection=Selection(due=True)).removed == would == (turned == "404")
    assert StreamingLink.objects.filter(pk=link.pk, is_active=True).exists() == (turned == "page")


def test_a_flip_is_stored_only_when_a_link_turns_on_or_off(hosts):
    (server,) = hosts()
    links_at(server, "page/1", "404/1")
    run(prune=False)
    run(prune=False)
    assert LinkFlip.objects.count() == 1
    assert StreamingLink.objects.get(reason="http_404").checks == "gg"


def test_the_number_of_statements_does_not_grow_with_the_links(hosts, django_assert_max_num_queries):
    (server,) = hosts()
    movie = make_movie()
    for number in range(120):
        make_link(movie, source_url=server.url(f"page/{number}"), host="127.0.0.2")
    with django_assert_max_num_queries(50):
        run()


def test_an_outage_does_not_count_towards_removal(hosts):
    """Runs in which the host is down do not count as failed checks of its links."""
    down, fine = hosts(2)
    many(down, 6)
    many(fine, 6)
    down.everything = "500"
    now = timezone.now()
    for hours in range(3):
        run(now=now + timedelta(hours=2 * hours))
    assert Movie.objects.count() == 12
    assert set(StreamingLink.objects.values_list("failures", flat=True)) == {0}


def test_failures_within_one_hour_do_not_fill_the_grace_period(hosts):
    """A small host fails in two runs; its links work again, but nobody checks them until the day is over."""
    away, fine = hosts(2)
    many(away, 2, source="commons")
    many(fine, 6)
    away.everything, now = "500", timezone.now() - timedelta(hours=26)
    for hours in range(2):
        assert run(now=now + timedelta(hours=hours)).died == 2 * (hours == 0)
    away.everything = ""
    assert run(selection=Selection(source="example")).removed == 0
    assert prune_by_hand(now=timezone.now()).removed == 0
    assert run().revived == 2


def test_the_checker_reserves_slots_of_a_host_as_spiders_do(hosts, monkeypatch):
    monkeypatch.setattr("streaming.health.sweep.options.request_delay", lambda host, *, delays: 0.01)
    (server,) = hosts()
    many(server, 6)
    before = timezone.now()
    assert run().checked == 6
    gate = HostGate.objects.get(pk=server.server_address[0])
    # Seven requests at intervals of 0.01 s: the next slot is later than all of them.
    assert gate.next_at >= before + timedelta(seconds=0.07)
    assert len(server.log) >= 7


def test_a_run_that_waits_for_its_canaries_can_be_interrupted(hosts, settings):
    (server,) = hosts()
    many(server, 3)
    make_link(source_url="http://no-such-host.invalid/film")
    with Origin(everything="hang") as canary:
        settings.HEALTH_CANARIES = [canary.url("page/1")]
        report = run(timeout=20.0, stop=lambda: bool(canary.log))
        assert len(canary.log) == 1
    assert not report.complete or report.withheld


def test_a_link_that_is_checked_by_hand_while_it_waits_is_not_checked_twice(hosts, monkeypatch):
    """Its last check then lies in the future of the run, so the query for due links returns it again."""
    monkeypatch.setattr("streaming.health.probing.prober.MAX_PENDING", 3)
    monkeypatch.setattr("streaming.health.probing.prober_pool.SUBPROCESS_THRESHOLD", 2)
    monkeypatch.setattr("streaming.health.probing.prober_pool._can_use_subprocess", lambda: False)
    monkeypatch.setattr("streaming.health.selection.PAGE_SIZE", 5)
    (server,) = hosts()
    (slow,) = links_at(server, "hang/1", is_active=False, reason="timeout")
    many(server, 40)
    looks = []

    def stop():
        looks.append(1)
        if len(looks) == 2:
            StreamingLink.objects.filter(pk=slow.pk).update(last_checked=timezone.now() + timedelta(seconds=1))
        return False

    report = run(stop=stop)
    assert report.verdicts["alive"] == 40
    assert report.checked == 41


def test_links_that_were_not_probed_themselves_are_not_turned_off(hosts):
    """Four dead links of a host hang, so its four working ones, too few for the breaker, are not requested."""
    host, other = hosts(2)
    many(other, 3)
    links_at(host, *(f"hang/{number}" for number in range(4)), is_active=False, reason="timeout", failures=9)
    many(host, 4)
    report = run(prune=False)
    assert (report.died, active()) == (0, 7)
    run(prune=False)  # Now they have waited longest, so they come first.
    assert {path for _, path in host.log if path.startswith("/page")} != set()
    assert active() == 7


def test_the_host_that_throttles_is_paused_not_the_one_that_redirects_to_it(hosts):
    first, busy = hosts(2)
    many(first, 3)
    links_at(first, f"to/{busy.url('busy/1')}")
    run()
    assert list(HostPause.objects.values_list("host", flat=True)) == [busy.url("").split("/")[2]]


def test_a_host_that_is_down_is_paused_as_long_as_it_asked_for(hosts):
    first, other = hosts(2)
    many(first, 6, kind="500")
    links_at(first, "later/1")
    many(other, 4)

    def ask_for_two_hours(handler):
        if handler.path.startswith("/later"):
            handler.send(429, Retry_After="7200")
            raise ConnectionAbortedError

    first.asked = ask_for_two_hours
    now = timezone.now()
    assert run(now=now).hosts_down == [first.url("").split("/")[2]]
    assert HostPause.objects.get().paused_until == now + timedelta(hours=2)


def test_more_private_links_than_a_statement_takes_are_marked(db):
    link = make_link(source_url="http://10.0.0.5/x")
    mark_private_links([*range(10**6, 10**6 + 300_000), link.pk])
    link.refresh_from_db()
    assert (link.is_active, link.reason) == (True, "private_address")
