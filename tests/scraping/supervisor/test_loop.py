"""Real supervisors, job processes and a database file: whatever dies, each job ends once, with the right outcome."""

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
from tests.helpers.process_info import children_of, command_line, is_alive

pytestmark = pytest.mark.slow


def test_notifications_start_one_detached_supervisor_that_runs_the_job(harness):
    job = harness.job()
    for _ in range(5):
        control.ensure_supervisor()
    (job,) = harness.closed(job)
    assert (job.state, job.outcome, job.links_found, job.links_new) == ("succeeded", "found", 1, 1)
    assert (job.attempt, job.error, job.lease_until) == (1, "", None)
    assert StreamingLink.objects.get().movie_id == job.movie_id
    assert harness.pid() not in [pid for pid, _ in children_of(os.getpid())]
    assert [state for _, state in children_of(os.getpid()) if state == "Z"] == []
    assert (harness.folder / "wakeup").stat().st_mode & 0o777 == 0o600
    movie = Movie.objects.get()
    assert movie.fruitless_scrapes == 0
    assert 9.5 * 60 < (movie.next_scrape_at - movie.last_scraped_at).total_seconds() <= 10 * 60


def test_the_log_is_kept_on_the_job_without_secrets_query_strings_or_escapes(harness, settings):
    job = harness.job()
    control.ensure_supervisor()
    (job,) = harness.closed(job)
    assert "read http://127.0.0.1/page and [secret]" in job.log
    assert "hidden" not in job.log
    assert "user:word" not in job.log
    assert "\x1b" not in job.log
    assert sorted(path.name for path in harness.folder.iterdir()) == [
        "events.txt",
        "supervisor.lock",
        "supervisor.log",
        "wakeup",
    ]


def test_each_outcome_is_stored_as_it_happened(harness):
    given = [harness.job(word) for word in ("nothing", "failed", "crash", "die_once")]
    control.ensure_supervisor()
    nothing, failed, crash, die_once = harness.closed(*given)
    assert (nothing.state, nothing.outcome) == ("succeeded", "nothing")
    assert (failed.state, failed.outcome, failed.error) == ("failed", "", "The site answered HTML for JSON.")
    assert (crash.state, crash.attempt) == ("failed", 2)
    assert crash.error == "The scrape stopped unexpectedly (exit status 1)."
    assert "RuntimeError: the crawl broke" in crash.log
    assert crash.sources[0]["state"] == "failed"
    assert (die_once.state, die_once.outcome, die_once.attempt) == ("succeeded", "found", 2)
    assert Movie.objects.get(jobs=nothing).fruitless_scrapes == 1
    assert Movie.objects.get(jobs=failed).last_scraped_at is None


@pytest.mark.parametrize("spawning", [False, True], ids=["forked", "spawned"])
def test_ps_lists_the_supervisor_and_its_jobs_under_titles_with_scrapy(harness, spawning):
    job = harness.job("hang")
    harness.worker(*["--spawn"] * spawning)
    child = harness.running(job)
    assert command_line(harness.pid()) == "openreel: scrapy supervisor"
    assert command_line(child) == f"openreel: scrapy job {job.pk}"


def test_a_supervisor_that_a_click_started_has_its_title_too(harness):
    control.ensure_supervisor()
    harness.until(lambda: harness.pid() and command_line(harness.pid()) == "openreel: scrapy supervisor")


def test_a_failed_source_is_one_warning_in_the_supervisors_log(harness):
    failed, found = harness.job("failed"), harness.job("found")
    control.ensure_supervisor()
    failed, _ = harness.closed(failed, found)
    control.stop_supervisor()
    (line,) = (harness.folder / "supervisor.log").read_text().splitlines()
    warning = f"WARNING streaming.scraping.jobs: {failed.movie.imdb_id}: source example failed: "
    assert line.endswith(f"{warning}The site answered HTML for JSON.")


def test_a_job_whose_process_is_killed_twice_fails_with_the_signal(harness):
    job = harness.job("hang")
    control.ensure_supervisor()
    os.kill(harness.running(job), signal.SIGKILL)
    second = harness.until(lambda: [line for line in harness.events() if f" {job.pk} " in line][1:])
    os.kill(int(second[0].split()[0]), signal.SIGKILL)
    (job,) = harness.closed(job)
    assert (job.state, job.error, job.attempt) == ("failed", "The scrape stopped unexpectedly (killed by signal 9).", 2)


