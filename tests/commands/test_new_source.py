"""A new source begins with files that pass our own checks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.slow

COPIED = ("MovieBackend", "streaming", "scraper", "templates", "static", "tests")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, so that the command writes there."""
    folder = tmp_path_factory.mktemp("project")
    for name in COPIED:
        shutil.copytree(PROJECT_ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy(PROJECT_ROOT / name, folder)
    return folder


def run(project, *words):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {
        **kept,
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "only-for-tests-not-for-a-public-site",
        "VAR_DIR": str(project / "var"),
    }
    return subprocess.run(
        [sys.executable, *words], cwd=project, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_what_it_makes_passes_its_test_and_the_linter(project):
    stated = run(project, "manage.py", "new_source", "open_films", "--host", "open.example.org")
    assert stated.returncode == 0, stated.stderr
    assert "scraper/sources.py" in stated.stdout
    made = ["scraper/spiders/open_films.py", "tests/scraper/test_open_films.py"]
    tested = run(project, "-m", "pytest", made[1], "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout
    linted = run(project, "-m", "ruff", "check", *made)
    assert linted.returncode == 0, linted.stdout
    formatted = run(project, "-m", "ruff", "format", "--check", *made)
    assert formatted.returncode == 0, formatted.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["internet_archive"], "internet_archive exists already"),
        (["../evil"], "is not a slug"),
        (["Open"], "is not a slug"),
        (["x" * 51], "is not a slug"),
        (["fine", "--host", "not a host"], "is not a host"),
    ],
)
def test_bad_names_are_refused_and_nothing_is_written(project, words, said):
    before = sorted(str(path) for path in (project / "scraper" / "spiders").iterdir())
    stated = run(project, "manage.py", "new_source", *words)
    assert stated.returncode == 1
    assert said in stated.stderr
    assert len(stated.stderr.splitlines()) == 1
    assert sorted(str(path) for path in (project / "scraper" / "spiders").iterdir()) == before
