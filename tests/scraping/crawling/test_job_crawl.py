"""Crawls as a job runs them: in a forked process, of a site on loopback, into real rows."""

from __future__ import annotations

import gzip
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection, connections

from scraper.errors import SourceFailed
from streaming.ingest.save import SaveReport
from streaming.models import BlockedAddress, HostPause, Movie, ScrapeJob, StreamingLink
from streaming.scraping.crawling.job_crawl import SourceProgress, build_source_result, run_job_crawl
from streaming.scraping.jobs import JobClaim
from streaming.scraping.source_results import save_source_result
from tests.helpers.crawl_process import PATCHES, in_child
from tests.helpers.factories import make_job_outside_queue, make_link, make_movie
from tests.helpers.faulty_spiders import compute_for_ever, take_all_memory
from tests.helpers.http_servers import Page, Site, example_site, free_port, serving
from tests.helpers.paths import PROJECT_ROOT
from tests.helpers.whole_site_crawl import crawl_whole_site

pytestmark = pytest.mark.slow

NOSFERATU = "tt0013442"
JOB_CRAWL = "streaming.scraping.crawling.job_crawl"


def waiting(*sources):
    empty = {"state": "waiting", "links": 0, "new": 0, "seconds": None, "error": ""}
    return [{"source": name, **empty} for name in sources]


def job_for(imdb_id=NOSFERATU, **fields):
    fields.setdefault("sources", waiting("example"))
    movie = Movie.objects.filter(imdb_id=imdb_id).first() or make_movie(imdb_id=imdb_id, title="Nosferatu")
    return make_job_outside_queue(movie, **fields)


def crawled(job, url, settings, **more):
    """Run the job's crawl in a child; return its report and log."""
    settings.EXAMPLE_SITE_URL = url
    for name, value in more.items():
        setattr(settings, name, value)
    stated = in_child(run_job_crawl, job.pk)
    assert stated.broke == "", stated.broke + stated.log
    job.refresh_from_db()
    assert stated.value.results == job.sources
    return stated.value, stated.log


LICENCE = '"license": "https://creativecommons.org/publicdomain/mark/1.0/"'


def film_page(*links, imdb_id=NOSFERATU):
    anchors = "".join(f'<a href="{link}">Watch</a>' for link in links)
    data = f'{{"@type": "Movie", "name": "Nosferatu", "sameAs": "https://www.imdb.com/title/{imdb_id}/", {LICENCE}}}'
    return f'<script type="application/ld+json">{data}</script>{anchors}'


def site_with(page, *, robots=None):
    return Site({f"/films/{NOSFERATU}/": page} | ({"/robots.txt": robots} if robots else {}))


LINK_CHECK = "streaming.health.sweep.immediate_check.check_new_links"


@pytest.mark.django_db(transaction=True)
class TestCheckingNewLinks:
    def test_new_links_are_checked_when_the_search_ends(self, settings):
        job = job_for()
        earlier = datetime(2026, 1, 1, tzinfo=UTC)
        known = make_link(job.movie, source_url="http://127.0.0.1:9/known", last_checked=earlier)
        pages = {f"/films/{NOSFERATU}/": Page(film_page("/alive", "/dead")), "/alive": Page("<title>Nosferatu</title>")}
        with serving(Site(pages)) as site:
            crawled(job, site.url, settings, SCRAPE_LINK_CHECK=LINK_CHECK)
        states = {link.source_url.rsplit("/", 1)[1]: link for link in job.movie.links.all()}
        assert (states["alive"].is_active, states["alive"].reason) == (True, "ok")
        assert (states["dead"].is_active, states["dead"].reason) == (False, "http_404")
        assert None not in (states["alive"].last_checked, states["dead"].last_checked)
        assert states["known"].last_checked == known.last_checked

    def test_a_check_that_fails_leaves_the_search_as_it_is(self, settings):
        job = job_for()
        with serving(site_with(Page(film_page("/alive")))) as site:
            report, log = crawled(job, site.url, settings, SCRAPE_LINK_CHECK="builtins.divmod")
        assert (report.links, report.results[0]["state"]) == (1, "found")
        assert "new links could not be checked" in log
        assert job.movie.links.get().last_checked is None

    def test_without_time_left_nothing_is_checked(self, settings):
        job = job_for()
        with serving(site_with(Page(film_page("/alive")))) as site:
            crawled(job, site.url, settings, SCRAPE_LINK_CHECK=LINK_CHECK, SCRAPE_TIMEOUT=0.001)
        assert not job.movie.links.exclude(last_checked=None).exists()


