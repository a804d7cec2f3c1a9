"""What a visitor wants to see of the catalogue: the home page's question, read from its address."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import F
from django.db.models.expressions import OrderBy

from scraper.extraction.languages import usual_spelling
from scraper.sources import KNOWN_SOURCES, LICENCES, source_name
from streaming.formatting import display_text, language_name
from streaming.ingest.records import is_language_tag
from streaming.models import Movie, MovieQuerySet, StreamingLink
from streaming.models.movie import MAX_SEARCH_LENGTH

PAGE_SIZE = 24
SORT_LABELS = {
    "title": "Title A–Z",
    "newest": "Newest first",
    "oldest": "Oldest first",
    "added": "Added recently",
    "links": "Most working links",
}
ORDERS: dict[str, tuple[str | OrderBy, ...]] = {
    "title": (),
    "newest": (F("year").desc(nulls_last=True),),
    "oldest": (F("year").asc(nulls_last=True),),
    "added": ("-created_at",),
    "links": ("-active_count",),
}
TYPE_LABELS = {"movie": "Movies", "show": "Shows"}
LINK_FIELDS = ("source", "quality", "language", "licence")
MAX_CHIP_LENGTH = 40
FACET_CACHE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A filter that is on, and the URL without it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class CatalogueQuery:
    """What is asked for; an empty value means any. A value that we do not know is as good as none."""

    q: str = ""
    type: str = ""
    working: str = ""
    decade: str = ""
    source: str = ""
    quality: str = ""
    language: str = ""
    licence: str = ""
    sort: str = "title"

    @classmethod
    def from_query_string(cls, query: Mapping[str, str]) -> CatalogueQuery:
        """Read the parameters; malformed ones are left out, a long search is cut."""
        return cls(
            q=display_text(query.get("q", ""), max_length=MAX_SEARCH_LENGTH),
            type=_known_or_empty(query.get("type"), TYPE_LABELS),
            working=_known_or_empty(query.get("working"), {"1": ""}),
            decade=_decade(query.get("decade", "")),
            source=_known_or_empty(query.get("source"), KNOWN_SOURCES),
            quality=_known_or_empty(query.get("quality"), dict(StreamingLink.Quality.choices)),
            language=_language(query.get("language", "")),
            licence=_known_or_empty(query.get("licence"), LICENCES),
            sort=_known_or_empty(query.get("sort"), SORT_LABELS) or "title",
        )

    def movies(self) -> MovieQuerySet:
        """The movies that fit, in order, each with `active_count`."""
        found = Movie.objects.search(self.q).with_active_count().defer("synopsis")
        if self.type:
            found = found.filter(type=self.type)
        if self.decade:
            found = found.filter(year__gte=int(self.decade), year__lt=int(self.decade) + 10)
        if offered := {name: getattr(self, name) for name in LINK_FIELDS if getattr(self, name)}:
            found = found.with_active_link(**offered)
        elif self.working:
            found = found.watchable()
        return found.order_by(*ORDERS[self.sort], "search_title", "id")

    def url(self, **changes: Any) -> str:
        """The query string of this question with `changes`; what is left at its default is not written."""
        page = changes.pop("page", "")
        changed = replace(self, **changes)
        said = {x.name: getattr(changed, x.name) for x in fields(self) if getattr(changed, x.name) != x.default}
        query = urlencode(said | ({"page": page} if page else {}))
        return f"?{query}" if query else "?"

    def active_filters(self) -> list[ActiveFilter]:
        """The filters that are on, in the order of the bar."""
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
        return [ActiveFilter(text, self.url(**{name: ""})) for name, text in labels.items() if getattr(self, name)]


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """What the filter bar offers, as (value, words)."""

    decade: list[tuple[str, str]]
    source: list[tuple[str, str]]
    quality: list[tuple[str, str]]
    language: list[tuple[str, str]]
    licence: list[tuple[str, str]]


def filter_choices(wanted: CatalogueQuery) -> FilterChoices:
    """Only what the catalogue holds, and what is wanted now. Kept for some minutes: it costs a scan of the links."""
    held = cache.get_or_set("browse-held", _available_values, FACET_CACHE_SECONDS) or _available_values()
    values = {name: {*held[name], *filter(None, [getattr(wanted, name)])} for name in held}
    heights = [quality for quality in StreamingLink.Quality.values if quality in values["quality"]]
    return FilterChoices(
        decade=[(decade, f"{decade}s") for decade in sorted(values["decade"], reverse=True)],
        source=[(slug, source_name(slug)) for slug in KNOWN_SOURCES if slug in values["source"]],
        quality=[(height, height) for height in heights],
        language=sorted(_named_languages(values["language"]), key=lambda pair: (pair[1], pair[0])),
        licence=[(slug, name) for slug, name in LICENCES.items() if slug in values["licence"]],
    )


def _available_values() -> dict[str, list[str]]:
    links = StreamingLink.objects.active().order_by()
    years = Movie.objects.exclude(year=None).order_by().values_list("year", flat=True).distinct()
    held = {name: [x for x in links.values_list(name, flat=True).distinct() if x] for name in LINK_FIELDS}
    return {**held, "decade": sorted({str(year // 10 * 10) for year in years if year})}


def _named_languages(held: Iterable[str]) -> list[tuple[str, str]]:
    """The tags in their usual spelling, and the language that several of them are forms of: it finds them all."""
    tags = {usual_spelling(tag) for tag in held}
    forms = Counter(tag.split("-")[0] for tag in tags)
    shared = {language for language, number in forms.items() if number > 1}
    return [(tag, language_name(tag)) for tag in tags | shared]


def _known_or_empty(value: str | None, known: Mapping[str, object]) -> str:
    return value if value is not None and value in known else ""


def _decade(value: str) -> str:
    return value if re.fullmatch(r"(1[89]|20|21)[0-9]0", value, re.ASCII) else ""


def _language(value: str) -> str:
    return usual_spelling(value) if is_language_tag(value) else ""
