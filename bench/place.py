"""Where the jobs are timed: a web server, a database and a site of their own, on loopback, gone afterwards."""

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
PATIENCE = 120.0
FILMS = """
import django
django.setup()
from django.core.management import call_command
from streaming.models import Movie
call_command("migrate", verbosity=0)
Movie.objects.bulk_create(Movie(imdb_id=f"tt{number:07d}", title=f"Movie {number}") for number in range(1, 3001))
"""


def until(happened: Callable[[], object], *, step: float = 0.005) -> float:
    """The moment at which it had happened."""
    end = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {PATIENCE:g} s")
        time.sleep(step)
    return time.monotonic()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Place:
    """Everything that is started here is ended by `close`."""

    def __init__(self, folder: Path, *, latency: float = 0.02) -> None:
        self.folder, self.latency = folder, latency
        self.site_port, self.web_port = free_port(), free_port()
        self.site = f"http://127.0.0.1:{self.site_port}"
        self.started: list[subprocess.Popen[bytes]] = []
        self.films = iter(range(1, 3001))
        self.environment = {
            **os.environ,
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "only-for-timing",
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
        until(lambda: listens(self.site_port) and listens(self.web_port))
        self.page("/healthz")

    def start(self, *words: str, python: str = sys.executable, **more: object) -> subprocess.Popen[bytes]:
        with (self.folder / "said.log").open("ab") as log:
            process = subprocess.Popen(
                [python, *words], env=self.environment, stdout=log, stderr=log, **{"cwd": ROOT, **more}
            )
        self.started.append(process)
        return process

    def run(self, code: str) -> str:
        """What it printed."""
        command = [sys.executable, "-c", code]
        said = subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True)
        return said.stdout

    def manage(self, *words: str) -> None:
        command = [sys.executable, "manage.py", *words]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def film(self) -> str:
        """One that nobody has asked for."""
        return f"tt{next(self.films):07d}"

    def page(self, path: str, *, method: str = "GET") -> tuple[int, float]:
        """Status and seconds."""
        began = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=120)) as connection:
            connection.request(method, path, headers={"User-Agent": "Mozilla/5.0 (timing)"})
            status = connection.getresponse().status
        return status, time.monotonic() - began

    def click(self, film: str) -> tuple[int, float]:
        return self.page(f"/api/streaming/movies/{film}/refresh_links/", method="POST")

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(f"file:{self.folder}/db.sqlite3?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(sql, values).fetchall()

    def has_links(self, film: str) -> bool:
        sql = "SELECT 1 FROM streaming_streaminglink l JOIN streaming_movie m ON m.id = l.movie_id WHERE m.imdb_id = ?"
        return bool(self.rows(sql, film))

    def asked(self) -> dict[str, int]:
        """What the site was asked, by path."""
        with urllib.request.urlopen(f"{self.site}/-/stats", timeout=10) as answer:
            return json.load(answer)

    def said(self) -> str:
        return (self.folder / "said.log").read_text(errors="replace")

    def close(self) -> None:
        self.manage("scrape_worker", "--stop")
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            process.wait(20)


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    cells = [list(heads), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(["", title, lines[0], "-" * len(lines[0]), *lines[1:]])
