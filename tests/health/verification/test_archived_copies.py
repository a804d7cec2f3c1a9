"""Copies in the Wayback Machine: of which pages it is asked, which of its answers count, and what they count."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.prober import never_stop
from streaming.health.runner import run_check
from streaming.health.sweep.options import CheckOptions
from streaming.health.verification.archived_copies import MAX_PAGES_PER_RUN, look_up_archived_copies
from streaming.ingest.takedown import block
from streaming.ingest.tombstones import remove_movies
from streaming.models import ArchivedCopy, HostPause, Movie, StreamingLink
from tests.helpers.factories import make_link, make_movie
from tests.helpers.http_origin import Origin
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
DEAD = {"is_active": False, "reason": "http_404", "strength": "proven", "licence": "cc-by", "kind": "page"}
COPY = "http://web.archive.org/web/20210304050607/https://films.example.org/x"


def answer(**closest):
    stated = {"status": "200", "available": True, "url": COPY, "timestamp": "20210304050607", **closest}
    return {"url": "x", "archived_snapshots": {"closest": stated}}


@pytest.fixture
def archive(settings):
    """A server in place of the archive; `reply` is its status, its JSON and its headers."""
    with Origin("127.0.0.9") as server:
        server.reply = (200, answer(), {})

        def behave(handler):
            status, body, headers = server.reply
            handler.send(status, json.dumps(body).encode(), "application/json", **headers)

        server.behaviour = behave
        settings.WAYBACK_URL = server.url("").rstrip("/")
        yield server


def look_up(now=None):
    config = ProbeConfig(user_agent="tests", allowed=django_settings.ALLOW_PRIVATE_HOSTS)
    return look_up_archived_copies(config, now=now or timezone.now(), stop=never_stop)


def queried(server):
    return [parse_qs(urlsplit(path).query)["url"][0] for _, path in server.log]


def test_a_page_that_is_gone_shows_its_copy_and_counts_as_before(client, archive):
    movie = make_movie(imdb_id="tt0013442")
    link = make_link(movie, source_url="https://films.example.org/x?a=1&b=é", **DEAD)
    assert look_up() == 1
    assert queried(archive) == [link.source_url]
    copy = ArchivedCopy.objects.get()
    assert (copy.url, copy.archived_at.year) == (COPY.replace("http://", "https://", 1), 2021)
    page = client.get("/streaming/tt0013442/")
    assert "Archived 2021" in html_of(page)
    assert f'href="{copy.url}"' in page.content.decode()
    row = StreamingLink.objects.values("is_active", "reason", "failures").get()
    assert row == {"is_active": False, "reason": "http_404", "failures": 0}
    assert Movie.objects.get().active_link_count == 0
    assert not client.get("/api/streaming/movies/tt0013442/").json()["links"]
    StreamingLink.objects.update(is_active=True, reason="ok", strength="")
    assert "Archived" not in html_of(client.get("/streaming/tt0013442/"))


def test_only_pages_that_are_gone_and_may_be_copied_are_asked_about(archive):
    for changed in (
        {"licence": "official"}, {"licence": ""}, {"licence": "cc-by-nc"}, {"kind": "file"}, {"reason": "http_403"},
        {"reason": "timeout"}, {"is_active": True, "reason": "ok", "strength": ""}, {"source": "internet_archive"},
        {"is_published": False},
    ):  # fmt: skip
        make_link(**{**DEAD, **changed})
    make_link(source_url="https://blocked.example.org/1", **DEAD)
    block("blocked.example.org", reason="asked")
    assert (look_up(), archive.log) == (0, [])


@pytest.mark.parametrize(
    "reply",
    [
        {"archived_snapshots": {}},
        answer(available=False),
        answer(status="404"),
        answer(url="https://evil.example.org/web/2021/x"),
        answer(url="javascript:alert(1)//web.archive.org/web/"),
        answer(url="https://web.archive.org/save/x"),
        answer(timestamp="soon"),
        answer(url=7, timestamp=None),
    ],
)
def test_what_is_no_copy_is_noted_and_asked_again_after_a_month(archive, reply):
    make_link(**DEAD)
    archive.reply = (200, reply, {})
    assert (look_up(), ArchivedCopy.objects.get().url) == (0, "")
    look_up()
    assert len(archive.log) == 1
    archive.reply = (200, answer(), {})
    assert look_up(now=timezone.now() + timedelta(days=31)) == 1
    assert ArchivedCopy.objects.get().url


@pytest.mark.parametrize("reply", [(500, {}, {}), (200, [], {}), (200, {"error": 1}, {})])
def test_an_archive_that_fails_is_left_alone_for_this_run(archive, reply):
    for _ in range(3):
        make_link(**DEAD)
    archive.reply = reply
    assert (look_up(), len(archive.log), ArchivedCopy.objects.count()) == (0, 1, 0)


def test_an_archive_that_asks_for_fewer_requests_is_paused(archive):
    make_link(**DEAD)
    archive.reply = (429, {}, {"Retry_After": "600"})
    look_up()
    look_up()
    assert (len(archive.log), HostPause.objects.get().host) == (1, "127.0.0.9")


def test_a_run_asks_about_few_pages_and_nothing_without_the_setting(archive, settings):
    for _ in range(MAX_PAGES_PER_RUN + 2):
        make_link(**DEAD)
    assert (look_up(), look_up()) == (MAX_PAGES_PER_RUN, 2)
    settings.WAYBACK_URL = ""
    make_link(**DEAD)
    assert look_up() == 0


def test_copies_go_with_their_movie(archive):
    link = make_link(**DEAD)
    look_up()
    remove_movies(Movie.objects.filter(pk=link.movie_id), reason="tests", cause="staff")
    assert not ArchivedCopy.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_accepted_run_of_the_checker_asks_and_a_dry_one_does_not(archive):
    with Origin("127.0.0.2") as site:
        link = make_link(source_url=site.url("404"), host="127.0.0.2", licence="cc-by")
        run_check(CheckOptions(timeout=1.0, dry_run=True), now=timezone.now())
        assert archive.log == []
        run_check(CheckOptions(timeout=1.0), now=timezone.now())
    assert ArchivedCopy.objects.get().link_id == link.pk
