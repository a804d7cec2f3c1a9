"""Celery with real brokers, PostgreSQL and worker processes that are killed.

Whatever a broker does with its messages, each job ends once and its links are saved once.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import psycopg
import pytest

from tests.helpers.brokers import Broker
from tests.helpers.cluster import PRELUDE, PROJECT_ROOT, Cluster
from tests.helpers.external_services import empty_database
from tests.helpers.http_servers import free_port
from tests.helpers.process_info import command_line, is_alive

CLICKS = """
from django.test import Client
for number in (1000, 1001):
    Movie.objects.create(imdb_id=f"tt{number:07d}", title="A movie")
    response = Client().post(f"/api/streaming/movies/tt{number:07d}/refresh_links/", headers={"host": "127.0.0.1"})
    print(json.dumps([response.status_code, response.json()["state"]]), flush=True)
    sys.stdin.readline()
"""
NOTIFY = """
from streaming import tasks
for _ in range(2):
    tasks.notify_check(1, times=3)
    print("notified", flush=True)
    sys.stdin.readline()
"""
pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.slow]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with empty_database("celery") as address:
        yield address


@pytest.fixture(scope="module", params=["rabbitmq", "redis"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(request.param, tmp_path_factory.mktemp(request.param))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def machines(database: str, broker: Broker, tmp_path: Path) -> Iterator[Cluster]:
    if broker.process is None:
        broker.start()
    machines = Cluster(database, broker, tmp_path)
    yield machines
    machines.leave()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("TRUNCATE streaming_movie, streaming_healthrun CASCADE")


def test_each_job_is_closed_once_although_each_message_comes_twice(machines):
    machines.worker("-c", "2")
    machines.worker("-c", "2")
    machines.run("""
from streaming import tasks
for job in [ask(number, "short") for number in range(1000, 1016)]:
    tasks.run_job.delay(job.pk)
""")
    assert machines.all_closed() == [("succeeded", 1, "")] * 16
    assert sorted(machines.begun()) == sorted(set(machines.begun()))
    assert (len(machines.begun()), machines.links()) == (16, 16)
    owners = machines.query("SELECT DISTINCT split_part(owner, ':', 2) FROM streaming_scrapejob")
    assert len(owners) >= 2


def test_the_job_of_a_killed_machine_is_run_by_the_other_and_its_links_are_saved_once(machines):
    first = machines.worker("-c", "1")
    machines.run("""ask(1000, "hang_once")""")
    machines.until("SELECT 1 FROM streaming_scrapejob WHERE state = 'running'")
    machines.worker("-c", "1")
    machines.run("""ask(1001, "found")""")
    machines.until("SELECT 1 FROM streaming_scrapejob WHERE state = 'succeeded'")
    (child,) = [int(line[0]) for line in machines.events() if line[2] == "hang_once"]
    assert command_line(child).startswith("openreel: scrapy job ")
    os.killpg(first.pid, signal.SIGKILL)
    assert machines.all_closed() == [("succeeded", 2, ""), ("succeeded", 1, "")]
    assert not is_alive(child)
    assert machines.links() == 2


def test_a_child_that_always_dies_ends_after_two_attempts_however_often_the_message_comes(machines):
    machines.worker("-c", "2")
    machines.run("""
from streaming import tasks
job = ask(1000, "crash")
for _ in range(6):
    tasks.run_job.delay(job.pk)
ask(1001, "found")
""")
    died = "The scrape stopped unexpectedly (exit status 1)."
    assert machines.all_closed() == [("failed", 2, died), ("succeeded", 1, "")]
    assert len(machines.begun()) == 3


def test_a_stopping_worker_finishes_its_running_job(machines):
    worker = machines.worker("-c", "1")
    machines.run("""ask(1000, "long")""")
    machines.until("SELECT 1 FROM streaming_scrapejob WHERE state = 'running'")
    worker.terminate()
    assert worker.wait(15) == 0, machines.said()
    assert machines.jobs() == [("succeeded", 1, "")]


def test_an_endless_job_is_killed_at_its_time_limit_and_a_cancelled_one_at_once(machines):
    machines.environment["SCRAPE_TIMEOUT"] = "2"
    machines.worker("-c", "2")
    machines.run("""
ask(1000, "stubborn")
cancelled = ask(1001, "hang")
while ScrapeJob.objects.filter(state="running").count() < 2:
    time.sleep(0.02)
jobs.cancel(cancelled.pk)
""")
    assert machines.all_closed() == [
        ("failed", 1, "Stopped after 2 seconds without finishing."),
        ("cancelled", 1, "Cancelled."),
    ]
    assert not any(is_alive(int(line[0])) for line in machines.events())


def test_a_click_goes_before_earlier_requests(machines):
    ids = json.loads(
        machines.run("""
asked = [ask(1000, "found", "discover"), ask(1001, "found", "command"), ask(1002, "found", "click")]
print(json.dumps([job.pk for job in asked]))
""")
    )
    machines.worker("-c", "1")
    machines.all_closed()
    assert machines.begun() == list(reversed(ids))


def test_a_queued_job_is_notified_once_per_lease_however_many_pages_poll_it(machines):
    sent = machines.run("""
from streaming import tasks
with tasks.app.connection_for_read() as connection:
    connection.SimpleQueue("scrape").clear()
job = ask(1000, "found")
for _ in range(50):
    notification.notify(job.pk)
with tasks.app.connection_for_read() as connection:
    queue = connection.SimpleQueue("scrape")
    print(queue.qsize())
    queue.clear()
