"""Filtered exports and feeds, and channels by genre: read back by programs that are not ours."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import feedparser
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from ipytv import playlist
from lxml import etree, html

from streaming.exchange import export_files
from streaming.ingest.takedown import block
from tests.helpers.factories import make_link, make_movie

pytestmark = pytest.mark.django_db
DTD = Path(__file__).parent / "pages" / "xmltv.dtd"
FEEDS = ("/feeds/new.xml", "/feeds/new.atom", "/feeds/new.json")


def make_film(title: str, *, minutes: int | None = 94, **fields: object):
    movie = make_movie(title=title, runtime_minutes=minutes, **{"genres": ["western"], "year": 1966, **fields})
    name = title.replace(" ", "-").lower()
    make_link(movie, kind="file", source_url=f"https://a.example.org/{name}.mp4", quality="720p", language="en")
    return movie


def body_of(address: str, client: Client | None = None) -> bytes:
    response = (client or Client()).get(address)
    assert response.status_code == 200, response
    return response.getvalue()


def test_a_playlist_is_read_back_with_commas_genre_logo_and_length(settings):
    settings.SITE_URL = "https://films.example.org"
    film = make_film("The Good, the Bad")
    make_film("Other", genres=["comedy"], minutes=None)
    found = playlist.loads(body_of("/export/movies.m3u8?genre=western").decode())
    (item,) = list(found)
    assert (item.name, item.duration) == ("The Good, the Bad (1966) [720p] [en]", str(94 * 60))
    assert item.attributes == {
        "tvg-id": film.imdb_id, "tvg-name": "The Good the Bad (1966)", "group-title": "Western",
        "tvg-logo": f"https://films.example.org/posters/{film.imdb_id}.png",
    }  # fmt: skip
    assert item.url == "https://a.example.org/the-good,-the-bad.mp4"


def test_all_filters_and_orders_work_on_exports_as_in_the_api(client):
    make_film("Beta", year=1950, minutes=60, countries=["IT"])
    make_film("Alpha", year=1970, countries=["IT"])
    make_film("Gamma", year=1971, type="show", countries=["US"])
    for query in (
        "country=IT&ordering=title",
        "year_max=1970&ordering=title",
        "type=movie&runtime_min=60&ordering=title",
    ):
        stated = [movie["title"] for movie in client.get(f"/api/streaming/movies/?{query}").json()["results"]]
        lines = body_of(f"/export/movies.jsonl?{query}").splitlines()
        rows = list(csv.DictReader(io.StringIO(body_of(f"/export/movies.csv?{query}").decode())))
        assert [json.loads(line)["title"] for line in lines] == stated == ["Alpha", "Beta"]
        assert [row["title"] for row in rows] == stated
    assert [json.loads(line)["title"] for line in body_of("/export/movies.jsonl?ordering=newest").splitlines()] == [
        "Gamma", "Alpha", "Beta",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/export/movies.m3u8", "/export/movies.jsonl", "/export/movies.csv", *FEEDS],
)  # fmt: skip
def test_a_list_is_answered_with_304_and_refuses_what_it_does_not_know(client, path):
    make_film("Alpha")
    first = client.get(f"{path}?genre=western&year=1966")
    assert first.status_code == 200
    for headers in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}):
        assert client.get(f"{path}?genre=western&year=1966", headers=headers).status_code == 304
    for query, name in (("colour=red", "colour"), ("genre=nothing", "genre"), ("year=x", "year"), ("genre=", "genre")):
        refused = client.get(f"{path}?{query}")
        assert (refused.status_code, name in refused.content.decode()) == (400, True)


@pytest.mark.parametrize(
    "path", ["/feeds/lost.xml", "/export/library.zip", "/export/guide.xml", "/export/channels.m3u8"]
)
def test_what_is_no_list_takes_no_filter(client, path):
    assert client.get(f"{path}?genre=western").status_code == 400


def test_feeds_are_read_back_in_each_format(client):
    film = make_film("Once & “Again”", synopsis="A <b>story</b>")
    make_film("Other", genres=["comedy"])
    for path, version in (("/feeds/new.xml", "rss20"), ("/feeds/new.atom", "atom10")):
        found = feedparser.parse(client.get(f"{path}?genre=western").content)
        assert (found.bozo, found.version) == (False, version)
        (entry,) = found.entries
        assert (entry.title, entry.link) == ("Once & “Again” (1966)", f"http://testserver{film.get_absolute_url()}")
        assert (entry.summary, entry.published_parsed[:3]) == ("A <b>story</b>", film.created_at.timetuple()[:3])
    response = client.get("/feeds/new.json?genre=western")
    assert response["Content-Type"] == "application/feed+json; charset=utf-8"
    feed = response.json()
    assert (feed["version"], feed["feed_url"]) == (
        "https://jsonfeed.org/version/1.1", "http://testserver/feeds/new.json?genre=western",
    )  # fmt: skip
    (item,) = feed["items"]
    assert (item["title"], item["content_text"]) == ("Once & “Again” (1966)", "A <b>story</b>")
    assert datetime.fromisoformat(item["date_published"]) == film.created_at
    assert feedparser.parse(client.get("/feeds/lost.atom").content).version == "atom10"


def test_few_lists_are_kept_and_none_shows_what_is_taken_down(monkeypatch):
    monkeypatch.setattr(export_files, "MAX_LISTS", 2)
    link = make_film("Alpha").links.get()
    for year in range(1960, 1967):
        body_of(f"/export/movies.jsonl?year={year}")
    assert len(list(settings.EXPORT_DIR.glob("list-*.json"))) == 2
    assert b"alpha.mp4" in body_of("/export/movies.jsonl?year=1966")
    block(link.host, reason="asked")
    assert b"alpha.mp4" not in body_of("/export/movies.jsonl?year=1966")


def test_a_list_reads_movies_in_batches():
    costs = []
    for number in range(2):
        for _ in range(10):
            make_film(f"Film {number}")
        with CaptureQueriesContext(connection) as queries:
            body_of(f"/export/movies.jsonl?year_min={1900 + number}")
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_the_library_as_an_archive_is_what_the_command_writes(client, tmp_path):
    make_film("Alpha")
    show = make_movie(title="Show", type="show")
    make_link(show, kind="file", season=1, episode=2, source_url="https://a.example.org/s1e2.mp4")
    response = client.get("/export/library.zip")
    assert response["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(response.getvalue()))
    assert archive.testzip() is None
    call_command("export_catalogue", str(tmp_path), "--format", "library", stderr=io.StringIO())
    written = {
        str(path.relative_to(tmp_path)): path.read_bytes()
        for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith(".")
    }  # fmt: skip
    assert {name: archive.read(name) for name in archive.namelist()} == written
    assert client.get("/export/library.zip", headers={"If-None-Match": response["ETag"]}).status_code == 304


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M%S %z")


def test_channels_have_a_guide_that_fills_each_day(client):
    for number in range(30):
        make_film(f"Western {number}", minutes=60 + number, synopsis="Dust\x0b", directors=[{"id": "x", "name": "S"}])
    make_film("Short", genres=["comedy"], minutes=8)
    make_film("Unknown", genres=["drama"], minutes=None)
    channels = list(playlist.loads(client.get("/export/channels.m3u8").content.decode()))
    assert {one.name: one.attributes["tvg-id"] for one in channels} == {
        "Comedy": "comedy.openreel", "Western": "western.openreel",
    }  # fmt: skip
    tree = etree.fromstring(body_of("/export/guide.xml"))
    dtd = etree.DTD(str(DTD))
    assert dtd.validate(tree), dtd.error_log
    assert [one.get("id") for one in tree.iterfind("channel")] == ["comedy.openreel", "western.openreel"]
    for channel in channels:
        rows = tree.findall(f"programme[@channel='{channel.attributes['tvg-id']}']")
        times = [(moment(row.get("start")), moment(row.get("stop"))) for row in rows]
        assert all(stop == start for (_, stop), (start, _) in pairwise(times))
        assert times[-1][1] - times[0][0] == timedelta(days=3)
        now = datetime.now(tz=times[0][0].tzinfo)
        on_air = next(row for row, (start, stop) in zip(rows, times, strict=True) if start <= now < stop)
        response = client.get(channel.url)
        assert (response.status_code, response["Cache-Control"]) == (302, "no-store")
        assert on_air.findtext("title").lower().replace(" ", "-") in response["Location"]
    first, second = ([row.findtext("title") for row in rows[day * 20 : day * 20 + 15]] for day in (0, 1))
    assert first != second
    assert client.get("/export/channels/drama").status_code == 404
    assert client.get("/export/channels/nothing").status_code == 404


def test_the_page_of_a_list_offers_it_as_a_playlist_and_a_feed(client):
    film = make_film("Alpha")
    make_film("Alphabet", genres=["comedy"])
    page = html.fromstring(client.get("/?genre=western&decade=1960&q=alp&working=1&sort=newest").content)
    links = {link.text: link.get("href") for link in page.cssselect(".list-links a")}
    assert set(links) == {"M3U", "RSS", "CSV"}
    assert [one.attributes["tvg-id"] for one in playlist.loads(body_of(links["M3U"]).decode())] == [film.imdb_id]
    assert [entry.title for entry in feedparser.parse(body_of(links["RSS"])).entries] == ["Alpha (1966)"]
    assert "ordering=newest" in links["CSV"]
    page = html.fromstring(client.get("/genres/western/").content)
    assert [len(list(playlist.loads(body_of(page.cssselect(".list-links a")[0].get("href")).decode())))] == [1]
