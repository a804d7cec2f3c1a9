"""Hosts that are left alone for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streaming.models import HostPause
from streaming.words import ASKED

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, QUARTER = NOW + timedelta(hours=1), NOW + timedelta(minutes=15)


def test_whoever_was_on_the_way_does_not_shorten_what_a_host_asked_for():
    HostPause.objects.write({"films.example.org": (HOUR, ASKED)})
    HostPause.objects.write({"films.example.org": (QUARTER, "out of order"), "other.example.org": (QUARTER, ASKED)})
    rows = HostPause.objects.order_by("host").values_list("host", "paused_until", "reason")
    assert list(rows) == [("films.example.org", HOUR, ASKED), ("other.example.org", QUARTER, ASKED)]


def test_a_longer_pause_replaces_a_shorter_one():
    HostPause.objects.write({"films.example.org": (QUARTER, ASKED)})
    HostPause.objects.write({"films.example.org": (HOUR, "out of order")})
    assert HostPause.objects.values_list("paused_until", "reason").get() == (HOUR, "out of order")