""")
    assert sent.split() == ["1"]


def test_a_health_worker_checks_links_and_runs_no_scrape_jobs(machines):
    machines.worker("-c", "1", "-Q", "health")
    machines.run("""
from streaming import tasks
ask(1000, "found")
tasks.check_links.delay()
""")
    machines.until("SELECT 1 FROM streaming_healthrun WHERE finished_at IS NOT NULL")
    assert machines.jobs() == [("queued", 0, "")]


def test_tasks_have_the_names_that_messages_in_the_queues_and_deployments_use(machines):
    names = machines.run("""
from streaming import tasks
print(*sorted(name for name in tasks.app.tasks if name.startswith("streaming.")))
""")
    expected = {"run_job", "ring_again", "check_part", "check_links"}
    assert set(names.split()) == {f"streaming.tasks.{name}" for name in expected}


def test_tasks_of_beat_exist_use_the_health_queue_and_expire(machines):
    said = machines.run("""
from streaming import tasks
for entry in tasks.app.conf.beat_schedule.values():
    name = entry["task"]
    queue = tasks.app.amqp.router.route({}, name)["queue"].name
    print(name in tasks.app.tasks, queue, entry.get("options", {}).get("expires"))
""")
    assert said.splitlines() == ["True health 3600"]


def test_jobs_requested_while_the_broker_is_down_are_run_when_it_is_back(machines):
    """The broker is killed while one job runs, another job is requested meanwhile, and both end once."""
    machines.worker("-c", "2")
    machines.run("""ask(1000, "long")""")
    machines.until("SELECT 1 FROM streaming_scrapejob WHERE state = 'running'")
    machines.broker.kill()
    answer = json.loads(
        machines.run("""
from django.test import Client
Movie.objects.create(imdb_id="tt0001001", title="A movie")
response = Client().post("/api/streaming/movies/tt0001001/refresh_links/", headers={"host": "127.0.0.1"})
print(json.dumps([response.status_code, response.json()["state"]]))
""")
    )
    assert answer == [202, "queued"]
    machines.until("SELECT 1 FROM streaming_scrapejob WHERE state = 'succeeded'")
    assert machines.jobs()[1][0] == "queued"
    machines.broker.start()
    assert [row[:2] for row in machines.all_closed(seconds=40)] == [("succeeded", 1), ("succeeded", 1)]
    assert len(machines.begun()) == len(set(machines.begun())) == 2


def test_a_click_is_served_while_the_broker_does_not_respond(machines):
    """Frozen, out of memory or behind a dead line: the connection of an earlier click is open, but gets no response."""
    with subprocess.Popen(
        [sys.executable, "-c", PRELUDE + CLICKS],
        cwd=PROJECT_ROOT,
        env=machines.environment,
        stdin=PIPE,
        stdout=PIPE,
        text=True,
    ) as web:
        try:
            assert json.loads(web.stdout.readline()) == [202, "queued"]
            with machines.broker.frozen():
                web.stdin.write("\n")
                web.stdin.flush()
                waited, _, _ = select.select([web.stdout], [], [], 60)
                assert waited, "the click still waits for the broker"
            assert json.loads(web.stdout.readline()) == [202, "queued"]
        finally:
            web.kill()
    machines.worker("-c", "1")
    assert [row[:2] for row in machines.all_closed(seconds=40)] == [("succeeded", 1), ("succeeded", 1)]


def test_a_worker_survives_a_broker_that_does_not_respond_for_a_while(machines):
    """It looks for overlooked jobs once per lease; that request gets no response either."""
    worker = machines.worker("-c", "1")
    machines.run("""ask(1000, "found")""")
    assert machines.all_closed() == [("succeeded", 1, "")]
    with machines.broker.frozen():
        time.sleep(8)
    machines.run("""ask(1001, "found")""")
    assert machines.all_closed(seconds=40) == [("succeeded", 1, "")] * 2
    assert worker.poll() is None


def test_a_check_run_continues_while_the_broker_does_not_respond(machines):
    with subprocess.Popen(
        [sys.executable, "-c", PRELUDE + NOTIFY],
        cwd=PROJECT_ROOT,
        env=machines.environment,
        stdin=PIPE,
        stdout=PIPE,
        text=True,
    ) as check:
        try:
            assert check.stdout.readline() == "notified\n"
            with machines.broker.frozen():
                check.stdin.write("\n")
                check.stdin.flush()
                waited, _, _ = select.select([check.stdout], [], [], 15)
                assert waited, "the run still waits for the broker"
        finally:
            check.kill()


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ({"DATABASE_URL": "sqlite:///x.sqlite3"}, "set DATABASE_URL to a PostgreSQL database"),
        ({"CELERY_BROKER_URL": ""}, "CELERY_BROKER_URL is not set"),
        ({"CELERY_BROKER_URL": "http://127.0.0.1/"}, "CELERY_BROKER_URL: write amqp://"),
    ],
)
def test_celery_reports_a_missing_setting_in_one_sentence(stated, sentence, tmp_path):
    environment = {
        **os.environ,
        "SECRET_KEY": "only-for-tests-not-for-a-public-site",
        "ENV_FILE": os.devnull,
        "VAR_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
        "DATABASE_URL": "postgres://postgres@127.0.0.1/none",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{free_port()}/0",
        **stated,
    }
    command = [sys.executable, "-m", "celery", "-A", "MovieBackend", "worker"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
