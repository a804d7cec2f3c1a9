"""Source APIs: the URLs that each knows, its queries and what its responses mean, as tables."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from scraper.extraction.json_values import UnreadableResponse, as_mappings, decode_json
from scraper.source_apis import AVAILABLE, MISSING, PRIVATE, WITHDRAWN, ApiStatus, ItemRef, source_apis

OWN = Path(__file__).parent / "pages"
RECORDED = Path(__file__).parents[3] / "shared" / "payloads"
ARCHIVE, COMMONS, FRAMATUBE, _ = KNOWN = source_apis(
    archive="https://archive.org",
    commons="https://commons.wikimedia.org/w/api.php",
    instances=["https://framatube.org/", "https://tube.example:8443", "https://framatube.org"],
)
UUID = "9c9de5e8-0a1e-484a-b099-e80766180a6d"
UPLOADS = "https://upload.wikimedia.org/wikipedia/commons"

SUBJECTS = [
    (ARCHIVE, "https://archive.org/details/film", ItemRef("film")),
    (ARCHIVE, "https://www.archive.org/embed/film", ItemRef("film")),
    (ARCHIVE, "https://archive.org/details/film?start=1", ItemRef("film")),
    (ARCHIVE, "https://archive.org/download/film", ItemRef("film")),
    (ARCHIVE, "https://archive.org/download/film/", ItemRef("film")),
    (ARCHIVE, "https://archive.org/download/film/a%20b/c.mp4", ItemRef("film", "a b/c.mp4")),
    (ARCHIVE, "https://archive.org/download/film/caf%C3%A9.mp4", ItemRef("film", "café.mp4")),
    (ARCHIVE, "https://archive.org/details/", None),
    (ARCHIVE, "https://archive.org/about", None),
    (ARCHIVE, "https://archive.org/download/film/a%00b.mp4", None),
    (ARCHIVE, "https://archive.org.example.com/details/film", None),
    (ARCHIVE, "https://archive.org:8443/details/film", None),
    (COMMONS, "https://commons.wikimedia.org/wiki/File:A_film.webm", ItemRef("A film.webm")),
    (COMMONS, "https://commons.m.wikimedia.org/wiki/File:a_film.webm", ItemRef("A film.webm")),
    (COMMONS, "https://commons.wikimedia.org/wiki/Special:FilePath/A%20film.webm", ItemRef("A film.webm")),
    (COMMONS, "https://commons.wikimedia.org/wiki/File:Cafe%CC%81.webm", ItemRef("Café.webm")),
    (COMMONS, f"{UPLOADS}/1/1a/A_film.webm", ItemRef("A film.webm")),
    (COMMONS, f"{UPLOADS}/transcoded/1/1a/A_film.webm/A_film.webm.480p.vp9.webm", ItemRef("A film.webm")),
    (COMMONS, f"{UPLOADS}/1/1a/A_film.webm/other", None),
    (COMMONS, f"{UPLOADS}/transcoded/1/1a/A_film.webm", None),
    (COMMONS, f"{UPLOADS}/archive/1/1a/20200101000000!A_film.webm", None),
    (COMMONS, "https://upload.wikimedia.org/wikipedia/en/1/1a/A_film.webm", None),
    (COMMONS, "https://commons.wikimedia.org/wiki/File:A%7CB.webm", None),
    (COMMONS, "https://commons.wikimedia.org/wiki/Category:Films", None),
    (FRAMATUBE, f"https://framatube.org/videos/watch/{UUID}", ItemRef(UUID)),
    (FRAMATUBE, "https://framatube.org/w/kkGMgK9ZtnKfYAgnEtQxbv", ItemRef("kkGMgK9ZtnKfYAgnEtQxbv")),
    (FRAMATUBE, "https://framatube.org/videos/embed/kkGMgK9ZtnKfYAgnEtQxbv", ItemRef("kkGMgK9ZtnKfYAgnEtQxbv")),
    (FRAMATUBE, f"https://framatube.org/static/streaming-playlists/hls/{UUID}/x-master.m3u8", ItemRef(UUID)),
    (FRAMATUBE, f"https://framatube.org/static/streaming-playlists/hls/private/{UUID}/1.mp4", ItemRef(UUID)),
    # Such a file has a UUID of its own.
    (FRAMATUBE, f"https://framatube.org/static/web-videos/{UUID}-1080.mp4", None),
    (FRAMATUBE, "https://framatube.org/w/p/kkGMgK9ZtnKfYAgnEtQxbv", None),
    (FRAMATUBE, f"https://other.example/videos/watch/{UUID}", None),
    (FRAMATUBE, "https://[", None),
]


@pytest.mark.parametrize(("source_api", "url", "subject"), SUBJECTS)
def test_what_an_address_is_about(source_api, url, subject):
    assert source_api.item_for_url(url) == subject


def test_an_instance_is_known_once_and_a_mirror_stands_in_with_its_path():
    assert [source_api.base for source_api in KNOWN[2:]] == ["https://framatube.org", "https://tube.example:8443"]
    assert KNOWN[3].hosts == ["tube.example"]
    mirror = source_apis(archive="http://127.0.0.1:9/archive", commons="http://127.0.0.1:9/api.php", instances=[])[0]
    assert mirror.item_for_url("http://127.0.0.1:9/archive/details/film") == ItemRef("film")
    assert mirror.item_for_url("http://127.0.0.1:9/details/film") is None
    assert mirror.build_query(mirror.base, ["film"]) == ("http://127.0.0.1:9/archive/metadata/film", 1)


def test_commons_is_asked_for_fifty_titles_at_once_and_fewer_when_they_are_long():
    def titles(names):
        url, count = COMMONS.build_query(COMMONS.base, names)
        stated = parse_qs(urlsplit(url).query)["titles"][0].split("|")
        assert (len(stated), len(url) < 8000) == (count, True)
        return stated

    assert titles([f"Film {number}.webm" for number in range(80)]) == [f"File:Film {n}.webm" for n in range(50)]
    assert len(titles([f"{'é' * 100} {number}.webm" for number in range(50)])) == 9
    assert len(titles(["ж" * 120 + ".webm"])) == 1


def test_instances_are_asked_for_a_video():
    assert FRAMATUBE.build_query(FRAMATUBE.base, [UUID]) == (f"https://framatube.org/api/v1/videos/{UUID}", 1)


def item(*files, **more):
    return {"metadata": {"identifier": "film"}, "files": [{"name": name} for name in files], **more}


def page(**about):
    return {"query": {"pages": [{"ns": 6, "title": "File:A film.webm", **about}]}}


NO_WORD = None
SAID = [
    (ARCHIVE, 200, {}, MISSING),
    (ARCHIVE, 200, item(is_dark=True), WITHDRAWN),
    (ARCHIVE, 200, {"is_dark": True}, WITHDRAWN),
    (ARCHIVE, 200, {"is_dark": "true"}, WITHDRAWN),
    (ARCHIVE, 200, item(is_dark=False), AVAILABLE),
    (ARCHIVE, 200, item("a.mp4"), AVAILABLE),
    (ARCHIVE, 200, {"error": "overloaded"}, UnreadableResponse),
    (ARCHIVE, 200, {"metadata": {"identifier": "another"}}, UnreadableResponse),
    (ARCHIVE, 200, {"created": 1}, UnreadableResponse),
    (ARCHIVE, 200, [], UnreadableResponse),
    (ARCHIVE, 404, {}, UnreadableResponse),
    (ARCHIVE, 503, {}, UnreadableResponse),
    (COMMONS, 200, page(missing=True), MISSING),
    (COMMONS, 200, {"query": {"pages": {"-1": {"title": "File:A film.webm", "missing": ""}}}}, MISSING),
    (COMMONS, 200, page(missing=True, known=True, imageinfo=[{"size": 1}]), AVAILABLE),
    (COMMONS, 200, page(missing=True, known=True), NO_WORD),
    (COMMONS, 200, {"query": {"pages": {"1": {"title": "File:A film.webm", "missing": "", "known": ""}}}}, NO_WORD),
    (COMMONS, 200, page(imageinfo=[{"size": 1}]), AVAILABLE),
    (COMMONS, 200, page(videoinfo=[{"size": 1}]), AVAILABLE),
    (COMMONS, 200, page(), NO_WORD),
    (COMMONS, 200, page(missing=False), NO_WORD),
    (COMMONS, 200, page(invalid=True), NO_WORD),
    (COMMONS, 200, {"query": {"pages": []}}, NO_WORD),
    (COMMONS, 200, {"query": {}}, UnreadableResponse),
    (COMMONS, 200, {"batchcomplete": True}, UnreadableResponse),
    (COMMONS, 200, {"error": {"code": "maxlag"}}, UnreadableResponse),
    (COMMONS, 200, {**page(missing=True), "error": {"code": "internal"}}, UnreadableResponse),
    (COMMONS, 500, page(missing=True), UnreadableResponse),
    (FRAMATUBE, 404, {"error": "Video not found"}, MISSING),
    (FRAMATUBE, 404, {"type": "about:blank", "detail": "Video not found", "status": 404}, MISSING),
    (FRAMATUBE, 404, {}, UnreadableResponse),
    (FRAMATUBE, 404, "not found", UnreadableResponse),
    (FRAMATUBE, 200, {"uuid": UUID}, AVAILABLE),
    (FRAMATUBE, 200, {"name": "instance"}, UnreadableResponse),
    (FRAMATUBE, 403, {"error": "This video is private"}, NO_WORD),
    (FRAMATUBE, 500, {"error": "oops"}, UnreadableResponse),
]
NAMES = {"internet_archive": "film", "commons": "A film.webm", "peertube": UUID}


@pytest.mark.parametrize(("source_api", "status", "answer", "word"), SAID)
def test_what_an_answer_means(source_api, status, answer, word):
    name = NAMES[source_api.slug]
    if word is UnreadableResponse:
        with pytest.raises(UnreadableResponse):
            source_api.parse_statuses(status, answer, {name})
    else:
        stated = source_api.parse_statuses(status, answer, {name})
        assert stated.get(name, ApiStatus(NO_WORD)).reason_for("") == word


FILES = [
    (item("a.mp4"), "a.mp4", AVAILABLE),
    (item("a.mp4"), "b.mp4", MISSING),
    (item("b/a.mp4"), "b/a.mp4", AVAILABLE),
    (item("b/a.mp4"), "b", AVAILABLE),
    (item("b.zip"), "b.zip/a.mp4", AVAILABLE),
    (item("bc.mp4"), "b", MISSING),
    (item("cafe\u0301.mp4"), "caf\u00e9.mp4", AVAILABLE),
    ({**item(), "files": [{"name": "a.mp4", "private": "true"}]}, "a.mp4", PRIVATE),
    ({**item(), "files": [{"name": "a.mp4", "private": "false"}]}, "a.mp4", AVAILABLE),
    (item("a.mp4", is_dark=True), "a.mp4", WITHDRAWN),
    # A list that is not whole tells nothing of what it leaves out.
    (item("a.mp4", files_count=2), "b.mp4", NO_WORD),
    (item("a.mp4", files_count=1), "b.mp4", MISSING),
    (item(), "b.mp4", NO_WORD),
    ({"metadata": {"identifier": "film"}}, "b.mp4", NO_WORD),
]


@pytest.mark.parametrize(("answer", "part", "word"), FILES)
def test_what_an_item_says_of_its_files(answer, part, word):
    assert ARCHIVE.parse_statuses(200, answer, {"film"})["film"].reason_for(part) == word


def test_titles_that_commons_spells_otherwise_or_has_moved_are_followed():
    answer = {
        "query": {
            "normalized": [{"from": "File:A  film.webm", "to": "File:A film.webm"}],
            "redirects": [{"from": "File:A film.webm", "to": "File:Film (1922).webm"}],
            "pages": [
                {"title": "File:Film (1922).webm", "imageinfo": [{"size": 1}]},
                {"title": "File:Lost.webm", "missing": True},
            ],
        }
    }
    names = {"A  film.webm", "Lost.webm", "Never named.webm"}
    assert COMMONS.parse_statuses(200, answer, names) == {
        "A  film.webm": ApiStatus(AVAILABLE),
        "Lost.webm": ApiStatus(MISSING),
    }


def recorded(source_api, folder):
    """The saved answers that this interface could have sent: (file, answer, the word for what it is about)."""
    beginnings = {"internet_archive": "metadata_", "commons": ("videoinfo_", "imageinfo_"), "peertube": "video_"}
    index = folder / "expected.json"
    for row in json.loads(index.read_text("utf-8")) if index.exists() else []:
        source, _, file = row["file"].partition("/")
        if source == source_api.slug and file.startswith(beginnings[source]):
            yield row["file"], decode_json((folder / row["file"]).read_bytes()), row["expected"]


@pytest.mark.parametrize(
    ("source_api", "file", "answer", "expected"),
    [
        pytest.param(source_api, *case, id=case[0])
        for source_api in KNOWN[:3]
        for folder in (OWN, RECORDED)
        for case in recorded(source_api, folder)
    ],
)
def test_saved_answers_say_gone_only_where_nothing_was_found(source_api, file, answer, expected):
    words = {"not_found": MISSING, "withdrawn": WITHDRAWN}
    for name, links in named_in(source_api, answer, expected):
        stated = source_api.parse_statuses(200, answer, {name})[name]
        assert stated.reason == words.get(expected.get("error"), AVAILABLE)
        if stated.reason == AVAILABLE:
            subjects = [source_api.item_for_url(link["url"]) for link in links]
            about = [subject for subject in subjects if subject and subject.name == name]
            assert {stated.reason_for(subject.part) for subject in about} <= {AVAILABLE, None}


def named_in(source_api, answer, expected):
    """The names by which one would have asked, with the links that the answer gives."""
    links = expected.get("links", [])
    if source_api is COMMONS:
        pages = as_mappings(answer["query"]["pages"])
        return [(one["title"].removeprefix("File:"), links) for one in pages]
    if source_api is ARCHIVE:
        return [(answer.get("metadata", {}).get("identifier", "nothing"), links)]
    return [(answer["uuid"], links)]
