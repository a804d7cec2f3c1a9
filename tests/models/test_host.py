"""Pauses of hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from streaming.models import HostPause
from streaming.scraping.crawling.download_hooks import pause_message

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, QUARTER = NOW + timedelta(hours=1), NOW + timedelta(minutes=15)
RETRY_AFTER, BREAKER, MANUAL = HostPause.Kind.RETRY_AFTER, HostPause.Kind.BREAKER, HostPause.Kind.MANUAL
TEXTS = ["asked us to come back later", "most of its links failed at once", "its owner asked by mail", ""]


def test_a_pause_is_never_shortened():
    HostPause.objects.extend({"films.example.org": HOUR}, RETRY_AFTER)
    HostPause.objects.extend({"films.example.org": QUARTER, "other.example.org": QUARTER}, BREAKER)
    rows = HostPause.objects.order_by("host").values_list("host", "paused_until", "kind", "reason")
    assert list(rows) == [
        ("films.example.org", HOUR, RETRY_AFTER, "asked us to come back later"),
        ("other.example.org", QUARTER, BREAKER, "most of its links failed at once"),
    ]


def test_a_longer_pause_replaces_a_shorter_one():
    HostPause.objects.extend({"films.example.org": QUARTER}, RETRY_AFTER)
    HostPause.objects.extend({"films.example.org": HOUR}, BREAKER)
    row = HostPause.objects.values_list("paused_until", "kind", "reason").get()
    assert row == (HOUR, BREAKER, "most of its links failed at once")


@pytest.mark.parametrize("reason", TEXTS)
@pytest.mark.parametrize("kind", [RETRY_AFTER, BREAKER])
def test_an_automatic_pause_set_by_a_clock_a_year_ahead_is_ignored_and_replaced(kind, reason):
    now = timezone.now()
    year = now + timedelta(days=366)
    HostPause.objects.create(host="films.example.org", paused_until=year, kind=kind, reason=reason)
    assert not HostPause.objects.active(now).exists()
    HostPause.objects.extend({"films.example.org": now + timedelta(minutes=15)}, RETRY_AFTER)
    row = HostPause.objects.active(now).values_list("paused_until", "kind").get()
    assert row == (now + timedelta(minutes=15), RETRY_AFTER)


@pytest.mark.parametrize("reason", TEXTS)
def test_a_manual_pause_may_have_any_length(reason):
    now = timezone.now()
    month = now + timedelta(days=30)
    HostPause.objects.create(host="films.example.org", paused_until=month, kind=MANUAL, reason=reason)
    HostPause.objects.extend({"films.example.org": now + timedelta(hours=24)}, RETRY_AFTER)
    assert HostPause.objects.active(now).get().paused_until == month


@pytest.mark.parametrize("reason", TEXTS)
@pytest.mark.parametrize("kind", HostPause.Kind)
def test_only_a_pause_requested_by_the_host_stops_a_search_whatever_its_text(kind, reason):
    until = timezone.now() + timedelta(hours=1)
    HostPause.objects.create(host="films.example.org", paused_until=until, kind=kind, reason=reason)
    assert bool(pause_message("films.example.org")) is (kind == RETRY_AFTER)
