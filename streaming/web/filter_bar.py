"""The filter bar of the catalogue page: the visitor's selection, read leniently from the URL, and what it offers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeGuard
from urllib.parse import urlencode

from django.core.cache import cache

from scraper.extraction.languages import usual_spelling
from scraper.items import QUALITIES
from scraper.sources import KNOWN_SOURCES, LICENCES, source_name
from streaming.catalogue_query import LINK_FILTERS, CatalogueQuery
from streaming.formatting import display_text, language_name
from streaming.ingest.records import is_language_tag
from streaming.models import LinkCount, MovieCount
from streaming.search_words import MAX_SEARCH_LENGTH

PAGE_SIZE = 24
# Of a search the best match first, without one the titles from A to Z.
BEST_MATCH = "best"
SORT_LABELS = {
    BEST_MATCH: "Best match",
    "title": "Title A–Z",
    "newest": "Newest first",
    "oldest": "Oldest first",
    "added": "Added recently",
    "links": "Most working links",
}
TYPE_LABELS = {"movie": "Movies", "show": "Shows"}
MAX_CHIP_LENGTH = 40
FACET_CACHE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A filter that is set, and the query string without it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class FilterSelection:
    """What the visitor has chosen in the filter bar; an empty value means any.

    `working` is "1" for working links only; `decade` is its first year.
    """

    q: str = ""
    type: str = ""
    working: str = ""
    decade: str = ""
    source: str = ""
    quality: str = ""
    language: str = ""
    licence: str = ""
    sort: str = BEST_MATCH

    @classmethod
    def from_query_string(cls, query: Mapping[str, str]) -> FilterSelection:
        """Read the parameters; unknown values count as none, a long search is cut."""
        return cls(
            q=display_text(query.get("q", ""), max_length=MAX_SEARCH_LENGTH),
            type=_known_or_empty(query.get("type"), TYPE_LABELS),
            working=_known_or_empty(query.get("working"), {"1": ""}),
            decade=_decade(query.get("decade", "")),
            source=_known_or_empty(query.get("source"), KNOWN_SOURCES),
            quality=_known_or_empty(query.get("quality"), QUALITIES),
            language=_language(query.get("language", "")),
            licence=_known_or_empty(query.get("licence"), LICENCES),
            sort=_known_or_empty(query.get("sort"), SORT_LABELS) or BEST_MATCH,
        )

    def catalogue_query(self) -> CatalogueQuery:
        """The query that finds the chosen movies."""
        first_year = int(self.decade) if self.decade else None
        return CatalogueQuery(
            search=self.q,
            type=self.type,
            year_min=first_year,
            year_max=first_year and first_year + 9,
            source=self.source,
            quality=self.quality,
            language=self.language,
            licence=self.licence,
            has_links=True if self.working else None,
            order="" if self.sort == BEST_MATCH else self.sort,
        )

    def url(self, **changes: Any) -> str:
        """The query string of this selection with `changes`; values at their default are left out.

        `page` and `after`, a cursor, are not part of a selection.
        """
        position = {name: changes.pop(name) for name in ("page", "after") if name in changes}
        changed = replace(self, **changes)
        values = {x.name: getattr(changed, x.name) for x in fields(self) if getattr(changed, x.name) != x.default}
        query = urlencode(values | position)
        return f"?{query}" if query else "?"

    @property
    def filters_set(self) -> int:
        """How many filters are set; the search and the order are none."""
        return sum(bool(getattr(self, x.name)) for x in fields(self) if x.name not in ("q", "sort"))

    def active_filters(self) -> list[ActiveFilter]:
        """The filters that are set, in the order of the bar."""
        labels = {
            "q": f"“{display_text(self.q, max_length=MAX_CHIP_LENGTH)}”",
            "type": TYPE_LABELS.get(self.type, ""),
            "working": "Working links only",
            "decade": f"{self.decade}s",
            "source": source_name(self.source),
            "quality": self.quality,
            "language": language_name(self.language),
            "licence": LICENCES.get(self.licence, ""),
        }
        return [
            ActiveFilter(label=label, url=self.url(**{name: ""}))
            for name, label in labels.items()
            if getattr(self, name)
        ]


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """The options of each select in the filter bar, as (value, label)."""

    decade: list[tuple[str, str]]
    source: list[tuple[str, str]]
    quality: list[tuple[str, str]]
    language: list[tuple[str, str]]
    licence: list[tuple[str, str]]


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
        decade=[(decade, f"{decade}s") for decade in sorted(values["decade"], reverse=True)],
        source=[(slug, source_name(slug)) for slug in KNOWN_SOURCES if slug in values["source"]],
        quality=[(height, height) for height in heights],
        language=sorted(_named_languages(values["language"]), key=lambda pair: (pair[1], pair[0])),
        licence=[(slug, name) for slug, name in LICENCES.items() if slug in values["licence"]],
    )


def _available_values() -> dict[str, list[str]]:
    facets = LinkCount.objects.active_facets()
    values = zip(*(row[: len(LINK_FILTERS)] for row in facets), strict=True) if facets else [()] * len(LINK_FILTERS)
    available = {name: sorted({str(x) for x in found if x}) for name, found in zip(LINK_FILTERS, values, strict=True)}
    return {**available, "decade": [str(decade) for decade in MovieCount.objects.decades()]}


def _is_complete(available: object) -> TypeGuard[dict[str, list[str]]]:
    """Whether a cached value has the form of `_available_values`; others may write to the cache."""
    return (
        isinstance(available, dict)
        and {*LINK_FILTERS, "decade"} == set(available)
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


def _known_or_empty(value: str | None, known: Container[str]) -> str:
    return value if value is not None and value in known else ""


def _decade(value: str) -> str:
    return value if re.fullmatch(r"(1[89]|20|21)[0-9]0", value, re.ASCII) else ""


def _language(value: str) -> str:
    return usual_spelling(value) if is_language_tag(value) else ""
