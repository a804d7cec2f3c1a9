"""What is read out of pages, and that nothing hostile in them costs time."""

from __future__ import annotations

from pathlib import Path

import pytest

from scraper.films import Film, FoundLink, Licence
from scraper.structured_data import MOST_LINKS, licence_at, quality_of, read_page
from tests.growth import MAX_GROWTH, growth

PAGES = Path(__file__).parent / "pages" / "structured_data"
URL = "https://films.example.org/f/general"
ZERO, BY_SA = "https://creativecommons.org/publicdomain/zero/1.0/", "https://creativecommons.org/licenses/by-sa/4.0/"
CC0, SHARED = Licence(slug="cc0", url=ZERO), Licence(slug="cc-by-sa", url=BY_SA)


def script(json):
    return f'<script type="application/ld+json">{json}</script>'


def urls_of(html, url=URL):
    return [link.url for link in read_page(html, url=url).links]


def test_a_graph_of_nested_things_is_read_whole():
    page = read_page((PAGES / "graph.html").read_text(), url=URL)
    assert page.film == Film(imdb_id="tt0017925", title="The General", year=1926, licence=CC0)
    assert page.links == (
        FoundLink(url="https://films.example.org/cinema/watch/general", language="en", licence=CC0),
        FoundLink(
            url="https://films.example.org/cinema/general.mp4",
            kind="file",
            quality="720p",
            licence=SHARED,
        ),
        FoundLink(
            url="https://player.example.org/e/9",
            kind="embed",
            quality="720p",
            licence=SHARED,
        ),
        FoundLink(url="https://films.example.org/live.m3u8", kind="stream", licence=CC0),
    )


def test_broken_data_is_passed_over_and_plain_links_are_read():
    page = read_page((PAGES / "broken.html").read_text(), url=URL)
    assert page.film == Film(imdb_id="tt0013442", title="Nosferatu")
    assert page.links == (
        FoundLink(url="https://films.example.org/watch/n", label="Watch in 480p", quality="480p"),
        FoundLink(url="https://player.example.org/embed/1", kind="embed", label="Player"),
        FoundLink(url="https://films.example.org/f/n.webm", kind="file"),
        FoundLink(url="https://films.example.org/f/n.m3u8", kind="stream", quality="1080p", language="de"),
    )


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ('"https://a.example.org/w"', ["https://a.example.org/w"]),
        ('["/1", "/2"]', ["https://films.example.org/1", "https://films.example.org/2"]),
        ('{"@type": "EntryPoint", "urlTemplate": "/1"}', ["https://films.example.org/1"]),
        ('{"@type": "EntryPoint", "urlTemplate": ["/1", "/2"]}', ["https://films.example.org/1", "https://films.example.org/2"]),
        ('{"@type": "EntryPoint", "url": "/1"}', ["https://films.example.org/1"]),
        ('[{"urlTemplate": "/1"}, "/1"]', ["https://films.example.org/1"]),
        ('"https://a.example.org/{id}"', []),
        ("7", []),
        ('{"urlTemplate": [7, "/1"]}', ["https://films.example.org/1"]),
        ('"ftp://a.example.org/"', []),
        ('"file:///etc/passwd"', []),
        ('"//"', []),
        ("null", []),
        ("[[[]]]", []),
    ],
)  # fmt: skip
def test_what_a_watch_action_may_aim_at(target, found):
    assert urls_of(script(f'{{"@type": "WatchAction", "target": {target}}}')) == found


