"""Looking up names. The system's resolver is replaced: slow, silent or failing."""

from __future__ import annotations

import errno
import socket
import threading
import time

import pytest

from scraper.net.url_policy import PrivateHostAllowlist
from streaming.health.judging.verdict import judge
from streaming.health.probe_types import Failure, ProbeRequest
from streaming.health.probing import dns_resolver
from streaming.health.probing.config import ProbeConfig
from streaming.health.probing.prober import Prober
from tests.helpers.http_origin import Origin

pytestmark = pytest.mark.slow

REAL = socket.getaddrinfo
UNKNOWN_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.fixture
def resolver(monkeypatch):
    """Replace the system's resolver by a function from a name to addresses, which may raise.

    Threads that still look up a name have ended before the next test replaces it.
    """

    def replace(lookup):
        def getaddrinfo(host, port, *args, **kwargs):
            name = host.decode() if isinstance(host, bytes) else host
            if not name.endswith(".example"):
                return REAL(host, port, *args, **kwargs)
            return [
                (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0))
                for one in lookup(name)
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    yield replace
    for thread in threading.enumerate():
        if thread.name == dns_resolver.THREAD_NAME:
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def origin():
    with Origin() as server:
        yield server


def reasons(origin, *hosts, times=1, **options):
    """Return how links on these hosts are judged, host by host."""
    port = origin.server_address[1]
    config = ProbeConfig(
        "Openreel test", allowed=PrivateHostAllowlist.parse(["127.0.0.0/8", "::1/128", *hosts]), **options
    )
    urls = [f"http://{host}:{port}/page/1" for host in hosts for _ in range(times)]
    requests = [ProbeRequest(id=number, url=url) for number, url in enumerate(urls)]
    found = {}
    for response in Prober(config).responses(requests):
        host = response.url.split("/")[2].split(":")[0]
        found.setdefault(host, []).append(str(judge(response, requests[response.id]).reason))
    return found


def test_names_without_response_delay_no_other_link(resolver, origin, monkeypatch):
    monkeypatch.setattr(dns_resolver, "LOOKUP_TIMEOUT_SECONDS", 1.0)
    ended = time.monotonic() + 3

    def lookup(name):
        if name.startswith("silent"):
            time.sleep(max(0.0, ended - time.monotonic()))
            raise UNKNOWN_NAME
        return ["127.0.0.1"]

    resolver(lookup)
    silent, live = [f"silent{n}.example" for n in range(40)], [f"live{n}.example" for n in range(30)]
    found = reasons(origin, *silent, *live)
    assert {host: found[host] for host in live} == {host: ["ok"] for host in live}
    assert {host: found[host] for host in silent} == {host: ["timeout"] for host in silent}


def test_the_time_to_look_up_a_name_does_not_count_for_the_link(resolver, origin):
    """A thousand names at 0.2 s each; here fewer names and a shorter timeout, in the same proportion."""

    def lookup(_name):
        time.sleep(0.2)
        return ["127.0.0.1"]

    resolver(lookup)
    hosts = [f"live{n}.example" for n in range(300)]
    assert reasons(origin, *hosts, timeout=0.5) == {host: ["ok"] for host in hosts}


def test_each_name_is_looked_up_once_a_run(resolver, origin):
    looked_up = []

    def lookup(name):
        looked_up.append(name)
        return ["127.0.0.1"]

    resolver(lookup)
    assert reasons(origin, "one.example", "two.example", times=30) == {
        "one.example": ["ok"] * 30,
        "two.example": ["ok"] * 30,
    }
    assert sorted(looked_up) == ["one.example", "two.example"]


def test_an_address_that_does_not_respond_is_skipped_for_the_next(resolver, origin):
    resolver(lambda _name: ["::1", "127.0.0.1"])
    assert reasons(origin, "both.example") == {"both.example": ["ok"]}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UNKNOWN_NAME, "dns"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "dns"),
        (socket.gaierror(socket.EAI_SYSTEM, "System error"), "local"),
        (OSError(errno.EMFILE, "Too many open files"), "local"),
    ],
)
def test_a_name_that_cannot_be_looked_up_is_tried_twice(resolver, origin, error, reason):
    looked_up = []

    def lookup(name):
        looked_up.append(name)
        raise error

    resolver(lookup)
    assert reasons(origin, "lost.example") == {"lost.example": [reason]}
    assert looked_up == ["lost.example"] * 2


def test_a_redirect_to_another_name_waits_for_that_name(resolver, origin):
    def lookup(name):
        time.sleep(0.3 if name.startswith("second") else 0.0)
        return ["127.0.0.1"]

    resolver(lookup)
    port = origin.server_address[1]
    config = ProbeConfig(
        "Openreel test", allowed=PrivateHostAllowlist.parse(["127.0.0.0/8", "first.example", "second.example"])
    )
    requests = [ProbeRequest(1, f"http://first.example:{port}/to/http://second.example:{port}/page/1")]
    (response,) = Prober(config).responses(requests)
    assert (response.status, response.final_url) == (200, f"http://second.example:{port}/page/1")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.5", "169.254.169.254", "::ffff:10.0.0.5"])
def test_a_private_address_behind_a_public_name_is_refused_when_connecting(resolver, address):
    """The URL itself is fine, so the request is sent; only the check at the socket can see the address."""
    resolver(lambda _name: [address])
    requests = [ProbeRequest(1, "http://rebound.example:8080/page/1")]
    (response,) = Prober(ProbeConfig("Openreel test", timeout=2.0)).responses(requests)
    assert (response.failure, response.not_sent) == (Failure.PRIVATE, False)
