"""What sources send is read without trust: values of any type, bytes of any kind."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper import metadata_providers
from scraper.extraction import source_urls, wikidata_queries, wikidata_statements
from scraper.extraction.film import (
    MAX_LINKS_PER_FILM,
    ExtractedFilm,
    ExtractedLink,
    LicenceStatement,
    deduplicate,
    to_items,
)
from scraper.extraction.film_page import extract_film
from scraper.extraction.json_values import (
    UnreadableResponse,
    as_float,
    as_text,
    decode_json,
    find_imdb_id,
    html_to_text,
    parse_year,
)
from scraper.extraction.languages import normalize_language_tag, parse_language
from scraper.extraction.licences import licence_from_name, licence_from_url_path
from scraper.extraction.media_types import link_kind, quality_from_label, quality_from_size
from scraper.sources import KNOWN_SOURCES, licence_status
from scraper.spiders import commons, internet_archive, library_of_congress, peertube
from streaming.ingest.records import parse_link, parse_movie

# --- bytes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_lone_surrogate_is_a_question_mark(encoding):
    body = r'{"a": ["x\ud800y", "\uD83D\uDE00", "\\ud800", "\udfff"]}'.encode(encoding)
    assert decode_json(body) == {"a": ["x?y", "\N{GRINNING FACE}", r"\ud800", "?"]}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('{"a": "ä"}'.encode("utf-16"), {"a": "ä"}),
        ('{"a": "ä"}'.encode("utf-8-sig"), {"a": "ä"}),
        ('{"a": "ä"}'.encode("latin-1"), {"a": "ä"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": NaN, "b": Infinity, "c": -Infinity}', {"a": None, "b": None, "c": None}),
        (b'{"a": "line\nfeed"}', {"a": "line\nfeed"}),
    ],
)
def test_json_is_read_in_any_spelling(body, value):
    assert decode_json(body) == value


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "cut off"),
        (b'{"a": [1, 2', "cut off"),
        (b"\x00\x01\x02", "cut off"),
        (b'{"results": {"bindings": []}}\njava.util.concurrent.TimeoutException\n\tat org', "cut off"),
        (b"  <html>busy</html>", "a page, not data"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deeply"),
        (b"9" * 5_000, "cut off"),
    ],
)
def test_what_is_no_json_is_unreadable_and_it_is_said_why(body, sentence):
    with pytest.raises(UnreadableResponse, match=sentence):
        decode_json(body)


# --- values


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("tt0063350", "tt0063350"),
        ("urn:imdb:tt0063350", "tt0063350"),
        ("imdb:tt0063350", "tt0063350"),
        ("tt0063350/", "tt0063350"),
        ("\u200btt0063350\ufeff", "tt0063350"),
        ("notimdb:tt0063350", ""),
        (["urn:oclc:1", "urn:imdb:tt0063350"], "tt0063350"),
        ("//m.imdb.com/title/tt0063350/?ref_=x", "tt0063350"),
        ("see https://www.imdb.com/de/title/tt12345678 there", "tt12345678"),
        ("tt0063350\n", ""),
        (" TT0063350 ", "tt0063350"),
        ("tt000063350", "tt0063350"),
        ("tt012345678", "tt12345678"),
        ("https://www.imdb.com/title/tt00063350/", "tt0063350"),
        ("HTTPS://WWW.IMDB.COM/Title/TT0063350/", "tt0063350"),
        ("<a href='https://www.imdb.com/title/tt0063350/'>", "tt0063350"),
        ("https://www.imdb.com/pt-br/title/tt0063350/", "tt0063350"),
        ("https://films.example.org/?from=https://www.imdb.com/title/tt0063350/", ""),
        ("https://archive.example.org/web/2019/https://www.imdb.com/title/tt0063350/", ""),
        ("https://films.example.org/imdb.com/title/tt0063350", ""),
        ("https://films.example.org/urn:imdb:tt0063350", ""),
        ("https://films.example.org/title/tt0063350", ""),
        ("tt063350", ""),
        ("tt00633501234", ""),
        ("nm0063350", ""),
        ("https://notimdb.com/title/tt0063350", ""),
        ("https://imdb.com.example.org/title/tt0063350", ""),
        ("imdb.com/title/tt0063350 imdb.com/title/tt0063351", ""),
        (None, ""),
        ({"a": 1}, ""),
        ("tt\u0660\u0661\u0662\u0663\u0664\u0665\u0666", ""),
    ],
)
def test_one_imdb_id_is_read_or_none(value, read):
    assert find_imdb_id(value) == read


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ("1968", 1968), (1968, 1968), ("1968-10-01T00:00:00Z", 1968), ("+1931-04-02", 1931), ("2004–2010", 2004),
        ("19680", None), ("c. 1968", None), ("", None), (None, None), (["1922"], 1922), (True, None),
    ],
)  # fmt: skip
def test_a_year_stands_at_the_beginning(value, year):
    assert parse_year(value) == year


@pytest.mark.parametrize(("value", "read"), [("31.14", 31.14), (5, 5.0), ("nan", None), ("1e999", None), (True, None)])
def test_numbers_may_be_texts_and_are_finite(value, read):
    assert as_float(value) == read


def test_texts_are_one_line_with_entities_read_once():
    assert as_text(" A&nbsp;B\n&amp;lt; ") == "A B &lt;"
    assert as_text(["", "first", "second"]) == "first"
    assert as_text({"a": 1}) == ""
    assert html_to_text('<a href="x">Anna</a> &amp; Ben<br>') == "Anna & Ben"


# --- words


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("English", "en"), ("english ", "en"), ("EN", "en"), ("eng", "en"), ("ger", "de"), ("deu", "de"), ("fre", "fr"),
        (["eng"], "en"), (["eng", "en"], "en"), (["eng", "ger"], ""), ("french, dutch", ""), ("cze, eng", ""),
        ("silent film, Danish intertitles", ""), ("silent", "zxx"), ("zxx", "zxx"), ("pt-br", "pt-BR"), ("the", ""),
        ("und", ""), (None, ""), (7, ""), ("Klingon", ""),
    ],
)  # fmt: skip
def test_languages_as_people_write_them(said, tag):
    assert parse_language(said) == tag


@pytest.mark.parametrize(
    ("said", "tag"),
    [("pt-PT", "pt-PT"), ("zh-hant", "zh-Hant"), ("gd", "gd"), ("eng", "en"), ("English", "en"), ("en_US", ""),
     ("x" * 50, ""), (None, ""), ("mul", "")],
)  # fmt: skip
def test_languages_where_tags_are_promised(said, tag):
    assert normalize_language_tag(said) == tag


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("http://creativecommons.org/publicdomain/mark/1.0/", "public-domain"),
        ("http://creativecommons.org/licenses/publicdomain/", "public-domain"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0"),
        ("https://creativecommons.org/licenses/by/3.0", "cc-by"),
        ("https://creativecommons.org/licenses/by-sa/4.0/deed.de", "cc-by-sa"),
        ("https://creativecommons.org/licenses/by-nc-nd/4.0/", "cc-by-nc-nd"),
        ("https://creativecommons.org.example.org/licenses/by/4.0/", ""),
        ("https://example.org/?https://creativecommons.org/licenses/by/4.0/", ""),
        ("http://[", ""),
    ],
)
def test_licences_by_their_address(url, slug):
    assert licence_from_url_path(url) == slug


@pytest.mark.parametrize(
    ("name", "slug"),
    [("CC BY-SA 4.0", "cc-by-sa"), ("CC BY 3.0", "cc-by"), ("cc-by-nc-2.0", "cc-by-nc"),
     ("CC BY-SA 3.0 de", "cc-by-sa"), ("CC BY-SA 4.0 International", "cc-by-sa"), ("CC BY-NonCommercial 4.0", ""),
     ("CC BY 4.0 NC", ""), ("CC BY - NC", ""), ("CC BY NoDerivs 2.0", ""),
     ("Public domain", "public-domain"), ("CC0", "cc0"), ("Fair use", ""), ("", ""), ("Copyrighted free use", "")],
)  # fmt: skip
def test_licences_by_their_name(name, slug):
    assert licence_from_name(name) == slug


@pytest.mark.parametrize(
    ("width", "height", "quality"),
    [(640, 360, "360p"), (533, 300, "360p"), (400, 300, "360p"), (640, 480, "480p"), (4000, 2250, "2160p"),
     (1920, 1088, "1080p"), (1920, 800, "1080p"), (320, 240, "240p"), (768, 576, "720p"), (160, 120, "144p"),
     (None, 720, "720p"), (640, None, ""), (None, None, ""), (9000, 9000, ""), (0, 0, "")],
)  # fmt: skip
def test_quality_is_the_size_of_the_picture(width, height, quality):
    assert quality_from_size(width, height) == quality


def test_quality_is_the_label_where_the_source_gives_one():
    assert [quality_from_label(x) for x in ("720p", "1080p.vp9.webm", "720p60", "HD", "", "Audio only", "333p")] == [
        "720p", "1080p", "720p", "", "", "", "",
    ]  # fmt: skip


def test_kinds_of_addresses():
    assert link_kind("https://a.example/x.MP4?y") == "file"
    assert link_kind("https://a.example/x", media_type="application/x-mpegURL") == "stream"
    assert link_kind("https://a.example/x.mpd") == "stream"
    assert link_kind("https://a.example/x.html") == ""
    assert link_kind("http://[broken") == ""


# --- films become items


def film(*links, **more):
    return ExtractedFilm(title="Driftwood", links=links, **more)


def items(one):
    return list(to_items(one, imdb_id="tt0900001", source="internet_archive"))


def test_an_address_is_one_link_whatever_its_scheme_and_fragment():
    links = [
        ExtractedLink(url="http://a.example/x.mp4#t=1", kind="file", quality="720p"),
        ExtractedLink(url="https://a.example/x.mp4", kind="file", language="de"),
        ExtractedLink(url="https://a.example//x.mp4", kind="file"),
    ]
    kept = deduplicate(links)
    assert [(link.url, link.quality, link.language) for link in kept] == [
        ("https://a.example/x.mp4", "720p", "de"),
        ("https://a.example//x.mp4", "", ""),
    ]


def test_five_thousand_files_are_a_few_links():
    assert (
        len(items(film(*(ExtractedLink(url=f"https://a.example/{n}.mp4") for n in range(5_000))))) == MAX_LINKS_PER_FILM
    )


@pytest.mark.parametrize(
    ("licence", "said"),
    [
        ("public-domain", "free"), ("cc0", "free"), ("cc-by", "free"), ("cc-by-sa", "free"), ("official", "free"),
        ("", "unstated"), ("cc", "unstated"), ("gpl", "unstated"), ("cc-by-nc", "refused"), ("cc-by-nd", "refused"),
        ("cc-by-nc-sa", "refused"), ("cc-by-nc-nd", "refused"), ("paid", "refused"),
    ],
)  # fmt: skip
def test_the_policy_of_every_source(licence, said):
    assert {licence_status(slug, licence) for slug in (*KNOWN_SOURCES, "a_new_one")} == {said}


@pytest.mark.parametrize(
    ("licence", "evidence"),
    [
        (
            LicenceStatement(slug="cc-by", name="CC BY 3.0", url="https://cc.example/by"),
            "CC BY 3.0 https://cc.example/by",
        ),
        (LicenceStatement(slug="cc-by", url="https://cc.example/by"), "https://cc.example/by"),
        (LicenceStatement(slug="cc-by", url="javascript:alert(1)"), "Internet Archive: CC BY"),
        (LicenceStatement(slug="cc-by", name="x" * 400), "x" * 300),
        (LicenceStatement(slug="official"), "Internet Archive: Official"),
        (LicenceStatement(name="All rights reserved", url="https://cc.example/all"), ""),
    ],
)
def test_every_licence_comes_with_what_it_rests_on(licence, evidence):
    (item,) = items(film(ExtractedLink(url="https://a.example/x.mp4"), licence=licence))
    assert (item.licence, item.evidence) == (licence.slug, evidence)


def test_the_operator_may_allow_what_is_not_free():
    assert licence_status("peertube", "cc-by-nc", allowed_too=["cc-by-nc"]) == "free"
    assert licence_status("peertube", "cc-by-nd", allowed_too=["cc-by-nc"]) == "refused"


def test_a_licence_whose_address_cannot_be_shown_does_not_lose_the_link():
    (item,) = items(
        film(
            ExtractedLink(url="https://a.example/x"), licence=LicenceStatement(slug="cc-by", url="javascript:alert(1)")
        )
    )
    assert (item.licence, item.licence_url) == ("cc-by", "")


def test_what_the_catalogue_has_no_word_for_is_left_out():
    (item,) = items(film(ExtractedLink(url="https://a.example/x", quality="144p"), year=99))
    assert (item.quality, item.year) == ("", None)


def test_an_episode_has_its_numbers():
    (item,) = items(film(ExtractedLink(url="https://a.example/x", season=1, episode=2, label="The Key")))
    assert (item.label, item.season, item.episode) == ("The Key", 1, 2)
    (item,) = items(film(ExtractedLink(url="https://a.example/x", season=0, episode=10**12)))
    assert (item.season, item.episode) == (None, None)


# --- queries


@pytest.mark.parametrize(
    "hostile", ['tt0063350" } DROP', "tt0063350\n", "nm0000001", "", 'tt0063350"', "tt００６３３５０", "tt0063350 "]
)
def test_nothing_but_imdb_ids_gets_into_a_query(hostile):
    with pytest.raises(ValueError):
        wikidata_queries.statements_query([hostile])


def test_nothing_but_properties_gets_into_a_query():
    with pytest.raises(ValueError):
        wikidata_queries.statements_query(["tt0063350"], properties=["P724 }"])
    with pytest.raises(ValueError):
        wikidata_queries.statements_query([])


@pytest.mark.parametrize(
    ("url", "item"),
    [
        ("https://archive.org/details/abc_1", "abc_1"),
        ("http://www.archive.org/embed/abc_1?x", "abc_1"),
        ("https://archive.org/download/abc/x.mp4", "abc"),
        ("https://archive.org/details/../x", ""),
        ("https://archive.org.example.org/details/abc", ""),
        ("https://archive.org/search?q=x", ""),
        ("http://[", ""),
    ],
)
def test_which_item_an_address_is_about(url, item):
    assert source_urls.archive_item_id(url) == item


# --- anything at all

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ANY = st.recursive(
    PLAIN | st.sampled_from(["tt0900001", "movies", "\ud800"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
WORDS = {
    "metadata files name format source title identifier mediatype language width height private date is_dark",
    "query pages title videoinfo url derivatives src type extmetadata LicenseUrl value transcodekey timedtext error",
    "item online_format resources video video_stream files mimetype url date rights title id results",
    "uuid url name files fileUrl resolution streamingPlaylists playlistUrl licence language privacy data total",
    "results bindings imdb prop value item formatter entities claims P345 P724 mainsnak snaktype datavalue labels id",
    "@type @graph potentialAction target urlTemplate name sameAs contentUrl width hasPart episode url identifier",
}
KEYS = sorted({word for line in WORDS for word in line.split()})
SAID = ["movies", "video", "h.264", "a.mp4", "https://a.example/x.mp4", "value", "Movie", "WatchAction"]
SHAPED = st.recursive(
    ANY | st.sampled_from(SAID),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=8),
    max_leaves=30,
)
FEW_EXAMPLES = settings(max_examples=40, deadline=None)
READERS = [
    internet_archive.parse_item, internet_archive.parse_search_page, internet_archive.parse_scrape_page,
    commons.parse_files, library_of_congress.parse_item, peertube.parse_video, wikidata_statements.parse_statements,
    wikidata_statements.parse_film_table, wikidata_statements.parse_entity_statements,
    wikidata_statements.parse_search, metadata_providers.parse_tmdb_find, metadata_providers.parse_tmdb_details,
    metadata_providers.parse_omdb, metadata_providers.parse_tvmaze,
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: f"{reader.__module__}.{reader.__name__}")
@FEW_EXAMPLES
@given(answer=SHAPED)
def test_whatever_is_sent_is_read_or_unreadable(reader, answer):
    try:
        reader(answer)
    except UnreadableResponse:
        return


@FEW_EXAMPLES
@given(answer=SHAPED)
def test_items_of_any_item_are_ones_that_the_catalogue_can_judge(answer):
    about = answer if isinstance(answer, dict) else {}
    read = internet_archive.parse_item(
        {"metadata": {"identifier": "x", "mediatype": "movies", **about}, "files": [about]}
    )
    for item in items(read):
        parse_link({name: getattr(item, name) for name in item.__slots__})
        parse_movie({name: getattr(item, name) for name in item.__slots__})


@FEW_EXAMPLES
@given(block=SHAPED, markup=st.text(alphabet="<>/abv ='\"\x00\ud800", max_size=200))
def test_any_page_is_read(block, markup):
    script = json.dumps(block, default=str)
    extract_film(f'<script type="application/ld+json">{script}</script>{markup}', url="https://films.example.org/x")
