"""Pages and headers as text, in encodings that web pages use."""

from __future__ import annotations

import codecs
import re

from scrapy.http import JsonResponse, Response, TextResponse

from scraper.errors import UNEXPECTED, SourceFailed

# A page may name any codec of Python as its charset. Some do not decode to text (zlib), some decode to surrogates
# (unicode_escape), and punycode takes 13 s for 400 kB.
WEB_ENCODINGS = re.compile(
    r"ascii|utf-(?:8|16|32)(?:-(?:sig|le|be))?|iso8859-[0-9]+|cp[0-9]+|koi8-[rtu]|mac-[a-z]+|tis-620|ptcp154|kz1048"
    r"|gb[0-9]+|gbk|hz|big5(?:hkscs)?|euc_[a-z0-9]+|(?:euc|shift)_jis[a-z0-9_]*|iso2022_[a-z0-9_]+|johab"
)


def decode_page(response: Response) -> TextResponse:
    """Return a web page as text; a charset that is not one of the web is read as UTF-8.

    Raises SourceFailed for anything but text, such as the bytes of a video, and for JSON, which no selector of pages
    reads.
    """
    if not isinstance(response, TextResponse) or isinstance(response, JsonResponse):
        raise SourceFailed(UNEXPECTED)
    return response if _is_web_encoding(response.encoding) else response.replace(encoding="utf-8")


def decode_headers(response: Response) -> dict[str, str]:
    """Return the headers of a response as text, with lower-case names; several of one name are joined by commas.

    Latin-1, for any byte may come, and Scrapy's own `to_unicode_dict` stops at one that is not UTF-8.
    """
    names = response.headers.keys()
    return {
        name.decode("latin-1").lower(): b", ".join(response.headers.getlist(name)).decode("latin-1") for name in names
    }


def _is_web_encoding(encoding: str) -> bool:
    try:
        return WEB_ENCODINGS.fullmatch(codecs.lookup(encoding).name) is not None
    except (LookupError, ValueError):
        return False
