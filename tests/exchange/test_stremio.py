"""Stremio's protocol: the values, and the endpoints."""

from __future__ import annotations

import json

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from streaming.exchange import stremio
from streaming.exchange.entries import LinkEntry, MovieEntry
from streaming.exchange.stremio import CatalogueExtra, VideoId
from streaming.models import ScrapeJob
from streaming.web.stremio_addon import LOGO
from tests.helpers.factories import make_link, make_movie

ROBOT = {"User-Agent": "Googlebot"}


def stream_of(**fields: object) -> dict:
    link = LinkEntry(
        **{
            "source": "commons",
            "source_name": "Wikimedia Commons",
            "source_url": "https://a.example.org/x.mp4",
            **fields,
        }
    )
    (stream,) = stremio.build_streams(MovieEntry(imdb_id="tt1", title="T", links=(link,)), VideoId("tt1"), site="")[
        "streams"
    ]
    return stream


@pytest.mark.parametrize(
    ("fields", "key", "not_web_ready"),
    [
        ({"kind": "file"}, "url", None),
        ({"kind": "file", "source_url": "https://a.example.org/x.MP4?y=1"}, "url", None),
        ({"kind": "file", "source_url": "http://a.example.org/x.mp4"}, "url", True),
        ({"kind": "file", "source_url": "https://a.example.org/x.webm"}, "url", True),
        ({"kind": "stream", "source_url": "https://a.example.org/x.m3u8"}, "url", True),
        ({"kind": "page"}, "externalUrl", None),
        ({"kind": "embed"}, "externalUrl", None),
    ],
)
def test_a_stream_has_exactly_one_url(fields, key, not_web_ready):
    stream = stream_of(**fields)
    assert [name for name in ("url", "externalUrl", "ytId", "infoHash") if name in stream] == [key]
    assert stream.get("behaviorHints", {}).get("notWebReady") is not_web_ready


def test_a_stream_has_a_name_and_a_description():
    stream = stream_of(kind="file", quality="720p", language="de", licence="cc0", label="Restored")
    assert stream["name"] == "Wikimedia Commons 720p"
    assert stream["description"] == "Restored · German · CC0"
    assert stream["behaviorHints"] == {"bingeGroup": "openreel-commons-720p", "filename": "x.mp4"}


@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ("", CatalogueExtra()),
        ("skip=100", CatalogueExtra(skip=100)),
        ("search=nosferatu", CatalogueExtra(search="nosferatu")),
        ("search=tom & jerry&skip=24", CatalogueExtra(skip=24, search="tom & jerry")),
        ("search=a=b", CatalogueExtra(search="a=b")),
        ("skip=-1", CatalogueExtra()),
        ("skip=٣", CatalogueExtra()),
        ("skip=" + "9" * 9000, CatalogueExtra()),
        ("skip=999999", CatalogueExtra(skip=100_000)),
        ("genre=Film noir&skip=100", CatalogueExtra(skip=100, genre="Film noir")),
        ("colour=red", CatalogueExtra()),
    ],
)
def test_optional_parameters_are_parsed_leniently(text, extra):
    assert stremio.parse_extra(text) == extra


@pytest.mark.parametrize(
    ("text", "video"),
    [
        ("tt0013442", VideoId("tt0013442")),
        ("tt0055662:1:3", VideoId("tt0055662", (1, 3))),
        ("tt0055662:1", None),
        ("kitsu:1", None),
        ("tt12", None),
        ("tt0013442\n", None),
    ],
)
def test_the_id_of_a_video_is_a_movie_or_an_episode(text, video):
    assert stremio.parse_video_id(text) == video


def test_an_episode_has_its_own_links_and_those_without_an_episode():
    labels = ("S01E01", "1x02 The Clampetts", "s1 e2", "All of it")
    links = tuple(
        LinkEntry(source="x", source_url=f"https://a.example.org/{n}", label=label) for n, label in enumerate(labels)
    )
    show = MovieEntry(imdb_id="tt0055662", title="Show", type="show", links=links)
    found = stremio.build_streams(show, VideoId("tt0055662", (1, 2)), site="")["streams"]
    assert [stream["externalUrl"][-1] for stream in found] == ["1", "2", "3"]
    videos = stremio.build_meta(show, site="https://x.example.org")["meta"]["videos"]
    assert [video["id"] for video in videos] == ["tt0055662:1:1", "tt0055662:1:2"]


