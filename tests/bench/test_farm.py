"""The origin farm behaves as its paths say, seen with real sockets."""

from __future__ import annotations

import gzip
import http.client
import re
import socket
import ssl
import urllib.request

import pytest

from bench import farm as origin
from bench import lists
from scraper.net.url_policy import PrivateHostAllowlist
from streaming.health.judging import content
from streaming.health.judging.verdict import Verdict, judge
from streaming.health.probe_types import ProbeRequest
from streaming.health.probing.prober import ProbeConfig, Prober
from tests.helpers.external_services import skip_or_fail
from tests.helpers.http_origin import wait_for
from tests.helpers.raw_http import HOSTS, connect, read_all, request_bytes, send_request

pytestmark = pytest.mark.slow

FILM = b"<video"


@pytest.mark.parametrize(
    ("path", "to_head", "to_get", "content_type", "said"),
    [
        ("/page/0/Nosferatu/1", 200, 200, "text/html", b"<h1>Nosferatu</h1>"),
        ("/page/0/Not-Found/1", 200, 200, "text/html", b"<title>Not Found (1922) | Farm Films</title>"),
        ("/page/0/404/1", 200, 200, "text/html", b"<h1>404</h1>"),
        ("/page/0/0/1", 200, 200, "text/html", b"<h1>A Film</h1>"),
        ("/small/0/0/1", 200, 200, "text/html", FILM),
        ("/close/0/0/1", 200, 200, "text/html", FILM),
        ("/chunked/0/0/1", 200, 200, "text/html", b"<title>A Film</title>"),
        ("/404/0/0/1", 404, 404, "text/html", b"Not Found"),
        ("/410/0/0/1", 410, 410, "text/html", b"Gone"),
        ("/403/0/0/1", 403, 403, "text/html", b"Forbidden"),
        ("/500/0/0/1", 500, 500, "text/html", b"Internal"),
        ("/451/0/0/1", 451, 451, "text/html", b"Legal"),
        ("/whatever/0/0/1", 404, 404, "text/html", b"Not Found"),
        ("/no-head-405/0/0/1", 405, 200, "text/html", FILM),
        ("/no-head-501/0/0/1", 501, 200, "text/html", FILM),
        ("/no-head-403/0/0/1", 403, 200, "text/html", FILM),
        ("/no-head-404/0/0/1", 404, 200, "text/html", FILM),
        ("/missing/0/0/1", 200, 200, "text/html", b"Page not found"),
        ("/removed/0/0/1", 200, 200, "text/html", b"no longer available"),
        ("/wall/0/0/1", 403, 403, "text/html", b"Just a moment"),
        ("/page-for-video/0/0/1", 200, 200, "text/html", b"Welcome"),
        ("/nothing/0/0/1", 200, 200, "video/mp4", b""),
        ("/", 200, 200, "text/html", b"Welcome to Farm Films"),
        ("/login", 200, 200, "text/html", b"Sign in"),
        ("/video/0/0/1", 200, 200, "video/mp4", b"ftypisom"),
        ("/octet/0/0/1", 200, 200, "application/octet-stream", b"ftypisom"),
        ("/playlist/0/0/1", 200, 200, "application/vnd.apple.mpegurl", b"#EXTM3U"),
        ("/manifest/0/0/1", 200, 200, "application/dash+xml", b"<MPD"),
    ],
)
def test_a_path_says_how_it_is_answered(farm, path, to_head, to_get, content_type, said):
    head, get = send_request(farm, path, method="HEAD"), send_request(farm, path)
    assert (head.status, head.body) == (to_head, b"")
    assert get.status == to_get
    assert said in get.body
    assert get.headers["content-type"].startswith(content_type)


@pytest.mark.parametrize(
    ("path", "status", "target"),
    [
        ("/moved/7/1/9", 301, "/page/7/0/9"),
        ("/moved/7/2/9", 301, "/moved/7/1/9"),
        ("/found/7/1/9", 302, "/page/7/0/9"),
        ("/moved-dead/7/0/9", 301, "/404/7/0/9"),
        ("/loop/7/0/9", 302, "/loop/7/0/9"),
        ("/home/7/0/9", 302, "/"),
        ("/members-only/7/0/9", 302, "/login"),
    ],
)
def test_redirects_lead_on(farm, path, status, target):
    answer = send_request(farm, path)
    assert (answer.status, answer.headers["location"]) == (status, target)


