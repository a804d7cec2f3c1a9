"""Display text."""

from __future__ import annotations

import pytest

from scraper.extraction.languages import TAG_BY_NAME
from streaming.formatting import display_text, language_name, quote_value


@pytest.mark.parametrize(
    ("text", "displayed"),
    [
        ("  Nosferatu \n – Eine ", "Nosferatu – Eine"),
        ("a\u202eb\u2066c\u200ed\x00e\x1bf", "a b c d e f"),
        ("W" * 201, "W" * 199 + "…"),
        ("نوسفراتو", "نوسفراتو"),
        ("नोस्फेरातु\u200d", "नोस्फेरातु\u200d"),
        ("", ""),
    ],
)
def test_display_text_has_no_control_characters_and_a_maximum_length(text, displayed):
    assert display_text(text) == displayed


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
def test_a_language_tag_has_an_english_name(tag, name):
    assert language_name(tag) == name


@pytest.mark.parametrize("tag", sorted(set(TAG_BY_NAME.values())))
def test_every_language_that_sources_state_has_a_name(tag):
    name = language_name(tag)
    assert name != tag
    assert name[0].isupper()
    if tag != "zxx":
        assert language_name(f"{tag}-US") == f"{name} (United States)"
        assert language_name(f"{tag}-Cyrl-RU") == f"{name} (Cyrillic, Russia)"


CODES = sorted(name for name in TAG_BY_NAME if len(name) <= 3)


@pytest.mark.parametrize("code", CODES)
def test_all_codes_of_a_language_have_the_same_name(code):
    assert language_name(code) == language_name(TAG_BY_NAME[code])


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("HD", "'HD'"),
        (3, "3"),
        (None, "None"),
        ("a\nb\x00ä\u202e", r"'a\nb\x00\xe4\u202e'"),
        ("x" * 58, "'" + "x" * 58 + "'"),
        ("x" * 59, "'" + "x" * 56 + "..."),
    ],
)
def test_a_quoted_value_is_short_ascii_on_one_line(value, quoted):
    assert quote_value(value) == quoted