@pytest.mark.django_db
class TestEndpoints:
    def get(self, path: str, **headers: str):
        return Client().get(f"/stremio/{path}", headers={**ROBOT, **headers})

    def test_the_manifest_describes_the_add_on(self):
        manifest = self.get("manifest.json").json()
        assert {"id", "version", "name", "description", "types", "catalogs", "resources", "idPrefixes"} <= set(manifest)
        for catalogue in manifest["catalogs"]:
            assert self.get(f"catalog/{catalogue['type']}/{catalogue['id']}.json").json() == {"metas": []}

    def test_its_logo_exists(self):
        assert finders.find(LOGO)
        assert self.get("manifest.json").json()["logo"].endswith(LOGO)

    def test_a_catalogue_lists_watchable_movies_in_pages(self, monkeypatch):
        monkeypatch.setattr(stremio, "PAGE_SIZE", 2)
        for title in ("Aelita", "Metropolis", "Nosferatu"):
            make_link(make_movie(title=title, year=1922))
        make_movie(title="Lost")
        make_link(make_movie(title="A show", type="show"))
        first = self.get("catalog/movie/openreel-movies.json").json()["metas"]
        assert [meta["name"] for meta in first] == ["Aelita", "Metropolis"]
        assert first[0]["poster"].startswith("http://testserver/posters/tt")
        assert first[0]["releaseInfo"] == "1922"
        rest = self.get("catalog/movie/openreel-movies/skip=2.json").json()["metas"]
        assert [meta["name"] for meta in rest] == ["Nosferatu"]
        found = self.get("catalog/movie/openreel-movies/search=METRO%20polis.json").json()["metas"]
        assert [meta["name"] for meta in found] == ["Metropolis"]
        shows = self.get("catalog/series/openreel-shows.json").json()["metas"]
        assert [(meta["name"], meta["type"]) for meta in shows] == [("A show", "series")]

    def test_a_search_with_a_slash_and_an_ampersand_is_one_search(self):
        make_link(make_movie(title="Tom & Jerry a/b"))
        path = "catalog/movie/openreel-movies/search=tom%20%26%20jerry%20a%2Fb&skip=0.json"
        assert len(self.get(path).json()["metas"]) == 1

    def test_a_movie_is_described_and_streamed(self):
        movie = make_movie(title="Nosferatu", synopsis="A symphony", poster_url="https://p.example.org/n.jpg")
        make_link(movie, kind="file", source_url="https://a.example.org/n.mp4", language="de", quality="240p")
        make_link(movie, kind="page", language="en", quality="720p")
        make_link(movie, is_active=False)
        meta = self.get(f"meta/movie/{movie.imdb_id}.json").json()["meta"]
        assert (meta["name"], meta["description"], meta["poster"]) == (
            "Nosferatu",
            "A symphony",
            "https://p.example.org/n.jpg",
        )
        response = self.get(f"stream/movie/{movie.imdb_id}.json", **{"Accept-Language": "de"})
        assert [set(stream) & {"url", "externalUrl"} for stream in response.json()["streams"]] == [
            {"url"},
            {"externalUrl"},
        ]
        assert "max-age=300" in response["Cache-Control"]

    @pytest.mark.parametrize("key", ["tt9999999", "kitsu:1", "x" * 5000, "tt0013442:1:2"])
    def test_no_streams_is_an_empty_list_with_a_short_cache_time(self, key):
        response = self.get(f"stream/movie/{key}.json")
        assert (response.status_code, response.json()) == (200, {"streams": []})
        assert "max-age=60" in response["Cache-Control"]

    def test_a_request_for_missing_streams_starts_a_search(self):
        movie = make_movie()
        response = self.get(f"stream/movie/{movie.imdb_id}.json", **{"User-Agent": "Stremio/4"})
        assert response.json() == {"streams": []}
        assert ScrapeJob.objects.get().requested_by == "stremio"

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("manifest.json", 200),
            ("stream/movie/tt9999999.json", 200),
            ("catalog/movie/nothing.json", 404),
            ("meta/movie/tt9999999.json", 404),
            ("nothing/at/all", 404),
            ("", 404),
        ],
    )
    def test_every_site_may_read_every_response(self, path, status):
        response = self.get(path, Origin="https://web.stremio.example")
        assert (response.status_code, response["Access-Control-Allow-Origin"]) == (status, "*")
        assert json.loads(response.content)

    def test_every_site_may_read_every_error(self):
        assert Client().post("/stremio/manifest.json")["Access-Control-Allow-Origin"] == "*"
        assert (
            Client().get("/stremio/manifest.json", headers={"Host": "evil.example"})["Access-Control-Allow-Origin"]
            == "*"
        )
        preflight = Client().options("/stremio/manifest.json", headers={"Access-Control-Request-Method": "GET"})
        assert (preflight.status_code, preflight["Access-Control-Allow-Methods"]) == (204, "GET, HEAD, OPTIONS")

    def test_other_sites_may_read_no_pages(self):
        for path in ("/", "/healthz", "/sources/"):
            assert "Access-Control-Allow-Origin" not in Client().get(path, headers={"Origin": "https://x.example"})
