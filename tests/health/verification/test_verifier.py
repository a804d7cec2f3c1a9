"""Links that are alive by HTTP but gone by their source's API: runs against sources that respond like real ones."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
from django.utils import timezone

from scraper.net.url_policy import NO_PRIVATE_HOSTS, PrivateHostAllowlist
from streaming.health.judging.removal import (
    GONE_AT_SOURCE,
    IMMEDIATE_REASONS,
    SOURCE_API_REASONS,
    strength_of,
)
from streaming.health.probing.config import ProbeConfig
from streaming.health.runner import run_check
from streaming.health.sweep.immediate_check import check_now
from streaming.health.sweep.options import CheckOptions
from streaming.health.verification import verification_queue, verifier
from streaming.health.verification.api_client import ApiReply, fetch_json
from streaming.models import HostGate, HostPause, Movie, RemovedMovie, StreamingLink
from streaming.models.reasons import REASON_TEXT
from tests.helpers.factories import make_link, make_movie
from tests.helpers.fake_sources import data, source_web
from tests.helpers.http_origin import Origin, wait_for
from tests.helpers.http_servers import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
LOOPBACK = PrivateHostAllowlist.parse(["127.0.0.0/8"])
WEEK = timedelta(days=7)


@pytest.fixture
def web(settings):
    with source_web() as web:
        for name, value in web.settings().items():
            setattr(settings, name, value)
        yield web


@pytest.fixture
def others():
    """Links without a source API, all alive."""
    with ExitStack() as stack:
        server = stack.enter_context(Origin("127.0.0.2"))
        yield lambda count: [make_link(source_url=server.url(f"page/{n}"), host="127.0.0.2") for n in range(count)]


def link_at(web, path, movie=None, **fields):
    """A link to the Internet Archive, a PeerTube instance or Commons."""
    at_commons = path.startswith(("wiki/", "wikipedia/"))
    base = web.settings()["COMMONS_API_URL"].removesuffix("/commons/api.php") if at_commons else web.url
    return make_link(movie, source_url=f"{base}/{path}", host=urlsplit(base).hostname, **fields)


def item(*files, **about):
    """An item of the Internet Archive; `archive` adds its name."""
    return {"files": [{"name": name} for name in files], "files_count": len(files), **about}


def archive(web, name, metadata, *paths):
    """Links to one item of the Internet Archive, all of one movie."""
    web.items[name] = {**metadata, "metadata": {"identifier": name}} if metadata else {}
    movie = make_movie()
    return [link_at(web, f"archive/{path}", movie, kind="file" if "download" in path else "page") for path in paths]


def run(*, now=None, stop=lambda: False, on_progress=None, **options):
    report = run_check(CheckOptions(**options), now=now or timezone.now(), stop=stop, on_progress=on_progress)
    assert report is not None
    return report


def count_queries(web, path):
    return sum(count for requested, count in web.hits.items() if requested.startswith(path))


def state():
    columns = ("pk", "is_active", "reason", "failures", "checks", "last_checked", "verified_at")
    return list(StreamingLink.objects.order_by("pk").values_list(*columns))


def reason_of(link):
    return StreamingLink.objects.values_list("reason", flat=True).get(pk=link.pk)


def test_only_what_a_source_calls_gone_is_a_proof_that_counts_at_once():
    assert {strength_of(reason) for reason in GONE_AT_SOURCE} == {"proven"}
    assert GONE_AT_SOURCE <= IMMEDIATE_REASONS
    others = SOURCE_API_REASONS - GONE_AT_SOURCE
    assert {reason: strength_of(reason) for reason in others} == {
        "not_found": "soft",
        "not_public": "blocked",
        "embed_off": "blocked",
    }
    assert not others & IMMEDIATE_REASONS
    assert set(REASON_TEXT) >= SOURCE_API_REASONS


class TestArchive:
    def test_a_dark_item_whose_page_is_sent_with_200_is_gone_and_its_movie_is_removed(self, web, others):
        others(5)
        (link,) = archive(web, "dark", item("f.mp4", is_dark=True), "details/dark")
        imdb_id, now = link.movie.imdb_id, timezone.now()
        report = run(now=now, prune=False)
        link.refresh_from_db()
        assert (link.is_active, link.reason, link.http_status, link.verified_at) == (False, "dark", 200, now)
        assert (report.died, report.verdicts["gone"], report.died_of) == (1, 1, {"dark": 1})
        assert run(now=now + timedelta(minutes=1)).removed == 1
        assert RemovedMovie.objects.get().imdb_id == imdb_id

    def test_a_movie_with_another_link_stays(self, web, others):
        others(5)
        (link,) = archive(web, "dark", item(is_dark=True), "details/dark")
        link_at(web, "w/bunny", link.movie)
        assert run().removed == 0
        assert reason_of(link) == "dark"

    def test_one_query_per_item_covers_its_page_its_player_and_its_files(self, web):
        files = item("here.mp4", "a folder/there.mp4", "packed.zip")
        files["files"].append({"name": "hidden.mp4", "private": "true"})
        files["files_count"] += 1
        links = archive(
            web, "film", files, "details/film", "embed/film", "download/film/here.mp4",
            "download/film/a%20folder/there.mp4", "download/film/hidden.mp4", "download/film/lost.mp4",
            "download/film/packed.zip/within.mp4", "download/film",
        )  # fmt: skip
        run()
        assert [reason_of(link) for link in links] == ["ok"] * 4 + ["private", "missing"] + ["ok"] * 2
        assert count_queries(web, "/archive/metadata/film") == 1
        assert not StreamingLink.objects.filter(verified_at=None).exists()

    def test_an_item_that_the_archive_does_not_know_is_missing(self, web, others):
        others(5)
        (link,) = archive(web, "nothing", {}, "details/nothing")
        run(prune=False)
        assert reason_of(link) == "missing"

    def test_the_delay_between_queries_is_kept(self, web, monkeypatch):
        monkeypatch.setattr(verifier, "request_delay_for", lambda host, *, source: 0.3)
        for number in range(3):
            archive(web, f"film_{number}", item("f.mp4"), f"details/film_{number}")
        began = time.monotonic()
        run()
        assert time.monotonic() - began >= 0.6
        assert HostGate.objects.get().host == "127.0.0.1"
        assert count_queries(web, "/archive/metadata/") == 3


class TestCommons:
    def test_three_hundred_links_are_six_queries(self, web):
        names = [f"Film {number}.webm" for number in range(300)]
        web.files |= set(names[10:])
        for name in names:
            link_at(web, f"wiki/File:{quote(name.replace(' ', '_'))}")
        report = run(prune=False)
        assert (report.died, report.died_of) == (10, {"not_found": 10})  # so many at once are no proof
        titles_by_query = [query["titles"].split("|") for path, query in web.queries if path == "/commons/api.php"]
        assert [len(titles) for titles in titles_by_query] == [50] * 6
        assert sorted(title for titles in titles_by_query for title in titles) == sorted(
            f"File:{name}" for name in names
        )

    def test_a_file_and_its_smaller_version_are_gone_with_their_page(self, web, others):
        others(10)
        name = "Lost_film_%C3%A9.webm"
        web.files.add("Film.webm")
        paths = (f"1/1a/{name}", f"transcoded/1/1a/{name}/{name}.480p.vp9.webm", "2/2b/Film.webm")
        links = [link_at(web, f"wikipedia/commons/{path}", kind="file") for path in paths]
        run(prune=False)
        assert [reason_of(link) for link in links] == ["missing", "missing", "ok"]
        assert web.hits["/commons/api.php"] == 1


class TestPeerTube:
    def test_a_deleted_video_whose_page_is_alive(self, web, others):
        others(5)
        web.videos.add("here")
        links = [link_at(web, f"{path}") for path in ("w/here", "videos/watch/gone", "videos/embed/gone")]
        run(prune=False)
        assert [reason_of(link) for link in links] == ["ok", "missing", "missing"]
        assert count_queries(web, "/api/v1/videos/") == 2


class TestApiInError:
    HOUR = timedelta(hours=1)

    def test_a_video_that_an_api_misses_for_an_hour_is_asked_for_again(self, web):
        web.videos.add("other")
        link, now = link_at(web, "w/lost"), timezone.now()
        link_at(web, "w/other", link.movie)
        run(now=now)
        assert (reason_of(link), count_queries(web, "/api/v1/videos/lost")) == ("missing", 1)
        web.videos.add("lost")
        assert run(now=now + self.HOUR).revived == 0
        assert count_queries(web, "/api/v1/videos/lost") == 1
        assert run(now=now + 7 * self.HOUR).revived == 1

    def test_what_an_api_misses_is_asked_for_once_a_week_when_the_grace_is_over(self, web, settings):
        settings.LINK_GRACE_HOURS = 24
        web.videos.add("other")
        link, now = link_at(web, "w/lost"), timezone.now()
        link_at(web, "w/other", link.movie)
        for hours in range(0, 120, 10):
            run(now=now + hours * self.HOUR)
        assert count_queries(web, "/api/v1/videos/lost") == 4
        assert run(now=now + 200 * self.HOUR).removed == 0
        assert count_queries(web, "/api/v1/videos/lost") == 5

    @pytest.mark.parametrize(("lost", "reason"), [(3, "missing"), (4, "not_found")])
    def test_an_api_that_misses_many_at_once_proves_nothing(self, web, lost, reason):
        """It may have lost a part of its data; as a list of files without those that are there."""
        links = [link_at(web, f"w/{number}") for number in range(10)]
        web.videos |= {str(number) for number in range(lost, 10)}
        now = timezone.now()
        report = run(now=now)
        assert (report.died_of, report.removed) == ({reason: lost}, lost if reason == "missing" else 0)
        if reason == "not_found":
            assert run(now=now + 7 * self.HOUR).removed == 0  # Nor later, when nothing else is newly missing.
            assert [reason_of(link) for link in links[:lost]] == [reason] * lost

    def test_lists_that_lack_the_files_of_most_items_are_ignored(self, web):
        links = [
            link
            for number in range(6)
            for link in archive(web, f"film{number}", item("thumb.jpg"), f"download/film{number}/f.mp4")
        ]
        run()
        assert [reason_of(link) for link in links] == ["ok"] * 6


NO_STATUS = {
    "a page": Page("<html>We are busy</html>"),
    "a page that is a 404": Page("<html>Not Found</html>", status=404),
    "an error": Page("oops", status=500),
    "a busy gateway": Page("<html>later</html>", status=503),
    "truncated data": Page('{"files": [', content_type="application/json"),
    "unexpected data": data(["a", "list"]),
    "an error as data": data({"error": {"code": "maxlag"}}),
    "nothing": Page(raw_handler=lambda handler: None),
    "a redirect": Page(status=302, headers={"Location": "/archive/details/film"}),
}


class TestNoStatus:
    @pytest.mark.parametrize("reply", NO_STATUS)
    def test_a_reply_without_a_status_changes_nothing(self, web, reply):
        web.faults |= dict.fromkeys(("/archive/metadata/", "/commons/api.php", "/api/v1/videos/"), NO_STATUS[reply])
        links = [
            *(link_at(web, f"archive/details/film_{number}") for number in range(6)),
            link_at(web, "wiki/File:Film.webm"),
            *(link_at(web, f"w/film-{number}") for number in range(6)),
        ]
        report = run()
        assert (report.verdicts["alive"], report.died, report.removed, report.withheld) == (13, 0, 0, False)
        assert {reason_of(link) for link in links} == {"ok"}
        assert not StreamingLink.objects.exclude(verified_at=None).exists()
        assert not HostPause.objects.exists()
        # After two failures in a row an API is not queried again.
        assert count_queries(web, "/archive/metadata/") == count_queries(web, "/api/v1/videos/") == 2

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_throttled_source_is_paused(self, web, status):
        web.faults["/archive/metadata/"] = Page(status=status, headers={"Retry-After": "600"})
        for number in range(6):
            archive(web, f"film_{number}", item(is_dark=True), f"details/film_{number}")
        now = timezone.now()
        report = run(now=now)
        assert (report.verdicts["alive"], report.died) == (6, 0)
        assert count_queries(web, "/archive/metadata/") == 1
        pause = HostPause.objects.get()
        assert (pause.host, pause.paused_until) == ("127.0.0.1", now + timedelta(seconds=600))
        assert run(now=now + timedelta(minutes=1)).verdicts["not_checked"] == 6
        assert count_queries(web, "/archive/metadata/") == 1

    def test_a_source_at_a_private_address_is_not_queried(self, web):
        url = f"{web.url}/archive/metadata/film"
        assert fetch_json(url, ProbeConfig("t", allowed=NO_PRIVATE_HOSTS)) == ApiReply()
        assert not web.hits
        assert fetch_json(url, ProbeConfig("t", allowed=LOOPBACK)) == ApiReply(status=200, data={})

    def test_a_response_that_drips_ends_in_time(self):
        with Origin("127.0.0.2") as server:
            assert fetch_json(server.url("drip/1"), ProbeConfig("t", allowed=LOOPBACK), timeout=0.3) == ApiReply()
            assert fetch_json(server.url("endless/1"), ProbeConfig("t", allowed=LOOPBACK), timeout=0.3) == ApiReply()

    def test_a_run_that_is_stopped_does_not_wait_for_a_source(self, web):
        over, ended = threading.Event(), []
        web.faults["/archive/metadata/"] = Page(raw_handler=lambda handler: ended.append(over.wait(60)))
        archive(web, "dark", item(is_dark=True), "details/dark")
        began = time.monotonic()
        report = run(stop=lambda: time.monotonic() - began > 1)
        assert ended == []
        over.set()
        assert (report.complete, report.verdicts["alive"]) == (False, 1)


class TestWhen:
    def test_not_again_within_the_week(self, web):
        (link,) = archive(web, "film", item("f.mp4"), "details/film")
        web.files.add("Film.webm")
        link_at(web, "wiki/File:Film.webm")
        now = timezone.now()

        def queries_until(now):
            run(now=now)
            return count_queries(web, "/archive/metadata/"), web.hits["/commons/api.php"]

        assert queries_until(now) == (1, 1)
        assert queries_until(now + timedelta(days=6)) == (1, 1)
        assert queries_until(now + WEEK + timedelta(minutes=1)) == (2, 2)
        link.refresh_from_db()
        assert link.verified_at == now + WEEK + timedelta(minutes=1)
        StreamingLink.objects.update(verified_at=now + timedelta(days=400))  # The clock was turned back.
        assert queries_until(now + WEEK + timedelta(minutes=2)) == (3, 3)

    def test_the_interval_is_a_setting_and_zero_means_never(self, web, settings):
        archive(web, "film", item(is_dark=True), "details/film")
        settings.HEALTH_VERIFY_HOURS = 0
        assert run().verdicts["alive"] == 1
        assert count_queries(web, "/archive/metadata/") == 0
        settings.HEALTH_VERIFY_HOURS = 1
        assert run().verdicts["gone"] == 1

    def test_http_does_not_overrule_the_source_api(self, web, others):
        others(5)
        (link,) = archive(web, "dark", item(is_dark=True), "details/dark")
        now = timezone.now()
        run(now=now, prune=False)
        for days in (1, 5):
            run(now=now + timedelta(days=days), prune=False)
            assert reason_of(link) == "dark"
        assert count_queries(web, "/archive/metadata/") == 1
        web.faults["/archive/metadata/"] = Page(status=500)
        run(now=now + timedelta(days=8), prune=False)
        assert reason_of(link) == "dark"
        web.faults.clear()
        web.items["dark"] = {**item("f.mp4"), "metadata": {"identifier": "dark"}}
        assert run(now=now + timedelta(days=9), prune=False).revived == 1
        assert reason_of(link) == "ok"

    def test_the_longest_unverified_are_verified_first_and_in_the_end_all_are(self, web, monkeypatch):
        monkeypatch.setattr(verification_queue, "MAX_QUERIES_PER_RUN", 2)
        now = timezone.now()
        dates = [now - timedelta(days=8), now - timedelta(days=30), None, now - timedelta(days=9), now]
        for number, verified_at in enumerate(dates):
            (link,) = archive(web, f"film_{number}", item("f.mp4"), f"details/film_{number}")
            StreamingLink.objects.filter(pk=link.pk).update(verified_at=verified_at)

        def items_queried(minutes):
            web.hits.clear()
            run(now=now + timedelta(minutes=minutes))
            return {path.rsplit("/", 1)[-1] for path in web.hits if "/metadata/" in path}

        assert items_queried(1) == {"film_2", "film_1"}
        assert items_queried(2) == {"film_3", "film_0"}
        assert items_queried(3) == set()

    def test_with_a_limit_the_links_that_are_probed_are_verified(self, web):
        for number in range(4):
            archive(web, f"film_{number}", item("f.mp4"), f"details/film_{number}")
        run(limit=2)
        assert StreamingLink.objects.exclude(verified_at=None).count() == count_queries(web, "/archive/metadata/") == 2

    def test_a_link_that_is_gone_by_http_is_not_verified(self, web):
        web.faults["/archive/details/film"] = Page(status=404)
        archive(web, "film", item("f.mp4"), "details/film")
        run(prune=False)
        assert count_queries(web, "/archive/metadata/") == 0

    def test_an_immediate_check_verifies_at_once(self, web, others):
        (link,) = archive(web, "film", item("f.mp4"), "details/film")
        run()
        web.items["film"]["is_dark"] = True
        assert check_now([link.pk]) == {link.pk: "dark"}
        assert reason_of(link) == "dark"

    def test_other_links_are_probed_while_a_source_is_slow(self, web):
        (link,) = archive(web, "dark", item(is_dark=True), "details/dark")
        with Origin("127.0.0.2") as server:
            for number in range(40):
                make_link(source_url=server.url(f"page/{number}"), host="127.0.0.2")
            probed_before = []

            def respond_late(handler):
                probed_before.append(len(server.log))
                wait_for(lambda: len(server.log) >= 40)
                handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"is_dark": true}')

            web.faults["/archive/metadata/"] = Page(raw_handler=respond_late)
            run(per_host=1, prune=False)
        assert probed_before[0] < 40
        assert reason_of(link) == "dark"


class TestGuard:
    def test_the_brake_counts_links_that_are_gone_by_their_source(self, web, others):
        others(30)
        for number in range(30):
            archive(web, f"film_{number}", item(is_dark=True), f"details/film_{number}")
        before = state()
        report = run()
        assert report.withheld
        assert "30 of 60 active links would be turned off" in report.reason
        assert state() == before
        assert Movie.objects.count() == 60
        forced = run(force=True)
        assert (forced.withheld, forced.died, forced.removed) == (False, 30, 30)

    @pytest.mark.parametrize(("lost", "died"), [(4, 4), (6, 0)])
    def test_a_source_that_misses_nearly_everything_turns_nothing_off(self, web, others, lost, died):
        others(40)
        archive(web, "here", item("f.mp4"), "details/here")
        for number in range(lost):
            archive(web, f"film_{number}", {}, f"details/film_{number}", f"embed/film_{number}")
        report = run(prune=False)
        assert (report.died, report.withheld) == (died * 2, False)
        assert StreamingLink.objects.exclude(verified_at=None).count() == 1 + died * 2

    @pytest.mark.parametrize(("still_there", "reason"), [(True, "missing"), (False, "ok")])
    def test_a_source_that_misses_what_it_knew_recently_turns_nothing_off(self, web, others, still_there, reason):
        others(5)
        archive(web, "here", item("f.mp4"), "details/here")
        now = timezone.now()
        run(now=now)
        if not still_there:
            web.items["here"] = {}
        (link,) = archive(web, "lost", {}, "details/lost")
        run(now=now + timedelta(hours=1), prune=False)
        assert reason_of(link) == reason
        assert count_queries(web, "/archive/metadata/here") == 2

    def test_a_dry_run_reports_and_changes_nothing(self, web, others):
        others(5)
        archive(web, "dark", item(is_dark=True), "details/dark")
        before = state()
        report = run(dry_run=True)
        assert (report.died, report.removed) == (1, 1)
        assert state() == before
