"""Nodes of the structured data of a web page (JSON-LD). Pure.

Pages may be hostile: every regular expression is linear, every walk is limited, broken data is skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from parsel import Selector

from scraper.extraction.json_values import as_texts

Node = Mapping[str, Any]
MAX_NODES, MAX_SCRIPTS = 20_000, 50
MAX_SCRIPT_LENGTH = 1_000_000
COMMENT_LINE = re.compile(r"^[ \t]{0,100}//[^\n]*$", re.MULTILINE)
TRAILING_COMMA = re.compile(r",(?=\s{0,50}[\]}])")


def json_ld_documents(root: Selector) -> Iterator[object]:
    """Return the values of a page's JSON-LD blocks, without those that cannot be repaired."""
    scripts = root.xpath("//script[contains(translate(@type, 'JSONLD', 'jsonld'), 'ld+json')]/text()")
    for script in scripts.getall()[:MAX_SCRIPTS]:
        if len(script) <= MAX_SCRIPT_LENGTH:
            yield from _parse_script(script)


def iter_nodes(documents: Iterable[object], *, skip: Collection[str] = ()) -> Iterator[Node]:
    """Return every object of the documents, outer ones first, at any depth; not what is under the `skip` keys."""
    remaining = list(documents)[::-1]
    for _ in range(MAX_NODES):
        if not remaining:
            return
        value = remaining.pop()
        if isinstance(value, Mapping):
            yield value
            remaining.extend([member for key, member in value.items() if key not in skip][::-1])
        elif isinstance(value, list):
            remaining.extend(value[::-1])


def node_types(node: Node) -> list[str]:
    """Return the types of a node, without the URL or prefix of their vocabulary."""
    return [name.rsplit("/", 1)[-1].rsplit(":", 1)[-1] for name in as_texts(node.get("@type"))]


def has_type(node: Node, types: Collection[str]) -> bool:
    """Return whether a node is of one of these types."""
    return any(name in types for name in node_types(node))


def as_list(value: object, *, maximum: int = 10_000) -> list[Any]:
    """Return a property's values: JSON-LD writes a single one without a list."""
    return value[:maximum] if isinstance(value, list) else [value]


def as_nodes(value: object, *, maximum: int = 10_000) -> list[Node]:
    """Return those of a property's values that are objects."""
    return [member for member in as_list(value, maximum=maximum) if isinstance(member, Mapping)]


def _parse_script(script: str) -> Iterator[object]:
    text = script.strip().removeprefix("<!--").removesuffix("-->").removeprefix("//<![CDATA[").removesuffix("//]]>")
    text = text.strip().rstrip(";")
    for attempt in (text, COMMENT_LINE.sub("", text), TRAILING_COMMA.sub("", COMMENT_LINE.sub("", text))):
        try:
            yield json.loads(attempt, strict=False, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            continue
        return
