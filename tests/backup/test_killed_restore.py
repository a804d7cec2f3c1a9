"""A restore that is killed leaves the old database whole; the next one cleans up, also over a damaged database."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys

import pytest

from tests.helpers.paths import PROJECT_ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")]

FILL = """
import sys, django
django.setup()
from django.core.management import call_command
from streaming.models import Movie
from tests.helpers.factories import make_link, make_movie
call_command("migrate", verbosity=0)
for number in range(20):
    make_link(make_movie(title="Saved"))
call_command("backup", sys.argv[1])
Movie.objects.all().delete()
make_link(make_movie(title="Later"))
"""
RESTORE_AND_DIE = """
import os, signal, sys, django
django.setup()
from django.core.management import call_command
from django.db import connection

def die_within(execute, sql, params, many, context):
    result = execute(sql, params, many, context)
    if sql.startswith('INSERT INTO "streaming_streaminglink"'):
        os.kill(os.getpid(), signal.SIGKILL)
    return result

with connection.execute_wrapper(die_within):
    call_command("restore", sys.argv[1], "--yes")
"""


@pytest.fixture
def run(tmp_path):
    """Run Python with a database in `var/` and the umask of cron."""
    variables = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/var/main.sqlite3",
        "VAR_DIR": str(tmp_path / "var"),
        "SECRET_KEY": "only-for-tests-not-for-a-public-site",
        "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
        "ENV_FILE": os.devnull,
    }
    (tmp_path / "var").mkdir()

    def run(*words):
        return subprocess.run(
            [sys.executable, *words], cwd=PROJECT_ROOT, env={**os.environ, **variables}, umask=0o022,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def titles(path):
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute(
            "SELECT title, count(*) FROM streaming_movie JOIN streaming_streaminglink ON movie_id = streaming_movie.id "
            "GROUP BY title"
        ).fetchall()
    database.close()
    return rows


def test_a_killed_restore_changes_nothing_and_the_next_one_cleans_up_and_replaces_a_damaged_database(run, tmp_path):
    backup, var = str(tmp_path / "backup.sqlite3"), tmp_path / "var"
    filled = run("-c", FILL, backup)
    assert filled.returncode == 0, filled.stderr
    assert run("-c", RESTORE_AND_DIE, backup).returncode == -signal.SIGKILL
    assert titles(var / "main.sqlite3") == [("Later", 1)]
    assert len(list(var.glob("restore-*"))) == 1
    (var / "main.sqlite3").write_bytes(b"\xff" * 8192)
    restored = run("manage.py", "restore", backup, "--yes")
    assert restored.returncode == 0, restored.stderr
    assert "The database was damaged; it is now" in restored.stderr
    assert titles(var / "main.sqlite3") == [("Saved", 20)]
    assert not list(var.glob("restore-*"))
    written = [path for path in var.iterdir() if path.is_file() and ".damaged-" not in path.name]
    assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in written} == {"0o600"}
