"""What an interrupted run found is used by the next one, so that both leave what one undisturbed run leaves."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from bench import farm, lists
from streaming.health.judging.verdict import Verdict
from streaming.health.selection import Selection
from streaming.health.sharding import Shard
from streaming.health.sweep.resume import ResumeState, WrittenResult, load_resume_state, written_results
from streaming.models import LinkFlip, StreamingLink
from tests.helpers.external_services import skip_or_fail
from tests.helpers.factories import make_link
from tests.helpers.http_origin import wait_for
from tests.helpers.paths import PROJECT_ROOT

NOW = timezone.now()
HOUR = timedelta(hours=1)
LINKS, KILLS = 8_000, 5
STATE = "SELECT source_url, is_active, reason, failures, checks FROM streaming_streaminglink ORDER BY id"
MOVIES = "SELECT imdb_id FROM streaming_movie ORDER BY id"
CHECKED = "SELECT count(*) FROM streaming_streaminglink WHERE checks <> ''"
TWICE = "SELECT count(*) FROM streaming_streaminglink WHERE length(checks) > 1"
WITHHELD = "SELECT count(*) FROM streaming_healthrun WHERE withheld"


@pytest.fixture
def catalogue(tmp_path):
    """A database with links that behave like those of the real web.

    Links whose hosts ask for a pause are left out: which other links of the host are then skipped depends on the order
    of the responses.
    """
    if missing := farm.missing():
        skip_or_fail(f"the farm: {missing}")
    with farm.running(tmp_path, tls=False) as origin:
        mix = [link for link in lists.generate("B", LINKS * 11 // 10, origin.ports) if link.behaviour != "429"][:LINKS]
        listed = lists.write_list(mix, tmp_path / "links.tsv")
        database = tmp_path / "catalogue.sqlite3"
        command = [sys.executable, "-m", "bench.load", str(listed)]
        subprocess.run(command, cwd=PROJECT_ROOT, env=environment(database), check=True)
        yield database


def environment(database):
    return {
        **os.environ, "ENV_FILE": os.devnull, "SECRET_KEY": "only-for-tests-not-for-a-public-site",
        "VAR_DIR": str(database.parent),
        "DATABASE_URL": f"sqlite:///{database}", "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
        "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
    }  # fmt: skip


def check(database, *more):
    command = [sys.executable, "manage.py", "check_link_health", "--format", "json", "--timeout", "2", *more]
    return subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=environment(database), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def query(database, sql):
    with contextlib.closing(sqlite3.connect(database)) as rows:
        return rows.execute(sql).fetchall()


def wait_until_done(process):
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, out + error


@pytest.mark.slow
def test_a_run_killed_five_times_ends_as_an_undisturbed_one(catalogue):
    undisturbed = catalogue.with_name("undisturbed.sqlite3")
    shutil.copy(catalogue, undisturbed)
    movies = query(catalogue, MOVIES)
    for _ in range(KILLS):
        [(before,)] = query(catalogue, CHECKED)
        process = check(catalogue, "--older-than", "1")
        wait_for(lambda before=before: query(catalogue, CHECKED)[0][0] > before + 400, 60)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert query(catalogue, MOVIES) == movies  # Nothing is removed before a whole run is accepted.
    assert query(catalogue, CHECKED)[0][0] < LINKS
    wait_until_done(check(catalogue, "--older-than", "1"))
    wait_until_done(check(undisturbed))
    assert query(catalogue, STATE) == query(undisturbed, STATE)
    assert query(catalogue, MOVIES) == query(undisturbed, MOVIES) == movies  # One failed check removes no movie.
    assert query(catalogue, TWICE) == query(catalogue, WITHHELD) == [(0,)]


def checked(host, *, hours_ago, reason="ok", **fields):
    url = f"https://{host}/{StreamingLink.objects.count()}"
    return make_link(source_url=url, last_checked=NOW - hours_ago * HOUR, reason=reason, **fields)


@pytest.mark.django_db
def test_after_a_completed_run_there_is_nothing_to_resume():
    checked("a.example.org", hours_ago=1)
    assert load_resume_state(Selection(), since=None, now=NOW) == ResumeState()


@pytest.mark.django_db
def test_links_that_interrupted_runs_found_alive_speak_for_their_hosts():
    checked("a.example.org", hours_ago=1)
    checked("a.example.org:8080", hours_ago=2)
    checked("before.example.org", hours_ago=4)
    checked("future.example.org", hours_ago=-1)
    checked("failed.example.org", hours_ago=1, reason="timeout", is_active=False)
    checked("busy.example.org", hours_ago=1, reason="throttled")
    state = load_resume_state(Selection(), since=NOW - 3 * HOUR, now=NOW)
    assert state.responsive_hosts == {"a.example.org", "a.example.org:8080"}


@pytest.mark.django_db
def test_only_links_that_this_run_does_not_check_again_count_for_the_host_breaker():
    for hours in (0.2, 0.4, 0.6, 2):
        checked("a.example.org", hours_ago=hours)
    since = NOW - 3 * HOUR
    assert load_resume_state(Selection(older_than=0.5), since=since, now=NOW).alive_by_host == Counter(
        {"a.example.org": 2}
    )
    assert load_resume_state(Selection(), since=since, now=NOW).alive_by_host.total() == 0


@pytest.mark.django_db
def test_a_shard_resumes_with_its_own_hosts_only():
    hosts = {f"{number}.example.org" for number in range(12)}
    for host in hosts:
        checked(host, hours_ago=1)
    found = [
        load_resume_state(Selection(shard=Shard(number, 2)), since=NOW - 2 * HOUR, now=NOW).responsive_hosts
        for number in range(2)
    ]
    assert found[0] | found[1] == hosts
    assert found[0] & found[1] == set()
    assert all(found)


@pytest.mark.django_db
def test_the_results_that_this_run_has_written_are_those_of_its_moment():
    checked("other.example.org", hours_ago=1)
    checked("alive.example.org", hours_ago=0)
    checked("busy.example.org:81", hours_ago=0, reason="throttled")
    revived = checked("revived.example.org", hours_ago=0)
    LinkFlip.objects.create(link=revived, at=NOW, is_active=True)
    earlier = checked("earlier.example.org", hours_ago=0)
    LinkFlip.objects.create(link=earlier, at=NOW - HOUR, is_active=True)
    assert set(written_results(StreamingLink.objects.all(), now=NOW)) == {
        WrittenResult(netloc="alive.example.org", verdict=Verdict.ALIVE, was_active=True),
        WrittenResult(netloc="busy.example.org:81", verdict=Verdict.THROTTLED, was_active=True),
        WrittenResult(netloc="revived.example.org", verdict=Verdict.ALIVE, was_active=False),
        WrittenResult(netloc="earlier.example.org", verdict=Verdict.ALIVE, was_active=True),
    }
