"""Crawls of all real sources together, as a job runs them: forked, every source a fake on loopback, real rows."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from scrapy.settings import Settings

from scraper.sources import KNOWN_SOURCES
from scraper.spiders.peertube import PeertubeSpider
from streaming.models import Binding, HostPause, Movie, StreamingLink
from streaming.ranking import best_first
from streaming.scraping.crawling.job_crawl import run_job_crawl
from tests.helpers.crawl_process import PATCHES, in_child
from tests.helpers.factories import make_job_outside_queue, make_movie
from tests.helpers.fake_sources import BY_3, FILMS, PUBLIC_DOMAIN_MARK, claim, data, source_web, statement_rows
from tests.helpers.http_servers import Page

ALL = ("wikidata", "internet_archive", "commons", "library_of_congress", "peertube", "schema_org")
HURRIED = (
    "scraper.spiders.internet_archive.InternetArchiveSpider",
    "scraper.spiders.library_of_congress.LibraryOfCongressSpider",
    "scraper.spiders.peertube.PeertubeSpider",
)
LIVING_DEAD, BUNNY, NOSFERATU, GENERAL, SHERLOCK = FILMS
NONSENSE = {
    "null": "null",
    "a number": "7",
    "a text": '"\\u0000\\ud800"',
    "no number": "NaN",
    "an empty list": "[]",
    "an empty object": "{}",
    "deep lists": "[" * 10_000 + "]" * 10_000,
    "deep objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "utf-16": json.dumps({"response": [], "query": "ü"}, ensure_ascii=False).encode("utf-16"),
    "latin-1": '{"title": "ü", "query": {"pages": 7}}'.encode("latin-1"),
    "bytes": b"\xff\xfe\x00\x01\x80" * 99,
    "the same key twice": '{"item": 1, "item": NaN, "query": {"pages": 1, "pages": NaN}, "uuid": 1, "uuid": NaN}',
    "wrong inside": json.dumps(
        {
            "results": {"bindings": [None, 7, {"imdb": 7, "prop": {"value": []}}, {"value": {"value": "\ud800"}}]},
            "response": {"numFound": float("nan"), "docs": [None, 7, {"identifier": None}, {"identifier": "\x00"}]},
            "metadata": {"identifier": 7, "mediatype": {"a": 1}, "title": [float("inf")]},
            "files": {"a": [], "b": {"name": ["x"], "height": float("nan")}},
            "query": {"search": [7, {"title": "Q\x001"}], "pages": [7, {"title": 7, "videoinfo": [{"url": 7}]}]},
            "entities": {"Q1": {"claims": {"P345": 7, "P724": [7, {"mainsnak": 7}]}}},
            "item": {"id": 7, "rights": 7, "online_format": 7},
            "resources": [7, {"files": 7}, {"files": [7, [7, {"url": 7}]]}],
            "uuid": float("nan"),
            "url": "\ud800",
            "streamingPlaylists": 7,
        }
    ),
}
UNEXPECTED = "The answer was not what this source sends: "
BAD = (
    "javascript:alert(1)",
    "file:///etc/passwd.mp4",
    "http://user:pw@films.example.org/x.mp4",
    "http://10.0.0.5/x.mp4",
    "http://[::1]/x.mp4",
    "https://films.example.org:22/x.mp4",
    "https://films.example.org/\x00.mp4",
    "https://films.example.org/\ud800.mp4",
    "//",
)
EMPTY = {"state": "waiting", "links": 0, "new": 0, "seconds": None, "error": ""}

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """The pauses between requests have a test of their own."""
    for spider in HURRIED:
        monkeypatch.setitem(PATCHES, f"{spider}.custom_settings", {})


@pytest.fixture
def web(settings):
    with source_web() as web:
        for name, value in web.settings().items():
            setattr(settings, name, value)
        yield web


def searched(imdb_id, *sources, target_url=""):
    """The rows of a job of these sources, by source, and the child's log."""
    movie = Movie.objects.filter(imdb_id=imdb_id).first() or make_movie(imdb_id=imdb_id)
    rows = [{"source": name, **EMPTY} for name in sources]
    job = make_job_outside_queue(movie, sources=rows, target_url=target_url)
    stated = in_child(run_job_crawl, job.pk)
    assert stated.broke == "", stated.broke + stated.log
    assert "Traceback" not in stated.log, stated.log
    job.refresh_from_db()
    job.delete()
    return {row["source"]: row for row in job.sources}, stated.log


