"""Pages made to be expensive: what is read of them is limited, and costs no more than in proportion."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from scraper.extraction.film_page import MAX_LINKS_PER_PAGE, extract_film
from scraper.extraction.html_page import MAX_ATTRIBUTES, MAX_DEPTH, MAX_PAGE_ELEMENTS, parse_html
from scraper.extraction.walls import is_wall
from tests.helpers.growth import MAX_GROWTH, growth

NOW = datetime(2026, 6, 1, tzinfo=UTC)
UNITS = [
    "<a>",
    "<a href='/f.mp4'>b</a>",
    "<div itemprop='contentUrl' content='/f.mp4'>",
    "<font>a",
    "<h1>",
    "<iframe src='/videos/embed/1'></iframe>",
    "<img srcset='a 1x, b 2x'>",
    "<li>",
    "<meta content='/f.mp4' property='og:video'>",
    "<script type='application/ld+json'>{}</script>",
    "<video><source src='/f.mp4'>",
]


def read(html):
    is_wall(html, headers={})
    return extract_film(html, url="https://h.example/f", now=NOW)


def script(block):
    return f'<script type="application/ld+json">{json.dumps(block)}</script>'


@pytest.mark.parametrize("unit", UNITS)
def test_a_page_of_one_kind_of_element_ends_at_a_limit(unit):
    assert sum(1 for _ in parse_html(unit * (MAX_PAGE_ELEMENTS + 10)).root.iter()) <= MAX_PAGE_ELEMENTS


@pytest.mark.parametrize("unit", ["<font>a", "<video><source src='/f.mp4'>"])
def test_nested_elements_cost_in_proportion(unit):
    assert growth(read, lambda size: unit * (size // len(unit)), 24_000) < MAX_GROWTH


def test_names_and_characters_that_no_tree_may_have_are_left_out():
    root = parse_html("<p a:b='1' \"c=2 d='x\x01y'><q\"r>s\x02t</q\"r></p><o:p>u</o:p><i>v")
    assert "".join(root.xpath("//text()").getall()) == "stuv"
    assert root.xpath("//p/@d").get() == "xy"


def test_attributes_and_depth_are_limited():
    attributes = " ".join(f"a{number}" for number in range(40_000))
    assert len(parse_html(f"<p {attributes}>").xpath("//p/@*")) == MAX_ATTRIBUTES
    nested = parse_html("<div>" * 1_000 + "<i>x</i>")
    assert len(nested.xpath("//div")) == 1_000
    assert int(float(nested.xpath("count(//i/ancestor::*)").get())) <= MAX_DEPTH


@pytest.mark.parametrize("html", ["", "<html/>", "just <b>text", "<!-- c --><p>a<p>b", "<p>\ud800", "<table><td>a"])
def test_a_page_within_the_limits_is_read_whole(html):
    assert parse_html(html).xpath("string()").get() == html.translate({0xD800: "?"}).replace("<!-- c -->", "").replace(
        "<p>", ""
    ).replace("<b>", "").replace("<html/>", "").replace("<table><td>", "")


def test_references_do_not_multiply():
    """The 120 KB page that took minutes: each limit held alone, their product was 40 million links."""
    offer = {"@id": "#a", "@type": "WatchAction", "target": [{"@id": "#t"}] * 100}
    films = [{"@type": "Movie", "name": "x", "potentialAction": [{"@id": "#a"}] * 100}] * 20
    target = {"@id": "#t", "@type": "EntryPoint", "urlTemplate": [f"/{number}" for number in range(200)]}
    assert len(read(script({"@graph": [*films, offer, target]})).links) == 200


def test_a_page_has_at_most_so_many_links_and_a_budget_for_its_offers():
    ways = [{"@id": f"#w{n}", "expectsAcceptanceOf": [{"price": 1}] * 100} for n in range(100)]
    actions = [
        {"@id": f"#a{n}", "@type": "WatchAction", "target": f"/{n}", "actionAccessibilityRequirement": refs(ways)}
        for n in range(100)
    ]
    films = [{"@type": "Movie", "name": "x", "potentialAction": refs(actions)}] * 20
    assert 0 < len(read(script({"@graph": [*films, *actions, *ways]})).links) < len(actions)
    many = "".join(f"<a href='/{number}.mp4'>" for number in range(2 * MAX_LINKS_PER_PAGE))
    assert len(read(many).links) == MAX_LINKS_PER_PAGE


def refs(nodes):
    return [{"@id": node["@id"]} for node in nodes]


def test_a_shared_condition_still_counts_for_each_episode():
    condition = {"@id": "#paid", "category": "subscription"}
    episodes = [
        {
            "@type": "TVEpisode",
            "potentialAction": {
                "@type": "WatchAction", "target": f"/{number}", "actionAccessibilityRequirement": {"@id": paid}
            },
        }
        for number, paid in enumerate(["#paid", "#free", "#paid", "#free"])
    ]  # fmt: skip
    show = {"@type": "TVSeries", "name": "x", "episode": episodes}
    found = read(script({"@graph": [show, condition, {"@id": "#free", "category": "free"}]}))
    assert [link.url for link in found.links] == ["https://h.example/1", "https://h.example/3"]
