"""Wrong clocks, and clocks that change while jobs run: real processes under libfaketime."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from streaming.models import ScrapeJob, StreamingLink
from tests.helpers.external_services import empty_database, skip_or_fail
from tests.helpers.paths import PROJECT_ROOT
from tests.scraping.supervisor.test_two_machines import python

pytestmark = pytest.mark.slow(seconds=6)

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
HOUR = 3600
SETUP = """
import django
django.setup()
from django.conf import settings
from streaming.models import Movie
from streaming.scraper_utils import scrape_movie_on_demand
settings.SCRAPE_NOTIFIER = "tests.helpers.notifications.silent"
for number in range(1000, 1004):
    movie = Movie.objects.create(imdb_id=f"tt{number:07d}", title="A movie")
    scrape_movie_on_demand(movie, requested_by="click", target_url="http://127.0.0.1/long")
"""
JOBS = "SELECT state, attempt, owner, started_at, finished_at FROM streaming_scrapejob"


@pytest.fixture(autouse=True, scope="module")
def libfaketime():
    if not LIBRARIES:
        skip_or_fail("no libfaketime here (apt-get install faketime)")


def clock(file: Path) -> dict[str, str]:
    """Return the environment of a process whose clock is off by the seconds in this file, read each time.

    Only the time of day is wrong; the monotonic clock is not.
    """
    return {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def set_clock(file: Path, seconds: int) -> None:
    new = file.with_suffix(".new")
    new.write_text(f"{seconds:+d}")
    new.replace(file)


def leases() -> list[datetime | None]:
    return list(ScrapeJob.objects.order_by("pk").values_list("lease_until", flat=True))


def test_the_clock_of_these_tests_is_wrong(tmp_path):
    set_clock(tmp_path / "clock", -HOUR)
    code = "import time; print(time.time(), time.monotonic())"
    stated = python(code, {**os.environ, **clock(tmp_path / "clock")}).split()
    assert abs(time.time() - HOUR - float(stated[0])) < 60
    assert abs(time.monotonic() - float(stated[1])) < 60


@pytest.mark.sqlite
@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_clock_change_during_a_job_does_no_harm(harness, monkeypatch, seconds):
    """Until the next heartbeat the leases look expired, even to their own supervisor, which could claim more jobs."""
    file = harness.folder / "clock"
    set_clock(file, 0)
    for name, value in clock(file).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SCRAPE_LEASE_SECONDS", "30")
    running = [harness.job("long"), harness.job("long")]
    harness.worker()
    for job in running:
        harness.running(job)
    given = leases()
    harness.until(lambda: leases() != given)  # the first heartbeat; the next is due in ten seconds
    set_clock(file, seconds)
    ended = harness.closed(*running, harness.job())
    assert [(job.state, job.outcome, job.attempt) for job in ended] == [("succeeded", "found", 1)] * 3
    assert len([line for line in harness.events() if line.endswith("long")]) == 2
    assert StreamingLink.objects.count() == 3
    assert abs((ended[2].finished_at - datetime.now(UTC)).total_seconds() - seconds) < 60


@pytest.fixture
def postgres():
    """Yield the URL of an empty database, and a connection that observes it."""
    with empty_database("clocks") as address, psycopg.connect(address, autocommit=True) as observer:
        yield address, observer


def rows_when_succeeded(observer):
    """Wait until all jobs have succeeded; return their rows."""
    deadline = time.monotonic() + 40
    while any(row[0] != "succeeded" for row in observer.execute(JOBS)):
        assert time.monotonic() < deadline, observer.execute(JOBS).fetchall()
        time.sleep(0.1)
    return observer.execute(JOBS).fetchall()


def machine_environments(address, folder, seconds):
    """Return the environments of a machine with the right clock and of one whose clock is off by `seconds`."""
    set_clock(folder / "clock", seconds)
    right = {
        **os.environ,
        "DATABASE_URL": address,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SCRAPE_CRAWL": "tests.helpers.fake_crawls.fake_crawl",
        "SCRAPE_PROCESSES": "2",
        "SCRAPE_LEASE_SECONDS": "2",
    }
    return right, {**right, **clock(folder / "clock")}


@pytest.mark.postgres
@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_machine_whose_clock_is_wrong_neither_steals_nor_loses_a_job(postgres, tmp_path, seconds):
    """Two machines run jobs twice as long as a lease; some were requested with the right clock, some with the wrong."""
    address, observer = postgres
    right, wrong = machine_environments(address, tmp_path, seconds)
    python(SETUP, {**right, "SCRAPE_DIR": str(tmp_path / "clicks")})
    python(SETUP.replace("1000, 1004", "1004, 1008"), {**wrong, "SCRAPE_DIR": str(tmp_path / "clicks")})
    workers = [
        subprocess.Popen(
            [sys.executable, "manage.py", "scrape_worker"],
            cwd=PROJECT_ROOT,
            env={**stated, "SCRAPE_DIR": str(tmp_path / name)},
        )
        for name, stated in (("right", right), ("wrong", wrong))
    ]
    try:
        rows = rows_when_succeeded(observer)
    finally:
        for worker in workers:
            worker.terminate()
        assert [worker.wait(10) for worker in workers] == [0, 0]
    assert [row[1] for row in rows] == [1] * 8
    assert len({row[2] for row in rows}) == 2
    for *_, started, finished in rows:
        assert timedelta(seconds=3.5) < finished - started < timedelta(seconds=HOUR / 2)
        assert abs(finished - datetime.now(UTC)) < timedelta(minutes=5)
