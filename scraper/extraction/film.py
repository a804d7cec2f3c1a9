"""What a source says about one film, and how that becomes items. Pure.

Every reader of a source gives a `Film`; only `items_of` knows what the catalogue takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

from scraper.items import MAX_EVIDENCE_LENGTH, MAX_PART_NUMBER, MAX_YEAR, MIN_YEAR, QUALITIES, LinkItem
from scraper.net.url_policy import InvalidValue, normalize_url
from scraper.sources import LICENCES, source_name

MAX_LINKS_PER_FILM = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceStatement:
    """What the source says one may do with it. `slug` is ours, the rest is the source's own words."""

    slug: str = ""
    url: str = ""
    name: str = ""


NO_LICENCE = LicenceStatement()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedLink:
    """One URL where the source says that its film can be watched; empty and None mean that it does not say."""

    url: str
    kind: str = "page"
    label: str = ""
    quality: str = ""
    width: int | None = None
    height: int | None = None
    language: str = ""
    licence: LicenceStatement | None = None
    size: int | None = None
    media_type: str = ""
    season: int | None = None
    episode: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedFilm:
    """One film of a source. `problem` is one word for why it has no links (`not_found`, `withdrawn` …), empty if none.

    `doubt` says why a person has to look at its links before they are shown. `identifier` is the source's own, `page`
    its address for people; `publisher` is the host of whoever publishes it.
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


# All that may differ between two mentions of one URL.
MERGED_FIELDS = tuple(field.name for field in fields(ExtractedLink) if field.name not in ("url", "kind"))


def to_items(film: ExtractedFilm, *, imdb_id: str, source: str) -> Iterator[LinkItem]:
    """One item a link, MOST_LINKS at most. Those that may not be published are items too: the catalogue decides."""
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
        )


def deduplicate(links: Iterable[ExtractedLink]) -> list[ExtractedLink]:
    """Each address once: what the first mention leaves open the others fill in. An http twin of an https address is
    the same address."""
    kept: dict[str, ExtractedLink] = {}
    for link in links:
        link = replace(link, url=link.url.split("#")[0])
        key = link.url.split("://", 1)[-1]
        kept[key] = _filled(kept[key], link) if key in kept else link
    return list(kept.values())


def _filled(first: ExtractedLink, other: ExtractedLink) -> ExtractedLink:
    stated = {name: getattr(first, name) or getattr(other, name) for name in MERGED_FIELDS}
    is_twin = first.url.startswith("http:") and other.url.startswith("https:")
    return replace(first, url=other.url if is_twin else first.url, **stated)


def licence_evidence(licence: LicenceStatement, *, source: str) -> str:
    """What a link's licence rests on: the source's words for it and the address where it says so. Empty without a
    licence."""
    if not licence.slug:
        return ""
    said = " ".join(part for part in (licence.name, _displayable_url(licence.url)) if part)
    return (said or f"{source_name(source)}: {LICENCES.get(licence.slug, licence.slug)}")[:MAX_EVIDENCE_LENGTH]


def valid_year(year: int | None) -> int | None:
    """A year that a film may have; None for any other."""
    return year if year is not None and MIN_YEAR <= year <= MAX_YEAR else None


def _valid_part_number(number: int | None) -> int | None:
    """The number of a season or an episode; None for one that no show has."""
    return number if number is not None and 0 < number <= MAX_PART_NUMBER else None


def _displayable_url(url: str) -> str:
    """The address of a licence; empty when it is no address that may be shown: the link itself is good all the same."""
    try:
        return normalize_url(url) if url else ""
    except InvalidValue:
        return ""
