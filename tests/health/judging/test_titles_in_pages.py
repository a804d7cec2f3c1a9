"""A movie's title in the headings of a page is taken out of them before they are judged."""

from __future__ import annotations

import pytest

from streaming.health.judging.page_text import parse_page
from streaming.health.judging.soft_404 import remove_title


@pytest.mark.parametrize(
    ("line", "title", "rest"),
    [
        ("gone | films", "gone", "\n  | films"),
        ("films | gone", "gone", "films |  \n"),
        ("gone", "gone", "\n"),
        ("gone gone", "gone", "\n   \n"),
        ("bygone days", "gone", "bygone days"),
        ("gone_girl, goner", "gone", "gone_girl, goner"),
        ("foregone is gone", "gone", "foregone is  \n"),
        ("aa aaa aa", "aa", "\n  aaa  \n"),
        ("m.", "m.", "\n"),
        ("日本の404", "404", "日本の404"),
        ("日本 404", "404", "日本  \n"),
        ("another film", "gone", "another film"),
        ("any film", "", "any film"),
    ],
)
def test_only_a_whole_title_is_removed(line, title, rest):
    assert remove_title(line, title) == rest


@pytest.mark.parametrize(
    ("heading", "is_suspicious"),
    [("404", True), ("Error 404.", True), ("HTTP 503", True), ("Reel 14041", False), ("4045", False),
     ("Film 5030", False), ("Nosferatu", False), ("GONE", True), ("Página não encontrada", True)],
)  # fmt: skip
def test_a_number_within_a_longer_one_is_no_status(heading, is_suspicious):
    page = parse_page(f"<!doctype html><TITLE>{heading}</TITLE><H1>{heading}</H1>".encode(), "text/html; charset=utf-8")
    assert page.is_suspicious is is_suspicious
