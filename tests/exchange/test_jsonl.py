"""The catalogue as lines of JSON: what is written can be read, what is hostile is named."""

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

GOOD = {"imdb_id": "tt0013442", "title": "Nosferatu"}
LINK = {"source": "commons", "source_url": "https://films.example.org/a"}


def read(*lines: bytes) -> list[ValidLine | InvalidLine]:
    return list(jsonl.parse_lines(jsonl.numbered_lines(io.BytesIO(b"\n".join(lines)).readline)))


def line(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_what_is_written_can_be_read():
    entry = MovieEntry(
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
    (text,) = jsonl.write_jsonl([entry])
    assert text.count("\n") == 1
    assert set(json.loads(text)) == {"imdb_id", "title", "year", "type", "poster_url", "synopsis", "links"}
    (found,) = read(text.encode())
    assert (found.movie.title, found.movie.year, found.movie.synopsis) == (entry.title, 1922, "Two\nlines")
    (link,) = found.links
    assert all(getattr(link, name) == getattr(entry.links[0], name) for name in (
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
        (line(links=["x"]), "link 1: not a JSON object"),
        (line(links=[LINK, {**LINK, "source_url": "javascript:alert(1)"}]), "link 2: only http and https"),
        (
            line(links=[{**LINK, "source_url": "https://u:p@films.example.org/"}]),
            "link 1: the address holds a user name",
        ),
        (line(links=[{**LINK, "source_url": "http://169.254.169.254/"}]), "link 1: "),
        (line(links=[{**LINK, "source_url": "https://films.example.org/" + "x" * 5000}]), "longer than 2000"),
        (line(links=[{**LINK, "last_checked": "yesterday"}]), "last_checked"),
        (line(links=[{**LINK, "is_active": "yes"}]), "is_active"),
        (line(links=[LINK] * 1001), "more than 1000 links"),
        (line(synopsis="x" * 2_000_000), "longer than 1048576 bytes"),
    ],
)
def test_a_bad_line_is_named_and_its_neighbours_are_kept(text, reason):
    first, bad, last = read(line(), text, line(imdb_id="tt0013443"))
    assert isinstance(first, ValidLine)
    assert isinstance(bad, InvalidLine)
    assert bad.number == 2
    assert reason in bad.reason
    assert bad.reason.isprintable()
    assert (last.number, last.movie.imdb_id) == (3, "tt0013443")


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_are_passed_over():
    found = read(b"\xef\xbb\xbf" + line() + b"\r", b"", b"   \r", line(imdb_id="tt0013443"))
    assert [(one.number, one.movie.imdb_id) for one in found] == [(1, "tt0013442"), (4, "tt0013443")]


def test_links_may_be_empty_null_or_missing_and_unknown_keys_are_passed_over():
    found = read(line(links=[]), line(links=None), line(), line(id=7, colour="red"))
    assert [one.links for one in found] == [(), (), (), ()]


def test_of_a_line_without_end_little_is_held():
    class Endless:
        asked = 0

        def readline(self, most: int) -> bytes:
            self.asked += 1
            assert most < 2 * 1024 * 1024
            return b"x" * most if self.asked < 30 else b""

    (bad,) = jsonl.parse_lines(jsonl.numbered_lines(Endless().readline))
    assert "longer than" in bad.reason


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_is_read_is_judged_and_nothing_raises(noise):
    for judged in read(noise):
        assert isinstance(judged, ValidLine | InvalidLine)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(["imdb_id", "title", "year", "type", "poster_url", "synopsis", "links"]), values)
def test_whatever_a_key_holds_nothing_raises(key, value):
    (judged,) = read(line(**{key: value}))
    assert isinstance(judged, ValidLine | InvalidLine)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(["source", "source_url", "kind", "label", "quality", "language", "licence_url"]), values)
def test_whatever_a_links_key_holds_nothing_raises(key, value):
    (judged,) = read(line(links=[{**LINK, key: value}]))
    assert isinstance(judged, ValidLine | InvalidLine)