def test_a_redirect_leads_to_the_next_host(farm):
    assert (
        send_request(farm, "/moved-next/0/0/9").headers["location"] == f"http://127.0.0.2:{farm.ports.http}/page/0/0/9"
    )


def test_a_film_page_is_as_long_as_pages_are(farm):
    assert 5_000 < len(send_request(farm, "/page/0/Nosferatu/1").body) < 20_000


def test_files_are_sent_in_ranges(farm):
    answer = send_request(farm, "/video/0/0/1", Range="bytes=0-2047")
    assert (answer.status, len(answer.body)) == (206, 2048)
    assert re.fullmatch(r"bytes 0-2047/\d+", answer.headers["content-range"])
    assert content.is_media(answer.body)
    assert len(send_request(farm, "/video/0/0/1").body) > 100_000


def test_a_page_may_come_in_gzip(farm):
    answer = send_request(farm, "/gzip/0/0/1")
    assert answer.headers["content-encoding"] == "gzip"
    assert b"<title>A Film</title>" in gzip.decompress(answer.body)


def test_it_asks_to_come_back_later(farm):
    assert send_request(farm, "/429/0/7/1").headers["retry-after"] == "7"
    assert send_request(farm, "/503/0/3/1").headers["retry-after"] == "3"
    assert "retry-after" not in send_request(farm, "/503/0/0/1").headers
    farm.reset()
    assert [send_request(farm, f"/429-once/0/1/{number}").status for number in (5, 5, 6)] == [429, 200, 429]


