"""Permanently redirected links: counted after three checks, given their new address on request."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from streaming.health.permanent_redirects import (
    RedirectReport,
    count_permanently_redirected,
    follow_permanent_redirects,
)
from streaming.health.probe_types import ProbeRequest
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.prober import Prober
from streaming.health.runner import run_check
from streaming.health.selection import Selection
from streaming.health.sweep.options import CheckOptions
from streaming.ingest.takedown import block
from streaming.models import HealthRun, LinkFlip, StreamingLink
from tests.health.probing.test_prober import LOOPBACK
from tests.helpers.factories import make_link, make_movie
from tests.helpers.http_origin import Origin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def server():
    with Origin("127.0.0.2") as server:
        yield server


def link_at(server, path, movie=None, **fields):
    return make_link(movie, source_url=server.url(path), host=server.server_address[0], **fields)


def run(times=1, **options):
    for _ in range(times):
        report = run_check(CheckOptions(timeout=1.0, **options), now=timezone.now())
    return report


@pytest.mark.parametrize(
    ("path", "moved_to"),
    [
        ("moved/page/1", "page/1"),
        ("moved/moved/page/1", "page/1"),
        ("moved/to/page/1", "to/page/1"),
        ("to/moved/page/1", ""),
        ("to/page/1", ""),
        ("page/1", ""),
    ],
)
def test_only_permanent_redirects_before_any_other_redirect_count(server, path, moved_to):
    prober = Prober(ProbeConfig("x", timeout=1.0, allowed=LOOPBACK))
    (response,) = prober.responses([ProbeRequest(1, server.url(path))])
    assert response.status == 200
    assert response.moved_to == (server.url(moved_to) if moved_to else "")


def test_a_redirect_is_reported_after_three_checks_and_followed_on_request(server):
    link = link_at(server, "moved/page/1")
    assert run(2).moved == 0
    report = run()
    assert report.moved == 1
    assert "--follow-moves" in "\n".join(report.summary_lines())
    assert HealthRun.objects.latest("pk").moved == 1
    before = link.movie.updated_at
    report = run(follow_moves=True)
    assert (report.redirects, report.moved) == (RedirectReport(followed=1), 0)
    link.refresh_from_db()
    assert (link.source_url, link.moved_from) == (server.url("page/1"), server.url("moved/page/1"))
    assert (link.host, link.is_active, link.moved_to, link.moved_seen) == ("127.0.0.2", True, "", 0)
    link.movie.refresh_from_db()
    assert link.movie.updated_at > before
    assert run().moved == 0


def test_another_target_or_no_redirect_starts_the_count_again(server):
    link = link_at(server, "moved/page/1", moved_to=server.url("page/9"), moved_seen=2)
    run()
    link.refresh_from_db()
    assert (link.moved_to, link.moved_seen) == (server.url("page/1"), 1)
    StreamingLink.objects.update(source_url=server.url("page/2"))
    run()
    link.refresh_from_db()
    assert (link.moved_to, link.moved_seen) == ("", 0)


def test_a_failed_check_does_not_change_the_count(server):
    link = link_at(server, "moved/503/1", moved_to=server.url("page/1"), moved_seen=2)
    run()
    link.refresh_from_db()
    assert (link.is_active, link.moved_to, link.moved_seen) == (False, server.url("page/1"), 2)


def test_a_link_whose_movie_has_the_new_address_is_turned_off(server):
    movie = make_movie()
    old, new = link_at(server, "moved/page/1", movie), link_at(server, "page/1", movie)
    report = run(3, follow_moves=True)
    assert report.redirects == RedirectReport(merged=1)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.is_active, old.reason, new.is_active) == (False, "moved", True)
    assert LinkFlip.objects.get().reason == "moved"
    requests = len(server.log)
    assert run().checked == 1
    assert {path for _, path in server.log[requests:]} == {"/page/1"}


@pytest.mark.parametrize(
    "link_state",
    [{"is_active": False, "reason": "http_404", "failures": 3}, {"is_published": False}],
)
def test_a_working_link_is_not_merged_into_an_inactive_one(server, link_state):
    movie = make_movie()
    old = link_at(server, "moved/page/1", movie, moved_to=server.url("page/1"), moved_seen=3)
    now = timezone.now()
    link_at(server, "page/1", movie, state_since=now, next_check_at=now + timedelta(days=30), **link_state)
    report = run_check(CheckOptions(timeout=1.0, follow_moves=True, selection=Selection(due=True)), now=now)
    assert (report.redirects, report.removed) == (RedirectReport(), 0)
    old.refresh_from_db()
    assert (old.is_active, old.reason) == (True, "ok")


def test_a_merged_link_does_not_keep_its_movie(server, settings):
    settings.LINK_GRACE_HOURS = 0
    movie = make_movie()
    link_at(server, "404/1", movie)
    link_at(server, "moved/404/1", movie, is_active=False, reason="moved", state_since=timezone.now())
    assert run().removed == 1


def test_a_redirect_to_a_blocked_address_is_not_followed(server):
    link_at(server, "moved/page/1", moved_to="https://taken.example.org/1", moved_seen=3)
    block("taken.example.org", reason="asked to")
    assert follow_permanent_redirects(now=timezone.now()) == RedirectReport()


def test_a_dry_run_follows_nothing(server):
    link_at(server, "moved/page/1", moved_to=server.url("page/1"), moved_seen=5)
    assert run(dry_run=True, follow_moves=True).moved == 1
    assert count_permanently_redirected() == 1


def test_a_withheld_run_follows_nothing(server):
    link_at(server, "moved/page/1", moved_to=server.url("page/1"), moved_seen=5)
    server.go_down()
    assert run(follow_moves=True).withheld
    assert count_permanently_redirected() == 1


def test_many_redirects_are_followed_page_by_page(server, monkeypatch):
    monkeypatch.setattr("streaming.health.permanent_redirects.BATCH_SIZE", 3)
    for number in range(8):
        link_at(server, f"moved/page/{number}", moved_to=server.url(f"page/{number}"), moved_seen=3)
    assert follow_permanent_redirects(now=timezone.now() + timedelta(seconds=1)) == RedirectReport(followed=8)


def test_staff_find_and_follow_permanent_redirects(server, admin_client):
    moved = link_at(server, "moved/page/1", moved_to=server.url("page/1"), moved_seen=3)
    link_at(server, "moved/page/2", moved_to=server.url("page/2"), moved_seen=2)
    address = "/admin/streaming/streaminglink/"
    shown = admin_client.get(address, {"moved": "yes"})
    assert [link.pk for link in shown.context["cl"].queryset] == [moved.pk]
    chosen = {
        "action": "follow_permanent_redirects",
        "_selected_action": list(StreamingLink.objects.values_list("pk", flat=True)),
    }
    response = admin_client.post(address, chosen, follow=True)
    assert "1 link updated, 0 turned off" in response.content.decode()
    moved.refresh_from_db()
    assert moved.moved_from == server.url("moved/page/1")
