"""The order of links, by tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import permutations

import pytest

from streaming.ranking import accepted_languages, best_first, plays_in_browser

CHECKED = datetime(2026, 11, 28, tzinfo=UTC)


@dataclass(frozen=True)
class Link:
    name: str
    is_active: bool = True
    last_checked: datetime | None = CHECKED
    uptime: float | None = None
    language: str = ""
    quality: str = ""
    kind: str = "page"
    response_ms: int | None = None
    length_note: str = ""
    source: str = "commons"
    source_url: str = "https://a.example.org/"
    season: int | None = None
    episode: int | None = None


@pytest.mark.parametrize(
    ("better", "worse", "languages"),
    [
        (Link("active", quality="240p"), Link("dead", is_active=False, quality="2160p"), []),
        (Link("reliable", uptime=0.9), Link("unreliable", uptime=0.89, quality="2160p"), []),
        (Link("checked"), Link("never checked", last_checked=None, quality="2160p", language="de"), ["de"]),
        (Link("unreliable", uptime=0.5), Link("never checked", last_checked=None, quality="2160p"), []),
        (Link("never checked", last_checked=None), Link("dead", is_active=False, quality="2160p"), []),
        (
            Link("reliable", uptime=1.0, kind="file", source_url="https://a.example.org/a.ogv"),
            Link("not", uptime=0.5),
            [],
        ),
        (
            Link("page"),
            Link("no browser plays it", kind="file", quality="1080p", source_url="https://a.example.org/a.mkv"),
            [],
        ),
        (
            Link("plays", language="fr"),
            Link("no browser plays it", kind="file", language="de", source_url="https://a.example.org/a.ogv?x=1.mp4"),
            ["de"],
        ),
        (Link("whole", quality="240p"), Link("excerpt", quality="2160p", length_note="shorter than the film"), []),
        (Link("excerpt", length_note="shorter than the film"), Link("dead", is_active=False), []),
        (Link("never checked"), Link("unreliable", uptime=0.5, quality="2160p"), []),
        (
            Link("reliable, small", uptime=0.95, quality="720p"),
            Link("perfect, smaller", uptime=1.0, quality="480p"),
            [],
        ),
        (Link("preferred", language="de", quality="240p"), Link("other", language="fr", quality="2160p"), ["de"]),
        (Link("preferred, regional", language="pt-BR"), Link("other", language="es"), ["pt"]),
        (Link("preferred, general", language="pt"), Link("other", language="es"), ["pt-BR"]),
        (Link("first choice", language="de"), Link("second choice", language="en", quality="2160p"), ["de", "en"]),
        (Link("preferred", language="de"), Link("no dialogue", language="zxx", quality="2160p"), ["de"]),
        (Link("no dialogue", language="zxx"), Link("foreign", language="fr", quality="2160p"), ["de"]),
        (Link("not stated"), Link("foreign", language="fr", quality="2160p"), ["de"]),
        (Link("S1 E2", season=1, episode=2), Link("S1 E10", season=1, episode=10, quality="1080p"), []),
        (Link("S1 E9", season=1, episode=9, response_ms=900), Link("S2 E1", season=2, episode=1, response_ms=5), []),
        (Link("S3 E1", season=3, episode=1), Link("whole show", quality="1080p"), []),
        (Link("S1 E1", season=1, episode=1), Link("special", season=0, episode=1), []),
        (Link("S2 E1", season=2, episode=1), Link("dead", season=1, episode=1, is_active=False), []),
        (
            Link("checked", season=1, episode=1),
            Link("never checked", season=1, episode=1, last_checked=None, quality="1080p"),
            [],
        ),
        (Link("high quality", quality="1080p", language="fr"), Link("low quality", quality="720p", language="en"), []),
        (Link("known", quality="240p"), Link("unknown"), []),
        (Link("file", kind="file"), Link("stream", kind="stream"), []),
        (Link("stream", kind="stream"), Link("embed", kind="embed"), []),
        (Link("embed", kind="embed"), Link("page", kind="page"), []),
        (Link("fast", response_ms=50), Link("slow", response_ms=900), []),
        (Link("slow", response_ms=9000), Link("never measured"), []),
        (Link("first source", source="internet_archive"), Link("later source", source="vodo"), []),
        (Link("known source", source="vodo"), Link("unknown source", source="aaa"), []),
        (Link("a", source_url="https://a.example.org/1"), Link("b", source_url="https://a.example.org/2"), []),
    ],
)
def test_the_better_link_comes_first(better, worse, languages):
    assert best_first([worse, better], languages=languages) == [better, worse]
    assert best_first([better, worse], languages=languages) == [better, worse]


@pytest.mark.parametrize(
    ("kind", "url", "plays"),
    [
        ("file", "https://a.example.org/a.mp4", True),
        ("file", "https://a.example.org/a.WEBM#t=1", True),
        ("file", "https://a.example.org/watch", True),
        ("file", "https://a.example.org/a.OGV", False),
        ("file", "https://a.example.org/a.mpeg?token=1.mp4", False),
        ("file", "https://[bad/a.mkv", False),
        ("file", "https://a.example.mkv/watch", True),
        ("page", "https://commons.wikimedia.org/wiki/File:A.ogv", True),
        ("stream", "https://a.example.org/a.m3u8", True),
        ("stream", "https://a.example.org/a.mpd", False),
    ],
)
def test_the_name_of_a_file_tells_whether_browsers_play_it(kind, url, plays):
    assert plays_in_browser(Link("x", kind=kind, source_url=url)) is plays


def test_the_result_does_not_depend_on_the_input_order():
    links = [
        Link(str(n), quality=q, source_url=f"https://a.example.org/{n}")
        for n, q in enumerate(("", "720p", "720p", "1080p"))
    ]
    orders = {tuple(link.name for link in best_first(shuffled)) for shuffled in permutations(links)}
    assert orders == {("3", "1", "2", "0")}


def named(*names, **more):
    return [Link(name, kind="file", source_url=f"https://a.example.org/{name}", **more) for name in names]


@pytest.mark.parametrize(
    "parts",
    [
        ("Ferry_CD1.mp4", "Ferry_CD2.mp4"),
        ("ferry.part.1.of.2.mp4", "ferry.part.2.of.2.mp4"),
        ("Ferry%20(Disc%201).mp4", "Ferry%20(Disc%202).mp4"),
        ("reel_01.mp4", "reel_02.mp4", "reel_10.mp4"),
    ],
)
def test_the_parts_of_one_film_are_one_choice_in_their_order(parts):
    first, *others = named(*parts)
    fast = [Link(one.name, kind="file", source_url=one.source_url, response_ms=10) for one in others]
    between = Link("whole", kind="file", source_url="https://a.example.org/whole.mp4", response_ms=50)
    assert best_first([*reversed(fast), between, first]) == [between, first, *fast]


@pytest.mark.parametrize(
    "names", [("Ferry_2.mp4", "Ferry_1.mp4"), ("apart1.mp4", "apart2.mp4"), ("counterpart-1.mp4", "depart-2.mp4")]
)
def test_other_numbers_in_names_make_no_parts(names):
    slow, fast = named(names[0], response_ms=90)[0], named(names[1], response_ms=10)[0]
    between = Link("other", kind="file", response_ms=50)
    assert best_first([slow, fast, between]) == [fast, between, slow]


def test_a_part_that_works_is_offered_before_dead_links():
    alive, dead = named("f_cd1.mp4")[0], named("f_cd2.mp4", is_active=False)[0]
    other = Link("dead", is_active=False, quality="2160p")
    assert best_first([other, dead, alive])[0] == alive


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("", []),
        ("de", ["de"]),
        ("en-US,en;q=0.5", ["en-us", "en"]),
        ("pt-BR;q=0.8,zh-Hant-TW,es;q=0.8", ["zh-hant-tw", "pt-br", "es"]),
        ("fr;q=0.2, de ; q=0.9 ,en", ["en", "de", "fr"]),
        ("de;q=0,en", ["en"]),
        ("*", []),
        ("en,*;q=0.1", ["en"]),
        ("de;q=2,en", []),
        ("\x00,;;,q=1,de", []),
        ("a," * 100_000, ["a"] * 10),
    ],
)
def test_accept_language_gives_the_most_preferred_language_first(header, languages):
    assert accepted_languages(header) == languages
