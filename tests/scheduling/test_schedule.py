"""The schedule: one owner over all processes, missed times made up for once, and an end with the server."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from streaming.child_environment import child_environment
from streaming.models import HealthRun, ScheduledTask, ScheduleOwner
from streaming.scheduling import timetable
from tests.helpers.external_services import run_tests_on_postgres
from tests.helpers.factories import make_link
from tests.helpers.http_origin import Origin, wait_for
from tests.helpers.paths import PROJECT_ROOT
from tests.helpers.process_info import children_of, is_alive

NOW = timezone.now()


def due(*, hours):
    return ScheduledTask.objects.create(name="check", due_at=NOW - timedelta(hours=hours))


@pytest.fixture
def check():
    return timetable.scheduled_commands()[0]


@pytest.mark.django_db
def test_missed_times_are_made_up_for_once_and_the_rhythm_stays(check):
    task = due(hours=50.25)
    assert timetable.start_due(check, now=NOW)
    assert not timetable.start_due(check, now=NOW)
    task.refresh_from_db()
    assert task.due_at == NOW + timedelta(minutes=45)


@pytest.mark.django_db
def test_of_two_processes_that_see_the_same_row_one_starts(check):
    task = due(hours=1)
    results = [ScheduledTask.objects.start(task, next_due_at=NOW + timedelta(hours=1), now=NOW) for _ in range(2)]
    assert results == [True, False]


@pytest.mark.django_db
def test_a_first_start_waits_a_moment_and_a_fast_clock_is_forgiven(check):
    timetable.prepare_tasks([check], now=NOW)
    assert not timetable.start_due(check, now=NOW)
    assert timetable.start_due(check, now=NOW + timetable.FIRST_DELAY)
    ScheduledTask.objects.update(due_at=NOW + timedelta(days=900))
    timetable.prepare_tasks([check], now=NOW)
    assert timetable.start_due(check, now=NOW)


@pytest.mark.django_db
def test_one_process_owns_it_until_its_lease_ends():
    first = ScheduleOwner.objects.claim("first")
    assert first is not None
    assert ScheduleOwner.objects.claim("second") is None
    assert ScheduleOwner.objects.renew(first)
    assert ScheduleOwner.objects.is_alive()
    ScheduleOwner.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert not ScheduleOwner.objects.is_alive()
    second = ScheduleOwner.objects.claim("second")
    assert second is not None
    assert not ScheduleOwner.objects.renew(first)
    ScheduleOwner.objects.release(first)
    assert ScheduleOwner.objects.is_alive()
    ScheduleOwner.objects.release(second)
    assert ScheduleOwner.objects.claim("third") is not None


@pytest.mark.django_db
def test_what_an_installation_does_not_need_is_not_scheduled(settings):
    def names():
        return [command.name for command in timetable.scheduled_commands()]

    assert names() == ["check", "titles"]
    settings.SOURCES, settings.NOTIFY_URLS = ["example", "wikidata"], ["json://127.0.0.1/"]
    assert names() == ["check", "titles", "describe", "notify"]
    settings.TMDB_API_KEY = "key"
    assert "tmdb" in timetable.scheduled_commands()[2].words


@pytest.mark.django_db
def test_the_health_page_and_its_json_show_the_schedule(client, settings):
    assert client.get("/health/?format=json").json()["schedule"] is None
    due(hours=-0.5)
    page = client.get("/health/").content.decode()
    assert "The schedule is not running" in page
    ScheduleOwner.objects.claim("owner")
    page = client.get("/health/").content.decode()
    assert "The schedule is running." in page
    assert "Link check" in page
    values = client.get("/health/?format=json").json()
    assert values["schedule"]["alive"] is True
    assert values["schedule"]["tasks"][0]["name"] == "check"
    assert values["late"] is True
    ScheduleOwner.objects.update(state="")
    settings.SCHEDULE = False
    assert "The schedule" not in client.get("/health/").content.decode()


def start(**variables):
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_schedule"],
        cwd=PROJECT_ROOT, env={**child_environment(), **variables}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_schedules_one_checks_and_the_other_takes_over_after_a_kill():
    with Origin() as server:
        make_link(source_url=server.url("page/1"), host=server.server_address[0])
        due(hours=3)
        both = [start(SCRAPE_LEASE_SECONDS="3") for _ in range(2)]
        try:
            wait_for(lambda: ScheduledTask.objects.filter(exit_status=0).exists(), seconds=40)
            assert HealthRun.objects.count() == 1
            owner = int(ScheduleOwner.objects.get().owner.split(":")[1])
            (killed,) = [one for one in both if one.pid == owner]
            (other,) = [one for one in both if one.pid != owner]
            killed.kill()
            wait_for(lambda: f":{other.pid}:" in ScheduleOwner.objects.get().owner, seconds=40)
        finally:
            for process in both:
                process.terminate()
                process.communicate(timeout=20)
    assert other.returncode == 0
    assert ScheduleOwner.objects.get().state == ""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_check_ends_with_the_schedule_that_started_it(how):
    with Origin() as server:
        for number in range(4):
            make_link(source_url=server.url(f"hang/{number}"), host=server.server_address[0])
        due(hours=1)
        process = start()
        wait_for(lambda: HealthRun.objects.exists(), seconds=40)
        ((check, _),) = children_of(process.pid)
        process.send_signal(how)
        process.communicate(timeout=20)
        wait_for(lambda: not is_alive(check))


@pytest.mark.slow
@pytest.mark.postgres
def test_the_same_on_postgresql():
    run_tests_on_postgres("scheduling/test_schedule.py")
