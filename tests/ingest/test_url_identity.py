"""Spellings of one URL, and several URLs of one work."""

from __future__ import annotations

import pytest

from streaming.ingest.url_identity import canonical_key, find_work, work_key

ITEM = "https://archive.org/details/living_dead"
PAGE = "https://films.example.org/watch/1"


@pytest.mark.parametrize(
    "other",
    [
        "http://films.example.org/watch/1",
        "https://www.films.example.org/watch/1",
        "https://films.example.org/watch/1/",
        "https://films.example.org:443/watch/1",
        "http://films.example.org:80/watch/1",
        "https://films.example.org/watch/1?utm_source=a&utm_medium=b",
        "https://films.example.org/watch/1?fbclid=IwAR0",
        "https://films.example.org/watch/1/?gclid=x&UTM_Campaign=y#t=3",
        "https://films.example.org/watch/1#!",
        "https://films.example.org/watch/1#/",
    ],
)
def test_spellings_of_one_link_have_one_key(other):
    assert canonical_key(other) == canonical_key(PAGE)


@pytest.mark.parametrize(
    "other",
    [
        "https://films.example.org/watch/10",
        "https://films.example.org/Watch/1",
        "https://films.example.org/watch/1?part=2",
        "https://films.example.org/watch?1",
        "https://films.example.org:8443/watch/1",
        "https://www2.films.example.org/watch/1",
        "https://films.example.org/watch/1?utm=2",
        "https://films.example.org/watch/1#!/part/2",
        "https://films.example.org/watch/1#/part/2",
    ],
)
def test_other_links_have_other_keys(other):
    assert canonical_key(other) != canonical_key(PAGE)


def test_other_query_parameters_stay_in_the_key():
    first, second = "https://www.youtube.com/watch?v=aaa&utm_source=x", "https://youtube.com/watch?v=bbb"
    assert canonical_key(first) == "youtube.com/watch?v=aaa"
    assert canonical_key(second) == "youtube.com/watch?v=bbb"


@pytest.mark.parametrize(
    ("url", "work"),
    [
        (ITEM, "Internet Archive: item living_dead"),
        ("http://www.archive.org/details/living_dead/", "Internet Archive: item living_dead"),
        ("https://archive.org/embed/living_dead?autoplay=1", "Internet Archive: item living_dead"),
        ("https://archive.org/download/living_dead/a%20b.mp4", "Internet Archive: item living_dead"),
        ("https://ia800300.us.archive.org/3/items/living_dead/a.mp4", "Internet Archive: item living_dead"),
        ("https://archive.org/details/living_dead_2", "Internet Archive: item living_dead_2"),
        ("https://commons.wikimedia.org/wiki/File:A_b.webm", "Wikimedia Commons: file A b.webm"),
        ("https://upload.wikimedia.org/wikipedia/commons/c/c1/A_b.webm", "Wikimedia Commons: file A b.webm"),
        (
            "https://upload.wikimedia.org/wikipedia/commons/transcoded/c/c1/A_b.webm/A_b.webm.480p.vp9.webm",
            "Wikimedia Commons: file A b.webm",
        ),
    ],
)
def test_pages_players_and_files_of_one_work_are_grouped(url, work):
    assert work_key(url) == work


@pytest.mark.parametrize(
    "url",
    [
        PAGE,
        "https://archive.org/",
        "https://archive.org/search?query=details/x",
        "https://archive.org.example.net/details/living_dead",
        "https://evil.example.org/details/living_dead",
        "https://[broken",
    ],
)
def test_other_urls_are_works_of_their_own(url):
    assert find_work(url) is None
    assert work_key(url) == canonical_key(url)


def test_an_item_and_its_files_are_different_links_of_one_work():
    urls = [ITEM, "https://archive.org/embed/living_dead", "https://archive.org/download/living_dead/a.mp4"]
    assert len({canonical_key(url) for url in urls}) == 3
    assert len({work_key(url) for url in urls}) == 1


def test_two_routes_of_one_page_are_two_links():
    first, second = "https://films.example.org/#!/watch/1", "http://www.films.example.org/#!/watch/2/"
    assert canonical_key(first) != canonical_key(second)
    assert canonical_key(second) == canonical_key("https://films.example.org/#!/watch/2")


@pytest.mark.parametrize(
    "url",
    [
        "https://www.films.example.org/a/b//",
        "http://films.example.org/",
        "https://films.example.org/a?utm_source=x&b=1&&c=?/&si=2",
        "https://films.example.org/a/?fbclid=1",
        "https://www.www.example.org/A%2F;b,c=(d)!$&'*+~:@?q[]",
        "https://a_b.example.org/a?",
    ],
)
def test_a_url_of_the_usual_form_has_the_key_that_is_read_from_its_parts(url):
    assert canonical_key(url) == canonical_key(f"{url}#position")
