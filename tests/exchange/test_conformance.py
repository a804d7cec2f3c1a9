"""Our output has the format that players read: 7 payloads of Stremio's protocol, of playlists and of strm files.

Our own payloads, under `pages/`, have to be equal. The 7 recorded ones, if they are beside the project, have to agree
in their structure and in all values that follow from the same film.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streaming.exchange import m3u, stremio, strm
from streaming.exchange.entries import LinkEntry, MovieEntry
from streaming.exchange.stremio import VideoId
from tests.helpers.paths import RECORDED_PAYLOADS

OWN = Path(__file__).parent / "pages"
OUR_FORMATS = ("stremio/", "m3u_strm/")
SITE = "https://films.example.org"
ARCHIVE = "https://archive.org/download"
BUNNY = MovieEntry(
    imdb_id="tt1254207",
    title="Big Buck Bunny",
    year=2008,
    links=(
        LinkEntry(
            source="internet_archive",
            source_name="Internet Archive",
            source_url=f"{ARCHIVE}/BigBuckBunny1280x720Stereo/big_buck_bunny_720_stereo.mp4",
            kind="file",
            label="h.264",
            quality="720p",
            language="English",
        ),
        LinkEntry(
            source="commons",
            source_name="Wikimedia Commons",
            source_url="https://commons.wikimedia.org/wiki/File:Big_Buck_Bunny_4K.webm",
            label="watch page",
        ),
    ),
)
LIVING_DEAD = MovieEntry(
    imdb_id="tt0063350",
    title="Night of the Living Dead",
    year=1968,
    links=(
        LinkEntry(source="commons", source_url="https://commons.wikimedia.org/wiki/File:Living_Dead.webm"),
        LinkEntry(
            source="internet_archive",
            source_url=f"{ARCHIVE}/Night.Of.The.Living.Dead_1080p/NightOfTheLivingDead_720p.mp4",
            kind="file",
            quality="720p",
            language="en",
        ),
    ),
)


@dataclass(frozen=True)
class Payload:
    folder: Path
    file: str

    @property
    def is_own(self) -> bool:
        return self.folder == OWN

    def text(self) -> str:
        return (self.folder / self.file).read_bytes().decode()

    def value(self) -> Any:
        return json.loads(self.text())


def manifest(payload: Payload) -> None:
    stated = payload.value()
    ours = stremio.build_manifest(
        version="1.0.0",
        name="Openreel",
        description="Free films",
        logo=f"{SITE}/logo.svg",
        contact="films@example.org",
        genres=["film-noir"],
    )
    if payload.is_own:
        assert ours == stated
    assert set(stated) <= set(ours)
    assert set(stated["types"]) <= set(ours["types"])
    assert {frozenset(one) for one in ours["catalogs"]} == {frozenset({*stated["catalogs"][0], "name", "extra"})}
    assert names_of(stated["resources"]) <= names_of(ours["resources"])
    by_name = {one["name"]: one for one in ours["resources"] if isinstance(one, dict)}
    for one in stated["resources"]:
        if isinstance(one, dict):
            assert set(one) == set(by_name[one["name"]])
            assert one["idPrefixes"] == by_name[one["name"]]["idPrefixes"]


def names_of(resources: list[Any]) -> set[str]:
    return {one if isinstance(one, str) else one["name"] for one in resources}


def catalogue(payload: Payload) -> None:
    stated = payload.value()
    films = [MovieEntry(imdb_id=one["id"], title=one["name"], poster_url=one["poster"]) for one in stated["metas"]]
    ours = stremio.build_catalogue(films, site=SITE)
    assert set(ours) == set(stated)
    for written, wanted in zip(ours["metas"], stated["metas"], strict=True):
        assert {key: written[key] for key in wanted} == wanted
        assert not payload.is_own or written == wanted


def streams(payload: Payload) -> None:
    stated, ours = payload.value(), stremio.build_streams(BUNNY, VideoId(BUNNY.imdb_id), site=SITE)
    if payload.is_own:
        assert ours == stated
    assert set(ours) == set(stated)
    for written, wanted in zip(ours["streams"], stated["streams"], strict=True):
        assert set(written) == set(wanted)
        assert {key: written.get(key) for key in ("name", "url", "externalUrl")} == {
            key: wanted.get(key) for key in ("name", "url", "externalUrl")
        }
        assert written["description"].startswith(wanted["description"])
        hints, wanted_hints = written.get("behaviorHints", {}), wanted.get("behaviorHints", {})
        assert set(hints) == set(wanted_hints)
        assert hints.get("filename") == wanted_hints.get("filename")


def meta_of_a_film(payload: Payload) -> None:
    """For the same film, our description has the same values under the same names."""
    imdb_id, stated = payload.value()
    assert (imdb_id, stated["type"], stated["id"]) == ("tt1254207", "movie", imdb_id)
    film = MovieEntry(
        imdb_id=imdb_id,
        title=stated["name"],
        year=int(stated["releaseInfo"]),
        poster_url=stated["poster"],
        synopsis=stated["description"],
    )
    ours = stremio.build_meta(film, site=SITE)["meta"]
    common = ("id", "type", "name", "poster", "releaseInfo", "description")
    assert {key: ours[key] for key in common} == {key: stated[key] for key in common}
    assert "background" in set(ours) & set(stated)
    assert stremio.build_streams(film, VideoId(imdb_id), site=SITE) == {"streams": []}
    if (expected := expectation(payload)) is not None:
        assert expected == {
            "imdb_id": ours["id"],
            "title": ours["name"],
            "year": int(ours["releaseInfo"]),
            "type": ours["type"],
            "links": [],
        }


def listed_streams(payload: Payload) -> None:
    """Each URL of a plain list becomes a stream; one that is not https is not ready for web pages."""
    stated = payload.value()
    links = [
        LinkEntry(source="blender", source_url=one["url"], kind="file", label=one["title"])
        for one in stated
        if one["id"] == BUNNY.imdb_id
    ]
    film = MovieEntry(imdb_id=BUNNY.imdb_id, title=BUNNY.title, links=tuple(links))
    ours = stremio.build_streams(film, VideoId(BUNNY.imdb_id), site=SITE)["streams"]
    assert [(one["url"], one["description"]) for one in ours] == [(one["url"], one["title"]) for one in stated]
    for one in ours:
        assert one["behaviorHints"].get("notWebReady", False) is one["url"].startswith("http:")
    if (expected := expectation(payload)) is not None:
        assert expected["imdb_id"] == film.imdb_id
        assert [link["url"] for link in expected["links"]] == [one["url"] for one in ours]
        assert {(link["kind"], link["quality"], link["language"]) for link in expected["links"]} == {
            (link.kind, link.quality or None, link.language or None) for link in film.links
        }


def playlist(payload: Payload) -> None:
    assert "".join(m3u.write_m3u([LIVING_DEAD])) == payload.text()


def strm_file(payload: Payload) -> None:
    ours = [(name, text) for _, name, text in strm.write_strm([LIVING_DEAD])]
    assert ours == [(Path(payload.file).name, payload.text())]


CHECKS: dict[str, Callable[[Payload], None]] = {
    "stremio/manifest_minimal.json": manifest,
    "stremio/catalog_movie.json": catalogue,
    "stremio/stream_tt1254207_expected.json": streams,
    "stremio/public_domain_meta_include.json": meta_of_a_film,
    "stremio/public_domain_streams_include.json": listed_streams,
    "m3u_strm/playlist_expected.m3u8": playlist,
    "m3u_strm/Night of the Living Dead (1968).strm": strm_file,
}


def expected_values() -> dict[str, Any]:
    path = RECORDED_PAYLOADS / "expected.json"
    rows = json.loads(path.read_text("utf-8")) if path.exists() else []
    return {row["file"]: row["expected"] for row in rows if row["file"].startswith(OUR_FORMATS)}


def expectation(payload: Payload) -> dict[str, Any] | None:
    """The values that the index expects of a recorded payload; None for our own ones."""
    return None if payload.is_own else expected_values()[payload.file]


def payloads() -> list[Payload]:
    return [Payload(OWN, file) for file in CHECKS] + [Payload(RECORDED_PAYLOADS, file) for file in expected_values()]


@pytest.mark.parametrize("payload", payloads(), ids=lambda payload: f"{payload.folder.name}-{payload.file}")
def test_our_output_has_the_format_that_players_read(payload: Payload) -> None:
    CHECKS[payload.file](payload)


def test_all_payloads_of_our_formats_are_compared(record_property: Callable[[str, object], None]) -> None:
    recorded = expected_values()
    record_property("recorded_outputs", len(recorded))
    assert set(recorded) in (set(), set(CHECKS))
    assert {str(path.relative_to(OWN)) for path in OWN.rglob("*") if path.is_file()} == set(CHECKS)
