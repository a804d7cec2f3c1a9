"""The check of the address that a socket is about to connect to. Nothing is connected."""

from __future__ import annotations

import resource
import socket

import pytest

from scraper.net.url_policy import NO_PRIVATE_HOSTS, PrivateHostAllowlist
from streaming.health.probe_types import Failure
from streaming.health.probing.curl import open_allowed_socket

URL = "https://films.example.org/1"
LOOPBACK = PrivateHostAllowlist.parse(["127.0.0.0/8"])
BY_NAME = PrivateHostAllowlist.parse(["films.example.org:9000"])


def opened(address, *, url=URL, allowed=NO_PRIVATE_HOSTS):
    """Return the failure, or the family of the socket."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    result = open_allowed_socket(
        (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, (address, 443)), url=url, allowed=allowed
    )
    if isinstance(result, Failure):
        return result
    with result:
        return result.family


@pytest.mark.parametrize(
    ("address", "url", "allowed", "result"),
    [
        ("93.184.216.34", URL, NO_PRIVATE_HOSTS, socket.AF_INET),
        ("2606:2800:220:1::1", URL, NO_PRIVATE_HOSTS, socket.AF_INET6),
        ("93.184.216.34", "http://films.example.org:9000/", NO_PRIVATE_HOSTS, Failure.PRIVATE),
        ("93.184.216.34", "http://films.example.org:8080/", NO_PRIVATE_HOSTS, socket.AF_INET),
        ("127.0.0.1", URL, NO_PRIVATE_HOSTS, Failure.PRIVATE),
        ("127.0.0.1", URL, LOOPBACK, socket.AF_INET),
        ("10.0.0.5", URL, LOOPBACK, Failure.PRIVATE),
        ("10.0.0.5", "http://films.example.org:9000/", BY_NAME, socket.AF_INET),
        ("10.0.0.5", URL, BY_NAME, Failure.PRIVATE),
        ("169.254.169.254", URL, NO_PRIVATE_HOSTS, Failure.PRIVATE),
        ("::1", URL, NO_PRIVATE_HOSTS, Failure.PRIVATE),
        ("::ffff:10.0.0.5", URL, NO_PRIVATE_HOSTS, Failure.PRIVATE),
        ("fe80::1%lo", URL, NO_PRIVATE_HOSTS, Failure.PRIVATE),
    ],
)
def test_the_url_policy_decides_on_the_address_that_is_connected_to(address, url, allowed, result):
    assert opened(address, url=url, allowed=allowed) == result


def test_without_a_free_descriptor_the_fault_is_ours():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as last:
        resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno(), limits[1]))
        try:
            result = opened("93.184.216.34")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert result is Failure.LOCAL
