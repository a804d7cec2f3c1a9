"""Edits lock takedowns before movies, as takedowns do, so that neither waits for the other in a circle (PostgreSQL)."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest

from tests.helpers.external_services import empty_database
from tests.helpers.http_origin import wait_for
from tests.helpers.paths import PROJECT_ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
PRELUDE = """
import django, sys
django.setup()
from streaming.ingest import bindings, edits, review
from streaming.models import Movie, StreamingLink
movie = Movie.objects.create(imdb_id="tt0000001", title="Nosferatu")
link = StreamingLink.objects.create(
    movie=movie, source="s", source_url="https://a.example.org/1", host="a.example.org", is_published=False
)
print("ready", flush=True)
sys.stdin.readline()
"""
NEW = {"source": "s", "source_url": "https://a.example.org/2"}
WRITES = {
    "update movie": 'edits.update_movie(movie, {"title": "M"})',
    "create link": f"edits.create_link({NEW}, movie=movie)",
    "update link": 'edits.update_link(link, {"label": "x"})',
    "bind": 'bindings.bind(movie, url="https://a.example.org/watch")',
    "publish": 'review.publish(StreamingLink.objects.all(), by="me")',
}
LOCK_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_a_write_that_waits_for_a_takedown_holds_no_movie():
    with empty_database("lock_order") as address, psycopg.connect(address, autocommit=True) as watcher:
        environment = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        for name, write in WRITES.items():
            command = [sys.executable, "-c", PRELUDE + write]
            watcher.execute("DELETE FROM streaming_binding")
            watcher.execute("DELETE FROM streaming_streaminglink")
            watcher.execute("DELETE FROM streaming_movie")
            with (
                psycopg.connect(address) as takedown,
                subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, **pipes) as writer,
            ):
                assert writer.stdout.readline() == "ready\n"
                takedown.execute("LOCK TABLE streaming_blockedaddress IN EXCLUSIVE MODE")
                writer.stdin.write("\n")
                writer.stdin.flush()
                wait_for(lambda: watcher.execute(LOCK_WAITS).fetchone() == (1,), 20)
                # Raises LockNotAvailable if the writer holds the movie.
                takedown.execute("SELECT id FROM streaming_movie FOR UPDATE NOWAIT")
                takedown.commit()
                writer.communicate(timeout=20)
            assert writer.returncode == 0, name
