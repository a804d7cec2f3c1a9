"""The order in which links are offered. Uses no database and no network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from django.utils.translation.trans_real import parse_accept_lang_header

from scraper import sources
from scraper.items import LINK_KINDS, QUALITIES

MIN_RELIABLE_UPTIME = 0.9
NEUTRAL_LANGUAGES = frozenset({"", "zxx", "und", "mul"})  # not stated, no speech, undetermined, several
MAX_LANGUAGES = 10
FILM_PART = re.compile(
    r"(?:^|[\s._(\[+-]|%20|%28|%5B)(?:cd|disc|disk|part|pt|teil|reel)(?:[\s._-]|%20)?0?([1-9][0-9]?)"
    r"(?:(?:[\s._-]|%20)?(?:of|von)(?:[\s._-]|%20)?0?[1-9][0-9]?)?(?![0-9a-z])",
    re.IGNORECASE,
)
"""How the name of a file says which part of one film it is: `CD1`, `part 1 of 2`, `reel_03`."""


class Rankable(Protocol):
    """The attributes of a link that decide its rank."""

    @property
    def is_active(self) -> bool: ...
    @property
    def uptime(self) -> float | None: ...
    @property
    def language(self) -> str: ...
    @property
    def quality(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def response_ms(self) -> int | None: ...
    @property
    def source(self) -> str: ...
    @property
    def source_url(self) -> str: ...


Link = TypeVar("Link", bound=Rankable)


def best_first(links: Iterable[Link], *, languages: Sequence[str] = ()) -> list[Link]:
    """The links in the order in which a viewer should try them, whatever order they come in.

    The parts of one film (files that differ in `CD1` and `CD2` only) are one choice: they stay together, in order.
    `languages` are the viewer's language tags, most preferred first; empty for no preference.
    """
    preferred = [tag.lower() for tag in languages]
    keys = {id(link): (_sort_key(link, preferred), link) for link in links}
    choices: dict[object, list[Link]] = {}
    for _, link in sorted(keys.values(), key=lambda entry: entry[0]):
        choices.setdefault(_choice(link), []).append(link)
    # A choice is as good as its worst part, for without it the film has a gap.
    ordered = sorted(choices.values(), key=lambda parts: keys[id(parts[-1])][0])
    return [link for parts in ordered for link in sorted(parts, key=lambda link: _film_part(link.source_url)[1])]


def group_links(links: Iterable[Link], *, of: Callable[[Link], str]) -> list[Link]:
    """The links in the same order, except that links with the same key `of(link)` follow the first of them."""
    groups: dict[str, list[Link]] = {}
    for link in links:
        groups.setdefault(of(link), []).append(link)
    return [link for group in groups.values() for link in group]


def accepted_languages(header: str) -> list[str]:
    """The tags of an `Accept-Language` header in lower case, most preferred first, at most 10.

    A header with a malformed part counts as empty.
    """
    weighted = [(tag, quality) for tag, quality in parse_accept_lang_header(header) if quality > 0 and tag != "*"]
    return [tag for tag, _ in weighted[:MAX_LANGUAGES]]


def _sort_key(link: Rankable, preferred: Sequence[str]) -> tuple[object, ...]:
    uptime = link.uptime
    return (
        not link.is_active,
        uptime is not None and uptime < MIN_RELIABLE_UPTIME,
        _language_rank(link.language.lower(), preferred),
        _rank(link.quality, QUALITIES),
        _rank(link.kind, LINK_KINDS),
        link.response_ms is None,
        link.response_ms or 0,
        _rank(link.source, tuple(sources.KNOWN_SOURCES)),
        link.source,
        link.source_url,
    )


def _choice(link: Rankable) -> object:
    """What the parts of one film have in common; for a link that is no part, the link itself."""
    name, number = _film_part(link.source_url)
    return (name, link.is_active, link.kind, link.quality, link.language) if number else id(link)


def _film_part(url: str) -> tuple[str, int]:
    """The URL of a file without the number of its part, and that number; 0 for a file that is no part."""
    folder, _, name = url.rpartition("/")
    found = list(FILM_PART.finditer(name))
    if not found:
        return url, 0
    start, end = found[-1].span()
    return f"{folder}/{name[:start]}/{name[end:]}".casefold(), int(found[-1][1])


def _rank(value: str, order: Sequence[str]) -> int:
    return order.index(value) if value in order else len(order)


def _language_rank(language: str, preferred: Sequence[str]) -> int:
    """The position of the language in `preferred`; neutral languages come after those, other languages last."""
    if not preferred:
        return 0
    for position, tag in enumerate(preferred):
        if language == tag or language.startswith(f"{tag}-") or tag.startswith(f"{language}-"):
            return position
    return len(preferred) if language in NEUTRAL_LANGUAGES else len(preferred) + 1
