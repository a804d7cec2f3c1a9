"""The catalogue as JSON lines: what is written can be read, and invalid lines are reported."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.exchange import jsonl
from streaming.exchange.entries import LinkEntry, MovieEntry
from streaming.exchange.jsonl import InvalidLine, ValidLine

VALID = {"imdb_id": "tt0013442", "title": "Nosferatu"}
LINK = {"source": "commons", "source_url": "https://films.example.org/a"}
ENTRY = MovieEntry(
    imdb_id="tt0013442",
    title="Nosferatu – „Eine Symphonie“",
    year=1922,
    poster_url="https://posters.example.org/n.jpg",
    synopsis="Two\nlines",
    links=(
        LinkEntry(
            source="commons",
            source_url="https://films.example.org/n.webm",
            kind="file",
            label="Reel 1",
            quality="720p",
            language="de",
            licence="public-domain",
            licence_url="https://films.example.org/licence",
            is_active=False,
            last_checked=datetime(2026, 1, 31, 8, 0, 0, 123456, tzinfo=UTC),
        ),
    ),
)


def read(*lines: bytes) -> list[ValidLine | InvalidLine]:
    return list(jsonl.parse_lines(jsonl.numbered_lines(io.BytesIO(b"\n".join(lines)).readline)))


def line(**changes: object) -> bytes:
    return json.dumps({**VALID, **changes}).encode()


def test_what_is_written_can_be_read():
    (text,) = jsonl.write_jsonl([ENTRY])
    assert text.count("\n") == 1
    assert set(json.loads(text)) == {"imdb_id", "title", "year", "type", "poster_url", "synopsis", "links"}
    (line_read,) = read(text.encode())
    assert (line_read.movie.title, line_read.movie.year, line_read.movie.synopsis) == (ENTRY.title, 1922, "Two\nlines")
    (link,) = line_read.links
    assert all(getattr(link, name) == getattr(ENTRY.links[0], name) for name in (
        "source", "source_url", "kind", "label", "quality", "language", "licence", "licence_url", "is_active",
        "last_checked",
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{bad", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'"x"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"\xff\xfe{}", "byte 1 is not UTF-8"),
        (b'{"imdb_id":"tt0013442","title":"\xc3("}', "is not UTF-8"),
        (b"[" * 10_000, "nested too deeply"),
        (b'{"a":' * 10_000, "nested too deeply"),
        (b'{"imdb_id":"tt0013442","title":"a","title":"b"}', "'title' occurs twice"),
        (line(links=[]).replace(b"[]", b'[{"kind":"page","kind":"file"}]'), "'kind' occurs twice"),
        (line(year=float("nan")), "NaN"),
        (line(year=float("inf")), "Infinity"),
        (line(year=1922).replace(b"1922", b"9" * 5000), "thousands of digits"),
        (line(imdb_id="tt0013442\n"), "imdb_id"),
        (line(imdb_id="tt٠٠١٣٤٤٢"), "imdb_id"),
        (line(imdb_id=13442), "imdb_id"),
        (line(title=None), "title is missing"),
        (line(title=""), "title is missing"),
        (line(title="\u202e\u202d"), "title is missing"),
        (line(title=["x"]), "not text"),
        (line(year="1922"), "year"),
        (line(year=True), "year"),
        (line(year=99999), "year"),
        (line(type="cartoon"), "movie, show"),
        (line(poster_url="javascript:alert(1)"), "http and https"),
        (line(links={}), "links is not a list"),
        (line(links=[LINK] * 1001), "more than 1000 links"),
        (line(synopsis="x" * 2_000_000), "longer than 1048576 bytes"),
    ],
)
def test_an_invalid_line_is_reported_and_the_others_are_valid(text, reason):
    first, invalid, last = read(line(), text, line(imdb_id="tt0013443"))
    assert isinstance(first, ValidLine)
    assert isinstance(invalid, InvalidLine)
    assert invalid.number == 2
    assert reason in invalid.reason
    assert invalid.reason.isprintable()
    assert (last.number, last.movie.imdb_id) == (3, "tt0013443")


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("x", "not a JSON object"),
        ({**LINK, "source_url": "javascript:alert(1)"}, "only http and https"),
        ({**LINK, "source_url": "https://u:p@films.example.org/"}, "the address holds a user name"),
        ({**LINK, "source_url": "http://169.254.169.254/"}, "not a public address"),
        ({**LINK, "source_url": "https://films.example.org/" + "x" * 5000}, "longer than 2000"),
        ({**LINK, "last_checked": "yesterday"}, "last_checked"),
        ({**LINK, "is_active": "yes"}, "is_active"),
    ],
)
def test_a_refused_link_is_named_and_its_film_keeps_the_others(link, reason):
    (read_line,) = read(line(links=[LINK, link, {**LINK, "source_url": "https://films.example.org/b"}]))
    assert [one.source_url for one in read_line.links] == ["https://films.example.org/a", "https://films.example.org/b"]
    (refused,) = read_line.refused
    assert refused.startswith("link 2: ")
    assert reason in refused
    assert refused.isprintable()


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_are_ignored():
    lines = read(b"\xef\xbb\xbf" + line() + b"\r", b"", b"   \r", line(imdb_id="tt0013443"))
    assert [(one.number, one.movie.imdb_id) for one in lines] == [(1, "tt0013442"), (4, "tt0013443")]


@pytest.mark.parametrize("written", ["tt0013442", "TT0013442", " tt0013442 ", "tt000013442"])
def test_an_imdb_id_has_one_spelling(written):
    (read_line,) = read(line(imdb_id=written, links=[LINK]))
    assert (read_line.movie.imdb_id, read_line.links[0].imdb_id) == ("tt0013442", "tt0013442")


def test_links_may_be_empty_null_or_missing_and_unknown_keys_are_ignored():
    lines = read(line(links=[]), line(links=None), line(), line(id=7, colour="red"))
    assert [one.links for one in lines] == [(), (), (), ()]


def test_only_the_beginning_of_an_endless_line_is_read():
    class Endless:
        reads = 0

        def readline(self, size: int) -> bytes:
            self.reads += 1
            assert size < 2 * 1024 * 1024
            return b"x" * size if self.reads < 30 else b""

    (invalid,) = jsonl.parse_lines(jsonl.numbered_lines(Endless().readline))
    assert "longer than" in invalid.reason


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_without_an_exception(noise):
    for parsed in read(noise):
        assert isinstance(parsed, ValidLine | InvalidLine)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(["imdb_id", "title", "year", "type", "poster_url", "synopsis", "links"]), values)
def test_any_value_of_a_key_is_parsed_without_an_exception(key, value):
    (parsed,) = read(line(**{key: value}))
    assert isinstance(parsed, ValidLine | InvalidLine)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(["source", "source_url", "kind", "label", "quality", "language", "licence_url"]), values)
def test_any_value_of_a_key_of_a_link_is_parsed_without_an_exception(key, value):
    (parsed,) = read(line(links=[{**LINK, key: value}]))
    assert isinstance(parsed, ValidLine | InvalidLine)


@pytest.mark.parametrize("links", ['["a"]', '["a", {}]', "[[1]]", '"a"', '{"a": 1}'])
def test_what_is_no_link_hides_no_key_that_occurs_twice(links):
    text = f'{{"imdb_id":"tt0013442","title":"Nosferatu","title":"Other","links":{links}}}'
    (parsed,) = jsonl.parse_lines([(1, text.encode())])
    assert parsed == InvalidLine(1, "the key 'title' occurs twice")


FILM = '{"imdb_id":"tt0013442","title":"%s","links":[{"source":"commons","source_url":"https://a.example.org/n"%s}]%s}'


@pytest.mark.parametrize(
    ("title", "link", "rest", "is_valid"),
    [
        ("Nosferatu", "", "", True),
        (r"A \": title", "", "", True),
        ("Blank : colon", "", "", True),
        (r"Lone \ud800 surrogate", "", "", True),
        ("Nosferatu", "", ',"year" :1922', True),
        ("Nosferatu", "", ',"more":{"links":1}', True),
        ("Nosferatu", ',"kind":"page","kind":"file"', "", False),
        ("Nosferatu", "", ',"title":"Other"', False),
        ("Nosferatu", "", ',"title" :"Other"', False),
        (r"A \": title", "", ',"title"\t:"Other"', False),
        ("Nosferatu", "", ',"more":{"a":1,"a":2}', False),
        ("Nosferatu", "", ',"year":NaN', False),
        ("Nosferatu", "", ',"year":18446744073709551616', False),
    ],
)
def test_a_line_in_which_a_key_occurs_twice_is_refused_however_it_is_spelled(title, link, rest, is_valid):
    (parsed,) = jsonl.parse_lines([(1, (FILM % (title, link, rest)).encode())])
    assert isinstance(parsed, ValidLine) is is_valid
