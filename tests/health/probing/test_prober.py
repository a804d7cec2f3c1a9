"""The prober against real servers: what it asks, how often, how long, and what it hears."""

from __future__ import annotations

import time
from itertools import islice

import pytest

from scraper.net.url_policy import NO_PRIVATE_HOSTS, PrivateHostAllowlist
from streaming.health.judging.verdict import judge
from streaming.health.probe_types import Failure, ProbeRequest
from streaming.health.probing import transfer
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.prober import Prober
from streaming.health.probing.transfer import MAX_PAGE_BYTES
from tests.helpers.http_origin import Origin, closed_port

pytestmark = pytest.mark.slow

LOOPBACK = PrivateHostAllowlist.parse(["127.0.0.0/8"])
CONFIG = ProbeConfig(user_agent="Openreel/tests (+tests@example.org)", timeout=0.6, stall_seconds=0.2, allowed=LOOPBACK)


@pytest.fixture
def origin():
    with Origin() as server:
        yield server


def ask(*urls, config=CONFIG, media=False, stop=lambda: False):
    prober = Prober(config, stop=stop)
    return sorted(
        prober.responses(ProbeRequest(number, url, media) for number, url in enumerate(urls)), key=lambda one: one.id
    )


def ask_one(url, **options):
    return ask(url, **options)[0]


def judged(response, **fields):
    return judge(response, ProbeRequest(id=response.id, url=response.url, **fields))


@pytest.mark.parametrize(
    ("path", "media", "word"),
    [
        ("page/1", False, "ok"), ("soft/1", False, "soft_404"), ("video/1", True, "ok"), ("page/1", True, "wrong_type"),
        ("nohead/1", False, "ok"), ("headonly/1", False, "ok"), ("headhangs/1", False, "ok"), ("flaky/1", False, "ok"),
        ("404/1", False, "http_404"), ("410/1", False, "http_410"), ("403/1", False, "http_403"),
        ("451/1", False, "http_451"), ("500/1", False, "http_5xx"), ("busy/1", False, "throttled"),
        ("later/1", False, "throttled"), ("norange/1", False, "ok"), ("to/page/1", False, "ok"),
        ("to/404/1", False, "http_404"), ("to/4", False, "ok"), ("to/9", False, "too_many_redirects"),
        ("loop/a", False, "redirect_loop"), ("cookie/1", False, "ok"), ("to/", False, "redirect_home"),
        ("hang/1", False, "timeout"), ("drip/1", False, "timeout"), ("endless/1", False, "ok"),
        ("short/1", False, "ok"),
        ("reset/1", False, "reset"), ("junk/1", False, "protocol"),
        ("to/ftp://films.example.org/", False, "bad_redirect"),
        ("to/http://10.0.0.5/", False, "private_address"), ("to/http://169.254.169.254/x", False, "private_address"),
        ("bigheaders/1", False, "reset"),
    ],
)  # fmt: skip
def test_every_kind_of_link_gets_its_reason(origin, path, media, word):
    answer = ask_one(origin.url(path), media=media)
    assert judged(answer, title="Nosferatu", media=media).reason == word


def test_a_video_is_settled_by_head_alone(origin):
    answer = ask_one(origin.url("video/1"), media=True)
    assert origin.log == [("HEAD", "/video/1")]
    assert (answer.method, answer.content_type, answer.length) == ("HEAD", "video/mp4", 4012)


def test_a_page_is_asked_again_with_get_and_head_is_spared_the_next_ones(origin):
    ask(origin.url("page/1"), origin.url("page/2"), config=ProbeConfig("x", per_host=1, timeout=0.6, allowed=LOOPBACK))
    assert origin.log == [("HEAD", "/page/1"), ("GET", "/page/1"), ("GET", "/page/2")]


def test_a_body_is_capped(origin):
    answer = ask_one(origin.url("endless/1"))
    assert len(answer.body) == MAX_PAGE_BYTES


@pytest.mark.parametrize("path", ["drip/1", "hang/1"])
def test_an_attempt_ends_at_its_time_out_whatever_is_dripped(origin, path):
    assert ask_one(origin.url(path)).failure is Failure.TIMEOUT
    assert not origin.closing.is_set()


