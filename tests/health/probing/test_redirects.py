"""Where a redirect leads, as a table: the next state of a probe, or why it ends."""

from __future__ import annotations

import pytest

from scraper.net.url_policy import MAX_URL_LENGTH, normalize_url
from streaming.health.probe_types import Failure, ProbeResponse, ProbeState
from streaming.health.probing.redirects import MAX_REDIRECT_URL_LENGTH, MAX_REDIRECTS, follow_redirect

START = "https://films.example.org/watch/1"
STATE = ProbeState(START)


def normalize(url):
    return normalize_url(url, max_length=MAX_REDIRECT_URL_LENGTH)


def follow(location, *, state=STATE, status=302, **headers):
    response = ProbeResponse(1, START, status, headers={"location": location, **headers})
    return follow_redirect(state, response, start_url=START, normalize=normalize)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/film/1", "https://films.example.org/film/1"),
        ("film/1", "https://films.example.org/watch/film/1"),
        ("//cdn.example.org/1", "https://cdn.example.org/1"),
        ("HTTP://CDN.example.org:80/1", "http://cdn.example.org/1"),
        ("/a b|c", "https://films.example.org/a%20b%7Cc"),
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
        ("http:///film", Failure.BAD_REDIRECT),
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
        (STATE._replace(hops=MAX_REDIRECTS), "/a", Failure.TOO_MANY),
    ],
)
def test_a_circle_is_tried_once_more_with_cookies(state, location, failure):
    restarted = follow(location, state=state._replace(head_hung=True, fragment="#/x"))
    assert restarted == ProbeState(START, get=True, head_hung=True, cookies={})
    assert follow(location, state=state._replace(cookies={})) is failure


def test_the_same_url_may_come_again_with_a_new_cookie():
    state = follow(START, state=STATE._replace(cookies={"a": "1"}), **{"set-cookie": "a=1"})
    assert (state.url, state.hops, state.seen) == (START, 1, ())


@pytest.mark.parametrize(("location", "cookies"), [("/a", {"a": "1"}), ("https://cdn.example.org/", {})])
def test_cookies_stay_with_their_host(location, cookies):
    assert follow(location, state=STATE._replace(cookies={"a": "1"})).cookies == cookies


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
