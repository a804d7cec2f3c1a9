"""Give each test its own supervisor folder and limits, and stop its supervisors afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from streaming import file_locks
from streaming.models import ScrapeJob
from streaming.scraping.supervisor import control
from tests.helpers.factories import make_job
from tests.helpers.paths import PROJECT_ROOT

WAIT_SECONDS = 20
"""How long a test waits before it fails; shorter than a job may run."""
LIMITS = {
    "SCRAPE_LEASE_SECONDS": 2,
    "SCRAPE_TIMEOUT": 30,
    "SCRAPE_IDLE_SECONDS": 20,
    "SCRAPE_PROCESSES": 4,
    "SCRAPE_QUEUE_LIMIT": 200,
}


class SupervisorHarness:
    """Start and watch real supervisors: separate processes on the test's database file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.foreground: list[subprocess.Popen[bytes]] = []

    def job(self, word: str = "found", **fields: object) -> ScrapeJob:
        sources = [{"source": "example", "state": "waiting", "links": 0, "new": 0, "seconds": None, "error": ""}]
        return make_job(**{"sources": sources, "target_url": f"http://127.0.0.1/{word}", **fields})

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "scrape_worker", *options]
        process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL)
        self.foreground.append(process)
        return process

    def pid(self) -> int | None:
        return file_locks.holder_pid(control.lock_path())

    def events(self) -> list[str]:
        file = self.folder / "events.txt"
        return file.read_text().splitlines() if file.exists() else []

    def until(self, condition: Callable[[], object], *, seconds: float = WAIT_SECONDS) -> object:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if result := condition():
                return result
            time.sleep(0.02)
        log = self.folder / "supervisor.log"
        raise AssertionError(f"not within {seconds} s; {log.read_text() if log.exists() else ''}")

    def closed(self, *waited: ScrapeJob, seconds: float = WAIT_SECONDS) -> list[ScrapeJob]:
        """Wait until all jobs have ended; return them."""
        ids = [job.pk for job in waited]
        self.until(lambda: not ScrapeJob.objects.open().filter(pk__in=ids).exists(), seconds=seconds)
        return list(ScrapeJob.objects.filter(pk__in=ids).order_by("pk"))

    def running(self, job: ScrapeJob) -> int:
        """Wait until the job's process runs; return its pid."""
        line = self.until(lambda: next((x for x in self.events() if x.split()[1] == str(job.pk)), ""))
        return int(str(line).split()[0])

    def stop(self) -> None:
        for process in self.foreground:
            process.terminate()
            process.wait(10)
        if (pid := control.stop_supervisor()) is not None and self.pid() == pid:
            os.kill(pid, signal.SIGKILL)
            raise AssertionError("the supervisor did not stop")


@pytest.fixture
def harness(
    transactional_db: None, tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SupervisorHarness]:
    settings.SCRAPE_DIR = tmp_path
    monkeypatch.setenv("SCRAPE_DIR", str(tmp_path))
    monkeypatch.setenv("SCRAPE_CRAWL", "tests.helpers.fake_crawls.fake_crawl")
    if connection.vendor == "sqlite":
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{connection.settings_dict['NAME']}")
    for name, value in LIMITS.items():
        monkeypatch.setenv(name, str(value))
        setattr(settings, name, value)
    harness = SupervisorHarness(tmp_path)
    yield harness
    harness.stop()