@pytest.mark.django_db(transaction=True)
class TestSaving:
    def test_the_links_of_the_example_site_become_rows(self, settings):
        job, begun = job_for(), time.monotonic()
        with example_site() as url:
            report, log = crawled(job, url, settings)
            hosts = set(StreamingLink.objects.values_list("host", flat=True))
        assert (report.links, report.new) == (6, 6)
        assert StreamingLink.objects.filter(movie__imdb_id=NOSFERATU, source="example").count() == 6
        assert hosts == {"127.0.0.1"}
        assert (job.links_found, job.links_new) == (6, 6)
        row = job.sources[0]
        assert (row["state"], row["links"], row["new"], row["error"]) == ("found", 6, 6, "")
        assert 0 < row["seconds"] <= time.monotonic() - begun
        assert log == ""

    def test_a_second_crawl_finds_no_new_links_and_changes_no_health(self, settings):
        job = job_for()
        with example_site() as url:
            crawled(job, url, settings)
            StreamingLink.objects.update(is_active=False, reason="http_404")
            ScrapeJob.objects.update(state="succeeded", outcome="found", finished_at=datetime.now(UTC))
            again = job_for()
            crawled(again, url, settings)
        assert (again.sources[0]["links"], again.sources[0]["new"]) == (6, 0)
        assert set(StreamingLink.objects.values_list("is_active", "reason")) == {(False, "http_404")}

    def test_a_target_url_is_read_instead_of_the_films_page(self, settings):
        with serving(Site({"/elsewhere": Page(film_page("/watch/1"))})) as site:
            job = job_for(target_url=f"{site.url}/elsewhere")
            crawled(job, "http://127.0.0.1:1", settings)
        assert [link.source_url for link in StreamingLink.objects.all()] == [f"{site.url}/watch/1"]

    def test_the_first_links_are_saved_while_the_crawl_goes_on(self, settings, monkeypatch):
        over, seen = threading.Event(), []

        def never_ending(handler):
            over.wait(60)

        pages = {
            "/": Page(f'<a href="/films/{NOSFERATU}/">a</a><a href="/films/hangs/">b</a>'),
            f"/films/{NOSFERATU}/": Page(film_page("/watch/1")),
            "/films/hangs/": Page(raw_handler=never_ending),
        }
        job = job_for()
        monkeypatch.setitem(PATCHES, "scraper.settings.DOWNLOAD_TIMEOUT", 60)

        def look():
            end = time.monotonic() + 20
            while time.monotonic() < end and not StreamingLink.objects.exists():
                time.sleep(0.01)
            seen.append((StreamingLink.objects.count(), ScrapeJob.objects.get(pk=job.pk).sources[0]["state"]))
            over.set()

        with serving(Site(pages)) as site:
            settings.EXAMPLE_SITE_URL = site.url
            stated = in_child(crawl_whole_site, job.pk, meanwhile=look)
        assert stated.broke == "", stated.broke
        assert seen == [(1, "searching")]

    def test_an_open_connection_of_another_thread_loses_no_links(self, settings):
        """See `tests/helpers/crawl_process.py`: a fork of this process lost rows or found the database malformed."""
        left = []
        job = job_for()
        user = threading.Thread(target=lambda: left.append((Movie.objects.count(), connections["default"].connection)))
        user.start()
        user.join()

        def look():
            left.pop()[1].close()
            end = time.monotonic() + 20
            while time.monotonic() < end and ScrapeJob.objects.get(pk=job.pk).sources[0]["seconds"] is None:
                connections.close_all()

        with serving(site_with(Page(film_page(*(f"/watch/{n}" for n in range(130)))))) as site:
            settings.EXAMPLE_SITE_URL = site.url
            stated = in_child(run_job_crawl, job.pk, meanwhile=look)
        job.refresh_from_db()
        assert (stated.broke, stated.log) == ("", "")
        assert (job.sources[0]["state"], job.links_found) == ("found", StreamingLink.objects.count())

    def test_links_of_several_batches_are_all_saved(self, settings, monkeypatch):
        monkeypatch.setitem(PATCHES, "streaming.scraping.crawling.pipeline.BATCH_SIZE", 20)
        page = Page(film_page(*(f"/watch/{n}" for n in range(50))))
        job = job_for()
        with serving(site_with(page)) as site:
            report, _ = crawled(job, site.url, settings)
        assert report.links == report.new == StreamingLink.objects.count() == 50

    def test_requests_carry_an_honest_user_agent(self, settings):
        with serving(site_with(Page(film_page("/watch/1")))) as site:
            crawled(job_for(), site.url, settings)
        assert site.agents == {settings.USER_AGENT}
        assert site.hits["/robots.txt"] == 1


