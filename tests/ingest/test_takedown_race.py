"""An address that is taken down at the moment at which a link below it is saved (PostgreSQL)."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest

from tests.helpers.cluster import PROJECT_ROOT, empty_database
from tests.helpers.http_origin import wait_for

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
BEGIN = """
import django, sys
django.setup()
from scraper.net.url_policy import PrivateHostAllowlist
from streaming.ingest.records import parse_link
from streaming.ingest.save import save_links
from streaming.ingest.takedown import block
from streaming.models import Movie, StreamingLink
"""
SAVE = """
Movie.objects.create(imdb_id="tt0000001", title="Nosferatu")
told = {"imdb_id": "tt0000001", "source": "example", "source_url": "https://films.example.org/1", "licence": "cc0"}
link = parse_link(told, allowed=PrivateHostAllowlist())
print("ready", flush=True)
sys.stdin.readline()
print(save_links([link]))
"""
BLOCK = """
block("films.example.org", reason="asked for")
print(StreamingLink.objects.active().count())
"""
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_what_is_taken_down_while_it_is_saved_is_not_shown():
    with empty_database("takedown") as address, psycopg.connect(address) as slow:
        stated = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        run = {"cwd": PROJECT_ROOT, "env": stated, "text": True, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with (
            psycopg.connect(address, autocommit=True) as watcher,
            subprocess.Popen([sys.executable, "-c", BEGIN + SAVE], **run) as saver,
        ):
            assert saver.stdout.readline() == "ready\n"
            # Something else holds the movie, so that the link has been judged and is not written yet.
            slow.execute("SELECT id FROM streaming_movie FOR UPDATE")
            saver.stdin.write("\n")
            saver.stdin.flush()
            wait_for(lambda: watcher.execute(WAITS).fetchone() == (1,), 20)
            with subprocess.Popen([sys.executable, "-c", BEGIN + BLOCK], **run) as blocker:
                wait_for(lambda: blocker.poll() is not None or watcher.execute(WAITS).fetchone() == (2,), 20)
                slow.commit()
                assert "new=1" in saver.communicate(timeout=20)[0]
                blocker.communicate(timeout=20)
            shown = watcher.execute("SELECT count(*) FROM streaming_streaminglink WHERE is_active").fetchone()
    assert (saver.returncode, blocker.returncode) == (0, 0)
    assert shown == (0,)
