"""Two real instances, each with its server process or command and its database: the follower ends with the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from streaming.models import FollowedInstance, Movie
from tests.helpers.external_services import empty_database, migrated_sqlite, models_in
from tests.helpers.http_servers import free_port
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.slow(seconds=20)
SEED = 11
FIELDS = ("source", "source_url", "kind", "season", "episode", "label", "quality", "language", "licence")


def environment(database: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"}


class Instance:
    """The process of the instance that is followed."""

    def __init__(self, database: str, port: int, seed: int) -> None:
        command = [sys.executable, "-m", "tests.helpers.instance_process", str(port), str(seed)]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=environment(database), text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def begin(self, changes: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{changes}\n")
        self.process.stdin.flush()

    def finish(self) -> None:
        assert self.process.stdout is not None
        assert int(self.process.stdout.readline()) > 0

    def change(self, number: int) -> None:
        self.begin(number)
        self.finish()

    def catalogue(self) -> dict[str, Any]:
        """All that it states, as a mirror that starts now sees it."""
        films: dict[str, Any] = {}
        since, more = "", True
        while more:
            with urllib.request.urlopen(f"{self.url}/api/streaming/changes/?since={since}") as answer:
                page = json.load(answer)
            for row in page["changed"]:
                links = sorted([str(one[name]) for name in FIELDS] for one in row["links"])
                films[row["imdb_id"]] = (row["title"], row["year"], row["type"], links)
            since, more = page["next_since"], page["more"]
        return films

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def followed(database: str, port: int, seed: int) -> Iterator[Instance]:
    instance = Instance(database, port, seed)
    try:
        yield instance
    finally:
        instance.kill()


def start_follow(database: str, url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "manage.py", "follow", url, "--force"]
    return subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=environment(database), text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip


def follow(database: str, url: str) -> str:
    process = start_follow(database, url)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed
    return printed


def kill_in_the_middle(database: str, alias: str, url: str) -> None:
    """Follow, and kill the process as soon as it has saved a page."""
    before = cursor_of(alias)
    process = start_follow(database, url)
    while process.poll() is None and cursor_of(alias) == before:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def cursor_of(alias: str) -> str | None:
    return FollowedInstance.objects.using(alias).values_list("cursor", flat=True).first()


def catalogue_in(alias: str) -> dict[str, Any]:
    return {
        movie.imdb_id: (
            movie.title, movie.year, movie.type,
            sorted(
                [str(link.display_label if name == "label" else getattr(link, name)) for name in FIELDS]
                for link in movie.links.active()
            ),
        )
        for movie in Movie.objects.using(alias)
    }  # fmt: skip


def converge(here: str, there: str, *, first: int, rounds: int) -> None:
    """1,000 changes or so, while one or the other is followed, killed and started again."""
    port = free_port()
    with models_in(here) as alias:
        with followed(there, port, SEED) as instance:
            instance.change(first)
            follow(here, instance.url)
            instance.begin(rounds)
            follow(here, instance.url)
            instance.finish()
            instance.change(rounds)
            kill_in_the_middle(here, alias, instance.url)
            instance.change(rounds)
            instance.begin(rounds)
            instance.kill()
        with followed(there, port, SEED + 1) as instance:
            instance.change(rounds)
            printed = follow(here, instance.url)
            assert "films" in printed
            expected = instance.catalogue()
            assert len(expected) > 10
            assert sum(len(links) for *_, links in expected.values()) > 10
            assert catalogue_in(alias) == expected


@pytest.fixture(autouse=True)
def other_databases(django_db_blocker):
    """The databases of the instances are none of Django's in this process."""
    with django_db_blocker.unblock():
        yield


def test_a_thousand_changes_arrive_exactly_on_sqlite(tmp_path):
    here, there = (migrated_sqlite(tmp_path / f"{name}.sqlite3") for name in ("here", "there"))
    converge(here, there, first=200, rounds=200)


@pytest.mark.postgres
def test_changes_arrive_exactly_on_postgresql():
    with empty_database("here") as here, empty_database("there") as there:
        converge(here, there, first=100, rounds=60)