@pytest.fixture
def shared_cache(settings, tmp_path):
    """Use a cache that several processes use, as in production."""
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path / "cache")}}


def state_after(job, site, settings):
    crawled(job, site.url, settings)
    ScrapeJob.objects.filter(pk=job.pk).update(state="failed", finished_at=datetime.now(UTC))
    return job.sources[0]["state"]


@pytest.mark.django_db(transaction=True)
class TestRobotsCache:
    @pytest.mark.parametrize(
        ("robots", "state"),
        [
            (Page("User-agent: *\nDisallow: /films/"), "blocked"),
            (Page("User-agent: *\nDisallow: /other/"), "found"),
            (Page(status=404), "found"),
            (Page("Go away", status=403), "found"),
        ],
    )
    def test_a_cached_robots_txt_is_not_requested_again(self, settings, shared_cache, robots, state):
        with serving(site_with(Page(film_page("/watch/1")), robots=robots)) as site:
            assert [state_after(job_for(), site, settings) for _ in range(3)] == [state] * 3
        assert site.hits["/robots.txt"] == 1

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_failed_robots_txt_is_requested_again(self, settings, shared_cache, status):
        with serving(site_with(Page(film_page("/watch/1")), robots=Page(status=status))) as site:
            assert state_after(job_for(), site, settings) == "failed"
            HostPause.objects.all().delete()  # What 429 asked for is over.
            site.pages = {**site.pages, "/robots.txt": Page("User-agent: *\nDisallow: /films/")}
            assert state_after(job_for(), site, settings) == "blocked"

    def test_each_site_has_its_own_rules(self, settings, shared_cache):
        page, closed = Page(film_page("/watch/1")), Page("User-agent: *\nDisallow: /")
        with serving(site_with(page, robots=closed)) as first, serving(site_with(page)) as second:
            assert state_after(job_for(), first, settings) == "blocked"
            assert state_after(job_for(), second, settings) == "found"

    def test_an_expired_robots_txt_is_requested_again(self, settings, shared_cache, monkeypatch):
        monkeypatch.setitem(PATCHES, "streaming.scraping.crawling.robots_cache.CACHE_SECONDS", 0.2)
        with serving(site_with(Page(film_page("/watch/1")))) as site:
            assert state_after(job_for(), site, settings) == "found"
            time.sleep(0.3)
            assert state_after(job_for(), site, settings) == "found"
        assert site.hits["/robots.txt"] == 2

    def test_an_unavailable_cache_fails_no_scrape(self, settings):
        redis = "django.core.cache.backends.redis.RedisCache"
        settings.CACHES = {"default": {"BACKEND": redis, "LOCATION": f"redis://127.0.0.1:{free_port()}/0"}}
        with serving(site_with(Page(film_page("/watch/1")))) as site:
            report, log = crawled(job_for(), site.url, settings)
        assert report.links == 1
        assert "the cache did not respond" in log


