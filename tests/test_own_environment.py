"""The scripts as the README writes them, with a Python that has no Django."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import PROJECT_ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the Python of the environment is a shell script here"),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the scripts; `-S` hides what is installed."""
    shutil.copytree(PROJECT_ROOT / "MovieBackend", tmp_path / "MovieBackend")
    for name in ("manage.py", "cleanup_dead_links.py"):
        shutil.copy(PROJECT_ROOT / name, tmp_path)
    return tmp_path


def started(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", *arguments], cwd=project, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("script", ["manage.py", "cleanup_dead_links.py"])
def test_a_script_goes_on_with_the_python_of_the_project(project, script):
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "own python: $@"\nexit 3\n')
    python.chmod(0o755)
    finished = started(project, script, "--dry-run", "a b")
    assert (finished.stdout, finished.stderr) == (f"own python: {script} --dry-run a b\n", "")
    assert finished.returncode == 3


@pytest.mark.parametrize("script", ["manage.py", "cleanup_dead_links.py"])
def test_without_an_environment_a_sentence_says_how_to_get_one(project, script):
    finished = started(project, script)
    assert finished.returncode == 1
    assert "`make install` creates one" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_an_environment_without_django_does_not_start_itself_for_ever(project):
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    finished = started(project, "manage.py", "check")
    assert finished.returncode == 1
    assert "No module named 'django'" in finished.stderr
