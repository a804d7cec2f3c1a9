"""Where a redirect leads, as a table: the next state of a probe, or why it ends."""

from __future__ import annotations

import pytest

from scraper.net.url_policy import MAX_URL_LENGTH, normalize_url
from streaming.health.probe_types import Failure, ProbeResponse, ProbeState
from streaming.health.probing import redirects
from streaming.health.probing.redirects import (
    MAX_CONFIRMED_REDIRECTS,
    MAX_REDIRECT_URL_LENGTH,
    MAX_REDIRECTS,
    is_redirect,
)

START = "https://films.example.org/watch/1"
STATE = ProbeState(START)
CONFIRMATION = STATE.confirm(START)


def normalize(url):
    return normalize_url(url, max_length=MAX_REDIRECT_URL_LENGTH)


def follow(location, *, state=STATE, status=302, **headers):
    response = ProbeResponse(1, START, status, headers={"location": location, **headers})
    return redirects.follow(state, response, location=location, normalize=normalize)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/film/1", "https://films.example.org/film/1"),
        ("film/1", "https://films.example.org/watch/film/1"),
        ("//cdn.example.org/1", "https://cdn.example.org/1"),
        ("HTTP://CDN.example.org:80/1", "http://cdn.example.org/1"),
        ("/a b|c", "https://films.example.org/a%20b%7Cc"),
        ("http:///cdn.example.org/1", "http://cdn.example.org/1"),
        ("https:////cdn.example.org/1", "https://cdn.example.org/1"),
        ("https:cdn/1", "https://films.example.org/watch/cdn/1"),
        ("http:cdn.example.org/1", "http://cdn.example.org/1"),
        ("///cdn.example.org/1", "https://cdn.example.org/1"),
        (r"\\cdn.example.org\1", "https://cdn.example.org/1"),
        (r"https:\\cdn.example.org\films\1?back=a\b", "https://cdn.example.org/films/1?back=a%5Cb"),
        (r"\film\1", "https://films.example.org/film/1"),
        ("/film/1\t\t", "https://films.example.org/film/1"),
        (" \x00/film/1 ", "https://films.example.org/film/1"),
        ("https://cdn.exam\tple.org/fi\tlm", "https://cdn.example.org/film"),
        ("/fi\x01lm", "https://films.example.org/fi%01lm"),
        ("?page=2", "https://films.example.org/watch/1?page=2"),
        ("../film", "https://films.example.org/film"),
    ],
)
def test_a_location_is_read_as_browsers_read_it(location, url):
    state = follow(location)
    assert (state.url, state.hops, state.seen) == (url, 1, (START,))


@pytest.mark.parametrize(
    ("location", "failure"),
    [
        ("ftp://films.example.org/", Failure.BAD_REDIRECT),
        ("http://[::1", Failure.BAD_REDIRECT),
        ("http:///", Failure.BAD_REDIRECT),
        ("mailto:films@example.org", Failure.BAD_REDIRECT),
        ("http:///10.0.0.5/", Failure.PRIVATE),
        (r"\\10.0.0.5\film", Failure.PRIVATE),
        ("http://10.0.0.5/", Failure.PRIVATE),
        ("http://user@films.example.org/", Failure.PRIVATE),
        ("/" + "a" * MAX_REDIRECT_URL_LENGTH, Failure.LOCAL),
    ],
)
def test_a_location_that_may_not_be_opened_ends_the_probe(location, failure):
    assert follow(location) is failure


@pytest.mark.parametrize(
    ("state", "location", "failure"),
    [
        (STATE._replace(seen=("https://films.example.org/a",)), "/a", Failure.LOOP),
        (STATE, START, Failure.LOOP),
        (STATE, "#credits", Failure.LOOP),
        (STATE._replace(hops=MAX_REDIRECTS), "/a", Failure.TOO_MANY),
        (CONFIRMATION, START, Failure.LOOP),
        (CONFIRMATION._replace(hops=MAX_CONFIRMED_REDIRECTS), "/a", Failure.TOO_MANY),
    ],
)
def test_a_circle_and_too_many_redirects_end_the_probe(state, location, failure):
    assert follow(location, state=state) is failure


