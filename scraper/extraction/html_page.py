"""Parse web pages of strangers within limits of time and memory. Pure.

libxml2 takes a minute for one tag of 4 MB with 500,000 attributes, and 700 MB for a million elements: it appends each
attribute to a list that it walks, and keeps what it reads. So its events go to a builder that counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice

from lxml import etree
from parsel import Selector

MAX_PAGE_BYTES = 4 * 1024 * 1024
MAX_PAGE_ELEMENTS = 50_000
MAX_ATTRIBUTES = 100
# HTML allows nearly any name and character, the tree does not.
NAME, UNKNOWN_TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*"), "unknown"
XML_FORBIDS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
MAX_DEPTH = 256
"""Deeper elements are read as if they were side by side, as browsers do: every walk to the root costs the depth."""
MAX_FOUND = 2_000
"""Elements that `find_elements` returns for one path."""


class PageIsFull(Exception):
    """The page has more elements than are read."""


class LimitedTreeBuilder:
    """Receives the events of the parser and builds the tree of the first MAX_PAGE_ELEMENTS elements."""

    def __init__(self) -> None:
        self.builder = etree.TreeBuilder()
        self.open_tags: list[str] = []
        self.elements = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Add an element. Raises PageIsFull."""
        if self.elements >= MAX_PAGE_ELEMENTS:
            raise PageIsFull
        self.elements += 1
        valid = {name: value for name, value in attributes.items() if NAME.fullmatch(name)}
        tag = tag if NAME.fullmatch(tag) else UNKNOWN_TAG
        self.builder.start(
            tag, {name: XML_FORBIDS.sub("", value) for name, value in islice(valid.items(), MAX_ATTRIBUTES)}
        )
        self.open_tags.append(tag)
        if len(self.open_tags) > MAX_DEPTH:
            self.builder.end(tag)

    def end(self, tag: str) -> None:
        name = self.open_tags.pop()
        if len(self.open_tags) < MAX_DEPTH:
            self.builder.end(name)

    def data(self, text: str) -> None:
        if self.open_tags:
            self.builder.data(XML_FORBIDS.sub("", text))

    def close(self) -> etree._Element | None:
        """Return the root element, with all elements that are still open closed; None for a page without elements."""
        while self.open_tags:
            self.end(self.open_tags[-1])
        return self.builder.close() if self.elements else None


def parse_html(text: str) -> Selector:
    """Return the tree of a page: its first MAX_PAGE_BYTES (UTF-8) and MAX_PAGE_ELEMENTS elements."""
    builder = LimitedTreeBuilder()
    # A lone surrogate would stop the parser.
    body = text[:MAX_PAGE_BYTES].encode(errors="replace")[:MAX_PAGE_BYTES]
    try:
        root = etree.fromstring(body or b"<html/>", etree.HTMLParser(target=builder, encoding="utf-8", huge_tree=True))
    except PageIsFull:
        root = builder.close()
    return Selector(root=root if root is not None else etree.Element("html"), type="html")


def find_elements(root: Selector, path: str) -> list[Selector]:
    """Return the first MAX_FOUND elements or values of an XPath expression, in the order of the page.

    In place of `//a | //b` and `//a//b`, write `//*[self::a or self::b]` and `//b[ancestor::a]`: libxml2 compares each
    element of such a set with all others.
    """
    return list(root.xpath(f"({path})[position() <= {MAX_FOUND}]"))
