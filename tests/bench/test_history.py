"""The simulated year writes what a run writes, and prints the sizes."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.helpers.paths import PROJECT_ROOT


@pytest.mark.slow
def test_three_days_of_sixty_links():
    command = [sys.executable, "-m", "bench.history", "--links", "60", "--days", "3", "--turning", "10"]
    done = subprocess.run(
        [*command, "--searches", "4"], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    last = re.search(r"^after 3 days .*", done.stdout, re.M)
    # 24 runs a day; each of ten links a day turned off and on.
    assert last[0].split()[-3:] == ["72", "60", "12"]
