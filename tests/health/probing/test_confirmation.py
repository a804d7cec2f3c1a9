"""No verdict that turns a link off stands on a request that no browser would make.

Each behaviour of real sites stands beside one that looks like it and is dead.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from scraper.net.url_policy import PrivateHostAllowlist
from streaming.health.judging.verdict import judge
from streaming.health.probe_types import ProbeRequest
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.prober import Prober
from tests.helpers.http_origin import FILM, MP4, Origin

pytestmark = pytest.mark.slow

CONFIG = ProbeConfig(
    user_agent="Openreel/tests (+tests@example.org)",
    timeout=0.6,
    stall_seconds=0.2,
    allowed=PrivateHostAllowlist.parse(["127.0.0.0/8"]),
)
FRONT = b"<!doctype html><title>Film house</title><h1>Welcome</h1><p>What we show this month.</p>"
ERROR = b"<!doctype html><title>Page not found</title><h1>Page not found</h1>"
HTML, MEDIA = False, True


def film(handler):
    handler.send(200, FILM)


def video(handler):
    handler.on_video("video")


def whole_video(handler):
    handler.send(200, MP4, "video/mp4")


def gone(handler):
    handler.send(404, ERROR)


def at_head(location, *, status=302, then=film, target=FRONT):
    """HEAD is redirected; `then` responds to GET of the link."""

    def respond(handler):
        if not handler.path.startswith("/watch/"):
            handler.send(200, target)
        elif handler.command == "HEAD":
            handler.send(status, Location=location)
        else:
            then(handler)

    return respond


def only_at_head(respond_to_head):
    return lambda handler: respond_to_head(handler) if handler.command == "HEAD" else whole_video(handler)


def for_all(location, *, target=FRONT):
    """HEAD and GET are redirected alike."""

    def respond(handler):
        handler.send(302, Location=location) if handler.path.startswith("/watch/") else handler.send(200, target)

    return respond


def unless(header, word, *, then=film, otherwise=gone):
    """`then` responds to a request whose header contains the word, else `otherwise`."""

    def respond(handler):
        then(handler) if word in handler.headers.get(header, "") else otherwise(handler)

    return respond


def for_range(refuse, *, then=whole_video, head=405):
    """A request for a range is refused; `then` responds to others, `head` is the status of HEAD."""

    def respond(handler):
        if handler.command == "HEAD":
            handler.send(head)
        elif "Range" in handler.headers:
            refuse(handler)
        else:
            then(handler)

    return respond


def status(code, **headers):
    return lambda handler: handler.send(code, b"no", "video/mp4" if code == 200 else "text/html", **headers)


def reset(handler):
    handler.on_reset("reset")


def chain(end, *, then=film):
    """Each path redirects to the next one, until the end; the link is at 1."""

    def respond(handler):
        number = int(handler.path.rpartition("/")[2])
        then(handler) if number >= end else handler.send(302, Location=f"/watch/{number + 1}")

    return respond


def empty_location(body):
    return lambda handler: handler.send(302, body, Location="")


def refreshed(location, *, then=film):
    """The link's page sends its visitors on by a `meta` element."""
    page = f'<!doctype html><title>Nosferatu</title><meta http-equiv="refresh" content="0; url={location}">'.encode()

    def respond(handler):
        handler.send(200, page) if handler.path.startswith("/watch/") else then(handler)

    return respond


def refreshed_by_header(location, *, then=film):
    """The link's page has nothing on it but a header that sends its visitors on."""

    def respond(handler):
        handler.send(200, b"", Refresh=f"0; url={location}") if handler.path.startswith("/watch/") else then(handler)

    return respond


def endless_refresh(handler):
    number = int(handler.path.rpartition("/")[2])
    handler.send(200, f'<!doctype html><meta http-equiv="refresh" content="0; url=/watch/{number + 1}">'.encode())


def needs_cookie(then):
    """The film is shown after a redirect that brings back the cookie."""

    def respond(handler):
        if "ticket=7" in handler.headers.get("Cookie", ""):
            then(handler)
        elif handler.path.endswith("?again"):
            handler.send(302, Location="/cookies")
        else:
            handler.send(302, Location="/watch/1?again", Set_Cookie="ticket=7; Path=/")

    return respond