@pytest.mark.django_db(transaction=True)
class TestNothingOrFailed:
    def test_an_unknown_film_is_nothing(self, settings):
        job = job_for("tt0565808")
        with example_site() as url:
            _, log = crawled(job, url, settings)
        assert (job.sources[0]["state"], job.sources[0]["error"]) == ("nothing", "")
        assert log == ""

    def test_a_page_without_links_is_nothing(self, settings):
        job = job_for()
        with serving(site_with(Page(film_page()))) as site:
            crawled(job, site.url, settings)
        assert job.sources[0]["state"] == "nothing"

    @pytest.mark.parametrize(
        ("page", "sentence"),
        [
            (Page("oops", status=503), "The site answered 503"),
            (Page("oops", status=500), "The site answered 500"),
            (Page("no", status=403), "The site answered 403"),
            (Page("slow down", status=429, headers={"Retry-After": "9"}), "The site answered 429"),
            (Page("<html><body><h1>Welcome</h1></body></html>"), "The answer was not what this source sends"),
            (Page(""), "The answer was not what this source sends"),
            (Page('{"films": [', content_type="application/json"), "The answer was not what this source sends"),
            (Page(b"\x00\x01\x02" * 99, content_type="video/mp4"), "The answer was not what this source sends"),
            (Page(film_page("/w", imdb_id="tt0017925")), "The page is about another film, tt0017925"),
            (Page(status=302, headers={"Location": f"/films/{NOSFERATU}/?again"}), "Redirects in a circle"),
            (Page(b"a" * 5_000_000), "The answer was too large"),
            (
                Page(gzip.compress(b"a" * 50_000_000), headers={"Content-Encoding": "gzip"}),
                "The answer was too large",
            ),
            (Page(raw_handler=lambda handler: None), "The connection broke off"),
            (
                Page(raw_handler=lambda h: h.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<html>")),
                "The answer broke off",
            ),
        ],
    )
    def test_a_source_with_an_unexpected_response_has_failed(self, page, sentence, settings):
        pages = {f"/films/{NOSFERATU}/": page, f"/films/{NOSFERATU}/?again": page, "/robots.txt": Page("")}
        job = job_for()
        with serving(Site(pages)) as site:
            _, log = crawled(job, site.url, settings)
        assert (job.sources[0]["state"], job.sources[0]["error"]) == ("failed", sentence)
        assert "Traceback" not in log
        assert sentence in log

    def test_a_site_that_is_down_has_failed(self, settings):
        job = job_for()
        _, log = crawled(job, f"http://127.0.0.1:{free_port()}", settings)
        assert (job.sources[0]["state"], job.sources[0]["error"]) == ("failed", "Connection refused")
        assert "Traceback" not in log

    def test_a_site_that_never_responds_has_failed_after_the_timeout(self, settings, monkeypatch):
        monkeypatch.setitem(PATCHES, "scraper.settings.DOWNLOAD_TIMEOUT", 0.5)
        job = job_for()
        hangs = Page(raw_handler=lambda handler: handler.server.over.wait(60))
        with serving(site_with(hangs)) as site:
            _, log = crawled(job, site.url, settings)
        assert (job.sources[0]["state"], job.sources[0]["error"]) == ("failed", "Timed out after 0.5 s")
        assert "Traceback" not in log

    def test_a_crawl_that_takes_too_long_is_closed(self, settings, monkeypatch):
        monkeypatch.setitem(PATCHES, "scraper.settings.DOWNLOAD_TIMEOUT", 1.5)
        job = job_for()
        hangs = Page(raw_handler=lambda handler: handler.server.over.wait(5))
        with serving(site_with(hangs)) as site:
            crawled(job, site.url, settings, SCRAPE_TIMEOUT=1)
        assert (job.sources[0]["state"], job.sources[0]["error"]) == ("failed", "Timed out after 1.5 s")
        assert job.sources[0]["seconds"] < 3

    def test_a_self_signed_certificate_is_rejected(self, settings, tmp_path):
        job = job_for()
        with serving(site_with(Page(film_page("/w"))), tls=self_signed(tmp_path)) as site:
            _, log = crawled(job, site.url.replace("http:", "https:"), settings)
            assert not site.hits
        assert job.sources[0]["error"] == "The certificate of the site is not valid"
        assert "Traceback" not in log

    def test_a_source_without_a_spider_has_failed_and_the_others_go_on(self, settings):
        job = job_for(sources=waiting("vodo", "example"))
        with example_site() as url:
            crawled(job, url, settings)
        assert [(row["source"], row["state"]) for row in job.sources] == [("vodo", "failed"), ("example", "found")]
        assert job.sources[0]["error"] == "This source has no spider"

    def test_a_finished_source_is_not_crawled_again(self, settings):
        ended = {"source": "example", "state": "found", "links": 3, "new": 1, "seconds": 1.5, "error": ""}
        with serving(Site({})) as site:
            report, _ = crawled(job_for(sources=[ended]), site.url, settings)
        assert report.results == [ended]
        assert (report.links, report.new) == (3, 1)
        assert not site.hits


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem += key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "site.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "site.pem")
    return context


@pytest.mark.django_db(transaction=True)
class TestRobots:
    def test_a_site_that_forbids_crawling_is_blocked(self, settings):
        job = job_for()
        with serving(site_with(Page(film_page("/w")), robots=Page("User-agent: *\nDisallow: /films/"))) as site:
            _, log = crawled(job, site.url, settings)
            assert site.hits == {"/robots.txt": 1}
        assert (job.sources[0]["state"], job.sources[0]["links"]) == ("blocked", 0)
        assert "robots.txt" in job.sources[0]["error"]
        assert "Traceback" not in log

    def test_rules_for_other_agents_do_not_count(self, settings):
        job = job_for()
        robots = Page("User-agent: *\nDisallow: /films/\n\nUser-agent: Openreel\nAllow: /\n")
        with serving(site_with(Page(film_page("/w")), robots=robots)) as site:
            crawled(job, site.url, settings)
        assert job.sources[0]["state"] == "found"

    @pytest.mark.parametrize("status", [500, 503, 429])
    def test_a_failed_robots_txt_allows_nothing(self, status, settings):
        job = job_for()
        with serving(site_with(Page(film_page("/w")), robots=Page("x", status=status))) as site:
            crawled(job, site.url, settings)
            assert f"/films/{NOSFERATU}/" not in site.hits
        assert (job.sources[0]["state"], job.sources[0]["error"]) == ("failed", f"The site answered {status}")

    def test_ten_megabytes_of_rules_are_not_read(self, settings):
        job = job_for()
        with serving(site_with(Page(film_page("/w")), robots=Page(b"#" * 10_000_000))) as site:
            crawled(job, site.url, settings)
        assert (job.sources[0]["state"], job.sources[0]["error"]) == ("failed", "The answer was too large")


@pytest.mark.django_db(transaction=True)
class TestHostileLinks:
    def test_a_hostile_link_does_not_lose_the_good_ones(self, settings):
        bad = ("http://10.0.0.5/watch/x.mp4", "javascript:alert(1)", "http://user:pw@films.example.org/a.mp4")
        job = job_for()
        with serving(site_with(Page(film_page("/watch/1", *bad, "https://films.example.org/b.mp4")))) as site:
            report, _ = crawled(job, site.url, settings)
        kept = set(StreamingLink.objects.values_list("source_url", flat=True))
        assert kept == {f"{site.url}/watch/1", "https://films.example.org/b.mp4"}
        assert report.refused == Counter(private_address=1, credentials=1)
        assert job.sources[0]["state"] == "found"

    def test_links_that_are_all_refused_are_nothing_with_a_reason(self, settings):
        job = job_for()
        with serving(site_with(Page(film_page("http://10.0.0.5/watch/x.mp4")))) as site:
            crawled(job, site.url, settings)
        assert job.sources[0]["state"] == "nothing"
        assert job.sources[0]["error"] == "1 link was refused: private address"

    def test_a_blocked_address_is_not_saved_again(self, settings):
        BlockedAddress.objects.create(kind="host", address="films.example.org", reason="asked")
        job = job_for()
        with serving(site_with(Page(film_page("https://films.example.org/b.mp4")))) as site:
            crawled(job, site.url, settings)
        assert not StreamingLink.objects.exists()
        assert job.sources[0]["error"] == "1 link was refused: blocked address"

    @pytest.mark.parametrize(
        "target",
        ["javascript:alert(1)", "file:///etc/passwd", "http://10.0.0.5/", "http://localhost/", "http://2130706433/",
         "http://[::1]/", "nonsense", "http://a b/", "http://169.254.169.254/latest/", "-o /tmp/x"],
    )  # fmt: skip
    def test_a_forbidden_target_url_is_blocked(self, target, settings):
        job = job_for(target_url=target)
        _, log = crawled(job, "http://127.0.0.1:1", settings)
        assert (job.sources[0]["state"], bool(job.sources[0]["error"])) == ("blocked", True)
        assert "Traceback" not in log

    def test_a_redirect_into_a_private_network_is_blocked(self, settings):
        job = job_for()
        away = Page(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})
        with serving(site_with(away)) as site:
            _, log = crawled(job, site.url, settings)
        assert job.sources[0]["state"] == "blocked"
        assert job.sources[0]["error"] == "A page leads to an address that we do not open"
        assert "169.254.169.254 is not a public address" in log


