"""A takedown while a link that it covers is being saved (PostgreSQL)."""

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
from scraper.net.url_policy import PrivateHostAllowlist
from streaming.ingest.records import parse_link
from streaming.ingest.save import save_links
from streaming.ingest.takedown import block
from streaming.models import Movie, StreamingLink
"""
SAVE = """
Movie.objects.create(imdb_id="tt0000001", title="Nosferatu")
raw = {"imdb_id": "tt0000001", "source": "example", "source_url": "https://films.example.org/1", "licence": "cc0"}
link = parse_link(raw, allowed=PrivateHostAllowlist())
print("ready", flush=True)
sys.stdin.readline()
print(save_links([link]))
"""
BLOCK = """
block("films.example.org", reason="asked for")
print(StreamingLink.objects.active().count())
"""
SPELLINGS = """
movie = Movie.objects.create(imdb_id="tt0000001", title="Nosferatu")
for path in ("v/abc", "V/abc", "v/ABC", "v/abc/1", "/v/%61bc"):
    StreamingLink.objects.create(movie=movie, source="s", host="a.example.org", source_url=f"https://a.example.org/{path}")
block("http://www.a.example.org/v/abc", reason="asked for")
print(sorted(StreamingLink.objects.shown().values_list("source_url", flat=True)))
"""
LOCK_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_a_link_that_is_taken_down_while_it_is_saved_is_turned_off():
    with empty_database("takedown") as address, psycopg.connect(address) as slow:
        environment = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        options = {
            "cwd": PROJECT_ROOT,
            "env": environment,
            "text": True,
            "stdin": subprocess.PIPE,
            "stdout": subprocess.PIPE,
        }
        with (
            psycopg.connect(address, autocommit=True) as watcher,
            subprocess.Popen([sys.executable, "-c", PRELUDE + SAVE], **options) as saver,
        ):
            assert saver.stdout.readline() == "ready\n"
            # Locks the movie, so that the link has been compared with the takedowns and is not written yet.
            slow.execute("SELECT id FROM streaming_movie FOR UPDATE")
            saver.stdin.write("\n")
            saver.stdin.flush()
            wait_for(lambda: watcher.execute(LOCK_WAITS).fetchone() == (1,), 20)
            with subprocess.Popen([sys.executable, "-c", PRELUDE + BLOCK], **options) as blocker:
                wait_for(lambda: blocker.poll() is not None or watcher.execute(LOCK_WAITS).fetchone() == (2,), 20)
                slow.commit()
                assert "new=1" in saver.communicate(timeout=20)[0]
                blocker.communicate(timeout=20)
            active = watcher.execute("SELECT count(*) FROM streaming_streaminglink WHERE is_active").fetchone()
    assert (saver.returncode, blocker.returncode) == (0, 0)
    assert active == (0,)


def test_the_case_of_a_path_counts_on_postgresql():
    with empty_database("spellings") as address:
        environment = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        command = [sys.executable, "-c", PRELUDE + SPELLINGS]
        shown = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, text=True, capture_output=True, check=True)
    assert shown.stdout == "['https://a.example.org/V/abc', 'https://a.example.org/v/ABC']\n"
