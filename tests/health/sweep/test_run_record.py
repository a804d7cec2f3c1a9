"""The row of a run and the progress that it reports."""

from __future__ import annotations

from collections import Counter

import pytest
from django.utils import timezone

from streaming.health.sweep import run_record
from streaming.health.sweep.options import CheckOptions, CheckProgress
from streaming.health.sweep.report import CheckReport
from streaming.health.sweep.run_record import RunRecord
from streaming.models import HealthRun
from tests.helpers.factories import make_link

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def record(options=None, *, on_progress=None, **fields):
    opened = RunRecord(CheckReport(**fields), now=NOW, on_progress=on_progress)
    opened.open(options or CheckOptions())
    return opened


def test_a_run_has_a_row_from_its_start_and_a_dry_run_has_none():
    record(CheckOptions(dry_run=True)).close()
    assert HealthRun.objects.count() == 0
    record()
    row = HealthRun.objects.get()
    assert (row.started_at, row.finished_at, row.outcome) == (NOW, None, "")


@pytest.mark.parametrize(("limit", "total"), [(None, 3), (2, 2), (9, 3)])
def test_the_first_progress_says_how_many_links_are_due(limit, total):
    make_link(), make_link(), make_link()
    progress = []
    record(CheckOptions(limit=limit, dry_run=True), on_progress=progress.append)
    assert progress == [CheckProgress(done=0, total=total, alive=0, failed=0)]


def test_a_heartbeat_writes_the_counts_so_far(monkeypatch):
    opened = record()
    opened.report.verdicts.update(alive=4, gone=2)
    opened.update(died=1)
    assert HealthRun.objects.get().checked == 0  # The last heartbeat was a moment ago.
    monkeypatch.setattr(run_record, "HEARTBEAT_SECONDS", -1)
    opened.update(died=1)
    row = HealthRun.objects.get()
    assert (row.checked, row.alive, row.gone, row.died, row.finished_at) == (6, 4, 2, 1, None)


def test_progress_is_reported_now_and_then(monkeypatch):
    progress = []
    opened = record(CheckOptions(dry_run=True), on_progress=progress.append)
    opened.report.verdicts.update(alive=1, timeout=0, unreachable=2)
    monkeypatch.setattr(run_record, "PROGRESS_SECONDS", 3600)
    opened.update(died=0)
    assert len(progress) == 1
    monkeypatch.setattr(run_record, "PROGRESS_SECONDS", -1)
    opened.update(died=0)
    assert progress[1:] == [CheckProgress(done=3, total=3, alive=1, failed=2)]


def test_the_end_of_a_run_is_written_with_its_counts_and_its_outcome():
    report = {"died_of": Counter(http_404=1), "hosts_down": ["a.example.org"], "moved": 2, "reason": "x" * 600}
    record(verdicts=Counter(alive=1, gone=1), died=1, removed=1, **report).close()
    row = HealthRun.objects.get()
    assert (row.checked, row.gone, row.died, row.removed, row.moved) == (2, 1, 1, 1, 2)
    assert (row.outcome, row.withheld, row.finished_at >= row.started_at) == ("completed", False, True)
    assert (row.died_of, row.hosts_down, row.reason) == ({"http_404": 1}, ["a.example.org"], "x" * 500)


def test_an_error_closes_the_row_and_only_its_kind_is_public():
    opened = record()
    opened.fail(OSError("/home/somebody: no space left"))
    row = HealthRun.objects.get()
    assert (row.outcome, row.finished_at is None) == ("failed", False)
    assert row.reason == "stopped by an internal error (OSError)"


def test_an_error_does_not_reopen_a_run_that_was_closed():
    opened = record()
    opened.close()
    opened.fail(OSError())
    assert HealthRun.objects.get().outcome == "completed"


def test_an_error_of_a_dry_run_leaves_no_row():
    record(CheckOptions(dry_run=True)).fail(OSError())
    assert HealthRun.objects.count() == 0
