"""Properties of all commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from django.core.management import get_commands, load_command_class

from tests.helpers.external_services import migrated_sqlite
from tests.helpers.paths import PROJECT_ROOT

COMMANDS = sorted(name for name, app in get_commands().items() if app == "streaming")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_ends_with_an_example(name):
    text = load_command_class("streaming", name).create_parser("manage.py", name).format_help()
    assert f"Example: python manage.py {name}" in " ".join(text.split())


@pytest.mark.parametrize("name", ["scrape", "scrape_worker"])
@pytest.mark.slow
def test_a_wrong_argument_is_one_sentence_and_status_1(name, tmp_path):
    result = subprocess.run(
        [sys.executable, "manage.py", name, "tt0013442", "--nope"],
        cwd=PROJECT_ROOT, env={"SECRET_KEY": "only-for-tests-not-for-a-public-site", "VAR_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"manage.py {name}: unrecognized arguments: {'tt0013442 ' * (name != 'scrape')}--nope\n"


@pytest.mark.parametrize(
    ("command", "path"),
    [("check_link_health", "main.sqlite3.sweep.lock"), ("scrape_worker", "var/scrape/supervisor.lock")],
)
@pytest.mark.slow
def test_a_lock_file_that_cannot_be_opened_is_one_sentence_and_status_1(command, path, tmp_path):
    """A folder in its place: root may open a file of any mode."""
    variables = {
        "SECRET_KEY": "only-for-tests-not-for-a-public-site",
        "VAR_DIR": str(tmp_path / "var"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/main.sqlite3",
        "ENV_FILE": os.devnull,
    }

    def run(*words):
        return subprocess.run(
            [sys.executable, "manage.py", *words], cwd=PROJECT_ROOT, env=variables, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip

    migrated_sqlite(tmp_path / "main.sqlite3")
    (tmp_path / path).mkdir(parents=True)
    result = run(command)
    assert result.returncode == 1
    sentence = re.escape(f"CommandError: {tmp_path / path}: Is a directory.")
    assert re.fullmatch(rf"([-0-9]{{10}} [:0-9]{{8}}Z )?{sentence}\n", result.stderr)


@pytest.mark.slow
def test_a_command_of_djangos_reports_a_database_that_cannot_be_opened_in_one_sentence(tmp_path):
    variables = {
        "SECRET_KEY": "only-for-tests-not-for-a-public-site",
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/missing/main.sqlite3",
    }
    result = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=PROJECT_ROOT, env=variables, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (1, "openreel: unable to open database file\n")