def signed_in_on_the_way(handler):
    """Whoever has no cookie is led over the sign-in, which gives one and leads back."""
    if "guest=1" in (handler.headers["Cookie"] or ""):
        film(handler)
    elif handler.path.startswith("/login"):
        handler.send(302, Location="/watch/1", Set_Cookie="guest=1; Path=/")
    else:
        handler.send(302, Location="/login?next=/watch/1")


def led_over_another_host(then):
    """Whoever has no cookie gets one, and is led over another host and back."""

    def respond(handler):
        port = handler.server.server_address[1]
        if "visit=1" in (handler.headers["Cookie"] or ""):
            then(handler)
        elif handler.path.startswith("/choose"):
            handler.send(302, Location=f"http://127.0.0.1:{port}/watch/1?chosen", Set_Cookie="choice=7; Path=/")
        else:
            handler.send(302, Location=f"http://localhost:{port}/choose", Set_Cookie="visit=1; Path=/")

    return respond


def goes_round(times, then=film):
    """The link leads over another path and back until the site has seen its visitor so many times."""

    def respond(handler):
        seen = sum(command == "GET" and path == "/watch/1" for command, path in handler.server.log)
        if handler.path == "/round":
            handler.send(307, Location="/watch/1")
        else:
            then(handler) if handler.command == "GET" and seen > times else handler.send(307, Location="/round")

    return respond


def to_itself_at_first(handler):
    if handler.server.log.count(("GET", "/watch/1")) > 1:
        film(handler)
    else:
        handler.send(307, Location="/watch/1")


def after_the_first(number, first, then):
    """The first requests get one response, the later ones another."""

    def respond(handler):
        first(handler) if len(handler.server.log) <= number else then(handler)

    return respond


def late(seconds, then=film):
    """The first byte comes late."""

    def respond(handler):
        handler.server.closing.wait(seconds)
        then(handler)

    return respond


def probe(origin, *, media=False, path="watch/1", config=CONFIG):
    request = ProbeRequest(1, origin.url(path), media, "Nosferatu")
    (response,) = Prober(config).responses([request])
    return judge(response, request).reason