def links(imdb_id):
    """(kind, quality, language, licence) of each link, by source and address."""
    found = defaultdict(dict)
    for link in StreamingLink.objects.filter(movie__imdb_id=imdb_id):
        found[link.source][link.source_url] = link
    return found


def state(rows, source):
    return rows[source]["state"], rows[source]["error"]


class TestAllTogether:
    @pytest.mark.parametrize("imdb_id", list(FILMS))
    def test_links_of_three_sources_meet_under_one_movie(self, imdb_id, web):
        rows, log = searched(imdb_id, *ALL)
        found = links(imdb_id)
        assert len(found) >= 3, (rows, log)
        assert {row["source"] for row in rows.values() if row["state"] == "found"} == set(found)
        assert [row for row in rows.values() if row["state"] not in ("found", "nothing")] == []
        licences = {link.licence for source in found.values() for link in source.values()}
        assert licences <= {"public-domain", "cc-by", "official"}
        assert web.agents == {"Openreel/0.2.0 (+tests@example.org)"}

    def test_the_best_of_all_sources_comes_first_and_the_page_leads_there(self, web, client):
        searched(LIVING_DEAD, *ALL)
        ranked = best_first(StreamingLink.objects.filter(movie__imdb_id=LIVING_DEAD))
        order = [(link.source, link.quality, link.kind) for link in ranked]
        assert order[:4] == [
            ("commons", "1080p", "file"),
            ("internet_archive", "720p", "file"),
            ("internet_archive", "720p", "file"),
            ("commons", "480p", "file"),
        ]
        # No browser plays Theora.
        theora = [link.source_url.endswith(".ogv") for link in ranked]
        assert theora == sorted(theora)
        assert {kind for (_, _, kind), is_theora in zip(order[4:], theora[4:], strict=True) if not is_theora} == {
            "page"
        }
        page = client.get(f"/streaming/{LIVING_DEAD}/").content.decode()
        shown = re.findall(r'href="(https?://[^"]+)"', page)
        assert next(url for url in shown if url in {link.source_url for link in ranked}) == ranked[0].source_url

    def test_what_is_found_of_night_of_the_living_dead(self, web):
        rows, _ = searched(LIVING_DEAD, *ALL)
        found = links(LIVING_DEAD)
        archive, page = found["internet_archive"], "https://www.wikidata.org/wiki/Q623051"
        item = f"{web.url}/archive/download/living.dead_1080p/Night%20of%20the%20Living%20Dead"
        noted = f"{web.url}/archive/download/living_dead_512/Night%20of%20the%20Living%20Dead"
        assert set(archive) == {f"{item}.mp4", f"{item}.ogv", f"{noted}.mp4", f"{noted}.ogv"}
        best = archive[f"{item}.mp4"]
        assert (best.kind, best.quality, best.language) == ("file", "720p", "en")
        assert (best.licence, best.licence_url) == ("public-domain", PUBLIC_DOMAIN_MARK)
        assert (archive[f"{noted}.mp4"].licence, archive[f"{noted}.mp4"].licence_url) == ("public-domain", page)
        assert set(found["wikidata"]) == {
            "https://archive.org/details/living.dead_1080p",
            "https://archive.org/details/living_dead_512",
            "https://commons.wikimedia.org/wiki/File:Night_of_the_Living_Dead_(1968).webm",
            f"{web.url}/films/living-dead",
        }
        # Netflix is not free.
        assert state(rows, "wikidata") == ("found", "1 link was refused: may not be free")
        assert [link.quality for link in found["commons"].values()] == ["1080p", "480p"]
        assert {link.licence_url for link in found["commons"].values()} == {
            "https://commons.wikimedia.org/wiki/File:Night_of_the_Living_Dead_(1968).webm"
        }
        assert found["wikidata"][f"{web.url}/films/living-dead"].label == "127.0.0.1"
        (watch,) = found["schema_org"].values()
        assert watch.label == "127.0.0.1"
        assert (watch.source_url, watch.licence) == (f"{web.url}/films/living-dead/watch", "public-domain")
        assert rows["library_of_congress"]["state"] == rows["peertube"]["state"] == "nothing"

    def test_what_is_found_of_big_buck_bunny(self, web):
        searched(BUNNY, *ALL)
        found = links(BUNNY)
        assert {link.licence for source in found.values() for link in source.values()} == {"cc-by"}
        assert set(found["peertube"]) == {f"{web.url}/static//bunny-720.mp4", f"{web.url}/static/master.m3u8"}
        assert {link.licence_url for link in found["commons"].values()} == {BY_3}
        assert {link.licence_url for link in found["internet_archive"].values()} == {BY_3}

    def test_what_is_found_of_the_general(self, web):
        searched(GENERAL, *ALL)
        found = links(GENERAL)
        (film,) = found["library_of_congress"].values()
        assert (film.licence, film.licence_url) == ("public-domain", "https://www.loc.gov/item/00694220/")
        assert set(found["schema_org"]) == {f"{web.url}/films/general/watch"}

    def test_a_film_on_youtube_counts_where_it_is_said_to_be_whole(self, web):
        searched(SHERLOCK, "wikidata")
        assert "https://www.youtube.com/watch?v=ccccccccccc" in links(SHERLOCK)["wikidata"]
        searched(LIVING_DEAD, "wikidata")
        assert not [url for url in links(LIVING_DEAD)["wikidata"] if "youtube" in url]

    def test_the_operator_may_want_paid_services_too(self, web, settings):
        settings.ALLOW_LICENCES = ["paid"]
        rows, _ = searched(LIVING_DEAD, "wikidata")
        paid = links(LIVING_DEAD)["wikidata"]["https://www.netflix.com/title/1"]
        assert (paid.licence, paid.label, paid.is_published) == ("paid", "Netflix", True)
        assert state(rows, "wikidata") == ("found", "")

    def test_captions_of_peertube_belong_to_each_link(self, web):
        searched(BUNNY, "peertube")
        written = [
            {"url": f"{web.url}/lazy-static/video-captions/b-fr.vtt", "language": "fr", "format": "vtt"},
            {"url": "https://files.t.example//b-pt.vtt", "language": "pt-BR", "format": "vtt"},
        ]
        assert [link.captions for link in links(BUNNY)["peertube"].values()] == [written, written]

    @pytest.mark.parametrize(
        "answer",
        [
            Page("no", status=500),
            Page("no", status=404),
            Page("not data"),
            Page("[7]", content_type="application/json"),
            Page("", status=302, headers={"Location": "/api/v1/videos/bunny/captions"}),
        ],
        ids=["500", "404", "a page", "another shape", "a circle"],
    )
    def test_without_their_captions_the_links_of_peertube_are_found_all_the_same(self, answer, web):
        web.faults["/api/v1/videos/bunny/captions"] = answer
        rows, _ = searched(BUNNY, "peertube")
        assert [link.captions for link in links(BUNNY)["peertube"].values()] == [[], []]
        assert rows["peertube"]["state"] == "found"

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            ({"nsfw": True}, "PeerTube marks it as sensitive"),
            ({"category": {"id": 15, "label": "Science & Technology"}}, "PeerTube files it under Science & Technology"),
            ({"category": {"id": 2, "label": "Films"}, "nsfw": False}, ""),
            ({"category": {"id": None, "label": "Misc"}, "nsfw": "no"}, ""),
        ],
    )
    def test_what_peertube_doubts_waits_for_review_though_it_is_free(self, said, why, web):
        video = {"uuid": "u", "url": "https://t.example/w/u", "licence": {"id": 1, "label": "Attribution"}, **said}
        web.faults["/api/v1/videos/"] = data({**video, "files": [{"fileUrl": "https://t.example/u.mp4"}]})
        rows, _ = searched(BUNNY, "peertube")
        link = StreamingLink.objects.get()
        assert (link.licence, link.is_published) == ("cc-by", not why)
        assert rows["peertube"]["state"] == ("nothing" if why else "found")
        assert rows["peertube"]["error"].startswith(f"1 link waits for review: {why}" if why else "")
        assert bool(rows["peertube"]["error"]) == bool(why)

    def test_a_second_search_finds_nothing_new(self, web):
        first, _ = searched(NOSFERATU, *ALL)
        again, _ = searched(NOSFERATU, *ALL)
        assert sum(row["new"] for row in first.values()) == sum(row["links"] for row in again.values()) > 0
        assert sum(row["new"] for row in again.values()) == 0

    def test_a_film_that_nobody_knows_is_nothing(self, web):
        rows, log = searched("tt0900001", *ALL)
        assert {row["state"] for row in rows.values()} == {"nothing"}
        assert log == ""

    def test_nothing_is_asked_for_twice(self, web):
        searched(LIVING_DEAD, *ALL)
        assert web.hits["/sparql"] == 2  # the statements, and what is known of the film
        items = {path: count for path, count in web.hits.items() if path.startswith("/archive/metadata/")}
        assert items == {"/archive/metadata/living.dead_1080p": 1, "/archive/metadata/living_dead_512": 1}


