"""Stremio's own client and linter use the add-on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from tests.helpers.factories import make_link, make_movie
from tests.helpers.paths import PROJECT_ROOT

MODULES = PROJECT_ROOT / "tests" / "node" / "node_modules"
needs_the_client = pytest.mark.skipif(
    not (shutil.which("node") and (MODULES / "stremio-addon-client").is_dir()),
    reason="npm install --prefix tests/node --no-package-lock",
)


def ask(manifest: str, requests: list[list[object]]) -> dict:
    script = PROJECT_ROOT / "tests" / "exchange" / "stremio_client.js"
    done = subprocess.run(
        ["node", str(script), manifest, json.dumps(requests)],
        env={"PATH": os.environ["PATH"], "NODE_PATH": str(MODULES)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_the_client
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_official_client_installs_the_add_on_and_plays_from_it(live_server, settings):
    settings.CONTACT = "films@example.org"
    captions = [{"url": "https://a.example.org/n.srt", "language": "de", "format": "srt"}]
    film = make_movie(
        title="Nosferatu", year=1922, genres=["film-noir", "horror"], runtime_minutes=94,
        directors=[{"id": "Q55413", "name": "F. W. Murnau"}], cast=[{"id": "Q76738", "name": "Max Schreck"}],
    )  # fmt: skip
    link = make_link(film, kind="file", source_url="https://a.example.org/n.mp4", language="de", captions=captions)
    make_link(make_movie(title="Comedy", genres=["comedy"]))
    show = make_movie(title="The Show", type="show", year=1962)
    for season, episode in ((2, 1), (1, 2)):
        url = f"https://a.example.org/{season}-{episode}.mp4"
        make_link(show, kind="file", season=season, episode=episode, source_url=url)
    found = ask(
        f"{live_server.url}/stremio/manifest.json",
        [
            ["catalog", "movie", "openreel-movies", {"genre": "Film noir"}],
            ["catalog", "movie", "openreel-movies", {"search": "nosfer"}],
            ["meta", "movie", film.imdb_id],
            ["stream", "movie", film.imdb_id],
            ["meta", "series", show.imdb_id],
            ["stream", "series", f"{show.imdb_id}:1:2"],
        ],
    )
    assert (found["errors"], found["warnings"]) == ([], [])
    by_genre, by_search, meta, streams, series, episode = found["responses"]
    assert [one["name"] for one in by_genre["metas"]] == [one["name"] for one in by_search["metas"]] == ["Nosferatu"]
    described = meta["meta"]
    assert (described["runtime"], described["director"], described["cast"], described["genres"]) == (
        "94 min", ["F. W. Murnau"], ["Max Schreck"], ["Film noir", "Horror"],
    )  # fmt: skip
    assert described["poster"] == f"{live_server.url}/posters/{film.imdb_id}.png"
    assert described["background"] == f"{live_server.url}/cards/{film.imdb_id}.png"
    (stream,) = streams["streams"]
    assert (stream["url"], stream["description"]) == ("https://a.example.org/n.mp4", "German")
    assert stream["subtitles"] == [
        {"id": f"{link.pk}-0", "url": f"{live_server.url}/captions/{link.pk}-0.vtt", "lang": "deu"}
    ]
    assert [(one["id"], one["season"], one["episode"]) for one in series["meta"]["videos"]] == [
        (f"{show.imdb_id}:1:2", 1, 2), (f"{show.imdb_id}:2:1", 2, 1),
    ]  # fmt: skip
    assert [one["url"] for one in episode["streams"]] == ["https://a.example.org/1-2.mp4"]


@pytest.mark.django_db
def test_the_manifest_names_genres_contact_and_what_the_add_on_is_not(client, settings):
    settings.CONTACT = "https://films.example.org/contact"
    make_movie(genres=["film-noir"])
    manifest = client.get("/stremio/manifest.json").json()
    assert "contactEmail" not in manifest
    genre = next(one for one in manifest["catalogs"][0]["extra"] if one["name"] == "genre")
    assert genre["options"] == ["Film noir"]
    assert manifest["behaviorHints"] == {
        "adult": False, "p2p": False, "configurable": False, "configurationRequired": False,
    }  # fmt: skip
    settings.CONTACT = "mailto:films@example.org"
    assert client.get("/stremio/manifest.json").json()["contactEmail"] == "films@example.org"
    assert client.get("/stremio/catalog/movie/openreel-movies/genre=Nonsense.json").json() == {"metas": []}
