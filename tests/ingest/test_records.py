"""Validation of items and imported lines, by tables."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.net.url_policy import InvalidValue, PrivateHostAllowlist
from streaming.ingest.records import is_imdb_id, parse_link, parse_movie
from streaming.ingest.text_values import clean_text

LINK = {"imdb_id": "tt0063350", "source": "example", "source_url": "https://films.example.org/watch/1"}


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("tt0063350", True),
        ("tt10000000", True),
        ("tt123456789", True),
        ("tt123456", False),
        ("tt1234567890", False),
        ("tt0063350\n", False),
        ("tt٠٠٦٣٣٥٠", False),
        ("TT0063350", False),
        ("nm0063350", False),
        ("tt0111161/../../etc", False),
        ("", False),
        (None, False),
        (63350, False),
    ],
)
def test_an_imdb_id_is_tt_and_7_to_9_digits(text, is_valid):
    assert is_imdb_id(text) is is_valid


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"imdb_id": "tt1"}, "bad_imdb_id"),
        ({"imdb_id": None}, "bad_imdb_id"),
        ({"source": "Internet Archive"}, "bad_source"),
        ({"source": ""}, "bad_source"),
        ({"source_url": "javascript:alert(1)"}, "bad_scheme"),
        ({"source_url": "http://user:pw@example.org/"}, "credentials"),
        ({"source_url": "http://10.0.0.1/"}, "private_address"),
        ({"source_url": "https://example.org/" + "x" * 5000}, "long_url"),
        ({"source_url": None}, "empty_url"),
        ({"source_url": ["https://example.org/"]}, "empty_url"),
        ({"kind": "torrent"}, "bad_kind"),
        ({"kind": 3}, "bad_kind"),
        ({"quality": "HD"}, "bad_quality"),
        ({"language": "English, French"}, "bad_language"),
        ({"licence": "All rights?"}, "bad_licence"),
        ({"licence_url": "data:,x"}, "bad_scheme"),
        ({"is_active": "yes"}, "bad_is_active"),
        ({"last_checked": "yesterday"}, "bad_last_checked"),
        ({"last_checked": 5}, "bad_last_checked"),
        ({"last_checked": "9999-12-31T23:59:59-14:00"}, "bad_last_checked"),
        ({"last_checked": "0001-01-01T00:00:00+14:00"}, "bad_last_checked"),
        ({"label": {"a": 1}}, "bad_text"),
    ],
)
def test_invalid_links_are_rejected_with_a_code(changes, code):
    with pytest.raises(InvalidValue) as error:
        parse_link({**LINK, **changes})
    assert error.value.code == code
    assert "\n" not in str(error.value)


def test_a_link_is_cleaned():
    record = parse_link(
        {
            **LINK,
            "source_url": "HTTPS://Films.Example.ORG:443/a b".replace(" ", "%20"),
            "label": " The\x00 \u202eFilm\n ",
        }
    )
    assert record.source_url == "https://films.example.org/a%20b"
    assert record.host == "films.example.org"
    assert record.label == "The Film"
    assert (record.kind, record.quality, record.language, record.is_active) == ("page", "", "", True)


def test_a_time_without_a_zone_is_utc():
    record = parse_link({**LINK, "last_checked": "2026-01-31T08:00:00"})
    assert record.last_checked == datetime(2026, 1, 31, 8, tzinfo=UTC)


def test_a_private_host_is_valid_where_it_is_allowed():
    raw = {**LINK, "source_url": "http://127.0.0.1:8001/films/1"}
    assert parse_link(raw, allowed=PrivateHostAllowlist.parse(["127.0.0.1:8001"])).host == "127.0.0.1"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"year": "1968"}, "bad_year"),
        ({"year": 12}, "bad_year"),
        ({"year": True}, "bad_year"),
        ({"year": float("nan")}, "bad_year"),
        ({"type": "episode"}, "bad_type"),
        ({"poster_url": "http://example.org/p.jpg"}, "bad_poster"),
        ({"poster_url": "javascript:1"}, "bad_scheme"),
        ({"title": 5}, "bad_text"),
    ],
)
def test_invalid_movies_are_rejected_with_a_code(changes, code):
    with pytest.raises(InvalidValue) as error:
        parse_movie({"imdb_id": "tt0063350", "title": "Night", **changes})
    assert error.value.code == code


def test_titles_are_truncated_and_lose_control_characters():
    record = parse_movie({"imdb_id": "tt0063350", "title": "\u202e\x1b[31m" + "x" * 10_000})
    assert len(record.title) == 200
    assert record.title.startswith("[31mxxx")


@given(st.text())
def test_clean_text_can_be_stored_anywhere(text):
    cleaned = clean_text(text)
    cleaned.encode("utf-8")
    assert "\x00" not in cleaned


@given(
    st.dictionaries(
        st.sampled_from([*LINK, "kind", "label", "quality", "language", "licence"]),
        st.none() | st.text() | st.integers() | st.floats() | st.lists(st.integers()),
    )
)
def test_any_item_becomes_a_record_or_is_rejected(raw):
    with suppress(InvalidValue):
        parse_link({**LINK, **raw})
        parse_movie({**LINK, **raw})


def test_exactly_controls_directions_surrogates_and_private_characters_are_removed():
    directions = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}

    def is_kept(code):
        return chr(code) in "\n\t" or not (code in directions or unicodedata.category(chr(code)) in ("Cc", "Cs", "Co"))

    assert [hex(code) for code in range(0x110000) if bool(clean_text(chr(code))) is not is_kept(code)] == []
