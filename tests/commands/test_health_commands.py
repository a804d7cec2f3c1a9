"""The commands of the link checker, called as cron and people call them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import serializers
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from streaming.models import HealthRun, LinkFlip, Movie, RemovedMovie, StreamingLink
from tests.helpers.factories import LONG_DEAD, make_link, make_movie
from tests.helpers.http_origin import Origin, wait_for
from tests.helpers.process_info import children_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROOT = Path(__file__).resolve().parent.parent.parent
KEYS = [
    "checked", "alive", "gone", "blocked", "unreachable", "throttled", "not_checked", "died", "revived", "removed",
    "withheld", "reason", "seconds",
]  # fmt: skip


def call(name, *arguments):
    out = io.StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def run_failing(name, *arguments):
    """Run a command that fails; return its output, its error message and its status."""
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command(name, *arguments, stdout=out)
    return out.getvalue(), str(caught.value), caught.value.returncode


def link_at(server, path, movie=None, **fields):
    return make_link(movie, source_url=server.url(path), host=server.server_address[0], **fields)


def test_json_is_the_last_line_and_has_exactly_these_keys(settings):
    settings.LINK_GRACE_HOURS = 0
    with Origin() as server:
        link_at(server, "page/1"), link_at(server, "404/1")
        output = json.loads(call("check_link_health", "--format", "json").splitlines()[-1])
    assert list(output) == KEYS
    assert (output["checked"], output["alive"], output["gone"], output["died"], output["removed"]) == (2, 1, 1, 1, 1)
    assert (output["withheld"], output["reason"]) == (False, "")


def test_the_text_has_the_same_counts():
    with Origin() as server:
        link_at(server, "page/1"), link_at(server, "404/1")
        output = call("check_link_health", "--dry-run")
    assert "2 links checked" in output
    assert "1 link would have been turned off" in output
    assert HealthRun.objects.count() == 0


def test_a_withheld_run_has_exit_status_3():
    with Origin() as server:
        link_at(server, "page/1")
        server.go_down()
    out, error, status = run_failing("check_link_health", "--format", "json")
    assert status == 3
    assert json.loads(out)["withheld"] is True
    assert "no host responded" in error
    assert StreamingLink.objects.active().count() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--limit", "0"], ["--limit", "x"], ["--timeout", "-1"], ["--timeout", "nan"], ["--per-host", "1.5"],
        ["--concurrency", "99999999999999"], ["--format", "yaml"], ["--source", "nobody"], ["--movie", "tt0000001"],
        ["--older-than", "soon"], ["--unknown"], ["--parts", "3"],
    ],
)  # fmt: skip
def test_bad_arguments_give_exit_status_1_and_one_sentence(arguments):
    _, error, status = run_failing("check_link_health", *arguments)
    assert (bool(error), status) == (True, 1)
    assert "\n" not in error.strip()


def test_older_than_and_limit():
    with Origin() as server:
        link_at(server, "page/1", last_checked=timezone.now() - timedelta(hours=2))
        link_at(server, "page/2", last_checked=timezone.now() - timedelta(hours=9)), link_at(server, "page/3")
        options = ("--format", "json", "--older-than", "6", "--limit", "1")
        assert [json.loads(call("check_link_health", *options))["checked"] for _ in range(3)] == [1, 1, 0]


def whole_catalogue():
    return [serializers.serialize("json", model.objects.order_by("pk")) for model in (Movie, StreamingLink, LinkFlip)]


def test_removed_movies_are_restored_exactly():
    movie = make_movie(title="Nosferatu", year=1922, synopsis="A count moves to Wisborg.")
    gone = {**LONG_DEAD, "state_since": timezone.now(), "checks": "aag"}
    for _ in range(3):
        LinkFlip.objects.create(link=make_link(movie, **gone), is_active=False, reason="http_404")
    before = whole_catalogue()
    assert "Removed 1 movies" in call("prune_movies")
    assert Movie.objects.count() == StreamingLink.objects.count() == LinkFlip.objects.count() == 0
    assert movie.imdb_id in call("restore_movies", "--list")
    assert "1 movie restored" in call("restore_movies", movie.imdb_id)
    assert whole_catalogue() == before


def test_restore_by_date_and_all():
    now = timezone.now()
    for days in (3, 0):
        make_link(**LONG_DEAD)
        call("prune_movies")
        RemovedMovie.objects.filter(removed_at__gte=now).update(removed_at=now - timedelta(days=days))
    assert "1 movie restored" in call("restore_movies", "--since", f"{now - timedelta(days=1):%Y-%m-%d}")
    assert "1 movie restored" in call("restore_movies", "--all")
    assert call("restore_movies", "--list").strip() == "None."


@pytest.mark.parametrize("arguments", [[], ["tt9999999"], ["--since", "x"], ["--all", "--since", "2026-01-01"]])
def test_restore_names_wrong_arguments(arguments):
    _, error, status = run_failing("restore_movies", *arguments)
    assert (bool(error), status) == (True, 1)


# --- as processes of their own
def environment(database, **more):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept, "ENV_FILE": os.devnull, "SECRET_KEY": "only-for-tests-not-for-a-public-site", "DATABASE_URL": f"sqlite:///{database}",
        "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8", "CACHE_URL": "memory://", **more,
    }  # fmt: skip


def start(database, *arguments, script="manage.py", **more):
    return subprocess.Popen(
        [sys.executable, script, *arguments], cwd=ROOT, env=environment(database, **more), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(process, seconds=30):
    out, error = process.communicate(timeout=seconds)
    return process.returncode, out, error


@pytest.fixture
def catalogue(tmp_path):
    """Return a function that copies the tests' database to a file for other processes."""
    if connection.vendor != "sqlite":
        pytest.skip("copies a SQLite file")
    with contextlib.closing(sqlite3.connect(tmp_path / "catalogue.sqlite3")) as copy:
        connection.ensure_connection()
        yield lambda: connection.connection.backup(copy) or tmp_path / "catalogue.sqlite3"


