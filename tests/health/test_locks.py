"""One run per database, one checking process per Celery worker."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from zlib import crc32

import psycopg
import pytest
from django.db import connection

from streaming.health.locks import RUN_LOCK_KEY, single_run_lock
from tests.helpers.external_services import empty_database
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.django_db(transaction=True)


def in_another_thread(lock, *arguments):
    """Whether a second connection gets the lock."""
    acquired = []

    def attempt():
        try:
            with lock(*arguments) as is_mine:
                acquired.append(is_mine)
        finally:
            connection.close()

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join(10)
    return acquired[0]


def test_of_two_runs_one_gets_the_lock_until_it_ends():
    with single_run_lock() as is_mine:
        assert is_mine
        assert not in_another_thread(single_run_lock)
    assert in_another_thread(single_run_lock)


def test_a_run_that_an_error_ends_releases_the_lock():
    with pytest.raises(ZeroDivisionError), single_run_lock():
        raise ZeroDivisionError
    assert in_another_thread(single_run_lock)


SCRIPT = """
import django
django.setup()
from streaming.health.locks import single_run_lock, single_worker_lock
for lock in (single_run_lock(), single_worker_lock("celery@one"), single_worker_lock("celery@two")):
    with lock as is_mine:
        print(is_mine)
"""


def acquired_locks(database):
    """Whether another process gets the lock of runs, of the first worker and of the second one."""
    environment = {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return [word == "True" for word in done.stdout.split()]


@pytest.mark.postgres
@pytest.mark.slow
def test_on_postgresql_each_lock_has_one_holder_and_is_released_with_its_connection():
    first_worker = RUN_LOCK_KEY + 1 + crc32(b"celery@one")
    with empty_database("locks") as database:
        with psycopg.connect(database) as holder:
            holder.execute("SELECT pg_advisory_lock(%s)", [RUN_LOCK_KEY])
            assert acquired_locks(database) == [False, True, True]
            holder.execute("SELECT pg_advisory_lock(%s)", [first_worker])
            assert acquired_locks(database) == [False, False, True]
        assert acquired_locks(database) == [True, True, True]
