"""robots.txt, the sitemap and the feeds."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.ingest.tombstones import remove_movies
from streaming.models import LinkFlip, Movie, RemovedMovie
from streaming.web.sitemaps import MovieSitemap
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


def locations(response) -> list[str]:
    return [element.text for element in ElementTree.fromstring(response.content).iter(LOC)]


def test_robots_keeps_crawlers_from_jobs_and_names_the_sitemap(client):
    response = client.get("/robots.txt")
    text = response.content.decode()
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert "Disallow: /jobs/" in text
    assert "Sitemap: http://testserver/sitemap.xml" in text


def test_the_sitemap_is_an_index_over_parts(client, monkeypatch):
    monkeypatch.setattr(MovieSitemap, "limit", 2)
    movies = [make_movie(pk=number) for number in range(1, 6)]
    index = locations(client.get("/sitemap.xml"))
    assert index == [
        "http://testserver/sitemap-pages.xml",
        "http://testserver/sitemap-movies.xml",
        "http://testserver/sitemap-movies.xml?p=2",
        "http://testserver/sitemap-movies.xml?p=3",
    ]
    found = [place for address in index[1:] for place in locations(client.get(address))]
    assert found == [f"http://testserver{movie.get_absolute_url()}" for movie in movies]
    assert "http://testserver/health/" in locations(client.get(index[0]))


def test_the_sitemap_needs_a_fixed_number_of_queries(client):
    costs = []
    for _ in range(2):
        for _ in range(10):
            make_movie()
        with CaptureQueriesContext(connection) as queries:
            client.get("/sitemap.xml")
            client.get("/sitemap-movies.xml")
        costs.append(len(queries))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("address", ["/sitemap-movies.xml?p=99", "/sitemap-movies.xml?p=x", "/sitemap-nothing.xml"])
def test_unknown_parts_of_the_sitemap_are_not_found(client, address):
    assert client.get(address).status_code == 404


def items(response) -> list[tuple[str, str]]:
    assert response.status_code == 200
    root = ElementTree.fromstring(response.content)
    return [(item.findtext("title"), item.findtext("link")) for item in root.iter("item")]


def test_new_movies_come_latest_first(client):
    now = timezone.now()
    make_movie(title="Old", year=1922, created_at=now - timedelta(days=2))
    make_movie(title="New <&> \x01\u202e", imdb_id="tt0000009", created_at=now)
    response = client.get("/feeds/new.xml")
    assert items(response)[0] == ("New <&>", "http://testserver/streaming/tt0000009/")
    assert [title for title, _ in items(response)] == ["New <&>", "Old (1922)"]
    assert response["Cache-Control"] == "public, max-age=300"


def test_lost_movies_and_links_come_latest_first(client):
    now = timezone.now()
    link = make_link(make_movie(title="Half lost"), source="internet_archive", is_active=False)
    LinkFlip.objects.create(link=link, at=now, is_active=False, reason="http_404")
    LinkFlip.objects.create(link=link, at=now - timedelta(days=1), is_active=True, reason="ok")
    yesterday = now - timedelta(days=1)
    lost = {"reason": "no working link", "snapshot": {}}
    RemovedMovie.objects.create(imdb_id="tt0000005", title="Lost", removed_at=yesterday, **lost)
    RemovedMovie.objects.create(imdb_id="tt0000006", title="Back again", restored_at=now, **lost)
    response = client.get("/feeds/lost.xml")
    assert [title for title, _ in items(response)] == [
        "Half lost: a link on Internet Archive stopped working",
        "Lost was removed",
    ]
    assert b"Not found: https://films.example.org/" in response.content


@pytest.mark.parametrize("address", ["/feeds/new.xml", "/feeds/lost.xml"])
def test_a_client_with_the_current_feed_gets_304(client, address):
    link = make_link(make_movie(title="Old"), is_active=False)
    LinkFlip.objects.create(link=link, at=link.first_seen, is_active=False, reason="http_404")
    first = client.get(address)
    by_tag, by_date = {"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}
    for known in (by_tag, by_date, by_tag | by_date):
        again = client.get(address, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert (again["ETag"], again["Cache-Control"]) == (first["ETag"], "public, max-age=300")
    # Nothing came, something went: the newest date is no later.
    link.movie.delete()
    assert client.get(address, headers=by_tag | by_date).status_code == 200


@pytest.mark.parametrize("address", ["/feeds/new.xml", "/feeds/lost.xml"])
def test_a_client_with_an_older_feed_gets_the_new_one(client, address):
    link = make_link(is_active=False)
    before = timezone.now() - timedelta(hours=1)
    LinkFlip.objects.create(link=link, at=before, is_active=False, reason="http_404")
    link.movie.created_at = before
    link.movie.save()
    first = client.get(address)
    LinkFlip.objects.create(link=make_link(is_active=False), is_active=False, reason="timeout")
    known = {"If-None-Match": first["ETag"], "If-Modified-Since": first["Last-Modified"]}
    assert client.get(address, headers=known).status_code == 200
    assert client.get(address, headers={"If-Modified-Since": first["Last-Modified"]}).status_code == 200


def test_a_client_that_asks_by_date_notices_a_removed_movie(client):
    movie = make_movie(created_at=timezone.now() - timedelta(hours=1))
    known = {"If-Modified-Since": client.get("/feeds/new.xml")["Last-Modified"]}
    assert client.get("/feeds/new.xml", headers=known).status_code == 304
    remove_movies(Movie.objects.filter(pk=movie.pk), reason="no working link")
    assert client.get("/feeds/new.xml", headers=known).status_code == 200


def test_empty_feeds_are_valid(client):
    assert items(client.get("/feeds/new.xml")) == []
    assert items(client.get("/feeds/lost.xml")) == []


def test_feeds_need_a_fixed_number_of_queries(client):
    costs = []
    for _ in range(2):
        for _ in range(10):
            LinkFlip.objects.create(link=make_link(), is_active=False, reason="timeout")
        with CaptureQueriesContext(connection) as queries:
            client.get("/feeds/new.xml")
            client.get("/feeds/lost.xml")
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 4


@pytest.mark.parametrize("path", ["/feeds/lost.xml", "/feeds/lost.atom", "/feeds/new.xml", "/feeds/new.atom"])
def test_an_empty_feed_has_no_date_of_its_own_so_that_a_304_can_follow(client, path):
    first = client.get(path)
    assert b"1970" in first.content
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
