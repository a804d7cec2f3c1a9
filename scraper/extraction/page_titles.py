"""Titles of web pages, without the name of the site. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

SEPARATOR = re.compile(r"\s(?:[|\u2013\u2014\u00b7\u2022\u00bb\u00ab-]|::)\s")
NOT_A_LETTER = re.compile(r"[\W_]+")
MIN_HOST_LABEL_LENGTH = 4


def without_site_name(title: str, *, names: Iterable[str], host: str) -> str:
    """Return a title without the site's name before or after it, as in `Nosferatu | Example Films`.

    A part is the site's name if it is one of `names` or spells the host (`films.example.org`): that a part follows a
    dash is no evidence, because titles contain dashes too.
    """
    known = {_letters(name) for name in names} | _host_spellings(host)
    known.discard("")
    separators = list(SEPARATOR.finditer(title))
    if separators and _letters(title[separators[-1].end() :]) in known:
        return title[: separators[-1].start()].strip() or title
    if separators and _letters(title[: separators[0].start()]) in known:
        return title[separators[0].end() :].strip() or title
    return title


def _letters(text: str) -> str:
    return NOT_A_LETTER.sub("", text).casefold()


def _host_spellings(host: str) -> set[str]:
    """Return the texts that a host may be spelled as: whole, without its last label, and each long label."""
    labels = host.removeprefix("www.").split(".")
    long_labels = {label for label in labels[:-1] if len(label) >= MIN_HOST_LABEL_LENGTH}
    return {_letters(text) for text in (host, ".".join(labels), ".".join(labels[:-1]), *long_labels)}
