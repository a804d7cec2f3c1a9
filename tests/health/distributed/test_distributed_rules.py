"""Every rule of a run holds for a distributed one too."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.helpers.external_services import empty_database, postgres_template
from tests.helpers.paths import PROJECT_ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.slow(seconds=200)]


def test_every_rule_of_a_run_holds_for_a_distributed_one():
    """All tests of whole runs once more, but for the number of statements, which depends on the duration here."""
    command = [sys.executable, "-m", "pytest", "tests/health/test_runner.py", "-k", "not statements", "-p", "no:xdist"]
    environment = {**os.environ, "OPENREEL_TEST_TEMPLATE": postgres_template(), "TESTS_DISTRIBUTED": "1"}
    with empty_database("rules") as database:
        environment["DATABASE_URL"] = database
        done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=420)
    assert done.returncode == 0, done.stdout
