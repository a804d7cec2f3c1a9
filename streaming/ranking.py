"""The order in which links are offered. Uses no database and no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from django.utils.translation.trans_real import parse_accept_lang_header

from scraper import sources
from scraper.items import LINK_KINDS, QUALITIES

MIN_RELIABLE_UPTIME = 0.9
NEUTRAL_LANGUAGES = frozenset({"", "zxx", "und", "mul"})  # not stated, no speech, undetermined, several
MAX_LANGUAGES = 10


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

    `languages` are the viewer's language tags, most preferred first; empty for no preference.
    """
    preferred = [tag.lower() for tag in languages]
    return sorted(links, key=lambda link: _sort_key(link, preferred))


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
