"""Distributed runs with real Celery workers, brokers and PostgreSQL find what one process finds, whatever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from scraper.net.url_policy import host_of
from streaming.models import Movie, StreamingLink
from tests.helpers.brokers import Broker
from tests.helpers.cluster import PROJECT_ROOT, Cluster
from tests.helpers.external_services import empty_database, models_in
from tests.helpers.http_origin import Origin, wait_for

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.slow]
both = pytest.mark.parametrize("machines", ["rabbitmq", "redis"], indirect=True)
STATE = """
    SELECT source_url, is_active, reason, failures, checks, http_status, moved_to, moved_seen
    FROM streaming_streaminglink ORDER BY source_url
"""
COUNTS = """
    SELECT checked, alive, gone, blocked, unreachable, throttled, not_checked, died, revived, removed, withheld
    FROM streaming_healthrun ORDER BY id DESC LIMIT 1
"""
PAUSED = "SELECT host, reason FROM streaming_hostpause ORDER BY host"


class Net:
    """Servers on different hosts that record which machines sent them requests."""

    def __init__(self, stack: ExitStack, count: int) -> None:
        self.hosts = [stack.enter_context(Origin(f"127.0.0.{2 + number}")) for number in range(count)]
        self.machines_by_host: defaultdict[str, set[str]] = defaultdict(set)
        for host in self.hosts:
            host.asked = self._record

    def _record(self, handler):
        self.machines_by_host[handler.server.server_address[0]].add(
            handler.headers["User-Agent"].split("+")[1].rstrip(")")
        )

    def url(self, number, path):
        return self.hosts[number % len(self.hosts)].url(path)

    def urls(self, paths):
        return [self.url(number, path) for number in range(len(self.hosts)) for path in paths]

    def asked(self):
        return Counter(path for host in self.hosts for _, path in host.log)

    def forget(self):
        self.machines_by_host.clear()
        for host in self.hosts:
            del host.log[:]


class Checks(Cluster):
    """A cluster whose machines check links."""

    def __init__(self, database, broker, folder):
        super().__init__(database, broker, folder)
        self.environment["DJANGO_SETTINGS_MODULE"] = "tests.helpers.cluster_settings"
        self.warned = ""

    def workers_ready(self, count, *arguments):
        for _ in range(count):
            self.worker("-c", "1", "-Q", "health", "--loglevel", "INFO", *arguments)
        logs = [self.folder / f"machine{number}.log" for number in range(len(self.workers))]
        wait_for(lambda: all(" ready." in log.read_text(errors="replace") for log in logs), 60)

    def fill(self, urls):
        """Replace all links by these, never checked."""
        self.empty()
        with models_in(self.database) as alias:
            movies = Movie.objects.using(alias).bulk_create(
                Movie(imdb_id=f"tt{number + 1000:07d}", title="Nosferatu") for number in range(len(urls))
            )
            StreamingLink.objects.using(alias).bulk_create(
                StreamingLink(movie=movie, source="example", source_url=url, host=host_of(url))
                for movie, url in zip(movies, urls, strict=True)
            )

    def empty(self):
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("TRUNCATE streaming_movie, streaming_healthrun, streaming_hostpause CASCADE")

    def start(self, *arguments):
        command = [sys.executable, "manage.py", "check_link_health", "--format", "json", "--timeout", "1", *arguments]
        return subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def check(self, *arguments, status=0):
        """Run the command to its end and return its JSON summary."""
        return self.end(self.start(*arguments), status=status)

    def end(self, process, *, status=0, seconds=60):
        try:
            out, error = process.communicate(timeout=seconds)
            self.warned = error
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError((process.communicate(), self.said(), self.parts())) from None
        assert process.returncode == status, (out, error, self.said())
        return json.loads(out.splitlines()[-1])

    def parts(self):
        return self.query("SELECT round, number, state, owner, attempt FROM streaming_healthpart ORDER BY id")

    def outcome(self):
        return self.query(STATE), self.query(COUNTS), self.query(PAUSED)


@pytest.fixture(scope="module")
def database(django_db_blocker) -> Iterator[str]:
    with empty_database("check") as address, django_db_blocker.unblock():
        yield address


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Broker]]:
    """One broker of each kind, started when it is first requested."""
    started: dict[str, Broker] = {}

    def broker(kind: str) -> Broker:
        one = started.get(kind) or started.setdefault(kind, Broker(kind, tmp_path_factory.mktemp(kind)))
        if one.process is None:
            one.start()
        return one

    yield broker
    for one in started.values():
        one.kill()


@pytest.fixture
def machines(database, brokers, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Checks]:
    """A cluster without workers; with RabbitMQ, unless the test is for both brokers."""
    machines = Checks(database, brokers(getattr(request, "param", "rabbitmq")), tmp_path)
    machines.empty()
    yield machines
    machines.leave()


@pytest.fixture(scope="module")
def long_lived_machines(database, brokers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checks]:
    machines = Checks(database, brokers("rabbitmq"), tmp_path_factory.mktemp("long_lived"))
    machines.workers_ready(2)
    yield machines
    machines.leave()


@pytest.fixture
def crew(long_lived_machines) -> Checks:
    """Two workers that live for many tests."""
    long_lived_machines.empty()
    return long_lived_machines


@pytest.fixture
def net():
    with ExitStack() as stack:
        yield lambda count: Net(stack, count)


def every_kind(net):
    """URLs of all kinds on all hosts, with redirects from host to host and back."""
    plain = [f"page/{number}" for number in range(8)]
    urls = net.urls([*plain, "404/1", "soft/1", "nohead/1", "cookie/1", "moved/page/1", "headhangs/1"])
    for number in range(len(net.hosts)):
        here = net.url(number, "")
        urls += [
            net.url(number + 1, f"to/{here}page/r{number}"),
            net.url(number + 1, f"to/{here}404/r{number}"),
            net.url(number + 2, f"to/{net.url(number + 3, '')}to/{net.url(number + 2, '')}to/{here}page/chain"),
            net.url(number + 4, f"to/{here}nohead/r{number}"),
        ]
    urls += [net.url(1, f"to/{net.url(5, '')}headhangs/r"), net.url(2, f"to/{net.url(7, '')}cookie/r")]
    urls += [net.url(0, "403/1"), net.url(1, "hang/1"), net.url(2, "reset/1"), net.url(3, "busy/1")]
    return [*urls, *(f"http://127.0.0.50:1/{number}" for number in range(6))]


@pytest.mark.parametrize(
    ("machines", "arguments"), [("rabbitmq", []), ("redis", ["--parts", "12"])], indirect=["machines"]
)
def test_three_workers_find_what_one_process_finds_and_each_host_has_one_worker(machines, net, arguments):
    net = net(9)
    urls = every_kind(net)
    machines.fill(urls)
    alone = machines.check("--local", "--no-prune")
    found = machines.outcome()
    assert {tuple(names) for names in net.machines_by_host.values()} == {("here",)}
    net.forget()
    machines.fill(urls)
    machines.workers_ready(3)
    summary = machines.check("--distributed", "--no-prune", *arguments)
    assert machines.outcome() == found
    assert {**summary, "seconds": 0} == {**alone, "seconds": 0}
    assert summary["checked"] == len(urls)
    assert "no worker" not in machines.warned
    # The process that started the run probes the canaries at its end; one worker per host does the rest.
    workers = {host: names - {"here"} for host, names in net.machines_by_host.items()}
    assert {len(names) for names in workers.values()} == {1}, workers
    assert len(set().union(*workers.values())) >= 2
    assert machines.parts() == []


@both
def test_a_killed_worker_loses_no_link_and_none_is_counted_twice(machines, net):
    """One worker dies after it wrote successes, with failures not saved yet; another one continues."""
    net = net(4)
    machines.environment["SCRAPE_LEASE_SECONDS"] = "4"
    pages = [f"page/{number}" for number in range(300)]
    urls = net.urls(pages) + net.urls(["404/1", "404/2", "403/1"]) + net.urls(["to/page/r", "hang/1"])
    urls += [net.url(number, f"to/{net.url(number + 1, 'page/led')}") for number in range(4)]
    machines.fill(urls)
    machines.workers_ready(2)
    run = machines.start("--distributed", "--no-prune", "--parts", "3", "--timeout", "3")
    busy = "SELECT owner FROM streaming_healthpart WHERE state = 'running' AND (counts->>'alive')::int > 200 LIMIT 1"
    machines.until(busy)
    name = str(machines.query(busy)[0][0]).split("@machine")[1]
    dying = machines.workers[int(name.split(":")[0])]
    os.killpg(dying.pid, signal.SIGKILL)
    summary = machines.end(run, seconds=180)
    assert (summary["checked"], summary["not_checked"], summary["gone"]) == (len(urls), 0, 8)
    assert (summary["alive"], summary["blocked"], summary["unreachable"]) == (1200 + 4 + 4, 4, 4)
    assert machines.query("SELECT count(*) FROM streaming_streaminglink WHERE length(checks) <> 1") == [(0,)]
    assert "no worker" not in machines.warned


@both
@pytest.mark.parametrize("when", ["before", "in the middle"])
def test_a_run_continues_while_the_broker_is_down(machines, net, when):
    net = net(4)
    urls = net.urls(["page/1", "page/2", "404/1", "hang/1"])
    machines.fill(urls)
    machines.workers_ready(2)
    if when == "before":
        machines.broker.kill()
    run = machines.start("--distributed", "--no-prune", "--timeout", "3")
    wait_for(lambda: net.asked(), 30)
    if when == "in the middle":
        machines.broker.kill()
    machines.broker.start()
    summary = machines.end(run)
    assert (summary["checked"], summary["alive"], summary["gone"], summary["unreachable"]) == (16, 8, 4, 4)


def test_workers_of_a_run_killed_before_it_had_shards_are_free_for_the_next(machines, net):
    net = net(4)
    machines.environment["SCRAPE_LEASE_SECONDS"] = "20"
    machines.fill(net.urls(["page/1"]))
    machines.workers_ready(2)
    killed = machines.start()
    machines.until("SELECT 1 FROM streaming_healthworker HAVING count(*) = 2")
    killed.kill()
    killed.communicate()
    assert machines.parts() == []
    assert machines.check("--no-prune")["checked"] == 4
    assert "no worker" not in machines.warned
    assert set().union(*net.machines_by_host.values()) - {"here"}
    assert machines.query("SELECT count(*) FROM streaming_healthworker WHERE lease_until < now()") == [(0,)]


def test_ctrl_c_works_while_a_run_waits_for_workers_of_an_interrupted_one(machines, net):
    machines.fill(net(1).urls(["page/1"]))
    machines.run("""
