"""The example site: what it holds, how it answers, how it starts and ends."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from scrapy.http import HtmlResponse

from scraper.example_site.films import (
    FAULTY_BEHAVIOURS,
    FILM_WITHOUT_LINKS,
    FILMS,
    HANG_SECONDS,
    LinkBehaviour,
    example_links,
)
from scraper.example_site.pages import film_page
from scraper.spiders.example_spider import ExampleSpider
from tests.helpers.http_servers import example_site, free_port
from tests.helpers.paths import PROJECT_ROOT

CATALOGUE = PROJECT_ROOT.parent / "shared" / "catalogue" / "demo_catalogue.json"
LIVING = {LinkBehaviour.LIVE, LinkBehaviour.NO_HEAD, LinkBehaviour.MOVED, LinkBehaviour.SLOW}
MP4_SIZE = 98274
FILM = {copy.behaviour: copy for held in example_links().values() for copy in held}


@pytest.fixture(scope="module")
def site():
    with example_site() as url:
        yield url


def ask(url, path, *, method="GET", timeout=20, **headers):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        answer.content = answer.read()
        return answer
    finally:
        connection.close()


class TestWhatItHolds:
    def test_enough_films_and_those_that_are_looked_for(self):
        ids = {film.imdb_id for film in FILMS}
        assert len(ids) == len(FILMS) == 49
        assert ids >= {"tt0013442", "tt0063350", "tt1254207", "tt0017925", "tt0015324"}

    def test_only_official_watch_pages_of_what_may_not_be_free(self):
        official = [film.imdb_id for film in FILMS if film.licence == "official"]
        assert official == ["tt0046642", "tt0043238", "tt0052451"]
        assert all([copy.kind for copy in example_links()[imdb_id]] == ["page"] for imdb_id in official)

    def test_a_known_part_is_dead_in_every_known_way(self):
        fates = Counter(copy.behaviour for held in example_links().values() for copy in held)
        dead = sum(count for fate, count in fates.items() if fate not in LIVING)
        assert all(fates[fate] >= 4 for fate in FAULTY_BEHAVIOURS)
        assert (fates.total(), dead) == (241, 35)

    def test_one_film_is_gone_altogether_and_every_other_one_can_be_watched(self):
        living = {key: {copy.behaviour for copy in held} & LIVING for key, held in example_links().items()}
        assert [key for key, fates in living.items() if not fates] == [FILM_WITHOUT_LINKS]
        assert {copy.behaviour for copy in example_links()[FILM_WITHOUT_LINKS]} == {
            LinkBehaviour.NOT_FOUND,
            LinkBehaviour.GONE,
        }

    def test_all_copies_are_found_on_the_films_page_whether_structured_or_plain(self):
        for film in FILMS:
            held = example_links()[film.imdb_id]
            markup = film_page(film, held, site="http://x.example.org")
            page = HtmlResponse(f"http://x.example.org{film.path}", body=markup.encode(), encoding="utf-8")
            items = list(ExampleSpider(imdb_id=film.imdb_id).parse(page))
            assert {urlsplit(item.source_url).path for item in items} == {copy.path for copy in held}
            about = {(item.imdb_id, item.title, item.year, item.type) for item in items}
            assert about == {(film.imdb_id, film.title, film.year, film.type)}
            kinds = {urlsplit(item.source_url).path: (item.kind, item.quality, item.language) for item in items}
            assert kinds == {copy.path: (copy.kind, copy.quality, copy.language) for copy in held}
            captions = {item.kind: [(one.language, one.format) for one in item.captions] for item in items}
            assert captions.get("file", []) == ([] if film.licence == "official" else [("en", "vtt"), ("de", "srt")])
            assert captions["page"] == [] or film.imdb_id == FILM_WITHOUT_LINKS

    @pytest.mark.skipif(not CATALOGUE.exists(), reason="the catalogue's facts are not beside the project")
    def test_its_facts_are_those_of_the_demo_catalogue(self):
        known = {entry["imdb_id"]: entry for entry in json.loads(CATALOGUE.read_text())["entries"]}
        for film in FILMS:
            entry = known[film.imdb_id]
            assert (film.title, film.year, film.type) == (entry["title"], entry["year"], entry["type"])
            assert (film.licence == "official") == (entry["rights"]["basis"] == "us_listed_low_confidence")


class TestAnswers:
    @pytest.mark.parametrize(
        ("fate", "head", "get"),
        [
            (LinkBehaviour.LIVE, 200, 200),
            (LinkBehaviour.NOT_FOUND, 404, 404),
            (LinkBehaviour.NO_HEAD, 405, 200),
            (LinkBehaviour.FORBIDDEN, 403, 403),
            (LinkBehaviour.MOVED, 301, 301),
            (LinkBehaviour.GONE, 410, 410),
            (LinkBehaviour.SOFT_404, 200, 200),
            (LinkBehaviour.TO_FRONT, 302, 302),
            (LinkBehaviour.BROKEN, 500, 500),
        ],
    )
    def test_every_behaviour_has_its_status(self, site, fate, head, get):
        assert ask(site, FILM[fate].path, method="HEAD").status == head
        assert ask(site, FILM[fate].path).status == get

    def test_head_has_no_body_but_its_length(self, site):
        answer = ask(site, "/media/tt0013442/480p.de.mp4", method="HEAD")
        assert (answer.content, answer.headers["Content-Length"]) == (b"", str(MP4_SIZE))

    @pytest.mark.parametrize(
        ("path", "content_type", "begins"),
        [
            ("/media/tt0013442/480p.de.mp4", "video/mp4", b"\x00\x00\x00\x20ftypisom"),
            ("/media/tt0000417/360p.fr.webm", "video/webm", b"\x1a\x45\xdf\xa3"),
            ("/media/tt0013442/all.m3u8", "application/vnd.apple.mpegurl", b"#EXTM3U"),
            ("/media/tt0013442/part1.ts", "video/mp2t", b"\x47"),
            ("/media/tt0013442/captions.en.vtt", "text/vtt; charset=utf-8", b"WEBVTT"),
            ("/media/tt0013442/captions.de.srt", "application/x-subrip", "1\r\n00:00:00,000".encode("utf-16")),
            ("/watch/tt0013442/de/", "text/html; charset=utf-8", b"<!doctype html>"),
            ("/robots.txt", "text/plain; charset=utf-8", b"User-agent"),
        ],
    )
    def test_files_are_what_they_say(self, site, path, content_type, begins):
        answer = ask(site, path)
        assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)
        assert answer.content.startswith(begins)

    @pytest.mark.parametrize(
        ("asked", "status", "stated", "length"),
        [
            ("bytes=0-2047", 206, f"bytes 0-2047/{MP4_SIZE}", 2048),
            ("bytes=98200-", 206, f"bytes 98200-98273/{MP4_SIZE}", 74),
            ("bytes=-4", 206, f"bytes 98270-98273/{MP4_SIZE}", 4),
            ("bytes=-99999", 206, f"bytes 0-98273/{MP4_SIZE}", MP4_SIZE),
            ("bytes=0-999999", 206, f"bytes 0-98273/{MP4_SIZE}", MP4_SIZE),
            ("bytes=98274-", 416, f"bytes */{MP4_SIZE}", 0),
            ("bytes=9-3", 416, f"bytes */{MP4_SIZE}", 0),
            ("bytes=-0", 416, f"bytes */{MP4_SIZE}", 0),
            ("bytes=-", 200, None, MP4_SIZE),
            ("lines=1-2", 200, None, MP4_SIZE),
            ("bytes=0-1,4-5", 200, None, MP4_SIZE),
            ("bytes=" + "9" * 4000 + "-", 200, None, MP4_SIZE),
        ],
    )
    def test_parts_of_files(self, site, asked, status, stated, length):
        answer = ask(site, "/media/tt0013442/480p.de.mp4", Range=asked)
        assert (answer.status, answer.headers["Content-Range"], len(answer.content)) == (status, stated, length)

    def test_a_film_that_is_not_here(self, site):
        assert ask(site, "/films/tt0565808/").status == 404
        assert ask(site, "/films/../../etc/passwd").status == 404
        assert ask(site, "/media/tt9999999/part1.ts").status == 404

    def test_a_name_that_is_none_is_not_repeated(self, site):
        answer = ask(site, "/films/tt0013442/", Host='evil.example"/><script>')
        assert b"evil" not in answer.content

    def test_one_connection_serves_many_questions(self, site):
        connection = http.client.HTTPConnection(urlsplit(site).netloc, timeout=5)
        for path in ("/", "/films/tt0013442/", "/films/nothing/", "/robots.txt"):
            connection.request("GET", path)
            connection.getresponse().read()
            assert connection.sock is not None
        connection.close()

    def test_requests_are_counted_by_path(self):
        with example_site() as url:
            for _ in range(3):
                ask(url, "/films/tt0013442/?a=b")
            ask(url, "/")
            assert json.loads(ask(url, "/-/stats").content) == {
                "total": 5,
                "requests": {"/films/tt0013442/": 3, "/": 1, "/-/stats": 1},
            }

    def test_one_that_hangs_holds_nobody_else_and_ends_with_the_site(self):
        with example_site() as url:
            place = urlsplit(url)
            with socket.create_connection((place.hostname, place.port), timeout=5) as waiting:
                waiting.sendall(f"GET {FILM[LinkBehaviour.HANGS].path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                assert ask(url, "/").status == 200
                waiting.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    waiting.recv(1)

    @pytest.mark.slow
    def test_a_slow_one_takes_its_time(self, site):
        begun = time.monotonic()
        assert ask(site, FILM[LinkBehaviour.SLOW].path).status == 200
        assert time.monotonic() - begun > 1.9

    @pytest.mark.slow
    def test_the_site_can_be_slow_altogether(self):
        with example_site(slow=60.0) as url:
            assert ask(url, "/").status == 200
            with pytest.raises(TimeoutError):
                ask(url, "/films/tt0013442/", timeout=0.5)
        with example_site(slow=0.1) as url:
            assert ask(url, "/films/tt0013442/").status == 200


def start(*words):
    command = [sys.executable, "-m", "scraper.example_site", *words]
    return subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.slow
def test_it_starts_says_where_and_ends_though_somebody_waits(name):
    process = start("--port", "0")
    try:
        url = process.stdout.readline().removeprefix("Example site: ").strip().rstrip("/")
        assert ask(url, "/").status == 200
        with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=5) as waiting:
            waiting.sendall(f"GET {FILM[LinkBehaviour.HANGS].path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            process.send_signal(name)
            said = process.communicate(timeout=HANG_SECONDS / 2)
        assert (process.returncode, said) == (0, ("", ""))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_it_ends_in_silence_while_visitors_come():
    for visitors in range(4, 24, 2):
        with ExitStack() as stack:
            process = stack.enter_context(start("--port", "0"))
            url = urlsplit(process.stdout.readline().removeprefix("Example site: ").strip())
            for _ in range(visitors):
                visitor = stack.enter_context(socket.create_connection((url.hostname, url.port), timeout=5))
                visitor.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=5)
        assert (process.returncode, said) == (0, ("", ""))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "The following arguments are required: --port"),
        (("--port", "x"), "Argument --port: 'x' is not a port from 0 to 65535"),
        (("--port", "99999"), "Argument --port: '99999' is not a port from 0 to 65535"),
        (("--port", "1", "--slow", "soon"), "Argument --slow: 'soon' is not a number of seconds from 0 to 600"),
        (("--port", "0", "--host", "no such host"), "The example site cannot listen on no such host:0"),
    ],
)
@pytest.mark.slow
def test_what_it_cannot_understand_is_said_in_one_sentence(words, said):
    process = start(*words)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert err.startswith(said)
    assert err.count("\n") == 1


@pytest.mark.slow
def test_a_port_that_is_taken_is_said_in_one_sentence():
    port = free_port()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        process = start("--port", str(port))
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert err == f"The example site cannot listen on 127.0.0.1:{port}: Address already in use\n"