@pytest.mark.parametrize(
    ("behaviour", "media", "reason"),
    [
        # HEAD is led elsewhere
        (at_head("/"), HTML, "ok"),
        (at_head("/login"), HTML, "ok"),
        (at_head("/error.aspx", target=ERROR), HTML, "ok"),
        (at_head("/error.aspx", target=ERROR, status=301), HTML, "ok"),
        (at_head("/"), MEDIA, "unknown_page"),
        (at_head("/", then=video), MEDIA, "ok"),
        (at_head("/", then=gone), HTML, "http_404"),
        (at_head("/watch/1"), HTML, "ok"),
        (at_head("ftp://127.0.0.1/"), HTML, "ok"),
        (only_at_head(status(200, cf_mitigated="challenge")), MEDIA, "ok"),
        (status(200, cf_mitigated="challenge"), MEDIA, "bot_wall"),
        (for_all("/"), HTML, "redirect_home"),
        (for_all("/login"), HTML, "login"),
        (for_all("/error.aspx", target=ERROR), HTML, "soft_404"),
        (for_all("/film/1", target=FILM), HTML, "ok"),
        # what the request accepts
        (unless("Accept", "text/html"), HTML, "ok"),
        (unless("Accept", "text/html", then=whole_video), MEDIA, "ok"),
        (unless("Accept-Language", "en"), HTML, "ok"),
        (unless("Accept-Language", "en", then=whole_video), MEDIA, "ok"),
        (unless("Accept-Language", "xx"), HTML, "http_404"),
        (unless("User-Agent", "Openreel"), HTML, "ok"),
        # ranges
        (for_range(status(400)), MEDIA, "ok"),
        (for_range(status(403)), MEDIA, "ok"),
        (for_range(status(404)), MEDIA, "ok"),
        (for_range(status(416)), MEDIA, "ok"),
        (for_range(status(503)), MEDIA, "ok"),
        (for_range(reset), MEDIA, "ok"),
        (for_range(reset, head=200), MEDIA, "ok"),
        (for_range(status(206), head=404), MEDIA, "ok"),
        (for_range(status(503), then=film), HTML, "ok"),
        (for_range(reset, then=film), HTML, "ok"),
        (for_range(status(403), then=status(403)), MEDIA, "http_403"),
        (for_range(status(404), then=gone), MEDIA, "http_404"),
        (for_range(reset, then=reset), MEDIA, "reset"),
        (for_range(video, then=status(404)), MEDIA, "ok"),
        # redirects
        (chain(7), HTML, "ok"),
        (chain(21), HTML, "ok"),
        (chain(21, then=video), MEDIA, "ok"),
        (chain(22), HTML, "too_many_redirects"),
        (chain(12, then=gone), HTML, "http_404"),
        (empty_location(FILM), HTML, "ok"),
        (empty_location(ERROR), HTML, "soft_404"),
        (empty_location(b""), HTML, "bad_redirect"),
        (needs_cookie(film), HTML, "ok"),
        (needs_cookie(video), MEDIA, "ok"),
        (needs_cookie(gone), HTML, "http_404"),
        (signed_in_on_the_way, HTML, "ok"),
        (for_all("/watch/1"), HTML, "redirect_loop"),
        (goes_round(1), HTML, "ok"),
        (goes_round(1, then=video), MEDIA, "ok"),
        (goes_round(1, then=gone), HTML, "http_404"),
        (goes_round(99), HTML, "redirect_loop"),
        (to_itself_at_first, HTML, "ok"),
        # pages that lead on
        (refreshed("/film/1"), HTML, "ok"),
        (refreshed("/film/1", then=gone), HTML, "http_404"),
        (refreshed("/film/1", then=whole_video), MEDIA, "ok"),
        (refreshed("/", then=lambda handler: handler.send(200, FRONT)), HTML, "redirect_home"),
        (refreshed("/watch/1"), HTML, "ok"),
        (endless_refresh, HTML, "too_many_redirects"),
        (refreshed_by_header("/film/1"), HTML, "ok"),
        (refreshed_by_header("/film/1", then=gone), HTML, "http_404"),
        (refreshed_by_header("/", then=lambda handler: handler.send(200, FRONT)), HTML, "redirect_home"),
        # too many requests
        (for_range(status(429, Retry_After="60")), MEDIA, "throttled"),
        (after_the_first(1, gone, status(503, Retry_After="60")), HTML, "throttled"),
        (after_the_first(2, status(405), status(429)), MEDIA, "throttled"),
        # short and long failures
        (after_the_first(2, reset, film), HTML, "ok"),
        (after_the_first(2, status(502), film), HTML, "ok"),
        (after_the_first(2, status(408), film), HTML, "ok"),
        (after_the_first(2, status(421), film), HTML, "ok"),
        (after_the_first(2, status(425), video), MEDIA, "ok"),
        (status(421), HTML, "http_4xx"),
        (status(425), MEDIA, "http_4xx"),
        (after_the_first(2, status(502), video), MEDIA, "ok"),
        (status(502), HTML, "http_5xx"),
        (late(0.9), HTML, "ok"),
        (late(0.9, then=video), MEDIA, "ok"),
        (late(0.9, then=gone), HTML, "http_404"),
        (late(3), HTML, "timeout"),
    ],
)
def test_a_failure_is_confirmed_as_a_browser_would_see_it(behaviour, media, reason):
    with Origin(behaviour=behaviour) as origin:
        assert probe(origin, media=media) == reason


def test_a_cookie_comes_back_from_the_way_over_another_host():
    with Origin(behaviour=led_over_another_host(film)) as origin:
        config = replace(CONFIG, allowed=PrivateHostAllowlist.parse(["127.0.0.0/8", "localhost"]))
        assert probe(origin, config=config) == "ok"


@pytest.mark.parametrize(
    "spelling", ["http:///{host}/film", r"http:\\{host}\film", r"\\{host}\film", "/film\t ", "///{host}/film"]
)
def test_a_location_may_be_spelt_as_browsers_accept_it(spelling):
    def respond(handler):
        host = handler.headers["Host"]
        film(handler) if handler.path == "/film" else handler.send(302, Location=spelling.format(host=host))

    with Origin(behaviour=respond) as origin:
        assert probe(origin) == "ok"


@pytest.mark.parametrize(
    ("behaviour", "media", "requests"),
    [
        (video, MEDIA, ["HEAD"]),
        (film, HTML, ["HEAD", "GET"]),
        (gone, HTML, ["HEAD", "GET"]),
        (gone, MEDIA, ["HEAD", "GET"]),
        (film, MEDIA, ["HEAD", "GET"]),
        (for_range(video), MEDIA, ["HEAD", "GET with Range"]),
        (for_range(status(404), then=gone), MEDIA, ["HEAD", "GET with Range", "GET"]),
        (status(502), MEDIA, ["HEAD", "GET", "GET"]),
        (status(429), HTML, ["HEAD"]),
    ],
)
def test_only_what_fails_costs_a_further_request(behaviour, media, requests):
    sent = []

    def respond(handler):
        sent.append(f"{handler.command} with Range" if "Range" in handler.headers else handler.command)
        behaviour(handler)

    with Origin(behaviour=respond) as origin:
        probe(origin, media=media)
    assert sent == requests


