"""External services that tests need. Without them a test is skipped; in CI it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest

from tests.helpers.paths import PROJECT_ROOT

POSTGRES = "postgres://postgres@127.0.0.1:5432/{name}"
NO_POSTGRES = "no PostgreSQL on 127.0.0.1:5432 (apt-get install postgresql; trust for postgres)"


def skip_or_fail(what: str) -> NoReturn:
    """Skip the test, or fail it in CI."""
    if os.environ.get("CI"):
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def connect_postgres() -> psycopg.Connection[Any]:
    """Connect as a user who may create databases."""
    try:
        return psycopg.connect(POSTGRES.format(name="postgres"), autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        skip_or_fail(NO_POSTGRES)


@contextmanager
def temporary_postgres(word: str) -> Iterator[str]:
    """Yield the URL of an empty PostgreSQL database that is dropped afterwards."""
    name = f"openreel_{word}_{os.getpid()}"
    with connect_postgres() as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield POSTGRES.format(name=name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run_tests_on_postgres(*files: str) -> None:
    """Run the tests of these files, which are the same on both databases, on an empty PostgreSQL database."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", "-m", "not slow and not postgres"]
    with temporary_postgres(Path(files[0]).stem) as url:
        done = subprocess.run(
            [*command, *(f"tests/{file}" for file in files)],
            cwd=PROJECT_ROOT,
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-5000:]
