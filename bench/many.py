"""Two Celery workers against one, on a site with latency: RabbitMQ or Redis, PostgreSQL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from bench.place import FILMS, Place, listens, table, until
from tests.helpers.brokers import Broker

POSTGRES = "postgres://postgres@127.0.0.1:5432/{name}"
FILMS_EACH = 40
ASK = f"""
import django
django.setup()
from streaming.models import Movie, ScrapeJob
from streaming.scraper_utils import scrape_movie_on_demand
ScrapeJob.objects.all().delete()
Movie.objects.update(next_scrape_at=None)
for movie in Movie.objects.order_by("pk")[:{FILMS_EACH}]:
    scrape_movie_on_demand(movie, requested_by="click")
"""


def two_workers_against_one(folder: Path) -> str:
    """Each worker has two processes, the site answers after a second; asked while no worker is up, then timed."""
    rows = []
    for kind in ("rabbitmq", "redis"):
        try:
            rows.append(_timed(kind, folder / kind))
        except (psycopg.OperationalError, pytest.skip.Exception) as absent:
            rows.append((kind, "left out", str(absent).splitlines()[0], ""))
    return table(
        f"{FILMS_EACH} films on Celery, a site that answers in 1 s", ("broker", "1 worker s", "2 workers s", "x"), rows
    )


def _timed(kind: str, folder: Path) -> tuple[str, str, str, str]:
    folder.mkdir()
    broker = Broker(kind, folder)
    with _database() as database:
        broker.start()
        place = Place(folder, latency=0.5)  # robots.txt and the page: a second
        place.environment |= {"DATABASE_URL": database, "CELERY_BROKER_URL": broker.url, "CACHE_URL": "memory://"}
        try:
            place.run(FILMS)
            place.start("-m", "bench.film_site", str(place.site_port), str(place.latency))
            until(lambda: listens(place.site_port))
            one, two = _drained(place, database, workers=1), _drained(place, database, workers=2)
        finally:
            place.close()
            broker.kill()
    return kind, f"{one:.1f}", f"{two:.1f}", f"{one / two:.2f}"


def _drained(place: Place, database: str, *, workers: int) -> float:
    place.run(ASK)
    started = [_worker(place, number) for number in range(workers)]
    try:
        with psycopg.connect(database, autocommit=True) as rows:
            begun = "SELECT min(started_at), max(finished_at), count(finished_at) FROM streaming_scrapejob"
            until(lambda: rows.execute(begun).fetchone()[2] == FILMS_EACH, step=0.05)
            states = rows.execute("SELECT DISTINCT state, attempt FROM streaming_scrapejob").fetchall()
            first, last, _ = rows.execute(begun).fetchone()
    finally:
        for worker in started:
            worker.terminate()
        for worker in started:
            worker.wait(30)
    if states != [("succeeded", 1)]:
        raise RuntimeError(f"jobs ended as {states}")
    return float((last - first).total_seconds())


def _worker(place: Place, number: int) -> subprocess.Popen[bytes]:
    words = ("-m", "celery", "-A", "MovieBackend", "worker", "-c", "2", "-Q", "scrape", "-n", f"timed{number}")
    return place.start(*words, "--without-mingle", "--without-gossip", start_new_session=True)


@contextmanager
def _database() -> Iterator[str]:
    name = f"openreel_bench_{os.getpid()}"
    with psycopg.connect(POSTGRES.format(name="postgres"), autocommit=True, connect_timeout=3) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield POSTGRES.format(name=name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