@pytest.mark.django_db(transaction=True)
class TestSeveralSources:
    @pytest.fixture(autouse=True)
    def odd_spiders(self, monkeypatch):
        monkeypatch.setitem(
            PATCHES, "scraper.settings.SPIDER_MODULES", ["scraper.spiders", "tests.helpers.faulty_spiders"]
        )

    def test_a_slow_source_delays_no_other(self, settings, monkeypatch):
        monkeypatch.setitem(PATCHES, "scraper.settings.DOWNLOAD_TIMEOUT", 60)
        seen = []
        job = job_for(sources=waiting("blender", "example"))

        def look():
            end = time.monotonic() + 20
            while time.monotonic() < end and not seen:
                rows = {row["source"]: row["state"] for row in ScrapeJob.objects.get(pk=job.pk).sources}
                if rows["example"] == "found":
                    seen.append((rows["blender"], StreamingLink.objects.count()))
                time.sleep(0.01)
            site.over.set()

        hangs = Page(raw_handler=lambda handler: handler.server.over.wait(5))
        with serving(Site({"/hangs": hangs, f"/films/{NOSFERATU}/": Page(film_page("/watch/1"))})) as site:
            settings.EXAMPLE_SITE_URL = site.url
            stated = in_child(run_job_crawl, job.pk, meanwhile=look)
        assert seen == [("searching", 1)]
        assert [row["state"] for row in stated.value.results] == ["failed", "found"]

    def test_a_spider_with_a_bug_has_failed_and_its_traceback_is_logged(self, settings):
        job = job_for(sources=waiting("vodo", "example"))
        with serving(Site({"/odd": Page("x"), f"/films/{NOSFERATU}/": Page(film_page("/watch/1"))})) as site:
            _, log = crawled(job, site.url, settings)
        assert [row["state"] for row in job.sources] == ["failed", "found"]
        assert job.sources[0]["error"] == "The spider failed on a response (KeyError)"
        assert "Traceback" in log

    def test_links_found_before_a_bug_are_kept_and_the_error_is_stored(self, settings):
        job = job_for(sources=waiting("official_site"))
        with serving(Site({"/odd": Page("x")})) as site:
            report, _ = crawled(job, site.url, settings)
        assert (job.sources[0]["state"], job.sources[0]["links"]) == ("found", 2)
        assert job.sources[0]["error"] == "The spider failed on a response (KeyError)"
        assert report.refused == Counter(empty_url=1)

    def test_a_spider_that_cannot_start_has_failed_and_the_others_go_on(self, settings):
        job = job_for(sources=waiting("unready", "example"))
        with example_site() as url:
            _, log = crawled(job, url, settings)
        assert [row["state"] for row in job.sources] == ["failed", "found"]
        assert job.sources[0]["error"] == "The spider could not start (RuntimeError)"
        assert "no key" in log


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
class TestDatabaseErrors:
    def test_links_that_cannot_be_saved_make_a_failed_source(self, settings):
        job = job_for()
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TRIGGER full BEFORE INSERT ON streaming_streaminglink"
                " BEGIN SELECT RAISE(FAIL, 'disk I/O error'); END"
            )
        try:
            with example_site() as url:
                report, log = crawled(job, url, settings)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER full")
        assert not StreamingLink.objects.exists()
        assert job.sources[0]["state"] == "failed"
        assert job.sources[0]["error"] == "Links could not be saved (IntegrityError)"
        assert "disk I/O error" in log
        assert report.links == 0
        assert "Traceback" not in log


