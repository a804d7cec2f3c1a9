"""The order of links, by tables."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import pytest

from streaming.ranking import accepted_languages, best_first


@dataclass(frozen=True)
class Link:
    name: str
    is_active: bool = True
    uptime: float | None = None
    language: str = ""
    quality: str = ""
    kind: str = "page"
    response_ms: int | None = None
    length_note: str = ""
    source: str = "commons"
    source_url: str = "https://a.example.org/"


@pytest.mark.parametrize(
    ("better", "worse", "languages"),
    [
        (Link("active", quality="240p"), Link("dead", is_active=False, quality="2160p"), []),
        (Link("reliable", uptime=0.9), Link("unreliable", uptime=0.89, quality="2160p"), []),
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