class TestFailures:
    @pytest.mark.parametrize(
        ("page", "sentence"),
        [
            (Page("busy", status=503), "The site answered 503"),
            (Page("slow down", status=429, headers={"Retry-After": "9"}), "The site answered 429"),
            (Page("<html><h1>Just a moment</h1></html>"), "was not what this source sends: the answer is a page"),
            (Page('{"metadata": {"identifier"'), "was not what this source sends: the answer is cut off"),
            (Page("[" * 20_000 + "]" * 20_000), "was not what this source sends: the answer is nested too deeply"),
            (Page('["an", "array"]'), "was not what this source sends"),
            (Page(b"[" + b'"x",' * 12_500_000 + b"1]"), "too large"),
            (Page(gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"}), "too large"),
            (Page(raw_handler=lambda handler: None), "broke off"),
            (Page(status=404), "The site answered 404"),
        ],
        ids=["503", "429", "page", "truncated", "nested", "array", "50MB", "bomb", "silence", "404"],
    )
    def test_a_source_that_does_not_answer_as_it_should_has_failed_and_the_others_go_on(self, page, sentence, web):
        web.faults["/archive/advancedsearch.php"] = web.faults["/commons/api.php"] = page
        web.faults["/archive/metadata/"] = page if page.status != 404 else Page("", status=500)
        rows, log = searched(LIVING_DEAD, "wikidata", "internet_archive", "commons")
        assert rows["wikidata"]["state"] == "found", (rows, log)
        for source in ("internet_archive", "commons"):
            assert rows[source]["state"] == "failed", rows
            assert sentence in rows[source]["error"] or "500" in rows[source]["error"]
        assert rows["commons"]["error"] in log

    def test_one_bad_item_does_not_lose_the_good_ones(self, web):
        web.faults["/archive/metadata/living_dead_512"] = Page("<html>busy</html>")
        rows, _ = searched(LIVING_DEAD, "internet_archive")
        assert (rows["internet_archive"]["state"], rows["internet_archive"]["links"]) == ("found", 2)
        assert "the answer is a page" in rows["internet_archive"]["error"]

    def test_a_slow_source_does_not_hold_the_others(self, web, settings, monkeypatch):
        monkeypatch.setitem(PATCHES, "scraper.settings.DOWNLOAD_TIMEOUT", 1)
        web.faults["/commons/"] = Page(raw_handler=lambda handler: handler.server.over.wait(60))
        rows, _ = searched(LIVING_DEAD, "commons", "wikidata")
        assert rows["wikidata"]["state"] == "found"
        assert rows["wikidata"]["seconds"] < rows["commons"]["seconds"]
        assert state(rows, "commons") == ("failed", "Timed out after 1 s")


class TestWikidata:
    @pytest.mark.parametrize(
        "page",
        [
            Page("", status=500),
            Page("slow", status=429),
            Page('{"results": {"bindings": [\njava.util.concurrent.TimeoutException'),
            Page("<html></html>"),
        ],
    )
    def test_where_the_query_service_fails_the_interface_is_asked(self, page, web):
        web.faults["/sparql"] = page
        rows, _ = searched(LIVING_DEAD, *ALL)
        assert [row for row in rows.values() if row["state"] == "failed"] == []
        assert len(links(LIVING_DEAD)) >= 3

    def test_where_both_fail_the_source_has_failed(self, web):
        web.faults["/sparql"], web.faults["/wikidata/"] = Page("", status=429), Page("busy", status=503)
        rows, _ = searched(LIVING_DEAD, *ALL)
        assert state(rows, "wikidata") == ("failed", "The site answered 503")
        # The archive is searched by the id itself, too.
        assert rows["internet_archive"]["state"] == "found"
        assert rows["internet_archive"]["error"] == "The site answered 503"
        assert rows["commons"]["state"] == rows["peertube"]["state"] == "failed"

    def test_statements_about_other_films_are_not_this_films(self, web):
        rows = list(statement_rows(FILMS[NOSFERATU], web.url))
        web.faults["/sparql"] = data({"results": {"bindings": rows}})
        stated, _ = searched(GENERAL, *ALL)
        assert {row["state"] for row in stated.values()} == {"nothing"}


class TestBound:
    def test_an_item_of_the_archive_named_by_hand(self, web):
        rows, _ = searched(NOSFERATU, *ALL, target_url="https://archive.org/details/BigBuckBunny_124")
        # The item states no licence itself: it is not shown before somebody has looked at it.
        assert {name: row["state"] for name, row in rows.items() if row["error"]} == {"internet_archive": "nothing"}
        assert "for review" in rows["internet_archive"]["error"]
        assert set(Movie.objects.get(imdb_id=NOSFERATU).links.awaiting_review().values_list("source", flat=True)) == {
            "internet_archive"
        }
        assert not [path for path in web.hits if path.startswith("/sparql")]

    @pytest.mark.parametrize(
        ("url", "source"),
        [
            ("https://www.loc.gov/item/00694220/", "library_of_congress"),
            ("https://commons.wikimedia.org/wiki/File:Nosferatu.webm", "commons"),
        ],
    )
    def test_a_place_named_by_hand_is_read_by_its_own_spider(self, url, source, web):
        rows, _ = searched(NOSFERATU, *ALL, target_url=url)
        assert {name for name, row in rows.items() if row["state"] == "found"} == {source}

    def test_a_video_named_by_hand(self, web):
        rows, _ = searched(NOSFERATU, *ALL, target_url=f"{web.url}/videos/watch/bunny")
        assert {name for name, row in rows.items() if row["state"] == "found"} == {"peertube"}

    def test_a_page_about_another_film_is_not_this_films(self, web):
        rows, _ = searched(NOSFERATU, "schema_org", target_url=f"{web.url}/films/general")
        assert state(rows, "schema_org") == ("failed", "The page is about another film, tt0017925")

    def test_a_page_that_may_not_be_crawled_is_not_read(self, web):
        web.faults["/robots.txt"] = Page("User-agent: *\nDisallow: /films/")
        rows, _ = searched(GENERAL, "schema_org", target_url=f"{web.url}/films/general")
        assert rows["schema_org"]["state"] == "blocked"
        assert "/films/general" not in web.hits

    @pytest.mark.parametrize(
        "page",
        [
            Page(
                "<html><head><title>Just a moment...</title></head><body><h1>Checking your browser</h1></body></html>"
            ),
            Page("", status=202, headers={"x-amzn-waf-action": "challenge"}),
            Page("<html><body></body></html>"),
        ],
    )
    def test_a_wall_in_front_of_a_page_is_a_failed_source_and_takes_no_link(self, web, page):
        url = f"{web.url}/films/general"
        found, _ = searched(GENERAL, "schema_org", target_url=url)
        before = links(GENERAL)
        web.faults["/films/general"] = page
        rows, _ = searched(GENERAL, "schema_org", target_url=url)
        assert (found["schema_org"]["state"], rows["schema_org"]["state"]) == ("found", "failed")
        assert "a check for robots, or an empty page" in rows["schema_org"]["error"]
        assert links(GENERAL) == before

    def test_an_item_that_is_not_there_is_nothing(self, web):
        rows, _ = searched(NOSFERATU, *ALL, target_url="https://www.loc.gov/item/1/")
        assert {row["state"] for row in rows.values()} == {"nothing"}


class TestHostile:
    def test_five_thousand_files_and_bad_names(self, web):
        bad = ["\x00.mp4", "\ud800.mp4", "../x.mp4", "", 5, None, {"a": 1}]
        files = [{"name": name, "format": "h.264", "source": "derivative"} for name in bad]
        files += [{"name": f"{n}.mp4", "format": "h.264", "height": float("nan")} for n in range(5_000)]
        about = {"identifier": "x", "mediatype": "movies", "title": "A\x00B\ud800", "licenseurl": "javascript:alert(1)"}
        item = json.dumps({"metadata": about, "files": files})
        web.faults["/archive/metadata/living_dead_512"] = Page(item, content_type="application/json")
        rows, _ = searched(LIVING_DEAD, "internet_archive")
        kept = links(LIVING_DEAD)["internet_archive"]
        assert rows["internet_archive"]["state"] == "found"
        assert 2 < len(kept) <= 52
        assert not [url for url in kept if "\x00" in url or ".." in url]

    @pytest.mark.parametrize("body", list(NONSENSE.values()), ids=list(NONSENSE))
    def test_whatever_a_source_sends_instead_nothing_is_saved_and_its_row_says_why(self, body, web):
        movie = make_movie(imdb_id=LIVING_DEAD)
        for url in ("https://www.loc.gov/item/00694220/", f"{web.url}/videos/watch/bunny"):
            Binding.objects.create(movie=movie, url=url)
        answer = Page(body, content_type="application/json; charset=utf-8")
        places = {"internet_archive": "/archive/", "commons": "/commons/", "library_of_congress": "/library/"}
        places |= {"peertube": "/api/v1/videos/"}
        web.faults |= dict.fromkeys(places.values(), answer)
        rows, log = searched(LIVING_DEAD, "wikidata", *places)
        assert rows["wikidata"]["state"] == "found", (rows, log)
        for source, path in places.items():
            assert any(asked.startswith(path) for asked in web.hits), source
            stated = state(rows, source)
            assert stated == ("nothing", "") or (stated[0] == "failed" and stated[1].startswith(UNEXPECTED)), source
        assert {"failed"} <= {rows[source]["state"] for source in places}
        web.faults |= {"/sparql": answer, "/wikidata/": answer}
        stated = state(searched(LIVING_DEAD, "wikidata")[0], "wikidata")
        assert stated == ("nothing", "") or (stated[0] == "failed" and stated[1].startswith(UNEXPECTED))
        assert set(links(LIVING_DEAD)) == {"wikidata"}

    def test_bad_addresses_of_any_source_are_refused_and_its_good_ones_kept(self, web):
        """PeerTube's, one by one, see below."""
        movie = make_movie(imdb_id=LIVING_DEAD)
        Binding.objects.create(movie=movie, url="https://www.loc.gov/item/00694220/")
        foreign = "https://films.example.org/other.mp4"
        good = {"commons": "https://upload.wikimedia.org/n.mp4", "library_of_congress": "https://tile.loc.gov/n.mp4"}
        video = {"ns": 6, "title": "File:N.webm"}
        versions = [{"src": url, "type": "video/webm", "height": 480} for url in (*BAD, foreign, good["commons"])]
        found = {"url": BAD[0], "mime": "video/webm", "derivatives": versions}
        found |= {"extmetadata": {"LicenseShortName": {"value": "CC0"}}}
        web.faults["/commons/"] = data({"query": {"pages": [{**video, "videoinfo": [found]}]}})
        item = {"id": "http://www.loc.gov/item/00694220/", "online_format": ["video"]}
        item |= {"rights": ["These are free to use and reuse."]}
        files = [{"mimetype": "video/mp4", "url": url} for url in (*BAD, foreign, good["library_of_congress"])]
        web.faults["/library/"] = data({"item": item, "resources": [{"files": [files]}]})
        rows, _ = searched(LIVING_DEAD, "commons", "library_of_congress")
        kept = links(LIVING_DEAD)
        for source, url in good.items():
            assert list(kept[source]) == [url]
            assert rows[source]["state"] == "found"
            assert "links were refused: " in rows[source]["error"]
            assert {"bad port", "bad scheme", "credentials", "private address"} <= set(
                re.split(r": |, ", rows[source]["error"])
            )

    def test_an_item_that_names_another_film_is_passed_over(self, web):
        about = {"identifier": "x", "mediatype": "movies", "external-identifier": "urn:imdb:tt0017925"}
        web.faults["/archive/metadata/"] = data({"metadata": about, "files": [{"name": "x.mp4", "format": "h.264"}]})
        rows, _ = searched(NOSFERATU, "internet_archive")
        assert state(rows, "internet_archive") == ("nothing", "")

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            ("ü".encode("latin-1"), "text/html; charset=utf-8"),
            ("\ufeffü".encode("utf-16"), "text/html; charset=utf-16"),
            (b"<div>" * 10_000, "text/html"),
            (b"\x00\x01\xff" * 500, "text/html"),
            ("\ufffe\U0010ffff".encode(), "text/html"),
            (b'<script type="application/ld+json">' + b'{"a":' * 10_000 + b"</script>", "text/html"),
            (b'<script type="application/ld+json">{"@type":"Movie","@type":"TVSeries","x":NaN}</script>', "text/html"),
        ],
        ids=["latin-1", "utf-16", "deep", "bytes", "edges", "deep data", "duplicates"],
    )
    def test_any_page_is_read_and_its_good_links_are_kept(self, body, content_type, web):
        codec = "utf-16-le" if "utf-16" in content_type else "ascii"
        film = '<video src="https://films.example.org/a.mp4"></video><video src="javascript:alert(1)"></video>'
        body = body + film.encode(codec) if b"<div>" not in body else film.encode() + body
        web.faults["/films/"] = Page(body, content_type=content_type)
        rows, _ = searched(GENERAL, "schema_org")
        assert state(rows, "schema_org") == ("nothing", "1 link waits for review: no licence is stated")
        waiting = Movie.objects.get(imdb_id=GENERAL).links.awaiting_review()
        assert [link.source_url for link in waiting] == ["https://films.example.org/a.mp4"]

    @pytest.mark.parametrize("codec", ["utf-16", "utf-8-sig", "latin-1"])
    def test_answers_in_other_spellings(self, codec, web):
        item = {"metadata": {"identifier": "x", "mediatype": "movies", "title": "Tür"}, "files": [{"name": "ü.mp4"}]}
        item["files"][0] |= {"format": "h.264"}
        body = json.dumps(item, ensure_ascii=False).encode(codec)
        web.faults["/archive/metadata/Nosferatu_1922"] = Page(body, content_type="application/json; charset=utf-8")
        searched(NOSFERATU, "internet_archive")
        assert [url.rsplit("/", 1)[-1] for url in links(NOSFERATU)["internet_archive"]] == ["%C3%BC.mp4"]

    @pytest.mark.parametrize(
        ("url", "code"),
        [
            ("http://10.0.0.5/x.mp4", "private address"),
            ("http://user:pw@films.example.org/x.mp4", "credentials"),
            ("http://localhost/x.mp4", "private address"),
            ("http://0x7f.1/x.mp4", "bad host"),
            ("https://films.example.org:22/x.mp4", "bad port"),
        ],
    )
    def test_bad_addresses_are_refused_and_the_row_says_so(self, url, code, web):
        web.faults["/api/v1/videos/"] = data(
            {"uuid": "u", "url": "https://t.example/w/u", "privacy": {"id": 1}, "files": [{"fileUrl": url}]}
        )
        rows, _ = searched(BUNNY, "peertube")
        assert state(rows, "peertube") == ("nothing", f"1 link was refused: {code}")
        assert not StreamingLink.objects.exists()

    @pytest.mark.parametrize("value", ["javascript:alert(1)", "ftp://films.example.org/x", "file:///etc/passwd", "//x"])
    def test_bad_schemes_are_no_links(self, value, web):
        row = next(statement_rows(FILMS[GENERAL], web.url)) | {"value": {"type": "uri", "value": value}}
        row |= {"prop": {"type": "uri", "value": "http://www.wikidata.org/entity/P953"}}
        web.faults["/sparql"] = data({"results": {"bindings": [row]}})
        rows, _ = searched(GENERAL, *ALL)
        assert not StreamingLink.objects.exists()
        assert {row["state"] for row in rows.values()} == {"nothing"}

    def test_duplicate_keys_and_numbers_that_are_none(self, web):
        body = '{"entities": 1, "query": {"search": [{"title": "Q1", "title": "Q2"}]}, "x": NaN}'
        web.faults["/sparql"] = Page("", status=500)
        web.faults["/wikidata/"] = Page(body)
        rows, _ = searched(GENERAL, "wikidata")
        assert state(rows, "wikidata") == (
            "failed",
            "The answer was not what this source sends: the answer has no entities",
        )

    def test_an_entity_that_is_another_film_is_passed_over(self, web):
        web.faults["/sparql"] = Page("", status=500)
        entity = {"id": "Q1", "claims": {"P345": [claim("tt0900002")], "P724": [claim("x")]}}
        found = {"query": {"search": [{"title": "Q1"}]}, "entities": {"Q1": entity}}
        web.faults["/wikidata/"] = data(found)
        rows, _ = searched(GENERAL, "wikidata")
        assert state(rows, "wikidata") == ("nothing", "")


