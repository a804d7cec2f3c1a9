"""Runs over links to YouTube, Vimeo and Dailymotion, whose oEmbed services are on a loopback server."""

from __future__ import annotations

import io
import json
from contextlib import ExitStack
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.utils import timezone

from streaming.health.runner import run_check
from streaming.health.sweep.options import CheckOptions
from streaming.models import Movie, StreamingLink
from tests.helpers.factories import make_link
from tests.helpers.fake_sources import data, source_web
from tests.helpers.http_origin import Origin
from tests.helpers.http_servers import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
WATCH = "https://www.youtube.com/watch?v="
WALL = Page("<!doctype html><title>Just a moment...</title><h1>Verify you are human</h1>", status=403)
GONE_PAGE = Page("<!doctype html><title>Video unavailable</title><h1>This video has been removed</h1>")
THERE = data({"type": "video", "version": "1.0", "title": "A film", "html": "<iframe></iframe>"})


def refusal(status, text):
    return Page(text, status=status, content_type="text/plain")


@pytest.fixture
def web(settings):
    with source_web() as web:
        for name, value in web.settings().items():
            setattr(settings, name, value)
        yield web


@pytest.fixture(autouse=True)
def others():
    """Links without a source API, all alive, so that no run looks like an outage."""
    with ExitStack() as stack:
        server = stack.enter_context(Origin("127.0.0.2"))
        for number in range(40):
            make_link(source_url=server.url(f"page/{number}"), host="127.0.0.2")
        yield


def link_at(web, path, **fields):
    return make_link(source_url=f"{web.url}/{path}", host=urlsplit(web.url).hostname, **fields)


def video_id(number):
    return f"video{number:06}"


def watch_link(web, number, **fields):
    return link_at(web, f"youtube/watch?v={video_id(number)}", **fields)


def run(*, now=None, **options):
    report = run_check(
        CheckOptions(prune=False, **options), now=now or timezone.now(), stop=lambda: False, on_progress=None
    )
    assert report is not None
    return report


def outcome(link):
    return StreamingLink.objects.values_list("is_active", "reason", "strength").get(pk=link.pk)


def count_queries(web):
    return sum(count for path, count in web.hits.items() if "oembed" in path)


def test_the_command_tells_deleted_private_and_unembeddable_videos_from_those_that_are_there(web):
    web.oembed = {
        f"{WATCH}{video_id(0)}": THERE,
        f"{WATCH}{video_id(1)}": refusal(403, "Forbidden"),
        f"{WATCH}{video_id(2)}": refusal(401, "Unauthorized"),
        "https://vimeo.com/1/eced817cc0": THERE,
        "https://www.dailymotion.com/video/x7tgad0": THERE,
        "https://www.dailymotion.com/video/x7tgad1": data({"error": "no player"}, status=403),
    }
    expected = {
        watch_link(web, 0): (True, "ok", ""),
        link_at(web, f"youtube/embed/{video_id(0)}"): (True, "ok", ""),
        watch_link(web, 1): (False, "not_public", "blocked"),
        watch_link(web, 2): (True, "ok", ""),
        link_at(web, f"youtube/embed/{video_id(2)}"): (False, "embed_off", "blocked"),
        watch_link(web, 3): (False, "missing", "proven"),
        link_at(web, "vimeo/1/eced817cc0"): (True, "ok", ""),
        link_at(web, "vimeo/2"): (False, "not_found", "soft"),
        link_at(web, "dailymotion/video/x7tgad0"): (True, "ok", ""),
        link_at(web, "dailymotion/video/x7tgad1"): (True, "ok", ""),
        link_at(web, "dailymotion/video/x7tgad2"): (False, "missing", "proven"),
        link_at(web, "youtube/playlist?list=PLabcdefghijk"): (True, "ok", ""),
    }
    movies = Movie.objects.count()
    output = io.StringIO()
    call_command("check_link_health", "--format", "json", stdout=output)
    report = json.loads(output.getvalue().splitlines()[-1])
    assert {link: outcome(link) for link in expected if StreamingLink.objects.filter(pk=link.pk).exists()} == {
        link: result for link, result in expected.items() if result[1] != "missing"
    }
    # Only what a source calls gone counts towards removal at once.
    assert (report["gone"], report["blocked"], report["removed"], report["withheld"]) == (3, 2, 2, False)
    assert Movie.objects.count() == movies - 2
    assert count_queries(web) == 9


NO_STATEMENT = {
    "a page": Page("<html>Not Found</html>", status=404),
    "a login page": Page("<html>Sign in</html>"),
    "a huge page": Page("x" * 10_000_000),
    "a huge title": data({"type": "video", "title": "x" * 1_000_000}),
    "a list": data(["Not Found"], status=404),
    "nothing": Page("", status=404),
    "no response": Page(raw_handler=lambda handler: None),
    "a redirect": Page(status=302, headers={"Location": "/vimeo/1"}),
    "a deep answer": Page("[" * 60_000, content_type="application/json"),
    "an error": refusal(500, "Not Found"),
}


