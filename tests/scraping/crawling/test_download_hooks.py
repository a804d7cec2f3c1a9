"""Request slots and pauses of hosts, across processes."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from scraper.sources import KNOWN_SOURCES
from streaming.host_rate_limit import request_delay_for, reserve_slot
from streaming.models import HostGate
from streaming.scraping.crawling.download_hooks import acquire_slot, report_throttled
from streaming.scraping.crawling.job_crawl import run_job_crawl
from tests.helpers.crawl_process import PATCHES, in_child
from tests.helpers.http_servers import Page, serving
from tests.helpers.paths import PROJECT_ROOT
from tests.scraping.crawling.test_job_crawl import NOSFERATU, film_page, job_for, site_with
from tests.scraping.supervisor.test_two_machines import _environment, database  # noqa: F401  a fixture

CC0 = '<a rel="license" href="https://creativecommons.org/publicdomain/zero/1.0/">CC0</a>'
ASK = """
import django, sys, time
django.setup()
from streaming.models import HostGate
from streaming.host_rate_limit import reserve_slot
HostGate.objects.exists()
print("ready", flush=True)
sys.stdin.readline()
for _ in range(10):
    time.sleep(reserve_slot("films.example.org", delay=0.05))
    print(time.monotonic(), flush=True)
"""


@pytest.mark.parametrize(
    ("host", "source", "pause"),
    [
        ("archive.org", "internet_archive", 1.0),
        ("ia801.us.archive.org", "internet_archive", 1.0),
        ("archive.org", "schema_org", 1.0),
        ("notarchive.org", "schema_org", 0.0),
        ("query.wikidata.org", "internet_archive", KNOWN_SOURCES["wikidata"].delay),
        ("www.loc.gov", "library_of_congress", 1.0),
        ("video.blender.example", "peertube", 0.2),
        ("mirror.example.org", "internet_archive", 1.0),
        ("films.example.org", "unknown", 0.0),
        ("127.0.0.1", "internet_archive", 0.0),
        ("127.8.9.1", "example", 0.0),
        ("[::1]", "peertube", 0.0),
        ("localhost", "peertube", 0.0),
    ],
)
def test_the_delay_is_that_of_the_host_and_none_on_loopback(host, source, pause):
    assert request_delay_for(host, source=source) == pause


def test_the_operators_delays_take_precedence(settings):
    settings.SOURCE_DELAYS = {"internet_archive": 2.5, "wikidata": 0.5, "peertube": 0.0}
    hosts = ("ia801.us.archive.org", "query.wikidata.org", "video.blender.example", "www.loc.gov", "127.0.0.1")
    sources = ("schema_org", "commons", "peertube", "library_of_congress", "internet_archive")
    asked = [request_delay_for(host, source=source) for host, source in zip(hosts, sources, strict=True)]
    assert asked == [2.5, 0.5, 0.0, 1.0, 0.0]


@pytest.mark.slow
def test_four_processes_keep_their_distance_from_one_host(database, tmp_path):  # noqa: F811
    environment = _environment(database, tmp_path)
    command = [sys.executable, "-c", ASK]
    askers = [
        subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for asker in askers:
        assert asker.stdout.readline() == "ready\n"
    started = time.monotonic()
    for asker in askers:
        asker.stdin.write("go\n")
        asker.stdin.flush()
    asked = sorted(float(moment) for asker in askers for moment in asker.communicate(timeout=30)[0].split())
    assert [asker.returncode for asker in askers] == [0] * 4
    assert len(asked) == 40
    # A busy machine may wake a process late, but never before its reserved slot.
    assert [number for number, moment in enumerate(asked) if moment < started + number * 0.05 - 0.005] == []


@pytest.mark.django_db
class TestSlots:
    def test_slots_are_spaced_and_hosts_do_not_wait_for_each_other(self):
        begun = timezone.now()
        waits = [reserve_slot("a.example", delay=10.0) for _ in range(4)]
        assert waits[0] == 0
        assert waits == sorted(waits)
        assert HostGate.objects.get().next_at >= begun + timedelta(seconds=40)
        assert reserve_slot("b.example", delay=10.0) == 0

    def test_a_request_that_would_wait_too_long_reserves_nothing(self):
        for _ in range(3):
            reserve_slot("a.example", delay=2.0)
        before = HostGate.objects.get().next_at
        assert reserve_slot("a.example", delay=2.0, max_wait=timedelta(seconds=1)) is None
        assert HostGate.objects.get().next_at == before

    def test_a_slot_from_before_the_clock_was_set_back_is_ignored(self):
        HostGate.objects.create(host="a.example", next_at=timezone.now() + timedelta(hours=1))
        assert reserve_slot("a.example", delay=1.0) == 0

    def test_an_overlong_host_name_is_cut(self):
        assert reserve_slot("a" * 400, delay=1.0) == 0
        assert 0 < reserve_slot("a" * 400, delay=1.0) <= 60


@pytest.mark.django_db(transaction=True)
class TestPauses:
    def test_a_netloc_is_free_until_it_asks_for_a_pause(self):
        assert async_to_sync(acquire_slot)("films.example.org", "example") == ""
        async_to_sync(report_throttled)("films.example.org", "60")
        assert "films.example.org asked us to come back at " in async_to_sync(acquire_slot)(
            "films.example.org", "example"
        )
        assert async_to_sync(acquire_slot)("films.example.org:8080", "example") == ""

    def test_a_request_that_waits_for_its_slot_notices_a_pause(self):
        async def paused_while_waiting():
            ours = asyncio.ensure_future(acquire_slot("archive.org", "internet_archive"))
            await asyncio.sleep(0)
            await report_throttled("archive.org", "60")
            return await ours

        HostGate.objects.create(host="archive.org", next_at=timezone.now() + timedelta(seconds=0.5))
        assert "archive.org asked us to come back at " in async_to_sync(paused_while_waiting)()


def short_pause(host, *, source):
    return 0.4


@pytest.mark.django_db(transaction=True)
class TestCrawlsWait:
    @pytest.fixture
    def site(self, settings, monkeypatch):
        """Yield a site on loopback that is treated like a public one."""
        monkeypatch.setitem(PATCHES, "streaming.scraping.crawling.download_hooks.request_delay_for", short_pause)
        page = film_page("https://films.example.org/1") + CC0
        with serving(site_with(Page(page))) as site:
            settings.EXAMPLE_SITE_URL = site.url
            yield site

    def test_each_request_of_a_crawl_takes_a_slot(self, site):
        job = job_for()
        stated = in_child(run_job_crawl, job.pk)
        assert stated.broke == ""
        job.refresh_from_db()
        assert job.sources[0]["state"] == "found"
        assert job.sources[0]["seconds"] >= 0.4
        assert site.hits == {"/robots.txt": 1, f"/films/{NOSFERATU}/": 1}
        assert HostGate.objects.get().host == "127.0.0.1"

    def test_a_source_whose_slot_is_too_far_ahead_has_failed_without_a_request(self, site):
        HostGate.objects.create(host="127.0.0.1", next_at=timezone.now() + timedelta(seconds=50))
        job = job_for()
        stated = in_child(run_job_crawl, job.pk)
        assert stated.broke == ""
        job.refresh_from_db()
        assert (job.sources[0]["state"], job.sources[0]["error"]) == (
            "failed",
            "Too many scrape jobs wait for this site",
        )
        assert not site.hits


@pytest.mark.django_db
@pytest.mark.slow
def test_a_pause_names_its_month_in_english_in_every_locale(foreign_locale):
    async_to_sync(report_throttled)("films.example.org", "600")
    stated = async_to_sync(acquire_slot)("films.example.org", "example")
    assert re.fullmatch(
        r"films\.example\.org asked us to come back at \d\d:\d\d UTC on \d{1,2} [A-Z][a-z]{2,8}", stated
    )
    assert foreign_locale not in stated