def test_a_closed_port_and_an_unknown_name_are_different_failures():
    refused = ask_one(f"http://127.0.0.1:{closed_port()}/x")
    unknown = ask_one("http://no-such-host.invalid/x")
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
def test_private_places_are_not_asked(url):
    answer = ask_one(url, config=ProbeConfig("x", timeout=0.3, allowed=NO_PRIVATE_HOSTS))
    assert (answer.failure, answer.not_sent) == (Failure.PRIVATE, True)


def test_a_mistake_in_our_own_code_says_nothing_of_the_link(origin, monkeypatch):
    def mistaken(content_type):
        raise TypeError("a mistake")

    monkeypatch.setattr(transfer, "is_media_type", mistaken)
    answer = ask_one(origin.url("page/1"))
    assert answer.failure is Failure.LOCAL
    assert judged(answer).verdict == "not_checked"


def test_proxies_of_the_environment_are_ignored(origin, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    assert ask_one(origin.url("page/1")).status == 200


def test_a_redirect_tells_where_it_ended(origin):
    answer = ask_one(origin.url("to/2"))
    assert (answer.hops, answer.final_url) == (3, origin.url("page/end"))


def test_hanging_links_do_not_hold_the_others_up():
    with Origin() as server:
        urls = [server.url(f"page/{number}") for number in range(40)]
        urls[5:5] = [server.url(f"hang/{number}") for number in range(8)]
        config = ProbeConfig("x", timeout=20.0, stall_seconds=0.1, per_host=2, allowed=LOOPBACK)
        answers = list(islice(Prober(config).responses(ProbeRequest(n, url) for n, url in enumerate(urls)), 40))
    assert [answer.status for answer in answers] == [200] * 40  # though two would fill the slots of their host


def test_a_host_that_never_answers_is_given_up():
    with Origin(everything="hang") as silent, Origin("127.0.0.2") as other:
        urls = [silent.url(f"page/{number}") for number in range(30)] + [other.url("page/1")]
        answers = ask(*urls, config=ProbeConfig("x", timeout=0.4, allowed=LOOPBACK))
    assert all(answer.failure == Failure.TIMEOUT for answer in answers[:30])
    assert sum(answer.not_sent for answer in answers) >= 20
    assert answers[30].status == 200


def test_a_host_that_keeps_saying_busy_is_left_alone():
    with Origin(everything="busy") as server:
        answers = ask(*(server.url(f"page/{number}") for number in range(30)))
    assert sum(answer.status == 429 for answer in answers) < 10
    assert sum(answer.failure == Failure.PAUSED for answer in answers) > 20
    assert answers[0].retry_after == "120"


def test_at_most_so_many_at_a_host_and_connections_are_kept():
    with Origin() as server:
        maximum = []
        server.asked = lambda handler: maximum.append(len(server.sockets))
        ask(*(server.url(f"video/{number}") for number in range(60)), media=True)
    assert len(maximum) == 60
    assert max(maximum) <= CONFIG.per_host


def test_the_user_agent_is_honest_and_no_encoding_is_asked_for(origin):
    result = []
    origin.asked = lambda handler: result.append(dict(handler.headers))
    ask_one(origin.url("page/1"))
    assert result[-1]["User-Agent"] == CONFIG.user_agent
    assert result[-1]["Accept-Encoding"] == "identity"
    assert result[-1]["Range"] == "bytes=0-2047"


def test_a_minimum_distance_between_requests_of_one_host_is_kept(monkeypatch):
    monkeypatch.setattr("streaming.health.probing.host_queue.is_loopback", lambda place: False)
    with Origin() as server:
        moments = []
        server.asked = lambda handler: moments.append(time.monotonic())
        began = time.monotonic()
        ask(
            *(server.url(f"video/{n}") for n in range(6)),
            media=True,
            config=ProbeConfig("x", delay=0.05, allowed=LOOPBACK),
        )
    # From before the first: the server may notice that one late, which would shorten the distance to the last.
    assert moments[-1] - began >= 0.25


def test_a_stopped_prober_waits_for_no_link(origin):
    config = ProbeConfig("x", timeout=20.0, stall_seconds=10.0, allowed=LOOPBACK)
    assert ask(*(origin.url(f"hang/{n}") for n in range(20)), config=config, stop=lambda: bool(origin.log)) == []


def test_questions_are_drawn_only_as_they_are_needed(origin, monkeypatch):
    monkeypatch.setattr("streaming.health.probing.prober.MAX_PENDING", 500)
    drawn = []

    def questions():
        for number in range(10_000):
            drawn.append(number)
            yield ProbeRequest(number, origin.url("video/1"), True)

    answers = Prober(CONFIG).responses(questions())
    next(answers)
    answers.close()
    assert len(drawn) < 600


def test_a_cookie_that_is_not_ascii_does_not_end_the_run(origin):
    """pycurl takes ASCII text only: the exception leaves the prober, and with it every link that was on its way."""
    answers = ask(origin.url("accent/1"), origin.url("page/1"))
    assert [answer.status for answer in answers] == [200, 200]


@pytest.mark.parametrize(
    "target", ["page/Schindler's List", "page/it's", "page/a b", "page/a|b", "page/{1}", 'page/"x"']
)
def test_a_redirect_to_an_address_that_every_browser_takes_is_followed(origin, target):
    """What may not be stored may still be where a server leads: curl and browsers escape it and go there."""
    assert judged(ask_one(origin.url("page/1"))).reason == "ok"
    with Origin() as server:
        server.everything = ""
        sent = []

        def leads(handler):
            sent.append(handler.path)
            if handler.path == "/start":
                handler.send(302, Location="/" + target)
                raise ConnectionAbortedError

        server.asked = leads
        assert judged(ask_one(server.url("start"))).reason == "ok"


def test_a_redirect_to_a_long_signed_address_does_not_turn_a_link_off(origin):
    """Signed addresses of big stores are longer than the 2000 characters that a row holds."""

    def leads(handler):
        if handler.path == "/start":
            handler.send(302, Location="/page/1?signature=" + "a" * 2500)
            raise ConnectionAbortedError

    origin.asked = leads
    assert not judged(ask_one(origin.url("start"))).verdict.is_bad


def test_a_redirect_in_latin_1_is_followed_byte_for_byte(origin):
    def leads(handler):
        if handler.path == "/start":
            handler.send(302, Location="/page/caf\u00e9")  # http.server sends the one byte E9.
            raise ConnectionAbortedError

    origin.asked = leads
    ask_one(origin.url("start"))
    assert origin.log[-1][1].upper() == "/PAGE/CAF%E9"


@pytest.mark.parametrize("status", [301, 302])
def test_a_redirect_into_a_site_that_is_one_program_leads_to_no_front_page(origin, status):
    """Nor is it a move there: an address is kept without its fragment, and every film of the site would lie at `/`."""

    def leads(handler):
        if handler.path == "/watch/1":
            handler.send(status, Location="/#/watch/1")
            raise ConnectionAbortedError

    origin.asked = leads
    answer = ask_one(origin.url("watch/1"))
    assert (answer.final_url, answer.moved_to) == (origin.url("#/watch/1"), "")
    assert judged(answer).reason == "ok"


def test_a_range_that_is_refused_without_a_length_is_asked_again_without_range(origin):
    def refuses(handler):
        if "Range" in handler.headers:
            handler.send(416, Content_Range="bytes */*")
            raise ConnectionAbortedError

    origin.asked = refuses
    assert judged(ask_one(origin.url("page/1"))).reason == "ok"


def test_a_route_stays_when_the_next_redirect_says_none(origin):
    """As in browsers: `/watch/1` leads to `/app#/watch/1`, and that to `/`, where the program still shows the film."""

    def leads(handler):
        if target := {"/watch/1": "/app#/watch/1", "/app": "/"}.get(handler.path):
            handler.send(302, Location=target)
            raise ConnectionAbortedError

    origin.asked = leads
    answer = ask_one(origin.url("watch/1"))
    assert answer.final_url == origin.url("#/watch/1")
    assert judged(answer).reason == "ok"


@pytest.mark.parametrize("method", ["start", "response"])
def test_a_fault_on_one_link_is_that_links_alone(origin, monkeypatch, method):
    done = getattr(transfer.Transfer, method)

    def stumbles(self, *args, **options):
        if (args[0] if method == "start" else self.task).state.url.endswith("/page/1"):
            "\u0142".encode("latin-1")
        return done(self, *args, **options)

    monkeypatch.setattr(transfer.Transfer, method, stumbles)
    odd, good = ask(origin.url("page/1"), origin.url("page/2"))
    assert (odd.status, odd.failure, good.status) == (None, Failure.LOCAL, 200)
    assert judged(odd).verdict == "not_checked"
