"""Removing movies, turning links off and saving them lock rows in one order, without deadlocks (PostgreSQL)."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest

from tests.helpers.external_services import empty_database
from tests.helpers.http_origin import Origin, wait_for
from tests.helpers.paths import PROJECT_ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
PRELUDE = """
import django, sys
django.setup()
from scraper.net.url_policy import PrivateHostAllowlist, host_of
from streaming.health.sweep.immediate_check import check_now
from streaming.ingest.records import parse_link
from streaming.ingest.save import save_links
from streaming.models import Movie, StreamingLink
movie = Movie.objects.create(imdb_id="tt0000001", title="Nosferatu")
link = StreamingLink.objects.create(movie=movie, source="example", source_url=sys.argv[1], host=host_of(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
"""
CHECK = "print({pk: str(reason) for pk, reason in check_now([link.pk]).items()})"
SAVE = """
item = {"imdb_id": "tt0000001", "source": "example", "source_url": sys.argv[1], "quality": "720p", "licence": "cc0"}
print(save_links([parse_link(item, allowed=PrivateHostAllowlist.parse(["127.0.0.0/8"]))]).seen_again)
"""
WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.mark.parametrize(("script", "printed"), [(CHECK, "{1: 'http_404'}\n"), (SAVE, "1\n")], ids=["checked", "found"])
def test_a_link_that_is_written_while_its_movie_is_being_removed_waits_for_that(script, printed):
    with empty_database("order") as database, Origin() as origin, psycopg.connect(database) as remover:
        environment = {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        command = [sys.executable, "-c", PRELUDE + script, origin.url("/404")]
        with subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as checker:
            assert checker.stdout.readline() == "ready\n"
            remover.execute("SELECT id FROM streaming_movie FOR UPDATE")
            checker.stdin.write("\n")
            checker.stdin.flush()
            with psycopg.connect(database, autocommit=True) as watcher:
                wait_for(lambda: watcher.execute(WAITS).fetchone())
            # The removal locks the link next. If the checker had locked it, this would be a deadlock.
            remover.execute("SELECT id FROM streaming_streaminglink FOR UPDATE")
            remover.commit()
            output = checker.communicate(timeout=20)[0]
    assert checker.returncode == 0
    assert output == printed
