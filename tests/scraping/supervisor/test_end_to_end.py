"""Real crawls of the example site, from the click to the rows, whatever is killed meanwhile."""

from __future__ import annotations

import os
import signal

import pytest

from scraper.example_site.films import FILMS
from streaming.models import ScrapeJob, StreamingLink
from streaming.scraper_utils import scrape_movie_on_demand
from streaming.scraping.supervisor import control
from tests.helpers.factories import make_link, make_movie
from tests.helpers.http_servers import example_site, free_port
from tests.helpers.process_info import children_of, is_alive

pytestmark = pytest.mark.slow

FILM = FILMS[0].imdb_id


@pytest.fixture
def crawling(harness, monkeypatch):
    """Return the harness with the real crawl."""
    monkeypatch.delenv("SCRAPE_CRAWL")
    return harness


def click(monkeypatch: pytest.MonkeyPatch, url: str) -> ScrapeJob:
    monkeypatch.setenv("EXAMPLE_SITE_URL", url)
    return scrape_movie_on_demand(make_movie(imdb_id=FILM), requested_by="click")


def test_a_click_brings_links(crawling, monkeypatch):
    with example_site() as url:
        (job,) = crawling.closed(click(monkeypatch, url))
    assert (job.state, job.outcome, job.attempt, job.error) == ("succeeded", "found", 1, "")
    assert job.links_new == job.links_found == StreamingLink.objects.count() > 0
    assert job.sources[0]["state"] == "found"


def test_a_job_process_killed_while_it_crawls_is_replaced_and_no_link_is_saved_twice(crawling, monkeypatch):
    with example_site(slow=0.7) as url:
        job = click(monkeypatch, url)
        searching = ScrapeJob.objects.filter(pk=job.pk, sources__0__state="searching")
        crawling.until(searching.exists)
        ((child, _),) = children_of(crawling.pid())
        os.kill(child, signal.SIGKILL)
        (job,) = crawling.closed(job)
    assert (job.state, job.outcome, job.attempt) == ("succeeded", "found", 2)
    assert job.links_new == StreamingLink.objects.count() > 0


def test_a_source_that_is_down_fails_and_its_links_stay(crawling, monkeypatch):
    url = f"http://127.0.0.1:{free_port()}"
    job = click(monkeypatch, url)
    link = make_link(job.movie)
    (job,) = crawling.closed(job)
    assert (job.state, job.outcome) == ("failed", "")
    assert job.error
    assert job.sources[0]["state"] == "failed"
    link.refresh_from_db()
    assert link.is_active


def test_a_job_interrupted_by_a_stop_finishes_after_the_next_start(crawling, monkeypatch):
    with example_site(slow=0.7) as url:
        job = click(monkeypatch, url)
        crawling.until(ScrapeJob.objects.filter(pk=job.pk, sources__0__state="searching").exists)
        control.stop_supervisor()
        job.refresh_from_db()
        assert (job.state, job.attempt) == ("queued", 0)
        control.ensure_supervisor()
        (job,) = crawling.closed(job)
    assert (job.state, job.outcome, job.attempt) == ("succeeded", "found", 1)


def test_a_machine_that_resumes_too_late_does_not_overwrite_the_results_of_the_other(crawling, monkeypatch, tmp_path):
    """The lease expires while the machine is frozen; its job process resumes before its supervisor checks."""
    with example_site(slow=0.7) as url:
        job = click(monkeypatch, url)
        crawling.until(ScrapeJob.objects.filter(pk=job.pk, sources__0__state="searching").exists)
        late = crawling.pid()
        ((child, _),) = children_of(late)
        for pid in (late, child):
            os.kill(pid, signal.SIGSTOP)
        monkeypatch.setenv("SCRAPE_DIR", str(tmp_path / "other"))
        crawling.worker()
        (found,) = crawling.closed(job)
    os.kill(child, signal.SIGCONT)
    crawling.until(lambda: not is_alive(child))
    os.kill(late, signal.SIGCONT)
    job.refresh_from_db()
    assert (found.state, found.outcome, found.attempt, found.links_found > 0) == ("succeeded", "found", 2, True)
    assert (job.sources, job.links_found, job.links_new) == (found.sources, found.links_found, found.links_new)