def test_the_confirmation_follows_as_many_redirects_as_a_browser():
    state = follow("/a", state=CONFIRMATION._replace(hops=MAX_CONFIRMED_REDIRECTS - 1))
    assert (state.hops, state.url, state.is_confirmation) == (20, "https://films.example.org/a", True)


def test_the_confirmation_starts_at_the_link_itself_and_keeps_what_is_known():
    head = ProbeResponse(1, START, 200)
    led = STATE._replace(url="https://other.example.org/", hops=3, seen=(START,), head=head, head_hung=True, tries=1)
    assert led.confirm(START) == ProbeState(
        START, get=True, is_confirmation=True, tries=1, head=head, head_hung=True, cookies={}
    )


@pytest.mark.parametrize(
    ("status", "location", "leads_elsewhere"),
    [
        (301, "/a", True), (302, "/a", True), (303, "/a", True), (307, "/a", True), (308, "/a", True),
        (302, "#a", True), (302, "", False), (302, " \t", False), (200, "/a", False), (304, "/a", False),
        (201, "/a", False),
    ],
)  # fmt: skip
def test_only_a_redirect_with_a_location_leads_elsewhere(status, location, leads_elsewhere):
    assert is_redirect(ProbeResponse(1, START, status, headers={"location": location})) is leads_elsewhere


def test_the_same_url_may_come_again_with_a_new_cookie():
    state = follow(START, state=STATE._replace(cookies={"a": "1"}), **{"set-cookie": "a=1"})
    assert (state.url, state.hops, state.seen) == (START, 1, ())


@pytest.mark.parametrize(("location", "cookies"), [("/a", {"a": "1"}), ("https://cdn.example.org/", {})])
def test_cookies_stay_with_their_host(location, cookies):
    assert follow(location, state=STATE._replace(cookies={"a": "1"})).cookies == cookies


def test_cookies_wait_for_the_host_that_gave_them_and_those_of_a_domain_go_with_the_visitor():
    first = STATE._replace(
        cookies={"a": "1", "all": "2"}, jar={".example.org": {"all": "2"}, ".example.net": {"n": "3"}}
    )
    second = follow("https://sign-in.example.org/", state=first)
    assert second.cookies == {"all": "2"}
    assert follow("https://films.example.org/back", state=second).cookies == {"a": "1", "all": "2"}
    assert follow("https://badexample.org/", state=second).cookies == {}


@pytest.mark.parametrize(
    ("status", "location", "moved_to"),
    [
        (301, "/a", "https://films.example.org/a"),
        (308, "/a", "https://films.example.org/a"),
        (302, "/a", ""),
        (307, "/a", ""),
        (301, "/#/a", ""),
        (301, "/a#credits", "https://films.example.org/a"),
        (301, "/" + "a" * MAX_URL_LENGTH, ""),
    ],
)
def test_only_permanent_redirects_to_a_url_that_can_be_stored_move_a_link(status, location, moved_to):
    state = follow(location, status=status)
    assert (state.moved_to, state.is_permanent) == (moved_to, bool(moved_to))


def test_a_permanent_redirect_after_a_temporary_one_moves_nothing():
    state = follow("/b", status=301, state=follow("/a", status=302))
    assert (state.moved_to, state.is_permanent) == ("", False)


@pytest.mark.parametrize(
    ("location", "fragment"),
    [("/#/watch/1", "#/watch/1"), ("/#!watch", "#!watch"), ("/#credits", ""), ("/", "#/earlier")],
)
def test_a_fragment_counts_if_a_program_reads_it_and_stays_without_a_new_one(location, fragment):
    assert follow(location, state=STATE._replace(fragment="#/earlier")).fragment == fragment
