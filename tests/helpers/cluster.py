"""Web machines and workers around one broker and one database: separate processes that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from tests.helpers.brokers import Broker
from tests.helpers.paths import PROJECT_ROOT

PRELUDE = """
import django, json, sys, time
django.setup()
from django.utils import timezone
from streaming.models import HealthRun, Movie, ScrapeJob
from streaming.scraper_utils import scrape_movie_on_demand
from streaming.scraping import jobs, notification
from streaming.scraping.supervisor import control
def ask(number, word, requested_by="click"):
    movie = Movie.objects.create(imdb_id=f"tt{number:07d}", title="A movie")
    return scrape_movie_on_demand(movie, requested_by=requested_by, target_url=f"http://127.0.0.1/{word}")
"""


class Cluster:
    """Web machines and workers around one broker and one database."""

    def __init__(self, database: str, broker: Broker, folder: Path) -> None:
        self.database, self.broker, self.folder = database, broker, folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,
            "DATABASE_URL": database,
            "CELERY_BROKER_URL": broker.url,
            "CACHE_URL": f"file://{folder / 'cache'}",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "SCRAPE_CRAWL": "tests.helpers.fake_crawls.fake_crawl",
            "SCRAPE_DIR": str(folder),
            "SCRAPE_LEASE_SECONDS": "2",
            "VAR_DIR": str(folder),
        }

    def worker(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a worker machine; `words` are options of `celery worker`."""
        name = f"machine{len(self.workers)}"
        environment = {**self.environment, "MACHINE": name}
        command = [sys.executable, "-m", "celery", "-A", "MovieBackend", "worker", "-n", name, *words]
        quick = ["--without-mingle", "--without-gossip"]
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *quick], cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self.workers.append(process)
        return process

    def run(self, code: str) -> str:
        """Run code on a web machine; return what it printed."""
        command = [sys.executable, "-c", PRELUDE + code]
        done = subprocess.run(
            command, cwd=PROJECT_ROOT, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def jobs(self) -> list[tuple[object, ...]]:
        return self.query("SELECT state, attempt, error FROM streaming_scrapejob ORDER BY id")

    def links(self) -> int:
        return int(str(self.query("SELECT count(*) FROM streaming_streaminglink")[0][0]))

    def until(self, sql: str, *, seconds: float = 30) -> None:
        """Wait until the query returns a row."""
        end = time.monotonic() + seconds
        while not self.query(sql):
            assert time.monotonic() < end, (self.jobs(), self.events(), self.said())
            time.sleep(0.05)

    def all_closed(self, *, seconds: float = 30) -> list[tuple[object, ...]]:
        self.until(
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM streaming_scrapejob WHERE finished_at IS NULL)", seconds=seconds
        )
        return self.jobs()

    def events(self) -> list[list[str]]:
        """Return what the job processes logged: pid, job, text."""
        file = self.folder / "events.txt"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def begun(self) -> list[int]:
        return [int(line[1]) for line in self.events() if "=" not in line[2]]

    def said(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in sorted(self.folder.glob("machine*.log")))

    def leave(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait(5)
