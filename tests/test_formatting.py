"""Text as people read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scraper.extraction.languages import TAG_BY_NAME
from streaming.formatting import display_text, duration_text, language_name, time_ago

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  Nosferatu \n – Eine ", "Nosferatu – Eine"),
        ("a\u202eb\u2066c\u200ed\x00e\x1bf", "a b c d e f"),
        ("W" * 201, "W" * 199 + "…"),
        ("نوسفراتو", "نوسفراتو"),
        ("नोस्फेरातु\u200d", "नोस्फेरातु\u200d"),
        ("", ""),
    ],
)
def test_shown(text, said):
    assert display_text(text) == said


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en", "English"),
        ("EN", "English"),
        ("de-AT", "German (Austria)"),
        ("pt-BR", "Portuguese (Brazil)"),
        ("pt-br", "Portuguese (Brazil)"),
        ("es-419", "Spanish (Latin America)"),
        ("zh-Hant", "Chinese (Traditional)"),
        ("zh-Hans-CN", "Chinese (Simplified, China)"),
        ("sr-Latn", "Serbian (Latin)"),
        ("zh-yue", "Chinese (Cantonese)"),
        ("ca-valencia", "Catalan (valencia)"),
        ("de-1996", "German (1996)"),
        ("en-QX", "English (QX)"),
        ("no", "Norwegian"),
        ("nb", "Norwegian Bokmål"),
        ("nn", "Norwegian Nynorsk"),
        ("eng", "English"),
        ("ger", "German"),
        ("iw", "Hebrew"),
        ("gsg", "German Sign Language"),
        ("mul", "Several languages"),
        ("und", "Language unknown"),
        ("zxx", "No dialogue"),
        ("ZXX", "No dialogue"),
        ("qqq", "qqq"),
        ("qqq-DE", "qqq-DE"),
        ("", ""),
    ],
)
def test_language_name(tag, name):
    assert language_name(tag) == name


@pytest.mark.parametrize("tag", sorted(set(TAG_BY_NAME.values())))
def test_every_language_that_sources_state_has_a_name(tag):
    name = language_name(tag)
    assert name != tag
    assert name[0].isupper()
    if tag != "zxx":
        assert language_name(f"{tag}-US") == f"{name} (United States)"
        assert language_name(f"{tag}-Cyrl-RU") == f"{name} (Cyrillic, Russia)"


CODES = sorted(word for word in TAG_BY_NAME if len(word) <= 3)


@pytest.mark.parametrize("code", CODES)
def test_a_language_has_one_name_whichever_of_its_codes_is_stored(code):
    assert language_name(code) == language_name(TAG_BY_NAME[code])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "just now"), (59, "just now"), (60, "1 min ago"), (3600, "1 h ago"), (86_400 * 3, "3 d ago")],
)
def test_ago(seconds, said):
    assert time_ago(NOW - timedelta(seconds=seconds), now=NOW) == said


def test_ago_never():
    assert time_ago(None, now=NOW) == "never"


@pytest.mark.parametrize(
    ("amount", "said"),
    [(24, "24 hours"), (168, "7 days"), (1, "1 hour"), (0.5, "30 minutes"), (0, "0 hours"), (1.5, "1.5 hours")],
)
def test_hours(amount, said):
    assert duration_text(amount) == said
