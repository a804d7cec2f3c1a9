"""A temporary Openreel instance on loopback for benchmarks: web server, database and a site with films."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from tests.helpers.http_servers import free_port

ROOT = Path(__file__).parents[1]
TIMEOUT_SECONDS = 120.0
FILMS = """
import django
django.setup()
from django.core.management import call_command
from streaming.models import Movie
call_command("migrate", verbosity=0)
Movie.objects.bulk_create(Movie(imdb_id=f"tt{number:07d}", title=f"Movie {number}") for number in range(1, 3001))
"""


def wait_until(condition: Callable[[], object], *, step: float = 0.005) -> float:
    """Poll until the condition is true; return the monotonic time at which it was."""
    end = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {TIMEOUT_SECONDS:g} s")
        time.sleep(step)
    return time.monotonic()


def listens(port: int) -> bool:
    """Whether something accepts connections on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Instance:
    """One instance; `close` ends all processes that it started."""

    def __init__(self, folder: Path, *, latency: float = 0.02) -> None:
        self.folder, self.latency = folder, latency
        self.site_port, self.web_port = free_port(), free_port()
        self.site = f"http://127.0.0.1:{self.site_port}"
        self.started: list[subprocess.Popen[bytes]] = []
        self.films = iter(range(1, 3001))
        self.environment = {
            **os.environ,
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "only-for-timing-and-long-enough-to-start",
            "VAR_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "EXAMPLE_SITE_URL": self.site,
            "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
            "SOURCES": "example",
            "REFRESH_RATE": "1000000/s",
            "SCRAPE_QUEUE_LIMIT": "5000",
            "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
            "PYTHONPATH": str(ROOT),
        }

    def open(self) -> None:
        self.run(FILMS)
        self.start("-m", "bench.film_site", str(self.site_port), str(self.latency))
        self.start(
            "-m", "gunicorn", f"--bind=127.0.0.1:{self.web_port}", "--workers=2", "--threads=8", "--preload",
            "--no-control-socket", "--log-level=warning", "--backlog=2048", "MovieBackend.wsgi",
        )  # fmt: skip
        wait_until(lambda: listens(self.site_port) and listens(self.web_port))
        self.page("/healthz")

    def start(self, *words: str, python: str = sys.executable, **more: object) -> subprocess.Popen[bytes]:
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen(
                [python, *words], env=self.environment, stdout=log, stderr=log, **{"cwd": ROOT, **more}
            )
        self.started.append(process)
        return process

    def run(self, code: str) -> str:
        """Run code in the instance's environment; return what it printed."""
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def manage(self, *words: str) -> None:
        command = [sys.executable, "manage.py", *words]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def film(self) -> str:
        """Return the IMDb id of a movie that was not used yet."""
        return f"tt{next(self.films):07d}"

    def page(self, path: str, *, method: str = "GET") -> tuple[int, float]:
        """Request a page; return its status and the seconds it took."""
        start = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=120)) as connection:
            connection.request(method, path, headers={"User-Agent": "Mozilla/5.0 (timing)"})
            status = connection.getresponse().status
        return status, time.monotonic() - start

    def click(self, film: str) -> tuple[int, float]:
        return self.page(f"/api/streaming/movies/{film}/refresh_links/", method="POST")

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(f"file:{self.folder}/db.sqlite3?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(sql, values).fetchall()

    def has_links(self, film: str) -> bool:
        sql = "SELECT 1 FROM streaming_streaminglink l JOIN streaming_movie m ON m.id = l.movie_id WHERE m.imdb_id = ?"
        return bool(self.rows(sql, film))

    def request_counts(self) -> dict[str, int]:
        """Return the number of requests that the site received, by path."""
        with urllib.request.urlopen(f"{self.site}/-/stats", timeout=10) as response:
            return json.load(response)

    def output(self) -> str:
        return (self.folder / "processes.log").read_text(errors="replace")

    def close(self) -> None:
        self.manage("scrape_worker", "--stop")
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            process.wait(20)


def table(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    cells = [list(headings), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(["", title, lines[0], "-" * len(lines[0]), *lines[1:]])
