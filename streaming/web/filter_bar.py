"""The filter bar of the catalogue page: the visitor's selection, read leniently from the URL, and what it offers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeGuard
from urllib.parse import urlencode

from django.core.cache import cache
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from scraper.extraction.languages import usual_spelling
from scraper.items import MAX_YEAR, MIN_YEAR, QUALITIES
from scraper.sources import KNOWN_SOURCES, LICENCES, source_name
from streaming.catalogue_query import LINK_FILTERS, CatalogueQuery
from streaming.formatting import display_text
from streaming.ingest.facts import MAX_RUNTIME_MINUTES, is_language_tag, is_person_key
from streaming.localization import country_name, decade_name, genre_name, language_name, sort_key
from streaming.models import LinkCount, Movie, MovieCount, MovieFacet
from streaming.search_words import MAX_SEARCH_LENGTH, parse_search

PAGE_SIZE = 24
# Of a search the best match first, without one the best known.
BEST_MATCH, BEST_KNOWN = "best", "known"
SORT_LABELS = {
    BEST_MATCH: gettext_noop("Best match"),
    BEST_KNOWN: gettext_noop("Best known first"),
    "title": gettext_noop("Title A–Z"),
    "newest": gettext_noop("Newest first"),
    "oldest": gettext_noop("Oldest first"),
    "added": gettext_noop("Added recently"),
    "links": gettext_noop("Most working links"),
}
TYPE_LABELS = {"movie": gettext_noop("Movies"), "show": gettext_noop("Shows")}
MAX_CHIP_LENGTH = 40
FACET_CACHE_SECONDS = 300
OFFERED_FACETS = ("genre", "country", "captions")
"""The kinds of facets with a select; there are too many people for one."""
# What exports and feeds call the filters: as the API does.
LIST_PARAMETERS = (
    "search", "type", "genre", "year_min", "year_max", "source", "quality", "language", "licence", "country",
    "captions", "person", "runtime_min", "runtime_max",
)  # fmt: skip
RUNTIMES = (15, 40, 60, 90, 120)


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A filter that is set, and the query string without it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class ListLink:
    """A list in another format: the name of the format, and the URL."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class FilterSelection:
    """What the visitor has chosen in the filter bar; an empty value means any.

    `working` is "1" for working links only; `decade` is its first year. A decade and years together mean the years that
    are in both.
    """

    q: str = ""
    type: str = ""
    working: str = ""
    decade: str = ""
    year_min: str = ""
    year_max: str = ""
    source: str = ""
    quality: str = ""
    language: str = ""
    licence: str = ""
    genre: str = ""
    country: str = ""
    captions: str = ""
    runtime_min: str = ""
    runtime_max: str = ""
    person: str = ""
    sort: str = BEST_MATCH

    @classmethod
    def from_query_string(cls, query: Mapping[str, str]) -> FilterSelection:
        """Read the parameters; unknown values count as none, a long search is cut."""
        text = display_text(query.get("q", ""), max_length=MAX_SEARCH_LENGTH)
        sort = _known_or_empty(query.get("sort"), SORT_LABELS) or BEST_MATCH
        year_min, year_max = _years(query.get("year_min", ""), query.get("year_max", ""))
        return cls(
            q=text,
            type=_known_or_empty(query.get("type"), TYPE_LABELS),
            working=_known_or_empty(query.get("working"), {"1": ""}),
            decade=_decade(query.get("decade", "")),
            year_min=year_min,
            year_max=year_max,
            source=_known_or_empty(query.get("source"), KNOWN_SOURCES),
            quality=_known_or_empty(query.get("quality"), QUALITIES),
            language=_language(query.get("language", "")),
            licence=_known_or_empty(query.get("licence"), LICENCES),
            genre=_known_or_empty(query.get("genre"), GENRES),
            country=_known_or_empty(query.get("country"), COUNTRIES),
            captions=_language(query.get("captions", "")),
            runtime_min=_minutes(query.get("runtime_min", "")),
            runtime_max=_minutes(query.get("runtime_max", "")),
            person=_person(query.get("person", "")),
            sort=BEST_MATCH if sort == BEST_KNOWN and not parse_search(text) else sort,
        )

    def catalogue_query(self) -> CatalogueQuery:
        """The query that finds the chosen movies."""
        decade = int(self.decade) if self.decade else None
        first = [*filter(None, [decade, _number(self.year_min)])]
        last = [*filter(None, [decade and decade + 9, _number(self.year_max)])]
        return CatalogueQuery(
            search=self.q,
            type=self.type,
            year_min=max(first, default=None),
            year_max=min(last, default=None),
            source=self.source,
            quality=self.quality,
            language=self.language,
            licence=self.licence,
            genre=self.genre,
            country=self.country,
            captions=self.captions,
            person=self.person,
            runtime_min=_number(self.runtime_min),
            runtime_max=_number(self.runtime_max),
            has_links=True if self.working else None,
            order=self.order,
        )

    @property
    def order(self) -> str:
        """The order of the query; empty for the best matches of a search."""
        if self.sort != BEST_MATCH:
            return self.sort
        return "" if parse_search(self.q) else BEST_KNOWN

    def url(self, **changes: Any) -> str:
        """The query string of this selection with `changes`; values at their default are left out.

        `page` and `after`, a cursor, are not part of a selection.
        """
        position = {name: changes.pop(name) for name in ("page", "after") if name in changes}
        changed = replace(self, **changes)
        values = {x.name: getattr(changed, x.name) for x in fields(self) if getattr(changed, x.name) != x.default}
        query = urlencode(values | position)
        return f"?{query}" if query else "?"

    def sorts(self) -> dict[str, str]:
        """The orders to choose from, with their names. Without a search the best are the best known, named once."""
        if parse_search(self.q):
            return SORT_LABELS
        return {BEST_MATCH: SORT_LABELS[BEST_KNOWN]} | {
            key: label for key, label in SORT_LABELS.items() if key not in (BEST_MATCH, BEST_KNOWN)
        }

    def list_links(self) -> list[ListLink]:
        """The list in other formats, for players, feed readers and spreadsheets."""
        query = self.catalogue_query()
        values: dict[str, object] = {name: getattr(query, name) for name in LIST_PARAMETERS}
        stated = {name: value for name, value in values.items() if value} | (
            {"has_links": "true"} if self.working else {}
        )
        order = {"ordering": self.sort} if self.sort != BEST_MATCH else {}
        return [
            ListLink(label=label, url=f"{reverse(route)}?{parameters}".rstrip("?"))
            for label, route, parameters in (
                ("M3U", "playlist", urlencode(stated | order)),
                ("RSS", "feed-new", urlencode(stated)),
                ("CSV", "csv", urlencode(stated | order)),
            )
        ]

    @property
    def filters_set(self) -> int:
        """How many filters are set; the search and the order are none."""
        return sum(bool(getattr(self, x.name)) for x in fields(self) if x.name not in ("q", "sort"))

    def active_filters(self) -> list[ActiveFilter]:
        """The filters that are set, in the order of the bar."""
        labels = {
            "q": gettext("“%(text)s”") % {"text": display_text(self.q, max_length=MAX_CHIP_LENGTH)},
            "type": gettext(TYPE_LABELS.get(self.type, "")),
            "working": gettext("Working links only"),
            "decade": decade_name(self.decade),
            "year_min": gettext("From %(year)s") % {"year": self.year_min},
            "year_max": gettext("Until %(year)s") % {"year": self.year_max},
            "source": source_name(self.source),
            "quality": self.quality,
            "language": language_name(self.language),
            "licence": gettext(LICENCES.get(self.licence, "")),
            "genre": genre_name(self.genre) if self.genre else "",
            "country": country_name(self.country) if self.country else "",
            "captions": gettext("Captions: %(language)s") % {"language": language_name(self.captions)},
            "runtime_min": gettext("At least %(number)s min") % {"number": self.runtime_min},
            "runtime_max": gettext("At most %(number)s min") % {"number": self.runtime_max},
            "person": person_name(self.person) if self.person else "",
        }
        return [
            ActiveFilter(label=label, url=self.url(**{name: ""}))
            for name, label in labels.items()
            if getattr(self, name)
        ]


