"""Whoever removes movies and whoever turns links lock in one order: neither ends the other's work (PostgreSQL)."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest

from tests.health.origin import Origin, wait_for
from tests.scraping.machines import ROOT, empty_database

pytestmark = pytest.mark.postgres
CHECK = """
import django, sys
django.setup()
from scraper.addresses import host_of
from streaming.health.sweep import check_now
from streaming.models import Movie, StreamingLink
movie = Movie.objects.create(imdb_id="tt0000001", title="Nosferatu")
link = StreamingLink.objects.create(movie=movie, source="example", source_url=sys.argv[1], host=host_of(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(check_now([link.pk]))
"""
WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_a_link_that_turns_while_its_movie_is_being_removed_waits_for_that(tmp_path):
    with empty_database("order") as address, Origin() as origin, psycopg.connect(address) as remover:
        environment = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        command = [sys.executable, "-c", CHECK, origin.url("/404")]
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as checker:
            assert checker.stdout.readline() == "ready\n"
            remover.execute("SELECT id FROM streaming_movie FOR UPDATE")
            checker.stdin.write("\n")
            checker.stdin.flush()
            with psycopg.connect(address, autocommit=True) as watcher:
                wait_for(lambda: watcher.execute(WAITS).fetchone(), 20)
            # What removing the movie locks next. Held by the checker, it would be a deadlock, and one of us would end.
            remover.execute("SELECT id FROM streaming_streaminglink FOR UPDATE")
            remover.commit()
            told = checker.communicate(timeout=20)[0]
    assert checker.returncode == 0
    assert told == "{1: 'http_404'}\n"