def test_the_confirmation_asks_as_a_browser_does_under_our_own_name():
    headers = []

    def respond(handler):
        headers.append(dict(handler.headers))
        gone(handler)

    with Origin(behaviour=respond) as origin:
        probe(origin, media=MEDIA, config=replace(CONFIG, accept_language="cs,en;q=0.5"))
    first, confirmation = headers
    assert (first["Accept"], "Accept-Language" in first) == ("*/*", False)
    assert confirmation["Accept"] == "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert (confirmation["Accept-Language"], confirmation["User-Agent"]) == ("cs,en;q=0.5", CONFIG.user_agent)
    assert "Range" not in confirmation


def test_what_timed_out_is_asked_once_more_after_all_others():
    def respond(handler):
        if handler.path == "/watch/0":
            handler.server.closing.wait(0.9)
        film(handler)

    with Origin(behaviour=respond) as origin:
        requests = [ProbeRequest(number, origin.url(f"watch/{number}")) for number in range(30)]
        responses = list(Prober(CONFIG).responses(requests))
    assert [response.status for response in responses] == [200] * 30
    assert responses[-1].id == 0
    assert origin.log.count(("GET", "/watch/0")) == 2


def test_what_timed_out_is_not_kept_waiting_by_others_in_progress():
    """It is repeated as soon as every link was asked, so that one long way does not lengthen the run."""

    def respond(handler):
        handler.server.closing.wait(0.45)
        handler.send(302, Location=handler.path + "x") if len(handler.path) < 15 else film(handler)

    with Origin(behaviour=late(0.9)) as slow, Origin("127.0.0.2", behaviour=respond) as winding:
        requests = [ProbeRequest(1, winding.url("watch/1")), ProbeRequest(2, slow.url("watch/2"))]
        responses = list(Prober(CONFIG).responses(requests))
    assert [(response.id, response.status) for response in responses] == [(2, 200), (1, 200)]


def test_a_host_that_is_slow_for_all_its_links_is_asked_once_more():
    """More links than it takes to give a host up."""
    with Origin(behaviour=late(0.9)) as slow, Origin("127.0.0.2") as other:
        requests = [ProbeRequest(number, slow.url(f"watch/{number}")) for number in range(12)]
        responses = list(Prober(CONFIG).responses([*requests, ProbeRequest(12, other.url("page/1"))]))
    assert [response.status for response in responses] == [200] * 13


def test_a_host_that_stays_silent_is_given_up_twice_at_most():
    with Origin(everything="hang") as silent:
        requests = [ProbeRequest(number, silent.url(f"watch/{number}")) for number in range(40)]
        # Long enough that what else the machine does starts no request late.
        responses = list(Prober(replace(CONFIG, timeout=2.4, stall_seconds=0.8)).responses(requests))
    assert {response.failure for response in responses} == {"timeout"}
    assert len(responses) == 40
    assert sum(method == "GET" for method, _ in silent.log) <= 2 * CONFIG.per_host + 2


def test_a_stopped_prober_asks_no_deferred_link():
    with Origin(behaviour=late(3)) as origin:
        stop = lambda: ("GET", "/watch/1") in origin.log  # noqa: E731
        assert list(Prober(CONFIG, stop=stop).responses([ProbeRequest(1, origin.url("watch/1"))])) == []


def test_an_error_of_the_server_is_repeated_when_every_other_link_was_asked():
    """A server that starts again sends 502 for a while: each link, asked at once again, would be called dead."""
    paths = [f"watch/{number}" for number in range(30)]
    asked = set()

    def respond(handler):
        asked.add(handler.path)
        film(handler) if len(asked) == len(paths) else handler.send(502)

    with Origin(behaviour=respond) as origin:
        requests = {
            number: ProbeRequest(number, origin.url(path), HTML, "Nosferatu") for number, path in enumerate(paths)
        }
        responses = list(Prober(CONFIG).responses(iter(requests.values())))
    assert {judge(one, requests[one.id]).reason for one in responses} == {"ok"}
