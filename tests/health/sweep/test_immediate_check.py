"""Links that somebody has checked now: judged like all others, without a run of their own."""

from __future__ import annotations

import pytest

from streaming.health.sweep.immediate_check import check_now
from streaming.models import HealthRun, HostPause, Movie, StreamingLink
from tests.helpers.factories import make_link
from tests.helpers.http_origin import Origin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def origin():
    with Origin("127.0.0.2") as server:
        yield server


def links_at(server, *paths, **fields):
    return [make_link(source_url=server.url(path), host=server.server_address[0], **fields) for path in paths]


def active():
    return StreamingLink.objects.active().count()


def test_a_few_links_are_judged_without_the_brake(origin):
    good, gone = links_at(origin, "page/1", "404/1")
    private = make_link(source_url="http://10.0.0.5/x")
    assert check_now([good.pk, gone.pk, private.pk]) == {
        good.pk: "ok", gone.pk: "http_404", private.pk: "private_address",
    }  # fmt: skip
    assert active() == 2
    assert Movie.objects.count() == 3
    assert HealthRun.objects.count() == 0


def test_a_link_alone_is_judged_by_its_own_failure(origin):
    (link,) = links_at(origin, "page/1")
    origin.go_down()
    assert check_now([link.pk]) == {link.pk: "refused"}
    assert active() == 0


@pytest.mark.parametrize("count", [1, 6])
def test_without_a_canary_that_responds_no_failure_counts(origin, settings, count):
    links = links_at(origin, *(f"page/{number}" for number in range(count)))
    origin.go_down()
    with Origin("127.0.0.3") as canary:
        settings.HEALTH_CANARIES = [canary.url("page/1")]
        canary.go_down()
        assert check_now([link.pk for link in links]) == {link.pk: "local" for link in links}
    assert active() == count


def test_links_of_a_paused_host_are_not_asked(origin):
    (link,) = links_at(origin, "busy/1")
    assert check_now([link.pk]) == {link.pk: "throttled"}
    assert HostPause.objects.count() == 1
    requests = len(origin.log)
    assert check_now([link.pk]) == {link.pk: "paused"}
    assert len(origin.log) == requests


def test_from_five_links_on_the_host_breaker_holds(origin):
    links = links_at(origin, *(f"500/{number}" for number in range(6)))
    with Origin("127.0.0.3") as other:
        links += links_at(other, "page/1")
        reasons = check_now([link.pk for link in links])
    assert sorted(reasons.values()) == [*["http_5xx"] * 6, "ok"]
    assert active() == 7
    assert set(StreamingLink.objects.filter(host="127.0.0.2").values_list("reason", flat=True)) == {"host_down"}


def test_from_five_links_on_the_brake_holds(origin):
    links = links_at(origin, *(f"404/{number}" for number in range(30)), *(f"page/{number}" for number in range(30)))
    reasons = check_now([link.pk for link in links])
    assert sorted(reasons.values()) == [*["local"] * 30, *["ok"] * 30]
    assert active() == 60


def test_no_movie_is_removed(origin):
    links = links_at(origin, *(f"page/{number}" for number in range(9)), "404/1")
    check_now([link.pk for link in links])
    assert active() == 9
    assert Movie.objects.count() == 10


def test_an_id_without_a_link_has_no_reason():
    assert check_now([123456789]) == {}
