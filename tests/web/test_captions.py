"""Captions of a link under our own address: fetched with care, turned into WebVTT, kept."""

from __future__ import annotations

from contextlib import ExitStack
from hashlib import sha256
from itertools import count
from threading import Event

import pytest
from django.core.cache import cache, caches
from django.db import connection

from scraper.net.url_policy import PrivateHostAllowlist
from streaming import file_locks
from streaming.health.probing.config import ProbeConfig
from streaming.health.verification.file_client import FileLimits, FileUnavailable, fetch_file
from streaming.ingest.blocklist import ShownCaptions
from streaming.ingest.takedown import block, unblock
from streaming.models import MovieFacet, StreamingLink
from streaming.models.facet_triggers import wrong_facets
from streaming.web.captions import MAX_BYTES, MAX_FETCHES_AT_ONCE
from tests.helpers.factories import make_link, make_movie
from tests.helpers.http_origin import Origin
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
FREE = "https://free.example.org/en.vtt"
NAMING = (
    "/api/streaming/movies/", "/api/streaming/movies/{0}/", "/stremio/stream/movie/{0}.json", "/streaming/{0}/",
)  # fmt: skip
SRT = "1\n00:00:01,000 --> 00:00:02,500\nGrüße\n"
VTT = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nGrüße\n"
BODIES = {
    "/captions.srt": (200, SRT.encode("utf-16"), {}),
    "/page.vtt": (200, b"<!doctype html><title>Sign in</title>", {}),
    "/large.vtt": (200, b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\nx\n\n" * 400_000, {}),
    "/just.vtt": (200, b"WEBVTT\n\n00:01.000 --> 00:02.000\nx\n".ljust(MAX_BYTES, b"\n"), {}),
    "/video.vtt": (200, b"\x00\x00\x00\x20ftypisom" + b"\x00" * 4000, {}),
    "/moved.vtt": (301, b"", {"Location": "/captions.srt"}),
    "/loop.vtt": (302, b"", {"Location": "/loop.vtt"}),
    "/inside.vtt": (302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"}),
    "/unreadable.vtt": (302, b"", {"Location": "http://["}),
    "/file.vtt": (302, b"", {"Location": "file:///etc/passwd"}),
}


def respond(handler):
    status, body, headers = BODIES.get(handler.path, (404, b"", {}))
    handler.send(status, body, "text/plain", **headers)


@pytest.fixture
def origin():
    with Origin("127.0.0.2", behaviour=respond) as server:
        yield server


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.SCRAPE_DIR = tmp_path


def link_with(origin, *paths, **fields):
    captions = [{"url": origin.url(path), "language": "de", "format": "srt"} for path in paths]
    return make_link(
        fields.pop("movie", None),
        captions=captions,
        kind="file",
        source_url="https://files.example.org/film.mp4",
        **fields,
    )


def test_subrip_in_utf_16_comes_as_webvtt_and_is_fetched_once(client, origin):
    link = link_with(origin, "captions.srt")
    for _ in range(3):
        answer = client.get(f"/captions/{link.pk}-0.vtt")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/vtt; charset=utf-8")
        assert answer.content.decode() == VTT
    assert origin.log == [("GET", "/captions.srt")]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("page.vtt", "at the address of the captions there is a web page."),
        ("video.vtt", "at the address of the captions there are none."),
        ("large.vtt", "the file is larger than 1,024 KiB."),
        ("missing.vtt", "the host answers with the status 404."),
        ("loop.vtt", "the address redirects too often."),
        ("inside.vtt", "the address leads to a place that we do not open."),
        ("file.vtt", "the address leads to a place that we do not open."),
        ("unreadable.vtt", "the host's answer cannot be read."),
    ],
)
def test_what_cannot_be_shown_says_why_and_is_not_asked_again_at_once(client, origin, path, sentence):
    link = link_with(origin, path)
    for _ in range(2):
        answer = client.get(f"/captions/{link.pk}-0.vtt")
        assert (answer.status_code, answer.content.decode()) == (502, f"The captions cannot be shown: {sentence}")
    assert origin.log.count(("GET", f"/{path}")) == (6 if path == "loop.vtt" else 1)


def test_redirects_and_a_file_of_just_one_mebibyte_are_taken(client, origin):
    link = link_with(origin, "moved.vtt", "just.vtt")
    assert client.get(f"/captions/{link.pk}-0.vtt").content.decode() == VTT
    assert client.get(f"/captions/{link.pk}-1.vtt").status_code == 200


def test_a_private_address_is_not_asked(client, origin, settings):
    settings.ALLOW_PRIVATE_HOSTS = type(settings.ALLOW_PRIVATE_HOSTS)()
    link = link_with(origin, "captions.srt")
    assert client.get(f"/captions/{link.pk}-0.vtt").status_code == 502
    assert origin.log == []


@pytest.mark.parametrize("fields", [{"is_published": False}, {"taken_down": True, "is_active": False}])
def test_captions_of_hidden_links_are_not_there(client, origin, fields):
    link = link_with(origin, "captions.srt", **fields)
    assert client.get(f"/captions/{link.pk}-0.vtt").status_code == 404
    assert origin.log == []


def test_captions_that_are_taken_down_or_that_nobody_stated_are_not_there(client, origin):
    link = link_with(origin, "captions.srt")
    for address in (f"{link.pk}-1", f"{link.pk}-{10**30}", f"{10**30}-0", "0-0"):
        assert client.get(f"/captions/{address}.vtt").status_code == 404
    block(origin.url("captions.srt"), reason="asked")
    assert client.get(f"/captions/{link.pk}-0.vtt").status_code == 404
    assert origin.log == []


