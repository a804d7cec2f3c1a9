"""Real supervisors, real children, a real database file: whatever dies, every job ends, once, and says how."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile

import pytest

from streaming import file_locks
from streaming.models import Movie, ScrapeJob, StreamingLink
from streaming.scraping import jobs
from streaming.scraping.supervisor import control, single_job
from tests.helpers.factories import make_job, make_movie
from tests.helpers.paths import PROJECT_ROOT
from tests.helpers.process_info import children_of, is_alive

pytestmark = pytest.mark.slow


def test_a_ring_starts_one_supervisor_that_is_not_our_child_and_runs_the_job(engine):
    job = engine.job()
    for _ in range(5):
        control.ensure_supervisor()
    (job,) = engine.closed(job)
    assert (job.state, job.outcome, job.links_found, job.links_new) == ("succeeded", "found", 1, 1)
    assert (job.attempt, job.error, job.lease_until) == (1, "", None)
    assert StreamingLink.objects.get().movie_id == job.movie_id
    assert engine.pid() not in [pid for pid, _ in children_of(os.getpid())]
    assert [state for _, state in children_of(os.getpid()) if state == "Z"] == []
    assert (engine.folder / "bell").stat().st_mode & 0o777 == 0o600
    movie = Movie.objects.get()
    assert movie.fruitless_scrapes == 0
    assert 9.5 * 60 < (movie.next_scrape_at - movie.last_scraped_at).total_seconds() <= 10 * 60


def test_the_log_is_kept_on_the_job_without_secrets_query_strings_or_escapes(engine, settings):
    job = engine.job()
    control.ensure_supervisor()
    (job,) = engine.closed(job)
    assert "read http://127.0.0.1/page and [secret]" in job.log
    assert "hidden" not in job.log
    assert "user:word" not in job.log
    assert "\x1b" not in job.log
    assert sorted(path.name for path in engine.folder.iterdir()) == [
        "bell",
        "deeds.txt",
        "supervisor.lock",
        "supervisor.log",
    ]


def test_every_kind_of_ending_is_told_as_it_was(engine):
    given = [engine.job(word) for word in ("nothing", "failed", "crash", "die_once")]
    control.ensure_supervisor()
    nothing, failed, crash, die_once = engine.closed(*given)
    assert (nothing.state, nothing.outcome) == ("succeeded", "nothing")
    assert (failed.state, failed.outcome, failed.error) == ("failed", "", "The site answered HTML for JSON.")
    assert (crash.state, crash.attempt) == ("failed", 2)
    assert crash.error == "The search stopped unexpectedly (exit status 1)."
    assert "RuntimeError: the crawl broke" in crash.log
    assert crash.sources[0]["state"] == "failed"
    assert (die_once.state, die_once.outcome, die_once.attempt) == ("succeeded", "found", 2)
    assert Movie.objects.get(jobs=nothing).fruitless_scrapes == 1
    assert Movie.objects.get(jobs=failed).last_scraped_at is None


def test_a_child_killed_twice_fails_its_job_with_the_signal_and_blocks_no_movie(engine):
    job = engine.job("hang")
    control.ensure_supervisor()
    os.kill(engine.running(job), signal.SIGKILL)
    second = engine.until(lambda: [line for line in engine.deeds() if f" {job.pk} " in line][1:])
    os.kill(int(second[0].split()[0]), signal.SIGKILL)
    (job,) = engine.closed(job)
    assert (job.state, job.error, job.attempt) == ("failed", "The search stopped unexpectedly (killed by signal 9).", 2)


@pytest.mark.parametrize("spawning", [False, True], ids=["forked", "spawned"])
def test_a_child_that_ignores_term_is_killed_with_all_it_started_at_the_wall_clock(engine, monkeypatch, spawning):
    monkeypatch.setenv("SCRAPE_TIMEOUT", "2" if spawning else "1")
    job = engine.job("stubborn")
    engine.worker(*["--spawn"] * spawning)
    pid = engine.running(job)
    note = str(engine.until(lambda: next((line for line in engine.deeds() if "grandchild" in line), "")))
    grandchild = int(note.split("=")[1])
    (job,) = engine.closed(job)
    assert job.state == "failed"
    assert job.error == f"Stopped after {2 if spawning else 1} seconds without an end."
    assert job.attempt == 1
    engine.until(lambda: not is_alive(pid) and not is_alive(grandchild))


def test_what_a_child_leaves_running_ends_with_it(engine):
    job = engine.job("leaves_one")
    control.ensure_supervisor()
    (job,) = engine.closed(job)
    assert job.state == "succeeded"
    (grandchild,) = [int(line.split("=")[1]) for line in engine.deeds() if "grandchild" in line]
    engine.until(lambda: not is_alive(grandchild))


def test_a_killed_supervisor_takes_its_children_along_and_the_next_one_finishes_their_jobs(engine):
    hanging, waiting = engine.job("hang"), engine.job("short")
    control.ensure_supervisor()
    child = engine.running(hanging)
    first = engine.pid()
    ScrapeJob.objects.filter(pk=hanging.pk).update(target_url="http://127.0.0.1/found")
    os.kill(first, signal.SIGKILL)
    engine.until(lambda: not is_alive(child))
    control.ensure_supervisor()
    hanging, waiting = engine.closed(hanging, waiting)
    assert (hanging.state, hanging.attempt) == ("succeeded", 2)
    assert waiting.state == "succeeded"
    assert engine.pid() != first


def test_a_supervisor_told_to_leave_queues_its_jobs_again_and_uses_up_no_attempt(engine):
    job = engine.job("hang")
    control.ensure_supervisor()
    child = engine.running(job)
    assert control.stop_supervisor() is not None
    job.refresh_from_db()
    assert (job.state, job.attempt, job.owner) == ("queued", 0, "")
    assert not is_alive(child)
    assert not (engine.folder / "bell").exists()


def test_a_supervisor_is_told_to_leave_in_its_first_moments_too(engine):
    control.ensure_supervisor()
    assert control.stop_supervisor() is not None
    assert not file_locks.is_locked(control.lock_path())
    control.ensure_supervisor()
    assert control.stop_supervisor() is not None
    assert control.stop_supervisor() is None


def test_a_supervisor_loads_what_a_search_needs_and_no_pages(engine):
    command = [sys.executable, "-X", "importtime", "-m", "MovieBackend.worker", "--stop"]
    stated = subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True, text=True)
    assert stated.stdout == "No worker runs here.\n"
    assert " streaming.models" in stated.stderr
    for heavy in ("django.contrib.admin", "rest_framework", "streaming.web.movie_page", "streaming.health", "pycurl"):
        assert f" {heavy}\n" not in stated.stderr


def test_the_second_supervisor_leaves_at_once_with_status_0(engine):
    control.ensure_supervisor()
    engine.until(lambda: (engine.folder / "bell").exists())
    assert engine.worker().wait(10) == 0


def test_an_idle_supervisor_leaves_and_the_next_ring_starts_another(engine, monkeypatch):
    monkeypatch.setenv("SCRAPE_IDLE_SECONDS", "1")
    first = engine.job()
    control.ensure_supervisor()
    engine.closed(first)
    engine.until(lambda: engine.pid() is None)
    second = engine.job()
    control.ensure_supervisor()
    assert engine.closed(second)[0].state == "succeeded"


def test_thirty_jobs_leave_no_zombie_and_never_more_than_the_allowed_processes(engine, monkeypatch):
    monkeypatch.setenv("SCRAPE_PROCESSES", "3")
    given = [engine.job("short") for _ in range(30)]
    control.ensure_supervisor()
    engine.until(lambda: engine.deeds())
    supervisor = engine.pid()
    assert {job.state for job in engine.closed(*given)} == {"succeeded"}
    assert children_of(supervisor) == []
    events = sorted(
        (float(part.split("=")[1]), 1 if part.startswith("begins") else -1)
        for part in (line.split()[2] for line in engine.deeds())
        if "=" in part
    )
    at_once = maximum = 0
    for _, step in events:
        at_once += step
        maximum = max(maximum, at_once)
    assert maximum == 3
    assert set(ScrapeJob.objects.values_list("attempt", flat=True)) == {1}


def test_a_cancelled_job_stops_and_says_so(engine):
    job = engine.job("stubborn")
    control.ensure_supervisor()
    child = engine.running(job)
    assert jobs.cancel(job.pk)
    (job,) = engine.closed(job)
    assert (job.state, job.error) == ("cancelled", "Cancelled.")
    assert not is_alive(child)
    assert not jobs.cancel(job.pk)


def test_a_child_that_writes_without_end_is_stopped_and_its_log_stays_small(engine):
    job = engine.job("chatter")
    control.ensure_supervisor()
    (job,) = engine.closed(job)
    assert (job.state, job.error) == ("failed", "The search wrote too much and was stopped.")
    assert len(job.log) == 64 * 1024


def test_a_spawned_child_does_the_same(engine):
    given = [engine.job("found"), engine.job("crash")]
    engine.worker("--spawn")
    found, crash = engine.closed(*given)
    assert (found.state, found.outcome) == ("succeeded", "found")
    assert (crash.state, crash.attempt) == ("failed", 2)
    assert "RuntimeError: the crawl broke" in crash.log


def test_a_removed_movie_takes_its_job_along_and_the_child_is_stopped(engine):
    job = engine.job("hang")
    control.ensure_supervisor()
    child = engine.running(job)
    Movie.objects.get(pk=job.movie_id).delete()
    engine.until(lambda: not is_alive(child))


def test_a_job_left_by_a_supervisor_of_long_ago_fails_with_the_reason(engine):
    lost = make_job(make_movie(), state="running", attempt=2)
    control.ensure_supervisor()
    (lost,) = engine.closed(lost)
    assert lost.state == "failed"
    assert lost.error.startswith("The search stopped unexpectedly")


CLICK = """
import django, time
django.setup()
from streaming.models import Movie
from streaming.scraper_utils import scrape_movie_on_demand
scrape_movie_on_demand(Movie.objects.get(), requested_by="click", target_url="http://127.0.0.1/short")
print("clicked", flush=True)
time.sleep(60)
"""


def test_a_killed_web_process_takes_nothing_along(engine):
    make_movie()
    web = subprocess.Popen([sys.executable, "-c", CLICK], cwd=PROJECT_ROOT, stdout=subprocess.PIPE)
    with web:
        assert web.stdout.readline() == b"clicked\n"
        web.kill()
    (job,) = engine.closed(ScrapeJob.objects.get())
    assert (job.state, job.outcome, job.attempt) == ("succeeded", "found", 1)


def test_a_job_whose_bell_was_never_rung_is_found(engine):
    control.ensure_supervisor()
    engine.until(lambda: (engine.folder / "bell").exists())
    job = engine.job()
    assert engine.closed(job)[0].state == "succeeded"


def test_what_was_queued_while_nothing_ran_is_run_by_whoever_comes_next(engine):
    given = [engine.job() for _ in range(3)]
    assert engine.pid() is None
    control.ensure_supervisor()
    assert {job.state for job in engine.closed(*given)} == {"succeeded"}


def test_no_supervisor_to_be_had_is_said_and_the_click_still_answers(engine, settings, caplog):
    settings.SCRAPE_DIR = engine.folder / "taken"
    settings.SCRAPE_DIR.write_text("a file where a folder should be")
    control.ensure_supervisor()
    assert "no supervisor could be started" in caplog.text
    settings.SCRAPE_DIR = engine.folder


# A user who may have two processes: this one and the shell, which then cannot start the supervisor.
LAST_PROCESS = """
import codecs, django, os, resource, subprocess, sys
django.setup()
from streaming.scraping.supervisor import control
codecs.lookup("ascii")
os.setgroups([])
os.setresgid(65432, 65432, 65432)
os.setresuid(65432, 65432, 65432)
resource.setrlimit(resource.RLIMIT_NPROC, (2, 2))
control.ensure_supervisor()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_shell_without_a_process_to_spare_is_said_and_the_click_still_answers():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        stated = {**os.environ, "SCRAPE_DIR": folder, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        done = subprocess.run(
            [sys.executable, "-c", LAST_PROCESS],
            cwd=PROJECT_ROOT,
            env=stated,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert "no supervisor could be started" in done.stderr


def test_a_file_in_the_place_of_the_bell_is_no_bell(engine):
    """What a copy of `var` by a tool that knows no FIFOs leaves there."""
    (engine.folder / "bell").write_text("")
    job = engine.job()
    control.ensure_supervisor()
    assert engine.closed(job)[0].state == "succeeded"


def test_a_job_whose_process_always_dies_is_run_as_often_as_the_setting_says(engine, settings):
    settings.SCRAPE_MAX_ATTEMPTS, settings.SCRAPE_CRAWL = 3, "tests.helpers.fake_crawls.fake_crawl"
    job = engine.job("crash")
    single_job.run_next_job()
    job.refresh_from_db()
    assert (job.state, job.attempt, len(engine.deeds())) == ("failed", 3, 3)