def claim_of(job):
    return JobClaim(job.pk, owner=job.owner, attempt=job.attempt)


@pytest.mark.django_db(transaction=True)
def test_the_result_of_one_source_is_replaced_and_the_totals_follow():
    job = job_for(sources=waiting("example", "vodo"))
    assert save_source_result(claim_of(job), {**waiting("vodo")[0], "state": "found", "links": 4, "new": 3})
    assert save_source_result(claim_of(job), {**waiting("example")[0], "state": "found", "links": 2, "new": 2})
    job.refresh_from_db()
    assert [(row["source"], row["links"]) for row in job.sources] == [("example", 2), ("vodo", 4)]
    assert (job.links_found, job.links_new) == (6, 5)


@pytest.mark.django_db(transaction=True)
def test_late_progress_does_not_reopen_a_finished_source():
    job = job_for()
    ended = {**waiting("example")[0], "state": "failed", "error": "The site answered 503", "seconds": 0.1}
    assert save_source_result(claim_of(job), ended)
    assert save_source_result(claim_of(job), {**waiting("example")[0], "state": "searching"})
    job.refresh_from_db()
    assert job.sources == [ended]


@pytest.mark.django_db
def test_a_removed_job_is_not_written():
    assert not save_source_result(JobClaim(0, owner="tests", attempt=0), waiting("example")[0])


