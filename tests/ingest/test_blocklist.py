"""What a takedown covers: spellings of one address, and look-alikes that are others."""

from __future__ import annotations

import pytest

from scraper.net.url_policy import normalize_url
from streaming.ingest.blocklist import Blocklist
from streaming.ingest.takedown import ANY_HOST, parse_target

PREFIX = "https://archive.org/details/stolen"
SPELLINGS = [
    PREFIX,
    "http://archive.org/details/stolen",
    "https://www.archive.org/details/stolen",
    "https://ARCHIVE.org/details/stolen",
    "https://archive.org./details/stolen",
    "https://archive.org:443/details/stolen",
    "http://archive.org:443/details/stolen",
    "https://archive.org:8443/details/stolen",
    "https://archive.org/details/%73tolen",
    "https://archive.org/details/%73%74olen",
    "https://archive.org/details%2Fstolen",
    "https://archive.org//details/stolen",
    "https://archive.org/details///stolen/",
    "https://archive.org/./details/stolen",
    "https://archive.org/x/../details/stolen",
    "https://archive.org/x/%2e%2e/details/stolen",
    "https://archive.org/details/stolen/?utm_source=a",
    "https://archive.org/details/stolen#t=3",
]
LONGER = [
    "https://archive.org/details/stolen/part/2",
    "https://archive.org/details/stolen2",
    "https://archive.org/details/stolen?start=3",
    "https://archive.org/details/stolen#!/part/2",
]
OTHERS = [
    "https://archive.org/details/STOLEN",
    "https://archive.org/details/stole",
    "https://archive.org/Details/stolen",
    "https://archive.org/details/%2573tolen",
    "https://archive.org/x?/details/stolen",
    "https://archive.org/x%3F/details/stolen",
    "https://archive.org/details/x/../../stolen",
    "https://web.archive.org/details/stolen",
    "https://www2.archive.org/details/stolen",
    "https://archive.org.example.com/details/stolen",
    "https://myarchive.org/details/stolen",
]
HOST_CASES = [
    ("archive.org", "https://archive.org./x", True),
    ("archive.org", "http://www.archive.org:8080/x", True),
    ("archive.org", "https://a.b.archive.org/x", True),
    ("www.archive.org", "https://archive.org/x", True),
    ("www.archive.org", "https://web.archive.org/x", False),
    ("archive.org", "https://myarchive.org/x", False),
    ("archive.org", "https://archive.org.example.com/archive.org", False),
    ("Bücher.example", "https://xn--bcher-kva.example/x", True),
    ("xn--bcher-kva.example.", "https://bücher.example/x", True),
    ("bücher.example", "https://bucher.example/x", False),
]
URL_CASES = [
    ("https://bücher.example/film", "https://www.xn--bcher-kva.example/film/1", True),
    ("https://a.example.org/f%C3%BCr", "https://a.example.org/für", True),
    ("https://a.example.org/für", "https://a.example.org/f%c3%bcr/1", True),
    ("https://a.example.org/f%FC", "https://a.example.org/f%fc/1", True),
    ("https://a.example.org:8443/film", "http://a.example.org:8443/film", True),
    ("https://a.example.org:8443/film", "https://a.example.org/film", False),
    ("https://a.example.org/film/", "https://a.example.org/film", True),
    ("https://a.example.org/film/", "https://a.example.org/films", False),
    ("https://a.example.org/", "https://a.example.org/anything?x=1", True),
    ("https://a.example.org/watch?v=abc", "http://a.example.org/watch/?t=1&v=abc", True),
    ("https://a.example.org/watch?v=abc", "https://a.example.org/watch?v=abcd", True),
    ("https://a.example.org/watch?v=abc", "https://a.example.org/watch?v=%61bc", True),
    ("https://a.example.org/watch?v=abc", "https://a.example.org/watch?v=ABC", False),
    ("https://a.example.org/watch?v=abc", "https://a.example.org/watch", False),
    ("https://a.example.org/watch?v=abc", "https://a.example.org/watch/abc?x=v=abc", False),
    ("https://a.example.org/#!/watch/1", "https://a.example.org/#!/watch/12", True),
    ("https://a.example.org/#!/watch/1", "https://a.example.org/#!/watch/2", False),
]


def blocks(kind: str, address: str, url: str) -> bool:
    return Blocklist.of([(kind, address)]).is_blocked(url=normalize_url(url, allowed=ANY_HOST))


@pytest.mark.parametrize("url", [*SPELLINGS, *LONGER])
def test_a_prefix_covers_all_spellings(url):
    assert blocks(*parse_target(PREFIX), url)


@pytest.mark.parametrize("url", SPELLINGS)
def test_every_spelling_of_a_prefix_means_the_same(url):
    _, normalized = parse_target(url)
    assert blocks("prefix", normalized.replace(":8443", ""), PREFIX)


@pytest.mark.parametrize("url", SPELLINGS)
def test_a_link_covers_all_spellings(url):
    assert blocks("link", PREFIX, url)


@pytest.mark.parametrize("url", OTHERS)
@pytest.mark.parametrize("kind", ["link", "prefix"])
def test_other_addresses_are_not_covered(kind, url):
    assert not blocks(kind, PREFIX, url)


@pytest.mark.parametrize("url", LONGER)
def test_a_link_covers_nothing_longer(url):
    assert not blocks("link", PREFIX, url)


@pytest.mark.parametrize(("target", "url", "expected"), [*HOST_CASES, *URL_CASES])
def test_what_is_covered(target, url, expected):
    assert blocks(*parse_target(target), url) is expected


def test_a_link_is_the_same_with_its_parameters_in_another_order():
    assert blocks("link", "https://a.example.org/?x=1&v=2", "https://a.example.org?v=2&x=1")


@pytest.mark.parametrize("kind", ["host", "imdb_id", "link", "prefix"])
def test_a_blocklist_with_any_kind_is_not_empty(kind):
    addresses = {"host": "a.example.org", "imdb_id": "tt0000001"}
    assert Blocklist.of([(kind, addresses.get(kind, PREFIX))])
    assert not Blocklist.of([])
