"""Which addresses a source can vouch for, how it is asked, and what its answers mean: tables of judgement."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from scraper import vouching
from scraper.reading import Unreadable, decoded
from scraper.vouching import DARK, MISSING, PRIVATE, THERE, Subject, Told, vouchers

OWN = Path(__file__).parent / "pages"
RECORDED = Path(__file__).parents[3] / "shared" / "payloads"
ARCHIVE, COMMONS, FRAMATUBE, _ = KNOWN = vouchers(
    archive="https://archive.org",
    commons="https://commons.wikimedia.org/w/api.php",
    instances=["https://framatube.org/", "https://tube.example:8443", "https://framatube.org"],
)
UUID = "9c9de5e8-0a1e-484a-b099-e80766180a6d"
UPLOADS = "https://upload.wikimedia.org/wikipedia/commons"

SUBJECTS = [
    (ARCHIVE, "https://archive.org/details/film", Subject("film")),
    (ARCHIVE, "https://www.archive.org/embed/film", Subject("film")),
    (ARCHIVE, "https://archive.org/details/film?start=1", Subject("film")),
    (ARCHIVE, "https://archive.org/download/film", Subject("film")),
    (ARCHIVE, "https://archive.org/download/film/", Subject("film")),
    (ARCHIVE, "https://archive.org/download/film/a%20b/c.mp4", Subject("film", "a b/c.mp4")),
    (ARCHIVE, "https://archive.org/download/film/caf%C3%A9.mp4", Subject("film", "café.mp4")),
    (ARCHIVE, "https://archive.org/details/", None),
    (ARCHIVE, "https://archive.org/about", None),
    (ARCHIVE, "https://archive.org/download/film/a%00b.mp4", None),
    (ARCHIVE, "https://archive.org.example.com/details/film", None),
    (ARCHIVE, "https://archive.org:8443/details/film", None),
    (COMMONS, "https://commons.wikimedia.org/wiki/File:A_film.webm", Subject("A film.webm")),
    (COMMONS, "https://commons.m.wikimedia.org/wiki/File:a_film.webm", Subject("A film.webm")),
    (COMMONS, "https://commons.wikimedia.org/wiki/Special:FilePath/A%20film.webm", Subject("A film.webm")),
    (COMMONS, "https://commons.wikimedia.org/wiki/File:Cafe%CC%81.webm", Subject("Café.webm")),
    (COMMONS, f"{UPLOADS}/1/1a/A_film.webm", Subject("A film.webm")),
    (COMMONS, f"{UPLOADS}/transcoded/1/1a/A_film.webm/A_film.webm.480p.vp9.webm", Subject("A film.webm")),
    (COMMONS, f"{UPLOADS}/1/1a/A_film.webm/other", None),
    (COMMONS, f"{UPLOADS}/transcoded/1/1a/A_film.webm", None),
    (COMMONS, f"{UPLOADS}/archive/1/1a/20200101000000!A_film.webm", None),
    (COMMONS, "https://upload.wikimedia.org/wikipedia/en/1/1a/A_film.webm", None),
    (COMMONS, "https://commons.wikimedia.org/wiki/File:A%7CB.webm", None),
    (COMMONS, "https://commons.wikimedia.org/wiki/Category:Films", None),
    (FRAMATUBE, f"https://framatube.org/videos/watch/{UUID}", Subject(UUID)),
    (FRAMATUBE, "https://framatube.org/w/kkGMgK9ZtnKfYAgnEtQxbv", Subject("kkGMgK9ZtnKfYAgnEtQxbv")),
    (FRAMATUBE, "https://framatube.org/videos/embed/kkGMgK9ZtnKfYAgnEtQxbv", Subject("kkGMgK9ZtnKfYAgnEtQxbv")),
    (FRAMATUBE, f"https://framatube.org/static/streaming-playlists/hls/{UUID}/x-master.m3u8", Subject(UUID)),
    (FRAMATUBE, f"https://framatube.org/static/streaming-playlists/hls/private/{UUID}/1.mp4", Subject(UUID)),
    # Such a file has a UUID of its own.
    (FRAMATUBE, f"https://framatube.org/static/web-videos/{UUID}-1080.mp4", None),
    (FRAMATUBE, "https://framatube.org/w/p/kkGMgK9ZtnKfYAgnEtQxbv", None),
    (FRAMATUBE, f"https://other.example/videos/watch/{UUID}", None),
    (FRAMATUBE, "https://[", None),
]


@pytest.mark.parametrize(("voucher", "url", "subject"), SUBJECTS)
def test_what_an_address_is_about(voucher, url, subject):
    assert voucher.subject_of(url) == subject


def test_an_instance_is_known_once_and_a_mirror_stands_in_with_its_path():
    assert [voucher.base for voucher in KNOWN[2:]] == ["https://framatube.org", "https://tube.example:8443"]
    assert KNOWN[3].hosts == ["tube.example"]
    mirror = vouchers(archive="http://127.0.0.1:9/archive", commons="http://127.0.0.1:9/api.php", instances=[])[0]
    assert mirror.subject_of("http://127.0.0.1:9/archive/details/film") == Subject("film")
    assert mirror.subject_of("http://127.0.0.1:9/details/film") is None
    assert mirror.question(mirror.base, ["film"]) == ("http://127.0.0.1:9/archive/metadata/film", 1)


def test_commons_is_asked_for_fifty_titles_at_once_and_fewer_when_they_are_long():
    def titles(names):
        url, count = COMMONS.question(COMMONS.base, names)
        told = parse_qs(urlsplit(url).query)["titles"][0].split("|")
        assert (len(told), len(url) < 8000) == (count, True)
        return told

    assert titles([f"Film {number}.webm" for number in range(80)]) == [f"File:Film {n}.webm" for n in range(50)]
    assert len(titles([f"{'é' * 100} {number}.webm" for number in range(50)])) == 9
    assert len(titles(["ж" * 120 + ".webm"])) == 1


def test_instances_are_asked_for_a_video():
    assert FRAMATUBE.question(FRAMATUBE.base, [UUID]) == (f"https://framatube.org/api/v1/videos/{UUID}", 1)


def item(*files, **more):
    return {"metadata": {"identifier": "film"}, "files": [{"name": name} for name in files], **more}


def page(**about):
    return {"query": {"pages": [{"ns": 6, "title": "File:A film.webm", **about}]}}


NO_WORD = None
SAID = [
    (ARCHIVE, 200, {}, MISSING),
    (ARCHIVE, 200, item(is_dark=True), DARK),
    (ARCHIVE, 200, {"is_dark": True}, DARK),
    (ARCHIVE, 200, {"is_dark": "true"}, DARK),
    (ARCHIVE, 200, item(is_dark=False), THERE),
    (ARCHIVE, 200, item("a.mp4"), THERE),
    (ARCHIVE, 200, {"error": "overloaded"}, Unreadable),
    (ARCHIVE, 200, {"metadata": {"identifier": "another"}}, Unreadable),
    (ARCHIVE, 200, {"created": 1}, Unreadable),
    (ARCHIVE, 200, [], Unreadable),
    (ARCHIVE, 404, {}, Unreadable),
    (ARCHIVE, 503, {}, Unreadable),
    (COMMONS, 200, page(missing=True), MISSING),
    (COMMONS, 200, {"query": {"pages": {"-1": {"title": "File:A film.webm", "missing": ""}}}}, MISSING),
    (COMMONS, 200, page(missing=True, known=True, imageinfo=[{"size": 1}]), THERE),
    (COMMONS, 200, page(missing=True, known=True), NO_WORD),
    (COMMONS, 200, {"query": {"pages": {"1": {"title": "File:A film.webm", "missing": "", "known": ""}}}}, NO_WORD),
    (COMMONS, 200, page(imageinfo=[{"size": 1}]), THERE),
    (COMMONS, 200, page(videoinfo=[{"size": 1}]), THERE),
    (COMMONS, 200, page(), NO_WORD),
    (COMMONS, 200, page(missing=False), NO_WORD),
    (COMMONS, 200, page(invalid=True), NO_WORD),
    (COMMONS, 200, {"query": {"pages": []}}, NO_WORD),
    (COMMONS, 200, {"query": {}}, Unreadable),
    (COMMONS, 200, {"batchcomplete": True}, Unreadable),
    (COMMONS, 200, {"error": {"code": "maxlag"}}, Unreadable),
    (COMMONS, 200, {**page(missing=True), "error": {"code": "internal"}}, Unreadable),
    (COMMONS, 500, page(missing=True), Unreadable),
    (FRAMATUBE, 404, {"error": "Video not found"}, MISSING),
    (FRAMATUBE, 404, {"type": "about:blank", "detail": "Video not found", "status": 404}, MISSING),
    (FRAMATUBE, 404, {}, Unreadable),
    (FRAMATUBE, 404, "not found", Unreadable),
    (FRAMATUBE, 200, {"uuid": UUID}, THERE),
    (FRAMATUBE, 200, {"name": "instance"}, Unreadable),
    (FRAMATUBE, 403, {"error": "This video is private"}, NO_WORD),
    (FRAMATUBE, 500, {"error": "oops"}, Unreadable),
]
NAMES = {"internet_archive": "film", "commons": "A film.webm", "peertube": UUID}


@pytest.mark.parametrize(("voucher", "status", "answer", "word"), SAID)
def test_what_an_answer_means(voucher, status, answer, word):
    name = NAMES[voucher.slug]
    if word is Unreadable:
        with pytest.raises(Unreadable):
            voucher.says(status, answer, {name})
    else:
        told = voucher.says(status, answer, {name})
        assert told.get(name, Told(NO_WORD)).word_of("") == word


FILES = [
    (item("a.mp4"), "a.mp4", THERE),
    (item("a.mp4"), "b.mp4", MISSING),
    (item("b/a.mp4"), "b/a.mp4", THERE),
    (item("b/a.mp4"), "b", THERE),
    (item("b.zip"), "b.zip/a.mp4", THERE),
    (item("bc.mp4"), "b", MISSING),
    (item("cafe\u0301.mp4"), "caf\u00e9.mp4", THERE),
    ({**item(), "files": [{"name": "a.mp4", "private": "true"}]}, "a.mp4", PRIVATE),
    ({**item(), "files": [{"name": "a.mp4", "private": "false"}]}, "a.mp4", THERE),
    (item("a.mp4", is_dark=True), "a.mp4", DARK),
    # A list that is not whole tells nothing of what it leaves out.
    (item("a.mp4", files_count=2), "b.mp4", NO_WORD),
    (item("a.mp4", files_count=1), "b.mp4", MISSING),
    (item(), "b.mp4", NO_WORD),
    ({"metadata": {"identifier": "film"}}, "b.mp4", NO_WORD),
]


@pytest.mark.parametrize(("answer", "part", "word"), FILES)
def test_what_an_item_says_of_its_files(answer, part, word):
    assert ARCHIVE.says(200, answer, {"film"})["film"].word_of(part) == word


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
    assert COMMONS.says(200, answer, names) == {"A  film.webm": Told(THERE), "Lost.webm": Told(MISSING)}


def recorded(voucher, folder):
    """The saved answers that this interface could have sent: (file, answer, the word for what it is about)."""
    beginnings = {"internet_archive": "metadata_", "commons": ("videoinfo_", "imageinfo_"), "peertube": "video_"}
    index = folder / "expected.json"
    for row in json.loads(index.read_text("utf-8")) if index.exists() else []:
        source, _, file = row["file"].partition("/")
        if source == voucher.slug and file.startswith(beginnings[source]):
            yield row["file"], decoded((folder / row["file"]).read_bytes()), row["expected"]


@pytest.mark.parametrize(
    ("voucher", "file", "answer", "expected"),
    [
        pytest.param(voucher, *case, id=case[0])
        for voucher in KNOWN[:3]
        for folder in (OWN, RECORDED)
        for case in recorded(voucher, folder)
    ],
)
def test_saved_answers_say_gone_only_where_nothing_was_found(voucher, file, answer, expected):
    words = {"not_found": MISSING, "withdrawn": DARK}
    for name, links in named_in(voucher, answer, expected):
        told = voucher.says(200, answer, {name})[name]
        assert told.word == words.get(expected.get("error"), THERE)
        if told.word == THERE:
            subjects = [voucher.subject_of(link["url"]) for link in links]
            about = [subject for subject in subjects if subject and subject.name == name]
            assert {told.word_of(subject.part) for subject in about} <= {THERE, None}


def named_in(voucher, answer, expected):
    """The names by which one would have asked, with the links that the answer gives."""
    links = expected.get("links", [])
    if voucher is COMMONS:
        pages = vouching.mappings(answer["query"]["pages"])
        return [(one["title"].removeprefix("File:"), links) for one in pages]
    if voucher is ARCHIVE:
        return [(answer.get("metadata", {}).get("identifier", "nothing"), links)]
    return [(answer["uuid"], links)]
