"""A long run, killed again and again: what the command leaves is what an undisturbed run leaves."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys

import pytest

from bench import farm, lists
from tests.helpers.external_services import skip_or_fail
from tests.helpers.http_origin import wait_for
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.slow

LINKS, KILLS = 20_000, 5
STATE = "SELECT source_url, is_active, reason, failures, checks FROM streaming_streaminglink ORDER BY id"
MOVIES = "SELECT imdb_id FROM streaming_movie ORDER BY id"
CHECKED = "SELECT count(*) FROM streaming_streaminglink WHERE checks <> ''"
TWICE = "SELECT count(*) FROM streaming_streaminglink WHERE length(checks) > 1"
WITHHELD = "SELECT count(*) FROM streaming_healthrun WHERE withheld"


@pytest.fixture
def catalogue(tmp_path):
    """A database with a web's mix of links. Those whose hosts ask for a pause are left out: which of the host's other
    links are then not asked depends on the order of answers."""
    if missing := farm.missing():
        skip_or_fail(f"the farm: {missing}")
    with farm.running(tmp_path, tls=False) as origin:
        mix = [link for link in lists.generate("B", LINKS * 11 // 10, origin.ports) if link.behaviour != "429"][:LINKS]
        listed = lists.write_list(mix, tmp_path / "links.tsv")
        database = tmp_path / "catalogue.sqlite3"
        command = [sys.executable, "-m", "bench.load", str(listed)]
        subprocess.run(command, cwd=PROJECT_ROOT, env=environment(database), check=True)
        yield database


def environment(database):
    return {
        **os.environ, "ENV_FILE": os.devnull, "SECRET_KEY": "only-for-tests", "VAR_DIR": str(database.parent),
        "DATABASE_URL": f"sqlite:///{database}", "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
        "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
    }  # fmt: skip


def check(database, *more):
    command = [sys.executable, "manage.py", "check_link_health", "--format", "json", "--timeout", "2", *more]
    return subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=environment(database), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def told(database, question):
    with contextlib.closing(sqlite3.connect(database)) as rows:
        return rows.execute(question).fetchall()


def ended(process):
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, out + error


def test_a_run_killed_five_times_ends_as_an_undisturbed_one(catalogue):
    undisturbed = catalogue.with_name("undisturbed.sqlite3")
    shutil.copy(catalogue, undisturbed)
    movies = told(catalogue, MOVIES)
    for _ in range(KILLS):
        [(before,)] = told(catalogue, CHECKED)
        process = check(catalogue, "--older-than", "1")
        wait_for(lambda before=before: told(catalogue, CHECKED)[0][0] > before + 1000, 60)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert told(catalogue, MOVIES) == movies  # Nothing is removed before a whole run is believed.
    assert told(catalogue, CHECKED)[0][0] < LINKS
    ended(check(catalogue, "--older-than", "1"))
    ended(check(undisturbed))
    assert told(catalogue, STATE) == told(undisturbed, STATE)
    assert told(catalogue, MOVIES) == told(undisturbed, MOVIES) != movies
    assert told(catalogue, TWICE) == told(catalogue, WITHHELD) == [(0,)]
