"""Text as people read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streaming.words import ago, hours, language_name, shown

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
    assert shown(text) == said


@pytest.mark.parametrize(
    ("tag", "name"), [("en", "English"), ("de-AT", "German (AT)"), ("zxx", "No dialogue"), ("qqq", "qqq"), ("", "")]
)
def test_language_name(tag, name):
    assert language_name(tag) == name


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "just now"), (59, "just now"), (60, "1 min ago"), (3600, "1 h ago"), (86_400 * 3, "3 d ago")],
)
def test_ago(seconds, said):
    assert ago(NOW - timedelta(seconds=seconds), now=NOW) == said


def test_ago_never():
    assert ago(None, now=NOW) == "never"


@pytest.mark.parametrize(
    ("amount", "said"),
    [(24, "24 hours"), (168, "7 days"), (1, "1 hour"), (0.5, "30 minutes"), (0, "0 hours"), (1.5, "1.5 hours")],
)
def test_hours(amount, said):
    assert hours(amount) == said
