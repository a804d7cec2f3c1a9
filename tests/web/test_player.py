"""What the page of a movie offers to play, and which hosts it may load that from."""

from __future__ import annotations

import json
import re

import pytest

from tests.helpers.factories import make_link, make_movie
from tests.helpers.rendered_html import html_of

pytestmark = pytest.mark.django_db
FILE = "https://files.example.org/nosferatu.mp4"


@pytest.fixture
def movie():
    return make_movie(imdb_id="tt0013442", title="Nosferatu", year=1922)


def page_of(client, movie):
    response = client.get(f"/streaming/{movie.imdb_id}/")
    assert response.status_code == 200
    return response


def choices_of(response):
    found = re.search(r'<script id="player-data" type="application/json">(.*?)</script>', html_of(response))
    return json.loads(found[1])["choices"] if found else []


def directives(response):
    policy = response.headers["Content-Security-Policy"].split("; ")
    return {name: values.split() for name, _, values in (part.partition(" ") for part in policy)}


def test_files_streams_and_known_players_are_offered_checked_ones_first(client, movie):
    for url, kind, checks in (
        ("https://archive.org/details/nosferatu", "page", "aa"),
        ("https://new.example.org/film.webm", "file", ""),
        (FILE, "file", "aa"),
        ("https://cdn.example.org/film.m3u8", "stream", "aa"),
        ("https://archive.org/embed/nosferatu", "embed", "aa"),
    ):
        make_link(movie, source_url=url, kind=kind, checks=checks)
    choices = [(one["url"], one["type"]) for one in choices_of(page_of(client, movie))]
    assert choices == [
        (FILE, "video/mp4"),
        ("https://cdn.example.org/film.m3u8", "application/vnd.apple.mpegurl"),
        ("https://archive.org/embed/nosferatu", ""),
        ("https://new.example.org/film.webm", "video/webm"),
    ]


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("https://files.example.org/film.ogv", {"kind": "file"}),
        ("https://files.example.org/film.mkv", {"kind": "file"}),
        ("https://files.example.org/film", {"kind": "file"}),
        ("https://films.example.org/watch/1", {"kind": "page"}),
        ("https://films.example.org/embed/1", {"kind": "embed"}),
        (FILE, {"kind": "file", "is_active": False}),
        (FILE, {"kind": "file", "is_published": False}),
    ],
)
def test_without_anything_to_play_the_page_and_its_policy_are_as_ever(client, movie, url, fields):
    make_link(movie, source_url=url, **fields)
    response = page_of(client, movie)
    assert 'id="player"' not in html_of(response)
    assert {"media-src", "frame-src"} & directives(response).keys() == set()


def test_the_policy_names_the_hosts_of_this_movie_only(client, movie):
    make_link(movie, source_url=FILE, kind="file")
    make_link(movie, source_url="https://archive.org/download/nosferatu/film.mp4", kind="file")
    make_link(movie, source_url="https://vimeo.com/123456", kind="page")
    make_link(source_url="https://elsewhere.example.org/film.mp4", kind="file")
    make_link(movie, source_url="https://dead.example.org/film.mp4", kind="file", is_active=False)
    policy = directives(page_of(client, movie))
    assert policy["media-src"] == [
        "'self'", "https://*.archive.org", "https://archive.org", "https://files.example.org",
    ]  # fmt: skip
    assert policy["frame-src"] == ["https://player.vimeo.com"]
    assert policy["script-src"] == ["'self'"]
    assert "media-src" not in directives(client.get("/"))


def test_only_copies_of_one_episode_and_part_replace_each_other(client, movie):
    film = make_movie()
    for found, name, fields in (
        (movie, "a.mp4", {"season": 1, "episode": 2}),
        (movie, "b.mp4", {"season": 1, "episode": 2}),
        (movie, "c.mp4", {"season": 1, "episode": 3}),
        (film, "film_part2.mp4", {}),
    ):
        make_link(found, source_url=f"https://files.example.org/{name}", kind="file", **fields)
    choices = [*choices_of(page_of(client, movie)), *choices_of(page_of(client, film))]
    parts = {one["url"].rpartition("/")[2]: one["part"] for one in choices}
    assert parts["a.mp4"] == parts["b.mp4"] == "1-2-"
    assert (parts["c.mp4"], parts["film_part2.mp4"]) == ("1-3-", "--2")


def test_what_the_label_says_is_not_said_again(client, movie):
    make_link(movie, source_url=FILE, kind="file", label="Stream, German", language="de")
    page = page_of(client, movie)
    assert choices_of(page)[0]["label"] == "Stream, German, MP4"
    row = html_of(page).partition('class="copy-facts"')[2].partition("</p>")[0]
    assert "<span>German</span>" not in row


def test_hostile_labels_stay_text(client, movie):
    make_link(movie, source_url=FILE, kind="file", label="</script><script>alert(1)</script>")
    page = html_of(page_of(client, movie))
    assert "<script>alert" not in page
    assert choices_of(page_of(client, movie))[0]["label"].startswith("</script>")


def test_the_copies_whose_rows_are_on_the_page_can_be_chosen(client, movie):
    for number in range(210):
        make_link(movie, source_url=f"https://files.example.org/{number}.mp4", kind="file")
    page = page_of(client, movie)
    assert len(choices_of(page)) == 8
    assert html_of(page).count("<option") == 2 * 8  # of the player and of the report
    assert len(choices_of(client.get(f"{movie.get_absolute_url()}?all=1"))) == 200


def test_the_policy_of_very_many_hosts_is_no_longer_than_proxies_take(client, movie):
    for number in range(200):
        host = f"{'x' * 60}.{'y' * 60}.{number}.example"
        make_link(movie, source_url=f"https://{host}/film.mp4", kind="file", checks="a" if number == 199 else "")
    page = client.get(f"{movie.get_absolute_url()}?all=1")
    choices = choices_of(page)
    assert len(page.headers["Content-Security-Policy"]) < 3000
    assert choices[0]["host"].endswith(".199.example")
    assert {f"https://{one['host']}" for one in choices} < set(directives(page)["media-src"])
