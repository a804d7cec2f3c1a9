"""Films and links as extracted from a source, and their conversion to items. Pure.

The parsers of all sources return an `ExtractedFilm`; only `to_items` knows which values the catalogue accepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

from scraper.extraction.licences import licence_from_url_path
from scraper.items import (
    LINK_FACTS,
    MAX_EVIDENCE_LENGTH,
    MAX_PART_NUMBER,
    MAX_YEAR,
    MIN_YEAR,
    MOVIE_FACTS,
    QUALITIES,
    Caption,
    LinkItem,
    Person,
)
from scraper.net.url_policy import InvalidValue, escape_url, normalize_url
from scraper.sources import LICENCES, source_name

MAX_LINKS_PER_FILM = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceStatement:
    """The licence that a source states: `slug` of `scraper.sources.LICENCES`, `url` and `name` in its own words."""

    slug: str = ""
    url: str = ""
    name: str = ""


NO_LICENCE = LicenceStatement()


def licence_from_url(url: str) -> LicenceStatement | None:
    """Return the Creative Commons licence at a URL; None for any other URL."""
    slug = licence_from_url_path(url)
    return LicenceStatement(slug=slug, url=url) if slug else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedLink:
    """One URL where the film can be watched, as the source states it; empty and None mean not stated."""

    url: str
    kind: str = "page"
    label: str = ""
    quality: str = ""
    language: str = ""
    licence: LicenceStatement | None = None
    season: int | None = None
    episode: int | None = None
    duration_seconds: int | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    captions: tuple[Caption, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedFilm:
    """One film of a source. `problem` is one word for why it has no links (`not_found`, `withdrawn` …), empty if none.

    `doubt` is why a person must review its links before they are shown. `identifier` is the source's own, `page` is
    the URL of its web page, `publisher` is the host of its publisher.
    """

    imdb_id: str = ""
    identifier: str = ""
    title: str = ""
    year: int | None = None
    type: str = "movie"
    language: str = ""
    synopsis: str = ""
    poster_url: str = ""
    page: str = ""
    publisher: str = ""
    licence: LicenceStatement = NO_LICENCE
    links: tuple[ExtractedLink, ...] = ()
    problem: str = ""
    doubt: str = ""
    runtime_minutes: int | None = None
    original_title: str = ""
    original_languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    directors: tuple[Person, ...] = ()
    cast: tuple[Person, ...] = ()
    other_titles: tuple[tuple[str, str], ...] = ()
    synopses: tuple[tuple[str, str], ...] = ()
    fame: int | None = None


# Everything that may differ between two mentions of one URL.
MERGED_FIELDS = tuple(field.name for field in fields(ExtractedLink) if field.name not in ("url", "kind"))


def to_items(film: ExtractedFilm, *, imdb_id: str, source: str) -> Iterator[LinkItem]:
    """Return one item per link, MAX_LINKS_PER_FILM at most; the catalogue decides which of them are published."""
    for link in deduplicate(film.links)[:MAX_LINKS_PER_FILM]:
        licence = link.licence or film.licence
        yield LinkItem(
            imdb_id=imdb_id,
            source=source,
            source_url=link.url,
            kind=link.kind,
            label=link.label,
            quality=link.quality if link.quality in QUALITIES else "",
            language=link.language,
            licence=licence.slug,
            licence_url=_displayable_url(licence.url),
            evidence=licence_evidence(licence, source=source),
            doubt=film.doubt,
            season=_valid_part_number(link.season),
            episode=_valid_part_number(link.episode),
            title=film.title,
            year=valid_year(film.year),
            type=film.type,
            synopsis=film.synopsis,
            poster_url=film.poster_url,
            **{name: getattr(link, name) for name in LINK_FACTS},
            **{name: getattr(film, name) for name in MOVIE_FACTS},
        )


def deduplicate(links: Iterable[ExtractedLink]) -> list[ExtractedLink]:
    """Return each URL once, as browsers spell it; later mentions add what the first does not state.

    http and https are the same URL.
    """
    unique: dict[str, ExtractedLink] = {}
    for link in links:
        link = replace(link, url=escape_url(link.url))
        key = link.url.split("://", 1)[-1]
        unique[key] = _merged(unique[key], link) if key in unique else link
    return list(unique.values())


def _merged(first: ExtractedLink, other: ExtractedLink) -> ExtractedLink:
    stated = {name: getattr(first, name) or getattr(other, name) for name in MERGED_FIELDS}
    is_twin = first.url.startswith("http:") and other.url.startswith("https:")
    return replace(first, url=other.url if is_twin else first.url, **stated)


def licence_evidence(licence: LicenceStatement, *, source: str) -> str:
    """Return what a licence rests on: the source's name for it and the URL that states it. Empty without a licence."""
    if not licence.slug:
        return ""
    stated = " ".join(part for part in (licence.name, _displayable_url(licence.url)) if part)
    return (stated or f"{source_name(source)}: {LICENCES.get(licence.slug, licence.slug)}")[:MAX_EVIDENCE_LENGTH]


def valid_year(year: int | None) -> int | None:
    """Return the year if a film can be of it, else None."""
    return year if year is not None and MIN_YEAR <= year <= MAX_YEAR else None


def _valid_part_number(number: int | None) -> int | None:
    """Return the number if a season or an episode can have it, else None."""
    return number if number is not None and 0 < number <= MAX_PART_NUMBER else None


def _displayable_url(url: str) -> str:
    """Return the URL of a licence if it may be shown, else empty: the link itself is still good."""
    try:
        return normalize_url(url) if url else ""
    except InvalidValue:
        return ""
