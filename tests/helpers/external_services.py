"""What tests need of the machine. Where it is absent they are skipped in one line; in CI, which has all, they fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import psycopg
import pytest

POSTGRES = "postgres://postgres@127.0.0.1:5432/{name}"
NO_POSTGRES = "no PostgreSQL on 127.0.0.1:5432 (apt-get install postgresql; trust for postgres)"


def skip_or_fail(what: str) -> NoReturn:
    """End the test: skipped, or failed in CI."""
    if os.environ.get("CI"):
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def connect_postgres() -> psycopg.Connection[Any]:
    """A connection that may make databases."""
    try:
        return psycopg.connect(POSTGRES.format(name="postgres"), autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        skip_or_fail(NO_POSTGRES)


@contextmanager
def temporary_postgres(word: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database of this process's own, gone afterwards."""
    name = f"openreel_{word}_{os.getpid()}"
    with connect_postgres() as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield POSTGRES.format(name=name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