from datetime import timedelta
now = timezone.now()
interrupted = HealthRun.objects.create(started_at=now, heartbeat_at=now)
interrupted.workers.create(owner="somebody", lease_until=now + timedelta(minutes=2))
""")
    run = machines.start("--no-prune")
    machines.until("SELECT 1 FROM streaming_healthrun WHERE ending = 'interrupted'")
    run.send_signal(signal.SIGINT)
    assert machines.end(run, status=1)["checked"] == 0
    assert machines.query("SELECT owner FROM streaming_healthworker") == [("somebody",)]


def test_without_any_worker_the_command_checks_the_links_itself_and_says_so(machines, net):
    net = net(3)
    machines.fill([*net.urls(["page/1", "404/1"]), net.url(0, f"to/{net.url(1, 'page/2')}")])
    summary = machines.check("--no-prune")
    assert (summary["checked"], summary["alive"], summary["gone"]) == (7, 4, 3)
    assert "no worker took a shard" in machines.warned
    assert {tuple(names) for names in net.machines_by_host.values()} == {("here",)}


def test_a_worker_that_has_to_stop_requeues_its_shard(machines, net):
    net = net(2)
    machines.fill(net.urls(["page/1", *(f"hang/{number}" for number in range(12))]))
    machines.workers_ready(1)
    run = machines.start("--timeout", "3", "--no-prune", "--per-host", "1", "--strict")
    machines.until("SELECT 1 FROM streaming_healthpart WHERE state = 'running'")
    machines.workers_ready(1)
    machines.workers[0].terminate()
    assert machines.workers[0].wait(20) == 0, machines.said()
    assert (run.poll(), machines.query("SELECT max(attempt) FROM streaming_healthpart")) == (None, [(1,)])
    run.send_signal(signal.SIGTERM)
    machines.end(run, status=1)


def test_a_worker_that_has_to_stop_ends_the_check_that_beat_started(machines, net):
    net = net(2)
    machines.fill(net.urls(["page/1", *(f"hang/{number}" for number in range(40))]))
    machines.environment["HEALTH_CONCURRENCY"] = "1"
    machines.workers_ready(1)
    machines.run("from streaming import tasks\ntasks.check_links.delay()")
    wait_for(lambda: net.asked()["/page/1"] == 2, 40)
    machines.workers[0].terminate()
    assert machines.workers[0].wait(10) == 0, machines.said()
    interrupted = "SELECT count(*) FROM streaming_healthrun WHERE finished_at > started_at AND reason LIKE 'interr%'"
    assert machines.query(interrupted) == [(1,)]


def test_distributed_without_a_broker_says_what_it_needs(tmp_path):
    environment = {
        **os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/none.sqlite3", "CELERY_BROKER_URL": "",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }  # fmt: skip
    command = [sys.executable, "manage.py", "check_link_health", "--distributed"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "CELERY_BROKER_URL" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


# --- with long-lived workers: these tests come last, because such workers receive the notifications of all tests
def test_a_distributed_run_in_which_no_host_responds_is_withheld_and_changes_nothing(crew, net):
    net = net(6)
    crew.fill(net.urls([f"page/{number}" for number in range(6)]))
    before = crew.query(STATE)
    for host in net.hosts:
        host.go_down()
    summary = crew.check(status=3)
    assert summary["withheld"]
    assert "no host responded" in summary["reason"]
    assert crew.query(STATE) == before
    assert crew.query(PAUSED) == []


def test_the_brake_considers_the_whole_run(crew, net):
    """Each shard alone would turn off too few links for the brake."""
    net = net(8)
    crew.fill(net.urls(["page/1", "page/2", "page/3", "404/1", "404/2", "404/3"]))
    before = crew.query(STATE)
    summary = crew.check("--parts", "8", status=3)
    assert "24 of 48 active links" in summary["reason"]
    assert crew.query(STATE) == before
    forced = crew.check("--force")
    # One failed check removes no movie.
    assert (forced["died"], forced["removed"], forced["withheld"]) == (24, 0, False)


def test_of_two_runs_at_once_one_works(crew, net):
    net = net(2)
    crew.fill(net.urls(["page/1", "hang/1"]))
    first = crew.start("--timeout", "4")
    crew.until("SELECT 1 FROM streaming_healthpart WHERE state = 'running'")
    second = crew.check()
    assert (second["checked"], "another check" in second["reason"]) == (0, True)
    assert crew.end(first)["checked"] == 4
    assert crew.query("SELECT count(*) FROM streaming_healthrun") == [(1,)]


@pytest.mark.parametrize("how", ["interrupt", "max-runtime"])
def test_a_run_that_is_stopped_reports_its_results_and_waits_for_no_link(crew, net, how):
    net = net(3)
    crew.fill(net.urls([*(f"page/{number}" for number in range(4)), "404/1", *(f"hang/{n}" for n in range(30))]))
    arguments = ("--max-runtime", "0.15") if how == "max-runtime" else ()
    run = crew.start("--timeout", "30", "--no-prune", *arguments)
    wait_for(lambda: sum(path.startswith("/page/3") for path in net.asked()) and net.asked().total() > 20, 30)
    time.sleep(1)
    if how == "interrupt":
        run.send_signal(signal.SIGINT)
    summary = crew.end(run, status=1 if how == "interrupt" else 0)
    assert (summary["checked"], summary["alive"], summary["gone"]) == (15, 12, 3)
    assert summary["died"] == (0 if how == "interrupt" else 3)
    assert crew.query("SELECT count(*) FROM streaming_streaminglink WHERE checks = 'a'") == [(12,)]
    assert crew.query("SELECT count(*) FROM streaming_healthrun WHERE finished_at IS NULL") == [(0,)]


def test_a_check_that_beat_starts_is_distributed_too(crew, net):
    net = net(3)
    crew.fill(net.urls(["page/1"]))
    crew.run("from streaming import tasks\ntasks.check_links.delay()")
    crew.until("SELECT 1 FROM streaming_healthrun WHERE finished_at IS NOT NULL AND checked = 3 AND plan <> '{}'")


def test_the_limit_selects_the_oldest_links_of_all_hosts(crew, net):
    net = net(4)
    crew.fill(net.urls(["page/1", "page/2"]))
    crew.query("UPDATE streaming_streaminglink SET last_checked = now() - id * interval '1 minute' RETURNING id")
    oldest = crew.query("SELECT source_url FROM streaming_streaminglink ORDER BY last_checked LIMIT 3")
    assert crew.check("--limit", "3")["checked"] == 3
    asked = crew.query("SELECT source_url FROM streaming_streaminglink WHERE checks = 'a' ORDER BY id DESC")
    assert asked == oldest