def person_name(key: str) -> str:
    """The name of a person as a movie states it; the key if no movie knows the person."""
    found = Movie.objects.shown().filter(facets__kind=MovieFacet.Kind.PERSON, facets__value=key).order_by("pk").first()
    people = [*found.directors, *found.cast] if found else []
    return display_text(next((one["name"] for one in people if one["id"] == key), key))


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """The options of each select in the filter bar, as (value, label)."""

    decade: list[tuple[str, str]]
    source: list[tuple[str, str]]
    quality: list[tuple[str, str]]
    language: list[tuple[str, str]]
    licence: list[tuple[str, str]]
    genre: list[tuple[str, str]]
    country: list[tuple[str, str]]
    captions: list[tuple[str, str]]
    runtime_max: list[tuple[str, str]]


def filter_choices(selection: FilterSelection) -> FilterChoices:
    """The values that occur in the catalogue, and the selected ones.

    The former are read from the counters, and cached for `FACET_CACHE_SECONDS`.
    """
    available = cache.get_or_set("browse-held", _available_values, FACET_CACHE_SECONDS)
    if not _is_complete(available):
        available = _available_values()
    values = {name: {*available[name], *filter(None, [getattr(selection, name)])} for name in available}
    heights = [quality for quality in QUALITIES if quality in values["quality"]]
    return FilterChoices(
        decade=[(decade, decade_name(decade)) for decade in sorted(values["decade"], reverse=True)],
        source=[(slug, source_name(slug)) for slug in KNOWN_SOURCES if slug in values["source"]],
        quality=[(height, height) for height in heights],
        language=_by_name(_named_languages(values["language"])),
        licence=[(slug, gettext(name)) for slug, name in LICENCES.items() if slug in values["licence"]],
        genre=_by_name((slug, genre_name(slug)) for slug in GENRES if slug in values["genre"]),
        country=_by_name((code, country_name(code)) for code in values["country"] if code in COUNTRIES),
        captions=_by_name(_named_languages(values["captions"])),
        runtime_max=[
            (str(minutes), gettext("Up to %(number)s min") % {"number": minutes}) for minutes in _runtimes(selection)
        ],
    )


