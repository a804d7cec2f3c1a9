"""The structured data of a web page (JSON-LD), its addresses and its licence. Pure.

Hostile pages are expected: every expression here is linear, every walk is bounded, broken data is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from parsel import Selector

from scraper.extraction.film import LicenceStatement
from scraper.extraction.json_values import as_texts
from scraper.extraction.licences import licence_from_url_path

FILM_TYPES = {"Movie": "movie", "TVSeries": "show", "TVSeason": "show", "TVEpisode": "show"}
MAX_NODES, MAX_SCRIPTS = 20_000, 50
MAX_SCRIPT_BYTES = 1_000_000
COMMENT_LINE = re.compile(r"^[ \t]{0,100}//[^\n]*$", re.MULTILINE)
TRAILING_COMMA = re.compile(r",(?=\s{0,50}[\]}])")


def licence_from_url(url: str) -> LicenceStatement | None:
    """The Creative Commons licence that an address is about; None for any other address."""
    slug = licence_from_url_path(url)
    return LicenceStatement(slug=slug, url=url) if slug else None


def page_licence_url(root: Selector, base: str) -> str:
    """The address that the markup of a page calls its licence; empty when there is none."""
    stated = root.xpath("string((//a[contains(@rel, 'license')] | //link[@rel='license'])[1]/@href)").get()
    return absolute_url(stated or "", base)


def json_ld_documents(root: Selector) -> Iterator[object]:
    """The values of a page's JSON-LD blocks; one that is broken beyond help is passed over."""
    scripts = root.xpath("//script[contains(translate(@type, 'JSONLD', 'jsonld'), 'ld+json')]/text()")
    for script in scripts.getall()[:MAX_SCRIPTS]:
        if len(script) <= MAX_SCRIPT_BYTES:
            yield from _parse_script(script)


def _parse_script(script: str) -> Iterator[object]:
    bare = script.strip().removeprefix("<!--").removesuffix("-->").removeprefix("//<![CDATA[").removesuffix("//]]>")
    bare = bare.strip().rstrip(";")
    for attempt in (bare, COMMENT_LINE.sub("", bare), TRAILING_COMMA.sub("", COMMENT_LINE.sub("", bare))):
        try:
            yield json.loads(attempt, strict=False, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            continue
        return


def iter_nodes(documents: Iterable[object], *, but: Collection[str] = ()) -> Iterator[Mapping[str, Any]]:
    """Every object of the documents, outer ones first, however deeply lists, @graph and nesting hide it, `but` what
    stands under these keys."""
    waiting = list(documents)[::-1]
    for _ in range(MAX_NODES):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield value
            waiting.extend([held for key, held in value.items() if key not in but][::-1])
        elif isinstance(value, list):
            waiting.extend(value[::-1])


def node_types(node: Mapping[str, Any]) -> list[str]:
    """The types of an object, bare of their vocabulary's address."""
    return [name.rsplit("/", 1)[-1].rsplit(":", 1)[-1] for name in as_texts(node.get("@type"))]


def absolute_url(address: str, base: str) -> str:
    """The full http(s) URL of an address on a page; empty when it is anything else."""
    try:
        url = urldefrag(urljoin(base, address.strip()))[0] if address and len(address) <= 2000 else ""
        return url if urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname else ""
    except ValueError:
        return ""
