"""Exceptions for single hosts change the judgement of that host alone."""

from __future__ import annotations

import pytest

from streaming.health.judging import host_rules
from streaming.health.judging.host_rules import HostRule
from streaming.health.judging.verdict import judge
from tests.health.judging.test_verdict import PAGE, response


@pytest.mark.parametrize(
    ("url", "status", "reason"),
    [
        ("https://removed.example.org/film", 403, "http_404"),
        ("https://removed.example.org:8443/film", 403, "http_404"),
        ("https://removed.example.org/film", 401, "http_401"),
        ("https://removed.example.org/film", 200, "ok"),
        ("https://www.removed.example.org/film", 403, "http_403"),
        ("https://films.example.org/film", 403, "http_403"),
    ],
)
def test_a_rule_changes_what_a_status_means_at_its_host_alone(monkeypatch, url, status, reason):
    rule = HostRule(status_meanings={403: 404})
    monkeypatch.setitem(host_rules.HOST_RULES, "removed.example.org", rule)
    assert judge(response(status, url=url, final_url=url), PAGE).reason == reason


def test_the_host_that_responds_after_redirects_counts(monkeypatch):
    monkeypatch.setitem(host_rules.HOST_RULES, "removed.example.org", HostRule(status_meanings={403: 404}))
    redirected = response(403, final_url="https://removed.example.org/film", hops=1)
    assert judge(redirected, PAGE).reason == "http_404"


def test_a_rule_may_take_a_status_for_a_page_that_is_read(monkeypatch):
    monkeypatch.setitem(host_rules.HOST_RULES, "films.example.org", HostRule(status_meanings={404: 200}))
    assert judge(response(404, b"<title>Nosferatu</title><video>"), PAGE).reason == "ok"
    assert judge(response(404, b"<title>Page not found</title>"), PAGE).reason == "soft_404"
