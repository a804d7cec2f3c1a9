"""Two machines with one database: separate folders, so separate supervisors, and no job runs twice."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.helpers.external_services import empty_database, migrated_sqlite
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.slow

MIGRATE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
SETUP = """
import django
django.setup()
from django.conf import settings
from streaming.models import Movie
from streaming.scraper_utils import scrape_movie_on_demand
settings.SCRAPE_NOTIFIER = "tests.helpers.notifications.silent"
for number in range(1000, 1024):
    movie = Movie.objects.create(imdb_id=f"tt{number:07d}", title="A movie")
    scrape_movie_on_demand(movie, requested_by="click", target_url="http://127.0.0.1/short")
"""
JOBS = "SELECT state, attempt, owner FROM streaming_scrapejob"
LINKS = "SELECT count(*) FROM streaming_streaminglink"
CLICKS = """
import django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from django.conf import settings
from django.db import connections
from streaming.models import Movie, ScrapeJob
from streaming.scraper_utils import scrape_movie_on_demand
from streaming.scraping import jobs
from streaming.scraping.outcomes import outcome_of_sources
settings.SCRAPE_NOTIFIER = "tests.helpers.notifications.silent"
movie = Movie.objects.create(imdb_id="tt0000001", title="A movie")
start = Barrier(40)

def found(job):
    return outcome_of_sources([{**row, "state": "found"} for row in job.sources])

def click(number):
    start.wait()
    try:
        for claim in jobs.claim_jobs(owner=f"runner {number}", limit=1) if number % 8 == 0 else []:
            jobs.finish(claim, outcome_of=found, log="")
        return scrape_movie_on_demand(movie, requested_by="click").pk
    finally:
        connections.close_all()

with ThreadPoolExecutor(40) as pool:
    answers = set(pool.map(click, range(40)))
print(len(answers), ScrapeJob.objects.count())
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request, tmp_path):
    """Yield the URL of a migrated database."""
    if request.param == "sqlite":
        yield migrated_sqlite(tmp_path / "db.sqlite3")
        return
    with empty_database("jobs") as address:
        yield address


@pytest.fixture
def environment(database, tmp_path):
    return _environment(database, tmp_path)


def _environment(database: str, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SCRAPE_CRAWL": "tests.helpers.fake_crawls.fake_crawl",
        "SCRAPE_PROCESSES": "2",
        "SCRAPE_DIR": str(folder),
    }


def python(code: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def query(database: str, sql: str) -> list[tuple[object, ...]]:
    """Ask the database without a process of Django's, which takes a second to start."""
    if database.startswith("sqlite:"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
            return connection.execute(sql).fetchall()
    with psycopg.connect(database, autocommit=True) as connection:
        return connection.execute(sql).fetchall()


def jobs_when_succeeded(database: str) -> list[tuple[object, ...]]:
    """Wait until all jobs have succeeded; return their state, attempt and owner."""
    end = time.monotonic() + 20
    while True:
        jobs = query(database, JOBS)
        if {state for state, *_ in jobs} == {"succeeded"}:
            return jobs
        assert time.monotonic() < end, jobs
        time.sleep(0.05)


def test_two_machines_divide_the_jobs_and_run_each_once(database, environment, tmp_path):
    python(SETUP, environment)
    command = [sys.executable, "manage.py", "scrape_worker"]
    workers = [
        subprocess.Popen(command, cwd=PROJECT_ROOT, env={**environment, "SCRAPE_DIR": str(tmp_path / name)})
        for name in ("one", "two")
    ]
    try:
        jobs = jobs_when_succeeded(database)
    finally:
        for worker in workers:
            worker.terminate()
        assert [worker.wait(10) for worker in workers] == [0, 0]
    assert {attempt for _, attempt, _ in jobs} == {1}
    assert len({owner for *_, owner in jobs}) == 2
    assert len(jobs) == 24
    assert query(database, LINKS) == [(24,)]


def test_clicks_at_once_are_one_job(environment):
    assert python(CLICKS, environment).split() == ["1", "1"]


def test_a_worker_waits_for_a_database_without_tables(tmp_path):
    database = f"sqlite:///{tmp_path}/late.sqlite3"
    environment = _environment(database, tmp_path)
    command = [sys.executable, "manage.py", "scrape_worker"]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stderr=subprocess.PIPE, text=True) as worker:
        try:
            assert "the database did not respond: no such table" in worker.stderr.readline()
            python(MIGRATE + SETUP, environment)
            jobs_when_succeeded(database)
        finally:
            worker.terminate()
    assert worker.returncode == 0
