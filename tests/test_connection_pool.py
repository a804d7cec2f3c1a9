"""The web server's connections to PostgreSQL: used by all threads, bounded, and never inherited."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.helpers.external_services import connect_postgres, empty_database
from tests.helpers.http_servers import free_port
from tests.helpers.paths import PROJECT_ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
WORKERS, THREADS, POOL = 2, 8, 3
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
SETUP = """
import django
django.setup()
from streaming.models import Movie
Movie.objects.bulk_create(Movie(imdb_id=f"tt{number:07d}", title=f"Movie {number}") for number in range(1, 200))
"""
COPIED = """
import django
django.setup()
import threading
from django.db import connection
from streaming.models import Movie
print(Movie.objects.count(), connection.pool, threading.active_count())
"""


@pytest.fixture
def admin():
    with connect_postgres() as connection:
        yield connection


@pytest.fixture
def name():
    with empty_database("pool") as address:
        yield address.rsplit("/")[-1]


@pytest.fixture
def environment(name, tmp_path):
    stated = {
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "only-for-tests-not-for-a-public-site",
        "VAR_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
        "DATABASE_URL": f"postgres://postgres@127.0.0.1/{name}",
        "DATABASE_POOL": str(POOL),
        "WEB_THREADS": str(THREADS),
    }
    environment = {**os.environ, **stated}
    python(SETUP, environment)
    return environment


def python(code, environment):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=True, capture_output=True, text=True).stdout


@contextmanager
def web_server(environment):
    port = free_port()
    command = [
        sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", f"--workers={WORKERS}", f"--threads={THREADS}",
        "--preload", "--no-control-socket", "--log-level=warning", "MovieBackend.wsgi",
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment) as server:
        try:
            deadline = time.monotonic() + 20
            while not status_of(f"http://127.0.0.1:{port}/healthz"):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status
    except OSError:
        return 0


def test_many_concurrent_pages_use_few_connections(admin, name, environment):
    with web_server(environment) as site, ThreadPoolExecutor(40) as visitors:
        pages = [visitors.submit(status_of, f"{site}/?q=Movie+{number}") for number in range(160)]
        maximum = 0
        while not all(page.done() for page in pages):
            maximum = max(maximum, admin.execute(OPEN, [name]).fetchone()[0])
            time.sleep(0.005)
    assert {page.result() for page in pages} == {200}
    assert 2 <= maximum <= WORKERS * POOL


def test_forked_processes_have_no_pool(environment):
    assert python(COPIED, environment).split() == ["199", "None", "1"]