BLOCKED = SourceFailed("Not allowed", blocked=True)
FAILED = SourceFailed("Connection refused")


@pytest.mark.parametrize(
    ("outcome", "state", "error"),
    [
        (SourceProgress("x"), "searching", ""),
        (SourceProgress("x", reason="finished"), "nothing", ""),
        (SourceProgress("x", reason="finished", saved=SaveReport(new=1)), "found", ""),
        (SourceProgress("x", reason="finished", saved=SaveReport(seen_again=1)), "found", ""),
        (SourceProgress("x", reason="finished", failures=[FAILED]), "failed", "Connection refused"),
        (SourceProgress("x", reason="finished", failures=[BLOCKED]), "blocked", "Not allowed"),
        (SourceProgress("x", reason="finished", failures=[BLOCKED, FAILED]), "failed", "Not allowed"),
        (
            SourceProgress("x", reason="finished", failures=[FAILED], saved=SaveReport(new=1)),
            "found",
            "Connection refused",
        ),
        (SourceProgress("x", reason="finished", save_error="Full", saved=SaveReport(new=1)), "failed", "Full"),
        (SourceProgress("x", reason="closespider_timeout", seconds=45.2), "failed", "Not finished after 45 s"),
        (SourceProgress("x", reason="cancelled"), "failed", "Ended early (cancelled)"),
    ],
)
def test_the_result_of_a_source(outcome, state, error):
    row = build_source_result(outcome)
    assert (row["state"], row["error"]) == (state, error)


def test_importing_the_crawl_starts_neither_a_reactor_nor_a_thread(tmp_path):
    script = (
        "import os, sys, threading, django; django.setup(); import streaming.scraping.crawling.job_crawl;"
        "print('twisted.internet.reactor' in sys.modules, threading.active_count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=PROJECT_ROOT,
        env={
            "DJANGO_SETTINGS_MODULE": "MovieBackend.settings",
            "ENV_FILE": "/dev/null",
            "SECRET_KEY": "only-for-tests-not-for-a-public-site",
            "DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3",
        },
        timeout=60,
    )
    assert (done.stdout.strip(), done.stderr) == ("False 1", "")


@pytest.mark.django_db(transaction=True)
def test_health_of_other_links_is_not_touched(settings):
    movie = make_movie(imdb_id=NOSFERATU)
    other = make_link(movie, source="commons", is_active=False, reason="http_404")
    with example_site() as url:
        crawled(job_for(), url, settings)
    other.refresh_from_db()
    assert (other.is_active, other.reason) == (False, "http_404")


@pytest.mark.parametrize(
    ("extract", "limit", "value", "error"),
    [
        (compute_for_ever, "scraper.base_spider.MAX_PAGE_CPU_SECONDS", 0.3, "The page takes too long to read"),
        (take_all_memory, f"{JOB_CRAWL}.MAX_MEMORY_BYTES", 400 * 2**20, "The page takes too much memory to read"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_page_that_takes_all_time_or_memory_stops_its_own_source_only(
    settings, monkeypatch, extract, limit, value, error
):
    monkeypatch.setitem(PATCHES, "scraper.spiders.schema_org.extract_film", extract)
    monkeypatch.setitem(PATCHES, limit, value)
    with serving(Site({"/elsewhere": Page(film_page("/watch/1"))})) as site:
        job = job_for(target_url=f"{site.url}/elsewhere", sources=waiting("schema_org", "example"))
        crawled(job, site.url, settings)
    stranger, other = job.sources
    assert (stranger["state"], stranger["error"]) == ("failed", error)
    assert (other["state"], other["links"]) == ("found", 1)