def outcome(database):
    with contextlib.closing(sqlite3.connect(database)) as rows:
        links = rows.execute(
            "select source_url, is_active, reason, failures, checks from streaming_streaminglink order by id"
        ).fetchall()
        return links, rows.execute("select imdb_id from streaming_movie order by id").fetchall()


def checked_links(database):
    with contextlib.closing(sqlite3.connect(database)) as rows:
        return rows.execute("select count(*) from streaming_streaminglink where checks <> ''").fetchone()[0]


def copy_database(database):
    copied = Path(f"{database}.copy")
    with contextlib.closing(sqlite3.connect(database)) as rows, contextlib.closing(sqlite3.connect(copied)) as to:
        rows.backup(to)
    return copied


def test_a_killed_run_loses_nothing_and_two_at_once_are_one(catalogue, tmp_path):
    with Origin() as server:
        for number in range(800):
            link_at(server, f"video/{number}" if number % 10 else f"404/{number}", kind="file")
        link_at(server, "hang/1", kind="file")  # Keeps the first run busy.
        database = catalogue()
        undisturbed = copy_database(database)
        first = start(database, "check_link_health", "--timeout", "60")
        wait_for(lambda: checked_links(database) > 0)
        status, out, _ = finish(start(database, "check_link_health", "--format", "json"))
        assert (status, json.loads(out)["checked"]) == (0, 0)
        assert "another check" in json.loads(out)["reason"]
        first.send_signal(signal.SIGKILL)
        first.communicate()
        assert 0 < checked_links(database) < 800
        for _ in range(4):
            again = start(database, "check_link_health", "--older-than", "0.5", "--timeout", "60")
            asked = len(server.log)
            wait_for(lambda asked=asked: len(server.log) > asked + 10)
            again.send_signal(signal.SIGKILL)
            again.communicate()
        assert finish(start(database, "check_link_health", "--older-than", "0.5", "--timeout", "1.5"))[0] == 0
        assert finish(start(undisturbed, "check_link_health", "--timeout", "1.5"))[0] == 0
    assert outcome(database) == outcome(undisturbed)
    assert len(outcome(database)[1]) == 801  # One failed check removes no movie.
    assert {len(checks) for *_, checks in outcome(database)[0]} == {1}


def test_ctrl_c_ends_a_run_with_a_summary(catalogue):
    with Origin() as server:
        link_at(server, "page/1")
        for number in range(5):
            link_at(server, f"hang/{number}")
        process = start(catalogue(), "check_link_health", "--timeout", "20")
        wait_for(lambda: len(server.log) >= 6)
        process.send_signal(signal.SIGINT)
        status, out, error = finish(process, 3)
    assert status == 1
    assert "1 link checked" in out
    assert "interrupted" in error
    assert "Traceback" not in error


def test_the_script_at_the_root_prints_its_statistics(catalogue):
    make_link(**LONG_DEAD), make_link()
    database = catalogue()
    status, out, _ = finish(start(database, "--dry-run", script="cleanup_dead_links.py"))
    assert (status, "Would remove 1 movies" in out, len(outcome(database)[1])) == (0, True, 2)
    status, out, error = finish(start(database, script="cleanup_dead_links.py"))
    assert (status, error) == (0, "")
    assert "Before: 2 movies" in out
    assert "After: 1 movies" in out
    status, _, error = finish(start(database, "--nonsense", script="cleanup_dead_links.py"))
    assert (status, "Traceback" in error) == (1, False)


def test_the_help_of_the_script_names_the_script(catalogue):
    status, out, _ = finish(start(catalogue(), "--help", script="cleanup_dead_links.py"))
    assert status == 0
    assert out.startswith("usage: cleanup_dead_links.py [-h] [--dry-run]")


def test_help_shows_an_example(catalogue):
    status, out, _ = finish(start(catalogue(), "check_link_health", "--help"))
    assert status == 0
    assert "Example: python manage.py check_link_health" in out


def test_the_death_of_the_prober_process_is_one_sentence_and_successes_stay(monkeypatch):
    """The kernel may kill it for its memory: no traceback, the run is closed, successes are written."""
    monkeypatch.setattr("streaming.health.probing.prober_pool.SUBPROCESS_THRESHOLD", 20)
    monkeypatch.setattr("streaming.health.probing.prober_pool._can_use_subprocess", lambda: True)
    with Origin() as server:
        for number in range(300):
            link_at(server, f"video/{number}", kind="file")

        def kill(_handler):
            if len(server.log) == 200:
                for pid, _ in children_of(os.getpid()):
                    if b"streaming.health.probing.prober_process" in Path(f"/proc/{pid}/cmdline").read_bytes():
                        os.kill(pid, signal.SIGKILL)

        server.asked = kill
        _, sentence, status = run_failing("check_link_health")
    assert "died" in sentence
    assert status == 1
    assert HealthRun.objects.get().finished_at
    assert StreamingLink.objects.filter(reason="ok").exists()
