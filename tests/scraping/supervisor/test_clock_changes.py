"""Clocks that are wrong, and clocks that are set while jobs run: real processes under libfaketime."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from streaming.models import ScrapeJob, StreamingLink
from tests.helpers.external_services import skip_or_fail, temporary_postgres
from tests.helpers.paths import PROJECT_ROOT
from tests.scraping.supervisor.test_two_machines import python

pytestmark = pytest.mark.slow

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
HOUR = 3600
SETUP = """
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from streaming.models import Movie
from streaming.scraper_utils import scrape_movie_on_demand
settings.SCRAPE_NOTIFIER = "tests.helpers.notifications.silent"
call_command("migrate", verbosity=0)
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
    """What a process needs in order to read its clock's error, in seconds, from this file, each time anew. Only the
    time of day is wrong: what measures durations goes on."""
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


def test_the_clock_of_these_tests_is_really_wrong(tmp_path):
    set_clock(tmp_path / "clock", -HOUR)
    code = "import time; print(time.time(), time.monotonic())"
    stated = python(code, {**os.environ, **clock(tmp_path / "clock")}).split()
    assert abs(time.time() - HOUR - float(stated[0])) < 60
    assert abs(time.monotonic() - float(stated[1])) < 60


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite, whose time is the process's own")
@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_clock_set_while_a_job_runs_costs_it_nothing(engine, monkeypatch, seconds):
    """Between a claim and the next heartbeat the lease looks as if nobody renewed it, to its own runner too, who has
    room for more."""
    file = engine.folder / "clock"
    set_clock(file, 0)
    for name, value in clock(file).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SCRAPE_LEASE_SECONDS", "30")
    running = [engine.job("long"), engine.job("long")]
    engine.worker()
    for job in running:
        engine.running(job)
    given = leases()
    engine.until(lambda: leases() != given)  # the first heartbeat; the next is due in ten seconds
    set_clock(file, seconds)
    ended = engine.closed(*running, engine.job())
    assert [(job.state, job.outcome, job.attempt) for job in ended] == [("succeeded", "found", 1)] * 3
    assert len([line for line in engine.deeds() if line.endswith("long")]) == 2
    assert StreamingLink.objects.count() == 3
    assert abs((ended[2].finished_at - datetime.now(UTC)).total_seconds() - seconds) < 60


@pytest.fixture
def postgres():
    """The address of an empty database, and a connection that looks on."""
    with temporary_postgres("clocks") as address, psycopg.connect(address, autocommit=True) as looking:
        yield address, looking


@pytest.mark.postgres
@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_machine_whose_clock_is_wrong_neither_takes_nor_loses_a_job(postgres, tmp_path, seconds):
    """Two machines over one database, each with jobs twice as long as a lease. The clicks come from a machine whose
    clock is right, then again from one whose clock is wrong."""
    address, looking = postgres
    set_clock(tmp_path / "clock", seconds)
    right = {
        **os.environ,
        "DATABASE_URL": address,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SCRAPE_CRAWL": "tests.helpers.fake_crawls.fake_crawl",
        "SCRAPE_PROCESSES": "2",
        "SCRAPE_LEASE_SECONDS": "2",
    }
    wrong = {**right, **clock(tmp_path / "clock")}
    python(SETUP, {**right, "SCRAPE_DIR": str(tmp_path / "clicks")})
    python(SETUP.replace("1000, 1004", "1004, 1008"), {**wrong, "SCRAPE_DIR": str(tmp_path / "clicks")})
    machines = [
        subprocess.Popen(
            [sys.executable, "manage.py", "scrape_worker"],
            cwd=PROJECT_ROOT,
            env={**stated, "SCRAPE_DIR": str(tmp_path / name)},
        )
        for name, stated in (("right", right), ("wrong", wrong))
    ]
    try:
        deadline = time.monotonic() + 40
        rows = looking.execute(JOBS).fetchall()
        while {row[0] for row in rows} != {"succeeded"}:
            assert time.monotonic() < deadline, rows
            time.sleep(0.1)
            rows = looking.execute(JOBS).fetchall()
    finally:
        for machine in machines:
            machine.terminate()
        assert [machine.wait(10) for machine in machines] == [0, 0]
    assert [row[1] for row in rows] == [1] * 8
    assert len({row[2] for row in rows}) == 2
    for *_, started, finished in rows:
        assert timedelta(seconds=3.5) < finished - started < timedelta(seconds=HOUR / 2)
        assert abs(finished - datetime.now(UTC)) < timedelta(minutes=5)
