"""Nodes of the structured data of a web page (JSON-LD). Pure.

Pages may be hostile: every regular expression is linear, every walk is limited, broken data is skipped.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parsel import Selector

from scraper.extraction.html_page import find_elements
from scraper.extraction.json_values import UnreadableResponse, as_text, as_texts

Node = Mapping[str, Any]
MAX_NODES, MAX_SCRIPTS, MAX_TYPES, MAX_TEXTS = 20_000, 50, 10, 20
MAX_DATA_LENGTH = 1_000_000
"""Characters in all blocks of a page; further blocks count as unreadable."""
TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]++|\\.)*+"?)"""
    r"""|(?P<noise>//[ \t]*+(?=<!\[CDATA\[|\]\]>|<!--|-->)|//[^\n]*+|/\*.*?(?:\*/|\Z)"""
    r"""|<!\[CDATA\[|\]\]>|<!--|-->|[\s;]++)"""
    r"""|(?P<closing>[\]}])|(?P<other>,|(?:[^"/<\]};,\s-]|-(?!->))++|.)""",
    re.DOTALL,
)
JAVASCRIPT_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]{1,6}\}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
JSON_ESCAPES = frozenset('"\\/bfnrt')
UNICODE_ESCAPE_LENGTH = 5
NEXT_VALUE = re.compile(r"[^\s,\ufeff]")
DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None)


@dataclass(frozen=True, slots=True)
class JsonLd:
    """The values of a page's JSON-LD blocks; `unreadable` is the number of blocks that cannot be repaired."""

    documents: tuple[object, ...]
    unreadable: int


def read_json_ld(root: Selector) -> JsonLd:
    """Read the JSON-LD blocks of a page, in whatever way its site wrote them."""
    path = "//script[contains(translate(@type, 'JSONLD', 'jsonld'), 'ld+json')]/text()"
    documents, unreadable, remaining = list[object](), 0, MAX_DATA_LENGTH
    for script in (found.get() for found in find_elements(root, path)[:MAX_SCRIPTS]):
        try:
            documents += _parse_script(script, max_length=remaining)
            remaining -= len(script)
        except UnreadableResponse:
            unreadable += 1
    return JsonLd(tuple(documents), unreadable)


def iter_nodes(
    documents: Iterable[object], *, skip: Collection[str] = (), is_leaf: Callable[[Node], bool] = lambda _: False
) -> Iterator[Node]:
    """Return every object of the documents, outer ones first, at any depth.

    Left out is what is under the `skip` keys, and inside the nodes that `is_leaf` holds for.
    """
    remaining = list(documents)[::-1]
    for _ in range(MAX_NODES):
        if not remaining:
            return
        value = remaining.pop()
        if isinstance(value, Mapping):
            yield value
            if is_leaf(value):
                continue
            remaining.extend([member for key, member in value.items() if key not in skip][::-1])
        elif isinstance(value, list):
            remaining.extend(value[::-1])


def node_types(node: Node) -> list[str]:
    """Return the types of a node, without the URL or prefix of their vocabulary."""
    return [name.rsplit("/", 1)[-1].rsplit(":", 1)[-1] for name in as_texts(node.get("@type"))[:MAX_TYPES]]


def has_type(node: Node, types: Collection[str]) -> bool:
    """Return whether a node is of one of these types."""
    return any(name in types for name in node_types(node))


def as_list(value: object, *, maximum: int = 10_000) -> list[Any]:
    """Return a property's values: JSON-LD writes a single one without a list."""
    return value[:maximum] if isinstance(value, list) else [value]


def as_nodes(value: object, *, maximum: int = 10_000) -> list[Node]:
    """Return those of a property's values that are objects."""
    return [member for member in as_list(value, maximum=maximum) if isinstance(member, Mapping)]


def read_texts(value: object) -> list[tuple[str, str]]:
    """Return the texts of a property, each with the language that its object states, empty for none.

    >>> read_texts(["A mill.", {"@value": "Eine Mühle.", "@language": "de"}])
    [('', 'A mill.'), ('de', 'Eine Mühle.')]
    """
    members = [one if isinstance(one, Mapping) else {"@value": one} for one in as_list(value, maximum=MAX_TEXTS)]
    stated = [(as_text(one.get("@language"), max_length=40), as_texts(one.get("@value"))) for one in members]
    return [(language, text) for language, texts in stated for text in texts]


def _parse_script(script: str, *, max_length: int) -> list[object]:
    """Return the values of a block. Raises UnreadableResponse if it is too long or cannot be repaired."""
    if len(script) > max_length:
        raise UnreadableResponse("a block of JSON-LD is too long")
    for repair in (str, _without_javascript, lambda text: _without_javascript(html.unescape(text))):
        try:
            return _decode_values(repair(script))
        except (ValueError, RecursionError):
            continue
    raise UnreadableResponse("a block of JSON-LD cannot be read")


def _decode_values(text: str) -> list[object]:
    """Decode all values of a text, with or without commas between them. Raises ValueError."""
    values, position = list[object](), 0
    while match := NEXT_VALUE.search(text, position):
        value, position = DECODER.raw_decode(text, match.start())
        values.append(value)
    return values


def _without_javascript(script: str) -> str:
    """Return the JSON of a block that its site wrote as JavaScript in a page: as browsers and search engines read it.

    Comments, the marks of comments and CDATA, semicolons and trailing commas go; escapes of JavaScript become those of
    JSON, and of several commas one stays. In one pass over tokens, so that nothing inside a text counts as markup.
    """
    tokens: list[str] = []
    for match in TOKEN.finditer(script):
        token = match[0]
        if match.lastgroup == "string":
            tokens.append(JAVASCRIPT_ESCAPE.sub(_json_escape, token))
        elif match.lastgroup == "closing":
            if tokens and tokens[-1] == ",":
                tokens.pop()
            tokens.append(token)
        elif match.lastgroup == "other" and not [token] == tokens[-1:] == [","]:
            tokens.append(token)
    return " ".join(tokens)


def _json_escape(match: re.Match[str]) -> str:
    escape = match[1]
    if escape.startswith("u{"):
        return json.dumps(chr(min(int(escape[2:-1], 16), 0x10FFFF)))[1:-1]
    if escape in JSON_ESCAPES or len(escape) == UNICODE_ESCAPE_LENGTH:
        return match[0]
    if escape[0] == "x" and len(escape) > 1:
        return f"\\u00{escape[1:]}"
    return "" if escape[0] in "\r\n" else {"v": "\\u000b", "0": "\\u0000"}.get(escape, escape)
