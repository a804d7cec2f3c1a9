"""A test whose program is missing is skipped locally and fails in CI."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.slow

ONE = "tests/browser/test_quality.py"


@pytest.mark.parametrize(("ci", "status", "word"), [("", 0, "skipped"), ("true", 1, "error")])
def test_without_chromium(tmp_path, ci, status, word):
    environment = {**os.environ, "PATH": str(tmp_path), "CI": ci}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", "-x", ONE, "-k", "home"]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == status, done.stdout
    assert word in done.stdout.splitlines()[-1]
    assert "no Chromium here (apt-get install chromium-headless-shell)" in done.stdout