def test_a_redirect_to_what_is_taken_down_is_not_followed(client, origin):
    link = link_with(origin, "moved.vtt")
    block(origin.url("captions.srt"), reason="asked")
    assert client.get(f"/captions/{link.pk}-0.vtt").status_code == 502
    assert origin.log == [("GET", "/moved.vtt")]


def test_slow_redirects_have_one_time_limit_together():
    hops = count()

    def redirect_slowly(handler):
        Event().wait(0.3)
        handler.send(302, b"", Location=f"/{next(hops)}")

    with Origin("127.0.0.2", behaviour=redirect_slowly) as server:
        config = ProbeConfig(user_agent="Openreel", allowed=PrivateHostAllowlist.parse(["127.0.0.2"]))
        with pytest.raises(FileUnavailable, match="does not respond"):
            fetch_file(server.url("slow"), config, accept="*/*", limits=FileLimits(max_bytes=10, timeout=0.5))
    assert len(server.log) == 2


@pytest.mark.parametrize(
    "foreign", ["x", 7, [], {}, {"text": 1, "error": ""}, {"error": "x"}, {"text": "\ud800", "error": ""}]
)
def test_foreign_entries_of_the_cache_are_misses(client, origin, foreign):
    link = link_with(origin, "captions.srt")
    key = f"captions:{sha256(origin.url('captions.srt').encode()).hexdigest()}"
    caches["captions"].set(key, foreign)
    assert client.get(f"/captions/{link.pk}-0.vtt").content.decode() == VTT


def test_captions_have_another_cache_than_the_limits(client, origin):
    link = link_with(origin, "captions.srt")
    for _ in range(2):
        assert client.get(f"/captions/{link.pk}-0.vtt").status_code == 200
        cache.clear()
    assert len(origin.log) == 1


def test_captions_that_are_taken_down_are_named_nowhere_until_it_is_lifted(client):
    url = "https://titles.example.org/de.vtt"
    movie = make_movie(imdb_id="tt0013442")
    captions = [{"url": url, "language": "de", "format": "vtt"}, {"url": FREE, "language": "en", "format": "vtt"}]
    link = make_link(movie, kind="file", source_url="https://files.example.org/film.mp4", captions=captions)

    own = f"/captions/{link.pk}-0.vtt"

    def named() -> list[bool]:
        pages = [client.get(page.format(movie.imdb_id)).content.decode() for page in NAMING]
        return [text in page for page, text in zip(pages, [url, url, own, own], strict=True)]

    def found(language: str) -> int:
        return int(client.get("/api/streaming/movies/", {"captions": language}).json()["count"])

    etag = client.get("/api/streaming/movies/").headers["ETag"]
    assert named() == [True] * 4
    assert (found("de"), found("en")) == (1, 1)
    block("titles.example.org", reason="asked")
    assert named() == [False] * 4
    assert (found("de"), found("en")) == (0, 1)
    assert client.get("/api/streaming/movies/", HTTP_IF_NONE_MATCH=etag).status_code == 200
    for page in NAMING[2:]:
        assert f"/captions/{link.pk}-1.vtt" in client.get(page.format(movie.imdb_id)).content.decode()
    unblock("titles.example.org")
    assert named() == [True] * 4
    assert (found("de"), found("en")) == (1, 1)


@pytest.mark.parametrize(
    ("taken_down", "url", "is_found"),
    [
        ("example.org", "https://titles.example.org:8443/de.vtt", False),
        ("www.titles.example.org", "https://titles.example.org/de.vtt", False),
        ("example.org", "https://notexample.org/de.vtt", True),
        ("example.org", "https://titles.example.com/example.org/de.vtt", True),
        ("a_b.example.org", "https://a-b.example.org/de.vtt", True),
        ("https://titles.example.org/a/", "https://titles.example.org/a/de.vtt", False),
        ("https://titles.example.org/a/", "http://titles.example.org/a/de.vtt", False),
        ("https://titles.example.org/a/", "https://titles.example.org/b/a/de.vtt", True),
        ("tt0000009", "https://titles.example.org/de.vtt", True),
    ],
)
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "found later"])
def test_no_filter_finds_captions_that_are_taken_down_under_a_living_link(taken_down, url, is_found, is_known):
    captions = [{"url": url, "language": "de", "format": "vtt"}]
    if is_known:
        make_link(source_url="https://films.test/film.mp4", captions=captions)
    block(taken_down, reason="asked")
    if not is_known:
        make_link(source_url="https://films.test/film.mp4", captions=captions)
    facets = MovieFacet.objects.filter(kind="captions", value="de")
    assert facets.exists() == is_found
    assert bool(ShownCaptions().of(captions)) == is_found
    assert wrong_facets(connection, first=1, last=10**9) == []
    unblock(taken_down)
    assert facets.exists()


def test_only_so_many_are_fetched_at_once(client, origin, settings):
    link = link_with(origin, "captions.srt")
    with ExitStack() as held:
        for number in range(MAX_FETCHES_AT_ONCE):
            held.enter_context(file_locks.try_lock(settings.SCRAPE_DIR / f"captions-{number}.lock"))
        answer = client.get(f"/captions/{link.pk}-0.vtt")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert client.get(f"/captions/{link.pk}-0.vtt").status_code == 200


def test_the_page_of_the_movie_offers_them(client, origin):
    link = link_with(origin, "captions.srt", movie=make_movie(imdb_id="tt0013442"))
    page = html_of(client.get("/streaming/tt0013442/"))
    assert f'{{"src": "/captions/{link.pk}-0.vtt", "language": "de", "label": "German"}}' in page
    assert StreamingLink.objects.get().captions[0]["url"] not in page
