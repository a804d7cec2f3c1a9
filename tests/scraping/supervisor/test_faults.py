"""Faults at each point of a job's life: killed supervisors, clock changes, a stopped server.

Every job ends with the right outcome, and its links are saved once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from streaming.models import ScrapeJob, StreamingLink
from streaming.scraper_utils import scrape_movie_on_demand
from streaming.scraping.supervisor import control
from tests.helpers.paths import PROJECT_ROOT
from tests.helpers.process_info import children_of, is_alive

pytestmark = pytest.mark.slow

# A supervisor that dies at a chosen point.
DYING = """
import django, os, signal, sys
django.setup()
from streaming import file_locks
from streaming.scraping.supervisor import control, job_processes, loop

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

finish = loop._finish_job
if sys.argv[1] == "claimed":
    job_processes.fork_process = die
elif sys.argv[1] == "before the finish":
    loop._finish_job = die
elif sys.argv[1] == "after the finish":
    loop._finish_job = lambda run: (finish(run), die())
loop.serve(lock=file_locks.try_lock(control.lock_path()), idle_seconds=None, spawning=False)
"""


@pytest.mark.parametrize(
    ("point", "word", "attempts", "links"),
    [
        ("claimed", "found", 2, 1),
        ("crawling", "kills_runner", 2, 1),
        ("in the middle of a batch", "kills_runner_mid_batch", 2, 4),
        ("before the finish", "found", 2, 1),
        ("after the finish", "found", 1, 1),
    ],
)
def test_a_supervisor_killed_at_any_point_loses_no_job_and_duplicates_no_link(harness, point, word, attempts, links):
    job = harness.job(word)
    runner = subprocess.Popen([sys.executable, "-c", DYING, point], cwd=PROJECT_ROOT)
    assert runner.wait(20) == -signal.SIGKILL
    job.refresh_from_db()
    assert job.state == ("succeeded" if point == "after the finish" else "running")
    control.ensure_supervisor()
    (job,) = harness.closed(job)
    assert (job.state, job.outcome, job.attempt, job.error) == ("succeeded", "found", attempts, "")
    assert StreamingLink.objects.count() == job.links_found == links
    harness.until(harness.pid)  # one that has just been started is to be stopped with this test
    harness.until(lambda: not any(is_alive(int(line.split()[0])) for line in harness.events()))


def test_queued_and_running_jobs_of_a_stopped_server_end_after_its_next_start(harness, monkeypatch):
    monkeypatch.setenv("SCRAPE_PROCESSES", "2")
    given = [harness.job("slow") for _ in range(5)]
    control.ensure_supervisor()
    harness.until(lambda: ScrapeJob.objects.filter(state="running").count() == 2)
    assert control.stop_supervisor() is not None
    assert set(ScrapeJob.objects.values_list("state", "attempt")) == {("queued", 0)}
    control.ensure_supervisor()
    ended = harness.closed(*given)
    assert {(job.state, job.attempt) for job in ended} == {("succeeded", 1)}
    assert StreamingLink.objects.count() == 5


def test_two_hundred_jobs_leave_no_zombie(harness):
    given = [harness.job() for _ in range(200)]
    control.ensure_supervisor()
    harness.until(harness.events)
    supervisor = harness.pid()
    ended = harness.closed(*given, seconds=60)
    assert {(job.state, job.attempt) for job in ended} == {("succeeded", 1)}
    harness.until(lambda: children_of(supervisor) == [])


def test_a_lease_from_before_the_clock_was_set_back_an_hour_is_not_waited_for(harness):
    ahead = timezone.now() + timedelta(hours=1)
    job = harness.job(state="running", owner="gone:1:a", attempt=1, lease_until=ahead, queued_at=ahead)
    control.ensure_supervisor()
    (job,) = harness.closed(job)
    assert (job.state, job.attempt) == ("succeeded", 2)


def test_a_job_queued_before_the_clock_was_set_back_an_hour_is_run_at_once(harness):
    job = harness.job(queued_at=timezone.now() + timedelta(hours=1))
    control.ensure_supervisor()
    assert harness.closed(job)[0].state == "succeeded"


# A machine that cannot fork for a while.
SHORT_OF_PROCESSES = """
import django, errno, sys, time
django.setup()
from streaming import file_locks
from streaming.scraping.supervisor import control, job_processes, loop

fork, began = job_processes.fork_process, time.monotonic()

def try_to_fork(*given, **named):
    if time.monotonic() - began < float(sys.argv[1]):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
    return fork(*given, **named)

job_processes.fork_process = try_to_fork
loop.serve(lock=file_locks.try_lock(control.lock_path()), idle_seconds=None, spawning=False)
"""


@pytest.fixture
def short_of_processes(harness):
    """Return a function that starts a supervisor on a machine that cannot fork for this many seconds."""
    started = []

    def start(seconds):
        started.append(subprocess.Popen([sys.executable, "-c", SHORT_OF_PROCESSES, str(seconds)], cwd=PROJECT_ROOT))

    yield start
    for supervisor in started:
        supervisor.terminate()
        supervisor.wait(10)


def test_a_short_lack_of_processes_fails_no_job(harness, short_of_processes):
    given = [harness.job() for _ in range(6)]
    short_of_processes(3)
    ended = harness.closed(*given)
    assert {job.state for job in ended} == {"succeeded"}
    assert sorted(job.attempt for job in ended) == [1, 1, 1, 1, 1, 2]


def test_a_job_without_a_process_twice_fails_and_the_others_stay_queued(harness, short_of_processes):
    given = [harness.job() for _ in range(3)]
    short_of_processes(60)
    first, *others = given
    (first,) = harness.closed(first)
    assert (first.state, first.error) == (
        "failed",
        ("The machine could not start a process for this scrape (Resource temporarily unavailable)."),
    )
    assert set(ScrapeJob.objects.filter(pk__in=[job.pk for job in others]).values_list("state", "attempt")) <= {
        ("queued", 0),
        ("queued", 1),
        ("running", 1),  # just claimed; there is no process for it either
    }


@pytest.mark.parametrize("address", ["/jobs/{0.pk}/", "/api/streaming/jobs/{0.pk}/"])
def test_polling_a_job_of_a_killed_supervisor_gets_it_done(harness, client, address):
    """A page that polls a job requests the job only, not the movie."""
    job = harness.job("hang_once")
    control.ensure_supervisor()
    harness.running(job)
    os.kill(harness.pid(), signal.SIGKILL)
    harness.until(lambda: client.get(address.format(job)) and not ScrapeJob.objects.open().exists())
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("succeeded", 2)


def test_another_click_after_the_supervisor_was_killed_gets_the_job_done(harness):
    job = harness.job("hang_once")
    control.ensure_supervisor()
    harness.running(job)
    os.kill(harness.pid(), signal.SIGKILL)
    click = partial(scrape_movie_on_demand, job.movie, requested_by="click", target_url=job.target_url)
    harness.until(lambda: click() and not ScrapeJob.objects.open().exists())
    job.refresh_from_db()
    assert (job.state, job.attempt, ScrapeJob.objects.count()) == ("succeeded", 2, 1)
