"""Compare two Celery workers with one on a slow site, with RabbitMQ and Redis."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from bench.instance import FILMS, Instance, listens, table, wait_until
from tests.helpers.brokers import Broker

POSTGRES = "postgres://postgres@127.0.0.1:5432/{name}"
FILM_COUNT = 40
REQUEST_JOBS = f"""
import django
django.setup()
from streaming.models import Movie, ScrapeJob
from streaming.scraper_utils import scrape_movie_on_demand
ScrapeJob.objects.all().delete()
Movie.objects.update(next_scrape_at=None)
for movie in Movie.objects.order_by("pk")[:{FILM_COUNT}]:
    scrape_movie_on_demand(movie, requested_by="click")
"""


def two_workers_against_one(folder: Path) -> str:
    """Time workers of two processes each on a site that takes a second to respond, with all jobs queued before."""
    rows = []
    for kind in ("rabbitmq", "redis"):
        try:
            rows.append(_timed(kind, folder / kind))
        except (psycopg.OperationalError, pytest.skip.Exception) as error:
            rows.append((kind, "left out", str(error).splitlines()[0], ""))
    return table(
        f"{FILM_COUNT} films on Celery, a site that responds in 1 s", ("broker", "1 worker s", "2 workers s", "x"), rows
    )


def _timed(kind: str, folder: Path) -> tuple[str, str, str, str]:
    folder.mkdir()
    broker = Broker(kind, folder)
    with _database() as database:
        broker.start()
        instance = Instance(folder, latency=0.5)  # robots.txt and the page: a second
        instance.environment |= {"DATABASE_URL": database, "CELERY_BROKER_URL": broker.url, "CACHE_URL": "memory://"}
        try:
            instance.run(FILMS)
            instance.start("-m", "bench.film_site", str(instance.site_port), str(instance.latency))
            wait_until(lambda: listens(instance.site_port))
            one, two = _drain_seconds(instance, database, workers=1), _drain_seconds(instance, database, workers=2)
        finally:
            instance.close()
            broker.kill()
    return kind, f"{one:.1f}", f"{two:.1f}", f"{one / two:.2f}"


def _drain_seconds(instance: Instance, database: str, *, workers: int) -> float:
    instance.run(REQUEST_JOBS)
    started = [_worker(instance, number) for number in range(workers)]
    try:
        with psycopg.connect(database, autocommit=True) as rows:
            times = "SELECT min(started_at), max(finished_at), count(finished_at) FROM streaming_scrapejob"
            wait_until(lambda: rows.execute(times).fetchone()[2] == FILM_COUNT, step=0.05)
            states = rows.execute("SELECT DISTINCT state, attempt FROM streaming_scrapejob").fetchall()
            first, last, _ = rows.execute(times).fetchone()
    finally:
        for worker in started:
            worker.terminate()
        for worker in started:
            worker.wait(30)
    if states != [("succeeded", 1)]:
        raise RuntimeError(f"jobs ended as {states}")
    return float((last - first).total_seconds())


def _worker(instance: Instance, number: int) -> subprocess.Popen[bytes]:
    words = ("-m", "celery", "-A", "MovieBackend", "worker", "-c", "2", "-Q", "scrape", "-n", f"timed{number}")
    return instance.start(*words, "--without-mingle", "--without-gossip", start_new_session=True)


@contextmanager
def _database() -> Iterator[str]:
    name = f"openreel_bench_{os.getpid()}"
    with psycopg.connect(POSTGRES.format(name="postgres"), autocommit=True, connect_timeout=3) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield POSTGRES.format(name=name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
