"""Convert the licences that sources state to slugs of `scraper.sources.LICENCES`. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

SLUG_BY_PATH = (
    ("/publicdomain/mark/", "public-domain"),
    ("/publicdomain/zero/", "cc0"),
    ("/licenses/publicdomain", "public-domain"),
)
LICENCE_PATH = re.compile(r"/licenses/((?:by|nc|nd|sa)(?:-(?:by|nc|nd|sa)){0,3})(?:/|$)")
SHORT_NAME = re.compile(r"cc[ -]?((?:by|nc|nd|sa)(?:[ -](?:by|nc|nd|sa)){0,3})(?:[ -][0-9.]{1,4})?([ -].*)?")
RESTRICTED = re.compile(r"\b(?:nc|nd)\b|commercial|deriv")
SLUG_BY_NAME = {"public domain": "public-domain", "public domain mark": "public-domain", "cc0": "cc0", "cc0 1.0": "cc0"}
CREATIVE_COMMONS = "creativecommons.org"


def licence_from_url_path(url: str) -> str:
    """Return the slug of a Creative Commons URL, such as `cc-by-sa`; empty for any other URL."""
    try:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path.lower()
    except ValueError:
        return ""
    if host != CREATIVE_COMMONS and not host.endswith(f".{CREATIVE_COMMONS}"):
        return ""
    for prefix, slug in SLUG_BY_PATH:
        if path.startswith(prefix):
            return slug
    found = LICENCE_PATH.match(path)
    return f"cc-{found[1]}" if found else ""


def licence_from_name(name: str) -> str:
    """Return the slug of a licence's short name (`CC BY-SA 4.0`, `Public domain`); empty for an unknown one."""
    normalized = " ".join(name[:100].casefold().split())
    if normalized in SLUG_BY_NAME:
        return SLUG_BY_NAME[normalized]
    found = SHORT_NAME.fullmatch(normalized)
    # "CC BY-NonCommercial 4.0": a restriction may be written out, after the letters of what is allowed.
    if found is None or RESTRICTED.search(found[2] or ""):
        return ""
    return f"cc-{found[1].replace(' ', '-')}"
