"""Which link to offer first. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from scraper import sources

MIN_RELIABLE_UPTIME = 0.9
QUALITIES = ("2160p", "1440p", "1080p", "720p", "576p", "480p", "360p", "240p")
KINDS = ("file", "stream", "embed", "page")
NEUTRAL_LANGUAGES = frozenset({"", "zxx", "und", "mul"})  # not stated, no speech, undetermined, several
MAX_HEADER_LENGTH = 1000
MAX_LANGUAGES = 10
RANGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?\s*")


class Rankable(Protocol):
    """What a link must tell to be ranked."""

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
    """The links in the order in which a viewer should try them; the same links always give the same order."""
    wanted = [tag.lower() for tag in languages]
    return sorted(links, key=lambda link: _key(link, wanted))


def group_links(links: Iterable[Link], *, of: Callable[[Link], str]) -> list[Link]:
    """The same order, but that the links `of` one work follow its best one."""
    works: dict[str, list[Link]] = {}
    for link in links:
        works.setdefault(of(link), []).append(link)
    return [link for work in works.values() for link in work]


def accepted_languages(header: str) -> list[str]:
    """The tags of an `Accept-Language` header, dearest first; what cannot be read is passed over."""
    weighed = []
    for place, part in enumerate(header[:MAX_HEADER_LENGTH].split(",")):
        match = RANGE.fullmatch(part)
        weight = float(match[2] or 1) if match else 0.0
        if match and weight > 0:
            weighed.append((-weight, place, match[1]))
    return [tag for _, _, tag in sorted(weighed)][:MAX_LANGUAGES]


def _key(link: Rankable, wanted: Sequence[str]) -> tuple[object, ...]:
    uptime = link.uptime
    return (
        not link.is_active,
        uptime is not None and uptime < MIN_RELIABLE_UPTIME,
        _language_rank(link.language.lower(), wanted),
        _rank(link.quality, QUALITIES),
        _rank(link.kind, KINDS),
        link.response_ms is None,
        link.response_ms or 0,
        _rank(link.source, tuple(sources.KNOWN_SOURCES)),
        link.source,
        link.source_url,
    )


def _rank(value: str, order: Sequence[str]) -> int:
    return order.index(value) if value in order else len(order)


def _language_rank(language: str, wanted: Sequence[str]) -> int:
    """0 for the dearest language; what anybody can follow stands between the wanted and the unwanted ones."""
    if not wanted:
        return 0
    for place, tag in enumerate(wanted):
        if language == tag or language.startswith(f"{tag}-") or tag.startswith(f"{language}-"):
            return place
    return len(wanted) if language in NEUTRAL_LANGUAGES else len(wanted) + 1
