"""The order in which links are offered. Uses no database and no network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from django.utils.translation.trans_real import parse_accept_lang_header

from scraper import sources
from scraper.items import LINK_KINDS, QUALITIES
from streaming.film_length import FILM_PART, FilmFile

MIN_RELIABLE_UPTIME = 0.9
NEUTRAL_LANGUAGES = frozenset({"", "zxx", "und", "mul"})  # not stated, no speech, undetermined, several
MAX_LANGUAGES = 10
QUALITY_RANKS, KIND_RANKS, SOURCE_RANKS = (
    {value: rank for rank, value in enumerate(order)} for order in (QUALITIES, LINK_KINDS, sources.KNOWN_SOURCES)
)
NO_EPISODE = (True, True, 0, True, 0)
UNPLAYABLE_EXTENSIONS = frozenset(
    {
        "3gp", "asf", "avi", "divx", "flv", "m2ts", "m2v", "mkv", "mpd", "mpeg", "mpg", "ogg", "ogm", "ogv", "rm",
        "rmvb", "ts", "vob", "wmv",
    }
)  # fmt: skip
"""What browsers do not play by themselves: Chromium says so of Theora, Matroska and DASH, for instance."""


class Rankable(FilmFile, Protocol):
    """The attributes of a link that decide its rank."""

    @property
    def is_active(self) -> bool: ...
    @property
    def last_checked(self) -> datetime | None: ...
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
    def length_note(self) -> str: ...
    @property
    def source(self) -> str: ...


Link = TypeVar("Link", bound=Rankable)


def best_first(links: Iterable[Link], *, languages: Sequence[str] = ()) -> list[Link]:
    """The links in the order in which a viewer should try them, whatever order they come in.

    The episodes of a show come in their order, inactive links last. Of one film or episode: what was checked and works,
    then what was not checked yet; within these reliable, playable in a browser, in the
    viewer's language, of high quality, and rather a file than a page.
    The parts of one film (files that differ in `CD1` and `CD2` only) are one choice: they stay together, in order.
    `languages` are the viewer's language tags, most preferred first; empty for no preference.
    """
    preferred = [tag.lower() for tag in languages]
    ranked = sorted(links, key=lambda link: _sort_key(link, preferred))
    if len(ranked) < 2 or not any(FILM_PART.search(_file_name(link.source_url)) for link in ranked):
        return ranked
    parts = [_film_part(link.source_url) for link in ranked]
    choices: dict[object, list[int]] = {}
    for position, (link, part) in enumerate(zip(ranked, parts, strict=True)):
        choices.setdefault(_choice(link, part), []).append(position)
    # A choice is as good as its worst part, for without it the film has a gap.
    ordered = sorted(choices.values(), key=lambda positions: positions[-1])
    return [ranked[one] for positions in ordered for one in sorted(positions, key=lambda one: parts[one][1])]


def plays_in_browser(link: Rankable) -> bool:
    """Whether a browser can show this link: a page, a player, or a file that is not known to be of another format."""
    if link.kind not in ("file", "stream"):
        return True
    path = link.source_url.partition("?")[0].partition("#")[0]
    return path.rpartition(".")[2].lower() not in UNPLAYABLE_EXTENSIONS


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
        _episode_rank(link),
        bool(link.length_note),
        link.last_checked is None,
        uptime is not None and uptime < MIN_RELIABLE_UPTIME,
        not plays_in_browser(link),
        _language_rank(link.language.lower(), preferred) if preferred else 0,
        QUALITY_RANKS.get(link.quality, len(QUALITY_RANKS)),
        KIND_RANKS.get(link.kind, len(KIND_RANKS)),
        link.response_ms is None,
        link.response_ms or 0,
        SOURCE_RANKS.get(link.source, len(SOURCE_RANKS)),
        link.source,
        link.source_url,
    )


def _episode_rank(link: Rankable) -> tuple[bool, bool, int, bool, int]:
    """The place of an episode in its show; what is no episode comes last, and a special (season 0) after the rest."""
    season, episode = link.season or 0, link.episode or 0
    return (False, not season, season, not episode, episode) if season or episode else NO_EPISODE


def _choice(link: Rankable, part: tuple[str, int]) -> object:
    """What the parts of one film have in common; for a link that is no part, the link itself."""
    name, number = part
    return (name, link.is_active, link.kind, link.quality, link.language) if number else id(link)


def _file_name(url: str) -> str:
    return url.rpartition("/")[2]


def _film_part(url: str) -> tuple[str, int]:
    """The URL of a file without the number of its part, and that number; 0 for a file that is no part."""
    folder, _, name = url.rpartition("/")
    found = list(FILM_PART.finditer(name))
    if not found:
        return url, 0
    start, end = found[-1].span()
    return f"{folder}/{name[:start]}/{name[end:]}".casefold(), int(found[-1][1])


def _language_rank(language: str, preferred: Sequence[str]) -> int:
    """The position of the language in `preferred`; neutral languages come after those, other languages last."""
    for position, tag in enumerate(preferred):
        if language == tag or language.startswith(f"{tag}-") or tag.startswith(f"{language}-"):
            return position
    return len(preferred) if language in NEUTRAL_LANGUAGES else len(preferred) + 1