class TestPolite:
    def test_the_archive_is_asked_no_faster_than_it_likes(self, web, monkeypatch):
        monkeypatch.setitem(PATCHES, f"{HURRIED[0]}.custom_settings", {"DOWNLOAD_DELAY": 0.4})
        searched(LIVING_DEAD, "internet_archive")
        moments = web.moments["archive"]
        assert len(moments) == 3
        assert all(later - earlier > 0.15 for earlier, later in pairwise(moments))

    def test_the_operator_may_want_a_longer_distance(self, web, settings):
        settings.SOURCE_DELAYS = {"internet_archive": 0.5, "wikidata": 9.0}
        searched(LIVING_DEAD, "internet_archive")
        moments = web.moments["archive"]
        assert len(moments) == 3
        assert all(later - earlier > 0.2 for earlier, later in pairwise(moments))

    @pytest.mark.parametrize(("delay", "max_length"), [(0.5, 5.0), (30.0, 30.0)])
    def test_the_throttle_may_only_slow_down_what_the_operator_wants(self, delay, max_length):
        settings = Settings()
        settings.setmodule("scraper.settings", priority="project")
        settings.set("SOURCE_DELAYS", {"peertube": delay}, priority="cmdline")
        PeertubeSpider.update_settings(settings)
        assert settings.getbool("AUTOTHROTTLE_ENABLED")
        assert "scrapy.extensions.throttle.AutoThrottle" in settings["EXTENSIONS_BASE"]
        assert (settings.getfloat("DOWNLOAD_DELAY"), settings.getfloat("AUTOTHROTTLE_MAX_DELAY")) == (delay, max_length)

    @pytest.mark.parametrize("status", [429, 503])
    def test_who_asks_to_be_left_alone_is_not_asked_again_by_the_search(self, web, status):
        web.faults["/archive/"] = Page("slow down", status=status, headers={"Retry-After": "60"})
        rows, _ = searched(LIVING_DEAD, "internet_archive")
        assert state(rows, "internet_archive") == ("failed", f"The site answered {status}")
        assert {path: count for path, count in web.hits.items() if count > 1 and path.startswith("/archive")} == {}

    @pytest.mark.parametrize(
        ("status", "stated", "max_length"),
        [(429, "3600", 3600), (503, "3600", 3600), (429, "99999999", 86_400), (429, "", 900)],
    )
    def test_who_asks_to_be_left_alone_is_not_asked_for_another_movie_either(self, web, status, stated, max_length):
        headers = {"Retry-After": stated} if stated else {}
        web.faults["/archive/"] = Page("slow down", status=status, headers=headers)
        searched(LIVING_DEAD, "internet_archive")
        web.faults.clear()
        asked, pause = web.moments["archive"].copy(), HostPause.objects.get()
        assert f"http://{pause.host}" == web.url
        assert 0 <= max_length - (pause.paused_until - timezone.now()).total_seconds() < 30
        rows, _ = searched(SHERLOCK, "internet_archive", "commons")
        until = f"{pause.paused_until:%H:%M} UTC on {pause.paused_until.day} {pause.paused_until:%B}"
        assert state(rows, "internet_archive") == ("failed", f"{pause.host} asked us to come back at {until}")
        assert rows["commons"]["state"] == "found"
        assert web.moments["archive"] == asked
        HostPause.objects.update(paused_until=timezone.now())
        assert searched(SHERLOCK, "internet_archive")[0]["internet_archive"]["state"] == "found"

    def test_where_the_query_service_asked_to_be_left_alone_the_interface_is_asked(self, web):
        web.faults["/sparql"] = Page("slow down", status=429, headers={"Retry-After": "60"})
        searched(GENERAL, *ALL)
        rows, _ = searched(LIVING_DEAD, *ALL)
        assert [row for row in rows.values() if row["state"] == "failed"] == []
        assert web.hits["/sparql"] == 1

    def test_a_site_that_is_out_of_order_is_asked_again(self, web):
        web.faults["/archive/"] = Page("busy", status=503)
        searched(LIVING_DEAD, "internet_archive")
        web.faults.clear()
        assert not HostPause.objects.exists()
        assert searched(SHERLOCK, "internet_archive")[0]["internet_archive"]["state"] == "found"

    def test_the_checkers_own_caution_holds_no_search(self, web):
        host = web.url.removeprefix("http://")
        until = timezone.now() + timedelta(hours=1)
        HostPause.objects.extend({host: until}, HostPause.Kind.BREAKER)
        assert searched(SHERLOCK, "internet_archive")[0]["internet_archive"]["state"] == "found"

    def test_each_source_has_the_pause_that_it_publishes(self):
        pauses = {slug: KNOWN_SOURCES[slug].delay for slug in ALL}
        assert pauses["internet_archive"] == pauses["library_of_congress"] == 1.0
        assert pauses["peertube"] == 0.2
