"""A mirror that follows `changes/` while four writers change the catalogue ends with the same catalogue."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.helpers.external_services import empty_database, migrated_sqlite
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.slow


def follow(database, *, steps, seed=7):
    environment = {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-m", "tests.helpers.concurrent_writers", str(steps), str(seed)]
    process = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


@pytest.mark.postgres
def test_a_mirror_of_a_postgresql_database_loses_no_change():
    with empty_database("mirror") as database:
        result = follow(database, steps=100)
    assert (result["wrong"], result["fresh"], result["lies"]) == ([], True, [])
    assert result["made"] > 130


def test_a_mirror_of_an_sqlite_database_loses_no_change(tmp_path):
    result = follow(migrated_sqlite(tmp_path / "main.sqlite3"), steps=60)
    assert (result["wrong"], result["fresh"], result["lies"]) == ([], True, [])
    assert result["made"] > 80
