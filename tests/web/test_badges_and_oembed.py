"""What other sites show of a movie: badges and oEmbed."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET

import pytest
from django.utils import timezone

from streaming.ingest.takedown import block
from streaming.models import StreamingLink
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db
BADGE, PAGE = "/badge/tt0013442.svg", "http://testserver/streaming/tt0013442/"


@pytest.fixture
def movie():
    return make_movie(imdb_id="tt0013442", title='<Nosferatu> & "more"', year=1922)


def test_a_badge_follows_the_links_of_its_movie(client, movie, settings):
    settings.SITE_NAME = "<A> & B"
    seen = []
    for change in ("no link", "unchecked", "works"):
        if change == "unchecked":
            make_link(movie)
        if change == "works":
            StreamingLink.objects.update(last_checked=timezone.now(), reason="ok")
        response = client.get(BADGE)
        seen.append(ET.fromstring(response.content).findtext("{http://www.w3.org/2000/svg}title"))
    assert seen == ["<A> & B: no working link", "<A> & B: not checked yet", "<A> & B: 1 working link"]
    assert (response["Content-Type"], response["Cache-Control"]) == ("image/svg+xml", "public, max-age=300")
    assert client.get(BADGE, headers={"If-None-Match": response["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", ["/badge/tt0099999.svg", "/badge/x%00.svg", "/badge/1.svg"])
def test_there_is_no_badge_of_what_is_not_here(client, movie, path):
    assert client.get(path).status_code == 404


def test_what_is_taken_down_has_neither(client, movie):
    block("tt0013442", reason="asked")
    assert (client.get(BADGE).status_code, client.get("/oembed/", {"url": PAGE}).status_code) == (404, 404)


def test_the_page_of_a_movie_names_its_oembed_response(client, movie):
    page = client.get("/streaming/tt0013442/").content.decode()
    address = html.unescape(re.search(r'type="application/json\+oembed"[^>]* href="([^"]+)"', page)[1])
    response = client.get(address.removeprefix("http://testserver"))
    body = response.json()
    assert (body["version"], body["type"], body["title"]) == ("1.0", "link", '<Nosferatu> & "more" (1922)')
    assert client.get(body["thumbnail_url"].removeprefix("http://testserver")).status_code == 200
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"url": PAGE, "format": "xml"}, 501),
        ({}, 404),
        ({"url": "https://evil.example.org/streaming/tt0013442/"}, 404),
        ({"url": "javascript://testserver/streaming/tt0013442/"}, 404),
        ({"url": "http://testserver/health/"}, 404),
        ({"url": "http://testserver/streaming/tt0099999/"}, 404),
        ({"url": "http://[testserver"}, 404),
        ({"url": f"{PAGE}\0"}, 404),
        ({"url": f"{PAGE}?all=1#links"}, 200),
    ],
)
def test_only_pages_of_movies_here_are_answered(client, movie, query, status):
    assert client.get("/oembed/", query).status_code == status


def test_a_picture_that_does_not_fit_is_left_out(client, movie):
    assert "thumbnail_url" not in client.get("/oembed/", {"url": PAGE, "maxwidth": "200"}).json()
    assert "thumbnail_url" in client.get("/oembed/", {"url": PAGE, "maxwidth": "x"}).json()
