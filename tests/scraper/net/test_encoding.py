"""Web pages whose charset is honest, wrong or hostile."""

from __future__ import annotations

import pytest
from scrapy.http import HtmlResponse, Response

from scraper.errors import SourceFailed
from scraper.net.encoding import decode_headers, decode_page


def page(body, charset):
    return HtmlResponse("https://a.example/", body=body, headers={"Content-Type": f"text/html; charset={charset}"})


@pytest.mark.parametrize(
    "charset",
    ["utf-8", "utf-16-le", "iso-8859-1", "ISO-8859-15", "windows-1252", "latin1", "cp1252", "mac-roman", "cp850"],
)
def test_a_page_is_read_in_its_own_charset(charset):
    assert decode_page(page("Nosferatü".encode(charset), charset)).text == "Nosferatü"


@pytest.mark.parametrize(
    "charset", ["shift_jis", "euc-jp", "iso-2022-jp", "gb2312", "gb18030", "gbk", "big5", "euc-kr", "koi8-r"]
)
def test_pages_of_the_whole_world_are_read(charset):
    words = "Москва" if charset == "koi8-r" else "中"
    assert decode_page(page(words.encode(charset), charset)).text == words


@pytest.mark.parametrize(
    "charset",
    ["punycode", "idna", "hex", "zlib", "base64", "rot13", "undefined", "unicode_escape", "raw_unicode_escape"],
)
def test_a_charset_that_no_page_has_is_read_as_utf_8(charset):
    assert decode_page(page(b"\\ud800 a-\xc3\xbc", charset)).text == "\\ud800 a-ü"


def test_a_video_is_no_page():
    with pytest.raises(SourceFailed):
        decode_page(Response("https://a.example/film.mp4", body=b"\x00"))


def test_headers_are_text_whatever_their_bytes():
    response = Response("https://a.example/", headers={"Retry-After": b"60", "X-Odd": [b"\xff", b"b"]})
    assert decode_headers(response) == {"retry-after": "60", "x-odd": "\xff, b"}
