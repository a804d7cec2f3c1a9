"""Databases as a migration left them: migrated step by step once in a session of tests, and copied from then on.

To migrate from nothing takes seconds, and each test of a migration starts from the state before it. Used within the
processes of these tests, so it imports no pytest.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psycopg
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from streaming.file_locks import exclusive_lock

FOLDER = Path(os.environ["OPENREEL_TEST_FOLDER"])
"""All processes of one session have it in common, see tests/settings."""


def start_at(name: str) -> None:
    """Make this process's empty database one that this migration of `streaming` was the last to change."""
    with exclusive_lock(FOLDER / "template.lock", timeout=120):
        earlier = max((step for step in _kept_steps() if step <= name), default="")
        if earlier:
            _copy(earlier)
        if earlier != name:
            MigrationExecutor(connection).migrate([("streaming", name)])
            _keep(name)


def _kept_steps() -> list[str]:
    return [path.stem for path in _folder().glob("*.kept")]


def _folder() -> Path:
    folder = FOLDER / "steps" / connection.vendor
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _copy(step: str) -> None:
    if connection.vendor == "sqlite":
        connection.close()
        shutil.copyfile(_folder() / f"{step}.sqlite3", str(connection.settings_dict["NAME"]))
    else:
        _create_database(str(connection.settings_dict["NAME"]), template=_postgres_name(step))


def _keep(step: str) -> None:
    if connection.vendor == "sqlite":
        connection.close()  # The write-ahead log goes into the file.
        shutil.copyfile(str(connection.settings_dict["NAME"]), _folder() / f"{step}.sqlite3")
    else:
        _create_database(_postgres_name(step), template=str(connection.settings_dict["NAME"]))
        (FOLDER / f"{_postgres_name(step)}.done").touch()  # It is dropped at the end of the session.
    (_folder() / f"{step}.kept").touch()


def _postgres_name(step: str) -> str:
    return f"openreel_template_{os.environ['OPENREEL_TEST_OWNER']}_{step.split('_')[0]}"


def _create_database(name: str, *, template: str) -> None:
    """Create this database, in place of one of the same name, as a copy of one that nobody uses."""
    connection.close()
    server = {**connection.get_connection_params(), "dbname": "postgres"}
    parameters = {key: server[key] for key in ("dbname", "user", "host", "port") if key in server}
    with psycopg.connect(**parameters, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
