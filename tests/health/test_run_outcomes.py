"""Each closed run has an outcome, and the next run depends on it, never on a sentence."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from streaming.health.probing import prober_pool
from streaming.health.runner import run_check
from streaming.health.selection import Selection
from streaming.health.sweep.options import CheckOptions
from streaming.models import HealthRun, StreamingLink
from tests.health.probing.test_prober_process import prober_processes
from tests.helpers.external_services import skip_or_fail
from tests.helpers.factories import make_link
from tests.helpers.http_origin import Origin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def origin():
    with Origin("127.0.0.2") as server:
        yield server


def links_at(server, *paths):
    return [make_link(source_url=server.url(path), host=server.server_address[0]) for path in paths]


def numbered(kind, count):
    return [f"{kind}/{number}" for number in range(count)]


def run(*, stop=lambda: False, on_progress=None, **options):
    return run_check(
        CheckOptions(**{"timeout": 1.0, **options}), now=timezone.now(), stop=stop, on_progress=on_progress
    )


def outcomes():
    return list(HealthRun.objects.order_by("started_at").values_list("outcome", flat=True))


def test_a_run_that_leaves_out_links_by_choice_is_a_partial_one(origin):
    link, other = links_at(origin, "page/1", "page/2")
    for selection, limit in ((Selection(movie=link.movie.imdb_id), None), (Selection(source=other.source), None)):
        run(selection=selection, limit=limit)
    run(limit=1)
    run(selection=Selection(due=True))
    run()
    assert list(HealthRun.objects.order_by("pk").values_list("is_partial", flat=True)) == [True] * 3 + [False] * 2


def test_a_partial_run_does_not_end_the_search_for_interrupted_ones():
    start = timezone.now()
    for hours, outcome, is_partial in ((3, "completed", False), (2, "interrupted", False), (1, "completed", True)):
        HealthRun.objects.create(started_at=start - timedelta(hours=hours), outcome=outcome, is_partial=is_partial)
    assert HealthRun.objects.interrupted_since() == start - timedelta(hours=2)


class ProberKiller:
    """A `stop` for runs that kills the prober's process one second after the site got the given number of requests."""

    def __init__(self, server, *, requests):
        self.server, self.requests, self.since = server, requests, None

    def __call__(self):
        if self.since is None and len(self.server.log) >= self.requests:
            self.since = time.monotonic()
        if self.since is not None and time.monotonic() - self.since > 1:
            for pid in prober_processes():
                os.kill(pid, signal.SIGKILL)
        return False


def test_the_next_run_resumes_with_the_results_of_one_whose_prober_died(origin, monkeypatch):
    """On their own the six links that hang would be taken for a host that is down, and stay active for ever."""
    if len(os.sched_getaffinity(0)) < 2:
        skip_or_fail("a second core, without which the prober has no process of its own")
    monkeypatch.setattr(prober_pool, "SUBPROCESS_THRESHOLD", 10)
    links_at(origin, *numbered("page", 10), *numbered("hang", 6))
    report = run(timeout=60.0, stop=ProberKiller(origin, requests=26))
    assert (report.complete, report.died, report.verdicts["alive"]) == (False, 0, 10)
    assert outcomes() == ["interrupted"]
    links_at(origin, "page/new")
    report = run(timeout=0.5, selection=Selection(older_than=1))
    assert (report.died, report.hosts_down) == (6, [])
    assert outcomes() == ["interrupted", "completed"]
    assert StreamingLink.objects.filter(is_active=False, reason="timeout").count() == 6


def test_a_run_that_finished_is_completed(origin):
    links_at(origin, "page/1", "404/1")
    run()
    assert outcomes() == ["completed"]


def test_a_run_that_is_not_accepted_is_withheld(origin):
    links_at(origin, *numbered("page", 10), *numbered("404", 30))
    assert run().withheld
    assert outcomes() == ["withheld"]


def test_a_run_that_was_stopped_is_interrupted(origin):
    links_at(origin, "page/1", "hang/1")
    run(timeout=60.0, stop=lambda: len(origin.log) >= 3)
    assert outcomes() == ["interrupted"]


def test_a_run_that_an_error_ends_is_closed_as_failed_without_details(origin):
    links_at(origin, "page/1")

    def fail(progress):
        if progress.done:
            raise OSError("/home/somebody: no space left")

    with pytest.raises(OSError, match="no space left"):
        run(on_progress=fail)
    row = HealthRun.objects.get()
    assert (row.outcome, row.withheld, row.finished_at is None) == ("failed", False, False)
    assert row.reason == "stopped by an internal error (OSError)"


def test_a_dry_run_leaves_no_row(origin):
    links_at(origin, "page/1")
    run(dry_run=True)
    assert outcomes() == []


@pytest.mark.parametrize(
    ("outcome", "is_incomplete"),
    [("completed", False), ("withheld", True), ("interrupted", True), ("failed", True), ("", True)],
)
@pytest.mark.parametrize("reason", ["", "interrupted", "reworded, or in another language"])
def test_the_next_run_depends_on_the_outcome_whatever_the_sentence(outcome, is_incomplete, reason):
    at = timezone.now() - timedelta(hours=1)
    HealthRun.objects.create(started_at=at, finished_at=at if outcome else None, outcome=outcome, reason=reason)
    assert HealthRun.objects.interrupted_since() == (at if is_incomplete else None)
