"""Which links tell whether this machine is online."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from scraper.net.url_policy import NO_PRIVATE_HOSTS
from streaming.health.sweep import canaries
from tests.helpers.factories import make_link

pytestmark = pytest.mark.django_db


def alive(count, host, *, now, **fields):
    fields = {"reason": "ok", "last_checked": now - timedelta(hours=1), **fields}
    return [make_link(source_url=f"https://{host}/{number}", **fields) for number in range(count)]


def chosen(now):
    return [request.url.split("/")[2] for request in canaries.choose_canaries(now=now, allowed=NO_PRIVATE_HOSTS)]


def test_canaries_are_on_different_hosts():
    now = timezone.now()
    for number in range(7):
        alive(2, f"{number}.example.org", now=now)
    assert len(set(chosen(now))) == len(chosen(now)) == canaries.CANARY_COUNT


def test_a_single_host_has_several_so_that_one_dead_link_does_not_stop_all_runs():
    now = timezone.now()
    alive(9, "films.example.org", now=now)
    found = canaries.choose_canaries(now=now, allowed=NO_PRIVATE_HOSTS)
    assert len({request.id for request in found}) == canaries.CANARY_COUNT


def test_a_host_with_very_many_links_is_not_the_only_one(monkeypatch):
    monkeypatch.setattr(canaries, "CANDIDATES", 4)
    now = timezone.now()
    alive(1, "a.example.org", now=now)
    alive(1, "z.example.org", now=now)
    alive(6, "many.example.org", now=now)
    assert {"a.example.org", "z.example.org", "many.example.org"} == set(chosen(now))
    assert len(chosen(now)) == canaries.CANARY_COUNT


def test_links_on_private_hosts_old_results_and_failed_links_are_no_canaries():
    now = timezone.now()
    alive(2, "127.0.0.1", now=now)
    alive(2, "a.example.org", now=now, last_checked=now - timedelta(days=8))
    alive(2, "b.example.org", now=now, reason="throttled")
    alive(2, "c.example.org", now=now, is_active=False)
    assert chosen(now) == []


@pytest.mark.parametrize(
    ("responses", "credible"),
    [
        ([], False),
        ([("a", "x", False)], False),
        ([("a", "x", True)], True),
        ([("a", "x", True), ("a", "x", True)], True),  # two links of one host
        ([("a", "x", True), ("b", "x", True)], False),
        ([("a", "x", True), ("b", "x", False)], False),  # the portal's page in place of a file
        ([("b", "x", False), ("a", "x", True)], False),
        ([("a", "x", True), ("b", "y", False)], True),
        ([("a", "x", True), ("b", "y", True)], True),
        ([("a", "x", True), ("b", "x", True), ("c", "", True)], True),  # a film
        ([("a", "", False), ("b", "x", True)], True),
        ([("a", "", False), ("b", "", False)], False),
    ],
)
def test_the_page_of_a_portal_is_no_sign_of_life(responses, credible):
    signs = canaries.SignsOfLife()
    for netloc, page, is_alive in responses:
        signs.add(netloc, page, is_alive=is_alive)
    assert signs.are_credible is credible