def _available_values() -> dict[str, list[str]]:
    facets = LinkCount.objects.active_facets()
    values = zip(*(row[: len(LINK_FILTERS)] for row in facets), strict=True) if facets else [()] * len(LINK_FILTERS)
    available = {name: sorted({str(x) for x in found if x}) for name, found in zip(LINK_FILTERS, values, strict=True)}
    decades = [str(decade) for decade in MovieCount.objects.decades()]
    return {**available, "decade": decades, **{kind: MovieFacet.objects.values_of(kind) for kind in OFFERED_FACETS}}


def _runtimes(selection: FilterSelection) -> list[int]:
    chosen = [int(selection.runtime_max)] if selection.runtime_max else []
    return sorted({*RUNTIMES, *chosen})


def _is_complete(available: object) -> TypeGuard[dict[str, list[str]]]:
    """Whether a cached value has the form of `_available_values`; others may write to the cache."""
    return (
        isinstance(available, dict)
        and {*LINK_FILTERS, *OFFERED_FACETS, "decade"} == set(available)
        and all(
            isinstance(values, list) and all(isinstance(value, str) for value in values)
            for values in available.values()
        )
    )


def _named_languages(tags: Iterable[str]) -> list[tuple[str, str]]:
    """The tags in their usual spelling, and each language with several regional forms, which finds all of them."""
    spelled = {usual_spelling(tag) for tag in tags}
    forms = Counter(tag.split("-")[0] for tag in spelled)
    with_several = {language for language, number in forms.items() if number > 1}
    return [(tag, language_name(tag)) for tag in spelled | with_several]


def _by_name(options: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Options in the order of their names, which begin with a capital letter as in any menu."""
    named = [(value, name[:1].upper() + name[1:]) for value, name in options]
    return sorted(named, key=lambda option: (sort_key(option[1]), option[0]))


def _known_or_empty(value: str | None, known: Container[str]) -> str:
    return value if value is not None and value in known else ""


def _decade(value: str) -> str:
    return value if re.fullmatch(r"(1[89]|20|21)[0-9]0", value, re.ASCII) else ""


def _years(first: str, last: str) -> tuple[str, str]:
    """The first and last year, in this order whichever was typed first; empty for what is no year."""
    years = [
        value if re.fullmatch("[0-9]{4}", value) and MIN_YEAR <= int(value) <= MAX_YEAR else ""
        for value in (first, last)
    ]
    return (min(years), max(years)) if all(years) else (years[0], years[1])


def _number(value: str) -> int | None:
    return int(value) if value else None


def _language(value: str) -> str:
    return usual_spelling(value) if is_language_tag(value) else ""


def _minutes(value: str) -> str:
    is_number = value.isascii() and value.isdigit() and len(value) <= 5
    return str(int(value)) if is_number and 1 <= int(value) <= MAX_RUNTIME_MINUTES else ""


def _person(value: str) -> str:
    return value if is_person_key(value) else ""
