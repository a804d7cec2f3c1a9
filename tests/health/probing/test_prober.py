"""The prober with real servers: which requests it sends, how often, how long, and which responses it returns."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest

from scraper.net.url_policy import NO_PRIVATE_HOSTS, PrivateHostAllowlist
from streaming.health.judging.verdict import judge
from streaming.health.probe_types import Failure, ProbeRequest
from streaming.health.probing import transfer
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.prober import Prober
from streaming.health.probing.transfer import MAX_PAGE_BYTES
from tests.helpers.http_origin import Origin
from tests.helpers.http_servers import free_port

pytestmark = pytest.mark.slow

LOOPBACK = PrivateHostAllowlist.parse(["127.0.0.0/8"])
CONFIG = ProbeConfig(user_agent="Openreel/tests (+tests@example.org)", timeout=0.6, stall_seconds=0.2, allowed=LOOPBACK)


ONE_AT_A_TIME = replace(CONFIG, per_host=1)


@pytest.fixture
def origin():
    with Origin() as server:
        yield server


def probe(*urls, config=CONFIG, media=False, stop=lambda: False):
    prober = Prober(config, stop=stop)
    return sorted(
        prober.responses(ProbeRequest(number, url, media) for number, url in enumerate(urls)), key=lambda one: one.id
    )


def probe_one(url, **options):
    return probe(url, **options)[0]


def judged(response, **fields):
    return judge(response, ProbeRequest(id=response.id, url=response.url, **fields))


@pytest.mark.parametrize(
    ("path", "media", "reason"),
    [
        ("page/1", False, "ok"), ("soft/1", False, "soft_404"), ("video/1", True, "ok"),
        ("page/1", True, "unknown_page"),
        ("nohead/1", False, "ok"), ("headonly/1", False, "ok"), ("headhangs/1", False, "ok"), ("flaky/1", False, "ok"),
        ("404/1", False, "http_404"), ("410/1", False, "http_410"), ("403/1", False, "http_403"),
        ("451/1", False, "http_451"), ("500/1", False, "http_5xx"), ("busy/1", False, "throttled"),
        ("later/1", False, "throttled"), ("norange/1", False, "ok"), ("to/page/1", False, "ok"),
        ("to/404/1", False, "http_404"), ("to/4", False, "ok"), ("to/19", False, "ok"),
        ("to/20", False, "too_many_redirects"),
        ("loop/a", False, "redirect_loop"), ("cookie/1", False, "ok"), ("to/", False, "redirect_home"),
        ("hang/1", False, "timeout"), ("drip/1", False, "timeout"), ("endless/1", False, "ok"),
        ("short/1", False, "ok"),
        ("reset/1", False, "reset"), ("junk/1", False, "protocol"),
        ("to/ftp://films.example.org/", False, "bad_redirect"),
        ("to/http://10.0.0.5/", False, "private_address"), ("to/http://169.254.169.254/x", False, "private_address"),
        ("bigheaders/1", False, "reset"),
    ],
)  # fmt: skip
def test_every_kind_of_link_gets_its_reason(origin, path, media, reason):
    response = probe_one(origin.url(path), media=media)
    assert judged(response, title="Nosferatu", media=media).reason == reason


def test_head_alone_is_conclusive_for_a_video(origin):
    response = probe_one(origin.url("video/1"), media=True)
    assert origin.log == [("HEAD", "/video/1")]
    assert (response.method, response.content_type, response.length) == ("HEAD", "video/mp4", 4012)


def test_a_page_is_requested_again_with_get_and_the_next_ones_without_head(origin):
    probe(
        origin.url("page/1"), origin.url("page/2"), config=ProbeConfig("x", per_host=1, timeout=0.6, allowed=LOOPBACK)
    )
    assert origin.log == [("HEAD", "/page/1"), ("GET", "/page/1"), ("GET", "/page/2")]


def test_a_body_is_limited(origin):
    response = probe_one(origin.url("endless/1"))
    assert len(response.body) == MAX_PAGE_BYTES


@pytest.mark.parametrize("path", ["drip/1", "hang/1"])
def test_a_request_ends_at_its_timeout_however_slowly_bytes_come(origin, path):
    assert probe_one(origin.url(path)).failure is Failure.TIMEOUT
    assert not origin.closing.is_set()


def test_a_closed_port_and_an_unknown_name_are_different_failures():
    refused = probe_one(f"http://127.0.0.1:{free_port()}/x")
    unknown = probe_one("http://no-such-host.invalid/x")
    assert refused.failure == Failure.REFUSED
    assert unknown.failure in (Failure.DNS, Failure.TIMEOUT)
    assert refused.is_transport_failure


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://2130706433/", "http://0x7f.0x0.0x0.0x1/", "http://[::1]/",
        "http://[::ffff:127.0.0.1]/", "http://10.0.0.5/", "http://100.64.1.1/", "http://169.254.169.254/latest/",
        "http://user@films.example.org/", "http://0/", "http://192.168.0.1/", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_private_hosts_get_no_request(url):
    response = probe_one(url, config=ProbeConfig("x", timeout=0.3, allowed=NO_PRIVATE_HOSTS))
    assert (response.failure, response.not_sent) == (Failure.PRIVATE, True)


def test_a_bug_in_our_own_code_proves_nothing_about_the_link(origin, monkeypatch):
    def faulty(content_type):
        raise TypeError("a bug")

    monkeypatch.setattr(transfer, "is_media_type", faulty)
    response = probe_one(origin.url("page/1"))
    assert response.failure is Failure.LOCAL
    assert judged(response).verdict == "not_checked"


def test_proxies_of_the_environment_are_ignored(origin, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert probe_one(origin.url("page/1")).status == 200


def test_a_response_has_the_url_that_redirects_led_to(origin):
    response = probe_one(origin.url("to/2"))
    assert (response.hops, response.final_url) == (3, origin.url("page/end"))


def test_hanging_links_do_not_hold_the_others_up():
    with Origin() as server:
        urls = [server.url(f"page/{number}") for number in range(40)]
        urls[5:5] = [server.url(f"hang/{number}") for number in range(8)]
        config = ProbeConfig("x", timeout=20.0, stall_seconds=0.1, per_host=2, allowed=LOOPBACK)
        responses = list(islice(Prober(config).responses(ProbeRequest(n, url) for n, url in enumerate(urls)), 40))
    assert [response.status for response in responses] == [200] * 40  # though two would fill the slots of their host


def test_links_that_hang_are_asked_once_more_together():
    """At the end of the run, when no other link of their host gets a quick response any more."""
    config = ProbeConfig("x", timeout=0.6, stall_seconds=0.2, per_host=2, allowed=LOOPBACK)
    with Origin() as server:
        asked, gone = Counter(), []
        server.asked = lambda handler: (asked.update([handler.path]), gone.append(time.monotonic()))
        urls = [server.url(f"page/{number}") for number in range(10)]
        responses = probe(*urls, *(server.url(f"hang/{number}") for number in range(8)), config=config)
    assert [response.failure for response in responses[10:]] == [Failure.TIMEOUT] * 8
    late = gone[-8:]
    assert {asked[f"/hang/{number}"] for number in range(8)} == {2}  # a GET, and one with twice the time
    assert late[-1] - late[0] < 2 * config.timeout  # Two at a time the last one would begin after three time-outs.


def test_a_host_that_never_responds_is_given_up():
    with Origin(everything="hang") as silent, Origin("127.0.0.2") as other:
        urls = [silent.url(f"page/{number}") for number in range(30)] + [other.url("page/1")]
        responses = probe(*urls, config=ProbeConfig("x", timeout=0.4, allowed=LOOPBACK))
    assert all(response.failure == Failure.TIMEOUT for response in responses[:30])
    assert sum(response.not_sent for response in responses) >= 20
    assert responses[30].status == 200


def test_a_host_that_stays_busy_is_left_alone():
    with Origin(everything="busy") as server:
        responses = probe(*(server.url(f"page/{number}") for number in range(30)))
    assert sum(response.status == 429 for response in responses) < 10
    assert sum(response.failure == Failure.PAUSED for response in responses) > 20
    assert responses[0].retry_after == "120"


def test_requests_to_a_host_are_limited_and_connections_are_reused():
    with Origin() as server:
        maximum = []
        server.asked = lambda handler: maximum.append(len(server.sockets))
        probe(*(server.url(f"video/{number}") for number in range(60)), media=True)
    assert len(maximum) == 60
    assert max(maximum) <= CONFIG.per_host


def test_the_user_agent_is_honest_and_no_encoding_is_accepted(origin):
    result = []
    origin.asked = lambda handler: result.append(dict(handler.headers))
    probe_one(origin.url("page/1"))
    assert result[-1]["User-Agent"] == CONFIG.user_agent
    assert result[-1]["Accept-Encoding"] == "identity"


def test_a_minimum_distance_between_requests_of_one_host_is_kept(monkeypatch):
    monkeypatch.setattr("streaming.health.probing.host_queue.is_loopback", lambda place: False)
    with Origin() as server:
        moments = []
        server.asked = lambda handler: moments.append(time.monotonic())
        began = time.monotonic()
        probe(
            *(server.url(f"video/{n}") for n in range(6)),
            media=True,
            config=ProbeConfig("x", delay=0.05, allowed=LOOPBACK),
        )
    # From before the first request: the server may notice that one late, which would shorten the measured time.
    assert moments[-1] - began >= 0.25


PAUSE_SECONDS = 2.2 * CONFIG.timeout  # Longer than a request at the end of the run may take.


class Suspended:
    """A machine that stands still after each of its first so many requests, and the network with it."""

    def __init__(self, times, *, is_silent):
        self.times, self.is_silent = times, is_silent
        self.requested = self.suspended = 0

    def respond(self, handler):
        self.requested += 1
        if self.is_silent:
            handler.on_hang("hang")
        time.sleep(PAUSE_SECONDS + 0.2 if self.requested <= self.times else 0.2)
        handler.on_page("page")

    def stop(self):
        if self.suspended < min(self.requested, self.times):
            self.suspended += 1
            time.sleep(PAUSE_SECONDS)
        return False


@pytest.mark.parametrize(
    ("times", "is_silent", "reason"),
    [(0, False, "ok"), (2, False, "ok"), (4, False, "ok"), (99, False, "local"),
     (0, True, "timeout"), (3, True, "timeout"), (99, True, "local")],
)  # fmt: skip
def test_a_timeout_while_this_process_did_not_run_is_not_the_links(origin, times, is_silent, reason):
    machine = Suspended(times, is_silent=is_silent)
    origin.behaviour = machine.respond
    response = probe_one(origin.url("page/1"), stop=machine.stop)
    assert judged(response, title="Nosferatu").reason == reason
    assert machine.suspended >= min(times, 2)


class Hiccups:
    """A process that does not look at its connections for 0.55 s, again and again, but most of the time it does."""

    def __init__(self):
        self.paused_at = time.monotonic()

    def stop(self):
        if time.monotonic() - self.paused_at > 3.2:
            time.sleep(0.55)
            self.paused_at = time.monotonic()
        return False


def test_short_pauses_excuse_no_silent_host():
    with Origin(everything="hang") as silent:
        prober = Prober(replace(CONFIG, timeout=3.0, stall_seconds=1.0), stop=Hiccups().stop)
        requests = [ProbeRequest(number, silent.url(f"video/{number}"), media=True) for number in range(12)]
        assert {response.failure for response in prober.responses(requests)} == {"timeout"}
        # Each of four is asked twice, at most, and twice again at the end; the others are not asked.
        assert sum(method == "GET" for method, _ in silent.log) <= 16


def test_a_pause_during_a_request_with_head_does_not_end_these_for_the_host(origin):
    pauses = iter([PAUSE_SECONDS])

    def respond(handler):
        if len(origin.log) == 1:
            time.sleep(PAUSE_SECONDS)
        handler.on_video("video")

    def stop():
        if origin.log:
            time.sleep(next(pauses, 0))
        return False

    origin.behaviour = respond
    probe(*(origin.url(f"video/{number}") for number in range(6)), media=True, stop=stop, config=ONE_AT_A_TIME)
    assert [method for method, _ in origin.log].count("HEAD") == 6


def test_a_stopped_prober_waits_for_no_link(origin):
    config = ProbeConfig("x", timeout=20.0, stall_seconds=10.0, allowed=LOOPBACK)
    assert probe(*(origin.url(f"hang/{n}") for n in range(20)), config=config, stop=lambda: bool(origin.log)) == []


def test_requests_are_drawn_only_as_they_are_needed(origin, monkeypatch):
    monkeypatch.setattr("streaming.health.probing.prober.MAX_PENDING", 500)
    drawn = []

    def requests():
        for number in range(10_000):
            drawn.append(number)
            yield ProbeRequest(number, origin.url("video/1"), True)

    responses = Prober(CONFIG).responses(requests())
    next(responses)
    responses.close()
    assert len(drawn) < 600


def test_a_cookie_that_is_not_ascii_does_not_end_the_run(origin):
    """pycurl accepts ASCII text only; its exception must not end the prober with all links in progress."""
    responses = probe(origin.url("accent/1"), origin.url("page/1"))
    assert [response.status for response in responses] == [200, 200]


@pytest.mark.parametrize(
    "target", ["page/Schindler's List", "page/it's", "page/a b", "page/a|b", "page/{1}", 'page/"x"']
)
def test_a_redirect_to_a_url_that_every_browser_accepts_is_followed(origin, target):
    """No such URL is stored, but servers redirect there: curl and browsers escape it and follow."""
    assert judged(probe_one(origin.url("page/1"))).reason == "ok"
    with Origin() as server:
        server.everything = ""
        sent = []

        def redirect(handler):
            sent.append(handler.path)
            if handler.path == "/start":
                handler.send(302, Location="/" + target)
                raise ConnectionAbortedError

        server.asked = redirect
        assert judged(probe_one(server.url("start"))).reason == "ok"


def test_a_redirect_to_a_long_signed_url_does_not_turn_a_link_off(origin):
    """Signed URLs of big stores are longer than the 2000 characters that a row has."""

    def redirect(handler):
        if handler.path == "/start":
            handler.send(302, Location="/page/1?signature=" + "a" * 2500)
            raise ConnectionAbortedError

    origin.asked = redirect
    assert not judged(probe_one(origin.url("start"))).verdict.is_bad


def test_a_redirect_in_latin_1_is_followed_byte_for_byte(origin):
    def redirect(handler):
        if handler.path == "/start":
            handler.send(302, Location="/page/caf\u00e9")  # http.server sends the one byte E9.
            raise ConnectionAbortedError

    origin.asked = redirect
    probe_one(origin.url("start"))
    assert origin.log[-1][1].upper() == "/PAGE/CAF%E9"


@pytest.mark.parametrize("status", [301, 302])
def test_a_redirect_into_a_single_page_application_leads_to_no_front_page(origin, status):
    """Nor has the link moved: a URL is stored without fragment, and all films of the site would be at `/`."""

    def redirect(handler):
        if handler.path == "/watch/1":
            handler.send(status, Location="/#/watch/1")
            raise ConnectionAbortedError

    origin.asked = redirect
    response = probe_one(origin.url("watch/1"))
    assert (response.final_url, response.moved_to) == (origin.url("#/watch/1"), "")
    assert judged(response).reason == "ok"


def test_a_range_that_is_refused_without_a_length_is_requested_again_without_range(origin):
    def refuse_range(handler):
        if "Range" in handler.headers:
            handler.send(416, Content_Range="bytes */*")
            raise ConnectionAbortedError

    origin.asked = refuse_range
    assert judged(probe_one(origin.url("page/1"))).reason == "ok"


def test_a_fragment_stays_when_the_next_redirect_has_none(origin):
    """As in browsers: `/watch/1` redirects to `/app#/watch/1`, and that to `/`, which still shows the film."""

    def redirect(handler):
        if target := {"/watch/1": "/app#/watch/1", "/app": "/"}.get(handler.path):
            handler.send(302, Location=target)
            raise ConnectionAbortedError

    origin.asked = redirect
    response = probe_one(origin.url("watch/1"))
    assert response.final_url == origin.url("#/watch/1")
    assert judged(response).reason == "ok"


@pytest.mark.parametrize("method", ["start", "response"])
def test_a_fault_with_one_link_affects_that_link_alone(origin, monkeypatch, method):
    original = getattr(transfer.Transfer, method)

    def stumbles(self, *args, **options):
        if (args[0] if method == "start" else self.task).state.url.endswith("/page/1"):
            "\u0142".encode("latin-1")
        return original(self, *args, **options)

    monkeypatch.setattr(transfer.Transfer, method, stumbles)
    faulty, good = probe(origin.url("page/1"), origin.url("page/2"))
    assert (faulty.status, faulty.failure, good.status) == (None, Failure.LOCAL, 200)
    assert judged(faulty).verdict == "not_checked"
