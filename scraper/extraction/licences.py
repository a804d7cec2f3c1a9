"""Licences as sources state them become slugs of `scraper.sources`. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

SLUG_BY_PATH = (
    ("/publicdomain/mark/", "public-domain"),
    ("/publicdomain/zero/", "cc0"),
    ("/licenses/publicdomain", "public-domain"),
)
DEED = re.compile(r"/licenses/((?:by|nc|nd|sa)(?:-(?:by|nc|nd|sa)){0,3})(?:/|$)")
SHORT_NAME = re.compile(r"cc[ -]?((?:by|nc|nd|sa)(?:[ -](?:by|nc|nd|sa)){0,3})(?:[ -][0-9.]{1,4})?([ -].*)?")
RESTRICTED = re.compile(r"\b(?:nc|nd)\b|commercial|deriv")
NAMED = {"public domain": "public-domain", "public domain mark": "public-domain", "cc0": "cc0", "cc0 1.0": "cc0"}
CREATIVE_COMMONS = "creativecommons.org"


def licence_from_url_path(url: str) -> str:
    """The slug of a Creative Commons address, such as `cc-by-sa`; empty for any other address."""
    try:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path.lower()
    except ValueError:
        return ""
    if host != CREATIVE_COMMONS and not host.endswith(f".{CREATIVE_COMMONS}"):
        return ""
    for beginning, slug in SLUG_BY_PATH:
        if path.startswith(beginning):
            return slug
    found = DEED.match(path)
    return f"cc-{found[1]}" if found else ""


def licence_from_name(name: str) -> str:
    """The slug of a licence's short name (`CC BY-SA 4.0`, `Public domain`); empty when it is none that we know."""
    bare = " ".join(name[:100].casefold().split())
    if bare in NAMED:
        return NAMED[bare]
    found = SHORT_NAME.fullmatch(bare)
    # "CC BY-NonCommercial 4.0": what forbids something may be written out, behind the letters that allow it.
    if found is None or RESTRICTED.search(found[2] or ""):
        return ""
    return f"cc-{found[1].replace(' ', '-')}"
