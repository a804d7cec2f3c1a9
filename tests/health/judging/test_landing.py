"""Where a page sends its visitors on by a `meta` element."""

from __future__ import annotations

import pytest

from streaming.health.judging.landing import meta_refresh_target
from tests.helpers.growth import MAX_GROWTH, growth

URL = "https://films.example.org/watch/nosferatu"


@pytest.mark.parametrize(
    ("markup", "target"),
    [
        ("<meta http-equiv='refresh' content='0; url=/new'>", "https://films.example.org/new"),
        ('<META HTTP-EQUIV="REFRESH" CONTENT="3;URL=next">', "https://films.example.org/watch/next"),
        ("<meta content=\"0;url='https://b.example/x?a=1&amp;b=2'\" http-equiv=refresh>", "https://b.example/x?a=1&b=2"),
        ("<meta http-equiv=refresh content='0;/.well-known/sgcaptcha/?r=1'>",
         "https://films.example.org/.well-known/sgcaptcha/?r=1"),
        ("<meta http-equiv=refresh content='1.5, url=/new'>", "https://films.example.org/new"),
        ("<meta http-equiv=refresh content='300; url=/new'>", None),
        ("<meta http-equiv=refresh content='5'>", None),
        ("<meta http-equiv=refresh content='5; url=/watch/nosferatu'>", None),
        ("<meta http-equiv=refresh content='5; url=#top'>", None),
        ("<meta http-equiv=refresh content='0; url=javascript:alert(1)'>", None),
        ("<meta http-equiv=refresh content='0; url=http://[bad'>", None),
        ("<meta http-equiv=refresh content='" + "9" * 5000 + "; url=/new'>", None),
        ("<noscript><meta http-equiv=refresh content='0; url=/new'></noscript>", None),
        ("<!-- <meta http-equiv=refresh content='0; url=/new'> -->", None),
        ("<script>x = \"<meta http-equiv=refresh content='0; url=/new'>\"</script>", None),
        ("<meta http-equiv=refresh content='9; url=/next-film'><video src=a.mp4></video>", None),
        ("<meta name=refresh content='0; url=/new'>", None),
        ("<meta http-equiv=refresh content='0; url=/a'>" * 200, "https://films.example.org/a"),
        ("<base href='/sub/'><meta http-equiv=refresh content='0; url=new'>", "https://films.example.org/sub/new"),
        ("<base href=//b.example/><meta http-equiv=refresh content='0; url=new'>", "https://b.example/new"),
        ("<base href='http://[bad'><meta http-equiv=refresh content='0; url=new'>",
         "https://films.example.org/watch/new"),
        ("<base target=_top><meta http-equiv=refresh content='0; url=/new'>", "https://films.example.org/new"),
        ("", None),
    ],
)  # fmt: skip
def test_where_a_page_leads_on(markup, target):
    assert meta_refresh_target(f"<html><head>{markup}</head></html>".encode(), URL) == target


@pytest.mark.parametrize(
    ("header", "body", "target"),
    [
        ("0; url=/new", b"", "https://films.example.org/new"),
        ("3;/new", b"<html></html>", "https://films.example.org/new"),
        ("600; url=/new", b"", None),
        ("30", b"", None),
        ("0; url=/new", b"<video src=a.mp4></video>", None),
        ("0; url=javascript:alert(1)", b"", None),
    ],
)
def test_a_header_leads_on_like_a_meta_element(header, body, target):
    assert meta_refresh_target(body, URL, header=header) == target


@pytest.mark.parametrize(
    "unit", ["<meta http-equiv=refresh ", "<meta http-equiv=refresh content='0", "<script>", "<!--", "<base "]
)
def test_a_hostile_page_costs_time_in_proportion_to_its_length(unit):
    def read(body):
        return meta_refresh_target(body, URL)

    assert growth(read, lambda size: (unit * (size // len(unit))).encode(), 16_384) < MAX_GROWTH
