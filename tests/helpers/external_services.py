"""External services that tests need. Without them a test is skipped; in CI it fails.

Databases are migrated once in a session of tests, one of each kind; all others are copies of these.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import dj_database_url
import psycopg
import pytest
from django.db import connections

from streaming.file_locks import exclusive_lock
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
def temporary_postgres(word: str, *, template: str = "template1") -> Iterator[str]:
    """Yield the URL of a PostgreSQL database, empty or a copy of `template`, that is dropped afterwards."""
    name = f"openreel_{word}_{os.getpid()}"
    with connect_postgres() as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield POSTGRES.format(name=name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def empty_database(word: str) -> AbstractContextManager[str]:
    """Return a context that yields the URL of a migrated, temporary PostgreSQL database."""
    return temporary_postgres(word, template=postgres_template())


def postgres_template() -> str:
    """Return the name of the session's migrated PostgreSQL database, to be copied only."""
    name = f"openreel_template_{os.environ['OPENREEL_TEST_OWNER']}"
    done = _session_folder() / f"{name}.done"
    with _migrating():
        if not done.exists():
            with connect_postgres() as admin:
                admin.execute(f"DROP DATABASE IF EXISTS {name}")
                admin.execute(f"CREATE DATABASE {name}")
            _migrate(POSTGRES.format(name=name))
            done.touch()
    return name


def migrated_sqlite(path: Path) -> str:
    """Copy the session's migrated SQLite database to this path; return its URL."""
    template = _session_folder() / "template.sqlite3"
    with _migrating():
        if not template.exists():
            fresh = template.with_suffix(".fresh")
            _migrate(f"sqlite:///{fresh}")
            fresh.rename(template)
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


def drop_postgres_templates() -> None:
    """Drop the session's databases that were there to be copied, if this process began the session."""
    if os.environ["OPENREEL_TEST_OWNER"] != str(os.getpid()):
        return
    for done in _session_folder().glob("openreel_template_*.done"):
        with connect_postgres() as admin:
            admin.execute(f"DROP DATABASE {done.stem} WITH (FORCE)")
        done.unlink()


@contextmanager
def models_in(url: str) -> Iterator[str]:
    """Let the models of this process use another database too; yield its alias."""
    alias = "other"
    connections.databases[alias] = connections.configure_settings({"default": {}, alias: dj_database_url.parse(url)})[
        alias
    ]
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias], connections.databases[alias]


def _session_folder() -> Path:
    """The folder of one session: processes of xdist and runs of pytest within tests inherit it, see tests/settings."""
    return Path(os.environ["OPENREEL_TEST_FOLDER"])


def _migrating() -> AbstractContextManager[None]:
    return exclusive_lock(_session_folder() / "template.lock", timeout=120)


def _migrate(url: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0", "--settings=tests.settings"]
    subprocess.run(command, cwd=PROJECT_ROOT, env={**os.environ, "DATABASE_URL": url}, check=True)


def run_tests_on_postgres(*files: str) -> None:
    """Run the tests of these files, which are the same on both databases, on an empty PostgreSQL database."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", "-m", "not slow and not postgres"]
    environment = {**os.environ, "OPENREEL_TEST_TEMPLATE": postgres_template()}
    with temporary_postgres(Path(files[0]).stem) as url:
        done = subprocess.run(
            [*command, *(f"tests/{file}" for file in files)],
            cwd=PROJECT_ROOT,
            env={**environment, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-5000:]
