"""Hosts that are left alone for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from streaming.models import HostPause
from streaming.words import ASKED, FAILED_AT_ONCE

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


@pytest.mark.parametrize("reason", [ASKED, FAILED_AT_ONCE])
def test_a_pause_from_a_clock_that_was_a_year_ahead_holds_nobody_and_gives_way(reason):
    now = timezone.now()
    HostPause.objects.create(host="films.example.org", paused_until=now + timedelta(days=366), reason=reason)
    assert not HostPause.objects.standing(now).exists()
    HostPause.objects.write({"films.example.org": (now + timedelta(minutes=15), ASKED)})
    assert HostPause.objects.standing(now).values_list("paused_until", "reason").get() == (
        now + timedelta(minutes=15),
        ASKED,
    )


def test_a_pause_that_somebody_wrote_by_hand_lasts_as_long_as_they_like():
    now = timezone.now()
    month = now + timedelta(days=30)
    HostPause.objects.create(host="films.example.org", paused_until=month, reason="its owner asked by mail")
    HostPause.objects.write({"films.example.org": (now + timedelta(hours=24), ASKED)})
    assert HostPause.objects.standing(now).get().paused_until == month