@pytest.mark.parametrize("spawning", [False, True], ids=["forked", "spawned"])
def test_a_process_that_ignores_term_is_killed_with_its_children_at_the_time_limit(harness, monkeypatch, spawning):
    monkeypatch.setenv("SCRAPE_TIMEOUT", "2" if spawning else "1")
    job = harness.job("stubborn")
    harness.worker(*["--spawn"] * spawning)
    pid = harness.running(job)
    note = str(harness.until(lambda: next((line for line in harness.events() if "grandchild" in line), "")))
    grandchild = int(note.split("=")[1])
    (job,) = harness.closed(job)
    assert job.state == "failed"
    assert job.error == f"Stopped after {2 if spawning else 1} seconds without finishing."
    assert job.attempt == 1
    harness.until(lambda: not is_alive(pid) and not is_alive(grandchild))


def test_what_a_job_process_leaves_running_ends_with_it(harness):
    job = harness.job("leaves_one")
    control.ensure_supervisor()
    (job,) = harness.closed(job)
    assert job.state == "succeeded"
    (grandchild,) = [int(line.split("=")[1]) for line in harness.events() if "grandchild" in line]
    harness.until(lambda: not is_alive(grandchild))


def test_a_killed_supervisor_takes_its_job_processes_along_and_the_next_one_finishes_their_jobs(harness):
    hanging, waiting = harness.job("hang"), harness.job("short")
    control.ensure_supervisor()
    child = harness.running(hanging)
    first = harness.pid()
    ScrapeJob.objects.filter(pk=hanging.pk).update(target_url="http://127.0.0.1/found")
    os.kill(first, signal.SIGKILL)
    harness.until(lambda: not is_alive(child))
    control.ensure_supervisor()
    hanging, waiting = harness.closed(hanging, waiting)
    assert (hanging.state, hanging.attempt) == ("succeeded", 2)
    assert waiting.state == "succeeded"
    assert harness.pid() != first


def test_a_stopping_supervisor_requeues_its_jobs_without_using_an_attempt(harness):
    job = harness.job("hang")
    control.ensure_supervisor()
    child = harness.running(job)
    assert control.stop_supervisor() is not None
    job.refresh_from_db()
    assert (job.state, job.attempt, job.owner) == ("queued", 0, "")
    assert not is_alive(child)
    assert not (harness.folder / "wakeup").exists()


def test_a_supervisor_can_be_stopped_while_it_starts(harness):
    control.ensure_supervisor()
    assert control.stop_supervisor() is not None
    assert not file_locks.is_locked(control.lock_path())
    control.ensure_supervisor()
    assert control.stop_supervisor() is not None
    assert control.stop_supervisor() is None


def test_a_supervisor_imports_what_a_scrape_needs_and_no_pages(harness):
    command = [sys.executable, "-X", "importtime", "-m", "MovieBackend.worker", "--stop"]
    stated = subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True, text=True)
    assert stated.stdout == "No worker is running on this machine.\n"
    assert " streaming.models" in stated.stderr
    for heavy in ("django.contrib.admin", "rest_framework", "streaming.web.movie_page", "streaming.health", "pycurl"):
        assert f" {heavy}\n" not in stated.stderr


def test_a_second_supervisor_exits_at_once_with_status_0(harness):
    control.ensure_supervisor()
    harness.until(lambda: (harness.folder / "wakeup").exists())
    assert harness.worker().wait(10) == 0


def test_an_idle_supervisor_exits_and_the_next_notification_starts_another(harness, monkeypatch):
    monkeypatch.setenv("SCRAPE_IDLE_SECONDS", "1")
    first = harness.job()
    control.ensure_supervisor()
    harness.closed(first)
    harness.until(lambda: harness.pid() is None)
    second = harness.job()
    control.ensure_supervisor()
    assert harness.closed(second)[0].state == "succeeded"


def test_thirty_jobs_leave_no_zombie_and_never_more_than_the_allowed_processes(harness, monkeypatch):
    monkeypatch.setenv("SCRAPE_PROCESSES", "3")
    given = [harness.job("short") for _ in range(30)]
    control.ensure_supervisor()
    harness.until(lambda: harness.events())
    supervisor = harness.pid()
    assert {job.state for job in harness.closed(*given)} == {"succeeded"}
    assert children_of(supervisor) == []
    events = sorted(
        (float(part.split("=")[1]), 1 if part.startswith("begins") else -1)
        for part in (line.split()[2] for line in harness.events())
        if "=" in part
    )
    at_once = maximum = 0
    for _, step in events:
        at_once += step
        maximum = max(maximum, at_once)
    assert maximum == 3
    assert set(ScrapeJob.objects.values_list("attempt", flat=True)) == {1}