@pytest.mark.parametrize("reply", NO_STATEMENT)
def test_a_hostile_response_is_no_statement(web, reply):
    for path in ("/youtube/oembed", "/vimeo/api/oembed.json", "/dailymotion/services/oembed"):
        web.faults[path] = NO_STATEMENT[reply]
    web.faults["/youtube/watch"] = GONE_PAGE
    dead = watch_link(web, 0)
    links = [link_at(web, path) for path in ("youtube/shorts/aaaaaaaaaaa", "vimeo/1", "dailymotion/video/x7tgad0")]
    report = run()
    assert (report.withheld, outcome(dead)) == (False, (False, "soft_404", "soft"))
    assert {outcome(link) for link in links} == {(True, "ok", "")}
    assert not StreamingLink.objects.exclude(verified_at=None).exists()


class TestCorrection:
    def test_a_wall_in_place_of_a_video_that_is_there_is_no_failure(self, web):
        web.faults["/youtube/watch"] = WALL
        web.oembed = {f"{WATCH}{video_id(number)}": THERE for number in range(2)}
        active, inactive = watch_link(web, 0), watch_link(web, 1, is_active=False, reason="bot_wall")
        lost = watch_link(web, 2)
        run()
        assert [outcome(link) for link in (active, inactive)] == [(True, "ok", "")] * 2
        assert outcome(lost) == (False, "missing", "proven")

    @pytest.mark.parametrize("oembed", [refusal(401, "Unauthorized"), refusal(503, "later")])
    def test_without_a_statement_the_wall_counts(self, web, oembed):
        web.faults["/youtube/watch"] = WALL
        web.oembed = {f"{WATCH}{video_id(0)}": oembed}
        link = watch_link(web, 0)
        run()
        assert outcome(link)[:2] == (False, "bot_wall")

    def test_a_404_of_the_link_itself_stands(self, web):
        web.faults["/vimeo/1"] = Page("<h1>Not Found</h1>", status=404)
        web.oembed = {"https://vimeo.com/1": THERE}
        link = link_at(web, "vimeo/1")
        run()
        assert outcome(link) == (False, "http_404", "proven")
        assert count_queries(web) == 0

    def test_a_confirmation_counts_against_walls_for_a_week_and_a_denial_is_asked_about(self, web):
        web.oembed = {f"{WATCH}{video_id(0)}": THERE}
        link, now = watch_link(web, 0), timezone.now()
        run(now=now)
        web.faults["/youtube/watch"] = WALL
        run(now=now + timedelta(days=1))
        assert (outcome(link), count_queries(web)) == ((True, "ok", ""), 1)
        web.faults["/youtube/watch"] = GONE_PAGE
        run(now=now + timedelta(days=2))
        assert (outcome(link), count_queries(web)) == ((True, "ok", ""), 2)
        web.oembed.clear()
        run(now=now + timedelta(days=3))
        assert outcome(link) == (False, "missing", "proven")

    @pytest.mark.parametrize("status", [(403, "Forbidden", "not_public"), (404, "Not Found", "missing")])
    def test_http_does_not_revive_what_the_service_refuses(self, web, status):
        code, text, reason = status
        web.oembed = {f"{WATCH}{video_id(0)}": refusal(code, text)}
        link, now = watch_link(web, 0), timezone.now()
        for hours in (0, 2, 4):
            run(now=now + timedelta(hours=hours))
            assert outcome(link)[:2] == (False, reason)
        assert count_queries(web) == 1
        web.oembed = {f"{WATCH}{video_id(0)}": THERE}
        run(now=now + timedelta(days=8))
        assert outcome(link) == (True, "ok", "")


class Repeated(dict[str, Page]):
    """What a service answers: whoever asks of a video for the second time is sent `then`."""

    def __init__(self, replies, *, then):
        super().__init__(replies)
        self.then, self.asked = then, set()

    def get(self, address, default=None):
        reply = self.then if address in self.asked else super().get(address, default)
        self.asked.add(address)
        return reply


@pytest.mark.parametrize(
    ("then", "off"),
    [(THERE, 2), (refusal(403, "Forbidden"), 0), (Page("", status=503), 0)],
    ids=["well", "tired", "down"],
)
def test_a_service_is_asked_once_more_of_what_it_has_shown_before_its_refusals_count(web, then, off):
    """It may answer 403 to all that it is asked too often, as to what is private."""
    replies = {f"{WATCH}{video_id(number)}": THERE for number in range(6)}
    replies |= {f"{WATCH}{video_id(number)}": refusal(403, "Forbidden") for number in (6, 7)}
    web.oembed = Repeated(replies, then=then)
    links = [watch_link(web, number) for number in range(8)]
    run()
    assert sum(not outcome(link)[0] for link in links) == off
    assert count_queries(web) == 9


@pytest.mark.parametrize(("code", "text"), [(401, "Unauthorized"), (403, "Forbidden"), (404, "Not Found")])
@pytest.mark.parametrize(("refused", "off"), [(3, 3), (8, 0)])
def test_a_service_that_refuses_nearly_everything_is_doubted(web, code, text, refused, off):
    web.oembed = {f"{WATCH}{video_id(number)}": refusal(code, text) for number in range(refused)}
    links = [link_at(web, f"youtube/embed/{video_id(number)}") for number in range(refused)]
    web.oembed[f"{WATCH}{video_id(99)}"] = THERE
    watch_link(web, 99)
    for number in range(8 - refused):
        link_at(web, f"films/{number}")
    run()
    assert sum(not outcome(link)[0] for link in links) == off