@pytest.mark.parametrize(
    ("value", "quality"),
    [
        ("720p", "720p"), ("Watch in 1080P now", "1080p"), (480, "480p"), ("576", "576p"),
        ("360px", "360p"), (716, "720p"), ("", ""), (0, ""),
        ({"@type": "QuantitativeValue", "value": 2160}, "2160p"), ("HD", ""), (None, ""), ([720], ""),
        (-720, ""), (10**30, ""), ("1720p", ""), ("720pixel", ""), (650, ""), (float("nan"), ""), ("٧٢٠", ""),
    ],
)  # fmt: skip
def test_qualities(value, quality):
    assert quality_of(value) == quality


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://creativecommons.org/publicdomain/mark/1.0/", "public-domain"),
        ("http://creativecommons.org/publicdomain/zero/1.0/deed.de", "cc0"),
        ("https://creativecommons.org/licenses/by/3.0/", "cc-by"),
        ("https://creativecommons.org/licenses/by-sa/3.0/", "cc-by-sa"),
        ("https://creativecommons.org/licenses/by-nc-nd/3.0/", "cc-by-nc-nd"),
        ("https://notcreativecommons.org/licenses/by/3.0/", ""),
        ("https://notcreativecommons.org.example.org/licenses/by/3.0/", ""),
        ("https://example.org/creativecommons.org/licenses/by/3.0/", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_licences(url, slug):
    assert licence_at(url) == (Licence(slug=slug, url=url) if slug else None)


def test_a_licence_on_the_page_counts_for_links_that_name_none():
    html = f'<a rel="nofollow license" href="{BY_SA}">x</a><a href="/watch/1">Watch</a>'
    assert read_page(html, url=URL).links[0].licence == SHARED


def test_a_base_that_is_no_address_is_not_believed():
    assert urls_of('<base href="javascript:x"><a href="watch/1">a</a>') == ["https://films.example.org/f/watch/1"]
    assert urls_of('<base href="//cdn.example.org/x/"><a href="watch/1">a</a>') == ["https://cdn.example.org/x/watch/1"]


def test_links_are_bounded():
    assert len(urls_of("".join(f'<a href="/watch/{n}">a</a>' for n in range(2000)))) == MOST_LINKS


@pytest.mark.parametrize(
    "html", ["", "\x00", "<", "{}", "<html>" * 50, "\ud800", "<a href>", "<script type='application/ld+json'>"]
)
def test_what_is_hardly_a_page_has_nothing(html):
    page = read_page(html.encode("utf-8", "replace").decode(), url=URL)
    assert (page.film, page.links) == (None, ())


def read(html):
    return read_page(html, url=URL)


@pytest.mark.parametrize(
    "make",
    [
        lambda size: "a" * size,
        lambda size: f'<a href="/watch/1">{"a" * size}</a>',
        lambda size: f'<a href="{"a" * size}.mp4">Watch</a>',
        lambda size: f'<a href="/watch/{"1" * (size // 500)}">{"720" * (size // 3)}</a>',
        lambda size: script('{"@type": "Movie", "name": "' + "a" * size + '"}'),
        lambda size: script('{"@type": "Movie", "sameAs": "' + "imdb.com/title/tt" * (size // 17) + '"}'),
        lambda size: script(
            '{"@type": "VideoObject", "videoQuality": "' + "1080" * (size // 4) + '", "contentUrl": "/a.mp4"}'
        ),
        lambda size: script('{"a": ["' + '", "'.join(["aaaa"] * (size // 8)) + '"]' + "," * 10),
        lambda size: script("," + " " * size),
        lambda size: script(", " * (size // 2)),
        lambda size: script("[" * size),
        lambda size: script('{"a":' * (size // 5)),
        lambda size: "<!--" * (size // 4),
        lambda size: "<![CDATA[" * (size // 9),
        lambda size: "<" * size,
        lambda size: "&" * size,
    ],
    ids=range(16),
)
def test_a_megabyte_of_nonsense_is_read_in_proportion_to_its_length(make):
    assert growth(read, make, 1_000_000) < MAX_GROWTH


@pytest.mark.parametrize(
    ("tags", "size"), [("<div>", 4_000_000), ("<a href='/watch/1'>", 400_000), ("<b><i>", 4_000_000)]
)
def test_nesting_is_read_in_proportion_to_its_depth(tags, size):
    assert growth(read, lambda length: tags * (length // len(tags)), size) < MAX_GROWTH