def test_connections_are_kept_and_requests_may_come_together(farm):
    with connect(farm) as connection:
        connection.sendall(request_bytes("/404/0/0/1") + request_bytes("/410/5/0/2") + request_bytes("/close/0/0/3"))
        result, _ = read_all(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", result) == [b"404", b"410", b"200"]


def test_head_may_be_answered_with_a_body(farm):
    with connect(farm) as connection:
        connection.sendall(
            request_bytes("/head-body/0/0/1", method="HEAD") + request_bytes("/close/0/0/2", method="HEAD")
        )
        result, _ = read_all(connection)
    assert FILM in result


def test_lengths_may_lie(farm):
    with pytest.raises(http.client.IncompleteRead):
        send_request(farm, "/short/0/0/1")
    with connect(farm) as connection:
        connection.sendall(request_bytes("/long/0/0/1") + request_bytes("/close/0/0/2", method="HEAD"))
        result, _ = read_all(connection)
    head, _, body = result.partition(b"\r\n\r\n")
    assert int(re.search(rb"Content-Length: (\d+)", head)[1]) < len(body.partition(b"HTTP/1.1")[0])


def test_connections_break(farm):
    for path, said, is_reset in (
        ("/reset/0/0/1", rb"HTTP/1\.1 200 OK\r\nContent-Le", True),
        ("/broken-body/0/0/1", rb"HTTP/1\.1 200 OK\r\n.*<title>.*", True),
        ("/empty/0/0/1", b"", False),
        ("/junk/0/0/1", rb"220 mail.*", False),
    ):
        with connect(farm) as connection:
            connection.sendall(request_bytes(path))
            result, broken = read_all(connection)
        assert re.fullmatch(said, result, re.S), path
        assert broken is is_reset, path


def test_some_links_never_answer(farm):
    farm.reset()
    for path, method in (("/hang/0/0/1", "GET"), ("/hang/0/0/1", "HEAD"), ("/no-head-hang/0/0/1", "HEAD")):
        with connect(farm) as connection:
            connection.sendall(request_bytes(path, method=method))
            connection.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.recv(1)
    assert send_request(farm, "/no-head-hang/0/0/1").status == 200
    assert farm.stats().most_hanging == 1


def test_a_header_drips_byte_by_byte(farm):
    with connect(farm) as connection:
        connection.sendall(request_bytes("/drip/0/0/1"))
        assert [connection.recv(100) for _ in range(3)] == [b"H", b"T", b"T"]


def test_a_page_does_not_end(farm):
    with connect(farm) as connection:
        connection.sendall(request_bytes("/endless/0/0/1"))
        result = 0
        while result < 1_000_000:
            result += len(connection.recv(65536))
    wait_for(lambda: send_request(farm, "/small/0/0/1").status == 200)


def test_an_answer_takes_its_time(farm):
    farm.reset()
    send_request(farm, "/page/60/0/1")
    assert farm.stats().longest_ms >= 59


def test_it_tells_what_it_saw_at_one_host(farm):
    farm.reset()
    with connect(farm) as one, connect(farm) as two, connect(farm) as three:
        for connection in (one, two):
            connection.sendall(request_bytes("/endless/0/0/1"))
        three.sendall(request_bytes("/hang/0/0/1", method="HEAD"))
        wait_for(lambda: farm.stats().requests == 3)
        seen = farm.stats()
    assert (seen.head, seen.get, seen.hosts) == (1, 2, 1)
    assert (seen.most_answering, seen.most_hanging) == (2, 1)
    assert seen.most_open >= 3
    farm.reset()
    assert farm.stats().requests == 0


def test_a_late_answer_counts_as_left_hanging(farm):
    farm.reset()
    with connect(farm) as connection:
        connection.sendall(request_bytes("/page/1500/0/1"))
        wait_for(lambda: farm.stats().most_hanging == 1)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert farm.stats().most_answering == 0


def test_a_client_that_left_is_not_counted_with_the_one_that_comes_after(farm):
    farm.reset()
    for number in range(1, 21):
        with connect(farm) as connection:
            connection.sendall(request_bytes("/hang/0/0/1"))
            wait_for(lambda number=number: farm.stats().requests == number)
    assert farm.stats().most_hanging == 1


def test_it_speaks_https_with_a_certificate_and_with_one_that_nobody_signed(farm):
    trusting = ssl.create_default_context(cafile=farm.ca)
    address = f"https://127.0.0.1:{farm.ports.https}/page/0/Nosferatu/1"
    with urllib.request.urlopen(address, context=trusting, timeout=10) as answer:
        assert b"Nosferatu" in answer.read()
    with pytest.raises(OSError, match="self-signed certificate"):
        urllib.request.urlopen(f"https://127.0.0.1:{farm.ports.self_signed}/", context=trusting, timeout=10)


def test_nobody_listens_at_the_port_that_is_refused(farm):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", farm.ports.refused), timeout=10)


@pytest.mark.parametrize("profile", ["H", "S", "B"])
def test_our_judgement_of_each_behaviour_is_the_one_that_its_list_calls_right(farm, profile):
    """Every behaviour and title of the list; `slow` needs the whole five seconds and is left to the timing."""
    seen: dict[tuple[str, str], lists.Listed] = {}
    for link in lists.generate(profile, 2000, farm.ports, hosts=HOSTS):
        title = link.title if link.title in lists.DEAD_SOUNDING_TITLES else ""
        if link.behaviour != "slow":
            seen.setdefault((link.behaviour, title), link)
    links = list(seen.values())
    config = ProbeConfig(
        "bench tests", timeout=1.0, allowed=PrivateHostAllowlist.parse(["127.0.0.0/8"]), stall_seconds=0.5
    )
    requests = [
        ProbeRequest(id=number, url=link.url, media=link.right.media, title=link.title)
        for number, link in enumerate(links)
    ]
    for response in Prober(config).responses(requests):
        link = links[response.id]
        judgement = judge(response, requests[response.id])
        assert judgement.verdict.is_bad is (link.right.expected == lists.DEAD), (link, judgement)
        assert (judgement.verdict == Verdict.GONE) is link.right.gone, (link, judgement)


def test_without_tls_it_speaks_http(tmp_path):
    if missing := origin.missing():
        skip_or_fail(f"the farm: {missing}")
    with origin.running(tmp_path, hosts=1, tls=False) as plain:
        assert plain.ca is None
        assert send_request(plain, "/page/0/0/1").status == 200
        known = {link.behaviour for link in lists.generate("H", 500, plain.ports, hosts=1)}
    assert "self-signed" not in known