def test_a_cancelled_job_is_stopped(harness):
    job = harness.job("stubborn")
    control.ensure_supervisor()
    child = harness.running(job)
    assert jobs.cancel(job.pk)
    (job,) = harness.closed(job)
    assert (job.state, job.error) == ("cancelled", "Cancelled.")
    assert not is_alive(child)
    assert not jobs.cancel(job.pk)


def test_a_process_that_writes_endlessly_is_stopped_and_its_log_stays_small(harness):
    job = harness.job("chatter")
    control.ensure_supervisor()
    (job,) = harness.closed(job)
    assert (job.state, job.error) == ("failed", "The scrape wrote too much to its log and was stopped.")
    assert len(job.log) == 64 * 1024


def test_a_spawned_process_does_the_same(harness):
    given = [harness.job("found"), harness.job("crash")]
    harness.worker("--spawn")
    found, crash = harness.closed(*given)
    assert (found.state, found.outcome) == ("succeeded", "found")
    assert (crash.state, crash.attempt) == ("failed", 2)
    assert "RuntimeError: the crawl broke" in crash.log


def test_removing_a_movie_removes_its_job_and_stops_the_process(harness):
    job = harness.job("hang")
    control.ensure_supervisor()
    child = harness.running(job)
    Movie.objects.get(pk=job.movie_id).delete()
    harness.until(lambda: not is_alive(child))


def test_a_job_abandoned_long_ago_fails_with_the_reason(harness):
    lost = make_job(make_movie(), state="running", attempt=2)
    control.ensure_supervisor()
    (lost,) = harness.closed(lost)
    assert lost.state == "failed"
    assert lost.error.startswith("The scrape stopped unexpectedly")


CLICK = """
import django, time
django.setup()
from streaming.models import Movie
from streaming.scraper_utils import scrape_movie_on_demand
scrape_movie_on_demand(Movie.objects.get(), requested_by="click", target_url="http://127.0.0.1/short")
print("clicked", flush=True)
time.sleep(60)
"""


def test_killing_the_web_process_stops_no_job(harness):
    make_movie()
    web = subprocess.Popen([sys.executable, "-c", CLICK], cwd=PROJECT_ROOT, stdout=subprocess.PIPE)
    with web:
        assert web.stdout.readline() == b"clicked\n"
        web.kill()
    (job,) = harness.closed(ScrapeJob.objects.get())
    assert (job.state, job.outcome, job.attempt) == ("succeeded", "found", 1)


def test_a_job_without_a_notification_is_found(harness):
    control.ensure_supervisor()
    harness.until(lambda: (harness.folder / "wakeup").exists())
    job = harness.job()
    assert harness.closed(job)[0].state == "succeeded"


def test_jobs_queued_while_no_supervisor_ran_are_run_by_the_next_one(harness):
    given = [harness.job() for _ in range(3)]
    assert harness.pid() is None
    control.ensure_supervisor()
    assert {job.state for job in harness.closed(*given)} == {"succeeded"}


def test_a_supervisor_that_cannot_be_started_is_logged(harness, settings, caplog):
    settings.SCRAPE_DIR = harness.folder / "taken"
    settings.SCRAPE_DIR.write_text("a file where a folder should be")
    control.ensure_supervisor()
    assert "no supervisor could be started" in caplog.text
    settings.SCRAPE_DIR = harness.folder


# A user with at most two processes: this one and the shell, which then cannot start the supervisor.
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
def test_a_shell_that_cannot_fork_is_logged():
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


def test_a_regular_file_in_place_of_the_fifo_is_replaced(harness):
    """A tool that copies `var` without knowing FIFOs leaves one."""
    (harness.folder / "wakeup").write_text("")
    job = harness.job()
    control.ensure_supervisor()
    assert harness.closed(job)[0].state == "succeeded"


def test_a_job_whose_process_always_dies_is_tried_as_often_as_the_setting_says(harness, settings):
    settings.SCRAPE_MAX_ATTEMPTS, settings.SCRAPE_CRAWL = 3, "tests.helpers.fake_crawls.fake_crawl"
    job = harness.job("crash")
    single_job.run_next_job()
    job.refresh_from_db()
    assert (job.state, job.attempt, len(harness.events())) == ("failed", 3, 3)
