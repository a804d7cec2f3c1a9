"""What is read out of pages, and that nothing hostile in them costs more than in proportion to its length."""

from __future__ import annotations

import pytest

from scraper.extraction.film import LicenceStatement, licence_from_url
from scraper.extraction.film_page import extract_film
from tests.helpers.growth import MAX_GROWTH, growth

URL = "https://films.example.org/f/general"


def script(json):
    return f'<script type="application/ld+json">{json}</script>'


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
    assert licence_from_url(url) == (LicenceStatement(slug=slug, url=url) if slug else None)


def read(html):
    return extract_film(html, url=URL)


@pytest.mark.parametrize(
    ("page", "stated", "synopses"),
    [
        ("de-AT", '"Eine M&uuml;hle."', (("de-AT", "Eine Mühle."),)),
        ("", '"A mill."', ()),
        ("<b>", '"A mill."', ()),
        ("fr", '{"@value": "Eine Mühle.", "@language": "de"}', (("de", "Eine Mühle."),)),
        (
            "fr",
            '["Un moulin.", {"@value": "A mill.", "@language": "en"}, 5]',
            (("fr", "Un moulin."), ("en", "A mill."), ("fr", "5")),
        ),
        ("de", "[]", ()),
        ("de", '{"@language": "de"}', ()),
    ],
)
def test_a_description_has_the_language_that_it_states_or_else_the_one_of_the_page(page, stated, synopses):
    film = read(f'<html lang="{page}">' + script('{"@type": "Movie", "name": "A", "description": ' + stated + "}"))
    assert film.synopses == synopses
    assert film.synopsis == (synopses[0][1] if synopses else "A mill." if "A mill." in stated else "")


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tags", "size"), [("<div>", 4_000_000), ("<a href='/watch/1'>", 400_000), ("<b><i>", 4_000_000)]
)
def test_nesting_is_read_in_proportion_to_its_depth(tags, size):
    assert growth(read, lambda length: tags * (length // len(tags)), size) < MAX_GROWTH
