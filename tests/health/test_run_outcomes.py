"""How a run ended: each closed run has an outcome, and the next run goes by that, never by a sentence."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from streaming.health.probing import prober_process
from streaming.health.runner import run_check
from streaming.health.selection import Selection
from streaming.health.sweep.options import CheckOptions
from streaming.models import HealthRun, StreamingLink
from tests.health.probing.test_prober_process import asking_processes
from tests.helpers.external_services import skip_or_fail
from tests.helpers.factories import make_link
from tests.helpers.http_origin import Origin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def origin():
    with Origin("127.0.0.2") as server:
        yield server


def links_at(server, *paths):
    return [make_link(source_url=server.url(path), host=server.server_address[0]) for path in paths]


def numbered(kind, count):
    return [f"{kind}/{number}" for number in range(count)]


def run(*, stop=lambda: False, stated=None, **options):
    return run_check(CheckOptions(**{"timeout": 1.0, **options}), now=timezone.now(), stop=stop, on_progress=stated)


def outcomes():
    return list(HealthRun.objects.order_by("started_at").values_list("outcome", flat=True))


class ProberKiller:
    """Asked whether to stop; a second after the site got so many requests it kills the process that sends them."""

    def __init__(self, server, *, requests):
        self.server, self.requests, self.since = server, requests, None

    def __call__(self):
        if self.since is None and len(self.server.log) >= self.requests:
            self.since = time.monotonic()
        if self.since is not None and time.monotonic() - self.since > 1:
            for pid in asking_processes():
                os.kill(pid, signal.SIGKILL)
        return False


def test_after_a_run_whose_prober_died_the_next_goes_on_with_what_it_had_found(origin, monkeypatch):
    """Asked alone, the six links that hang would pass for a host that is down, and stay active for ever."""
    if len(os.sched_getaffinity(0)) < 2:
        skip_or_fail("a second core, without which no process of its own asks")
    monkeypatch.setattr(prober_process, "SUBPROCESS_THRESHOLD", 10)
    links_at(origin, *numbered("page", 10), *numbered("hang", 6))
    report = run(timeout=60.0, stop=ProberKiller(origin, requests=26))
    assert (report.complete, report.died, report.verdicts["alive"]) == (False, 0, 10)
    assert outcomes() == ["interrupted"]
    links_at(origin, "page/new")
    report = run(timeout=0.5, selection=Selection(older_than=1))
    assert (report.died, report.hosts_down) == (6, [])
    assert outcomes() == ["interrupted", "completed"]
    assert StreamingLink.objects.filter(is_active=False, reason="timeout").count() == 6


def test_a_run_that_went_to_its_end_is_completed(origin):
    links_at(origin, "page/1", "404/1")
    run()
    assert outcomes() == ["completed"]


def test_a_run_that_is_not_believed_is_withheld(origin):
    links_at(origin, *numbered("page", 10), *numbered("404", 30))
    assert run().withheld
    assert outcomes() == ["withheld"]


def test_a_run_that_somebody_stopped_is_interrupted(origin):
    links_at(origin, "page/1", "hang/1")
    run(timeout=60.0, stop=lambda: len(origin.log) >= 3)
    assert outcomes() == ["interrupted"]


def test_a_run_that_an_error_ends_is_closed_as_failed_and_tells_no_details(origin):
    links_at(origin, "page/1")

    def told(progress):
        if progress.done:
            raise OSError("/home/somebody: no space left")

    with pytest.raises(OSError, match="no space left"):
        run(stated=told)
    row = HealthRun.objects.get()
    assert (row.outcome, row.withheld, row.finished_at is None) == ("failed", False, False)
    assert row.reason == "ended by an error of ours (OSError)"


def test_a_dry_run_leaves_no_row(origin):
    links_at(origin, "page/1")
    run(dry_run=True)
    assert outcomes() == []


@pytest.mark.parametrize(
    ("outcome", "is_broken"),
    [("completed", False), ("withheld", True), ("interrupted", True), ("failed", True), ("", True)],
)
@pytest.mark.parametrize("reason", ["", "interrupted", "reworded, or in another language"])
def test_the_next_run_goes_by_the_outcome_whatever_the_sentence_says(outcome, is_broken, reason):
    at = timezone.now() - timedelta(hours=1)
    HealthRun.objects.create(started_at=at, finished_at=at if outcome else None, outcome=outcome, reason=reason)
    assert HealthRun.objects.interrupted_since() == (at if is_broken else None)
