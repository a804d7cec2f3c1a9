"""What a program may ask of the list of movies. Strict: what is not known is refused by name, never passed over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError as FormError
from django.db.models import F
from django.db.models.expressions import OrderBy
from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from rest_framework.exceptions import ValidationError

from scraper import sources
from streaming.formatting import quote_value
from streaming.ingest.records import MAX_YEAR, MIN_YEAR, is_language_tag
from streaming.models import Movie, MovieQuerySet, StreamingLink

EMPTY_ALLOWED = frozenset({"search", "cursor", "since"})
LINK_FILTERS = ("source", "quality", "language", "licence")
# The columns behind each order; the last one makes it total. Each has an index that serves it in both directions.
ORDERS = {
    "title": ("search_title", "id"),
    "year": ("year", "search_title", "id"),
    "created_at": ("created_at", "id"),
}
ORDERINGS = tuple(f"{sign}{name}" for name in ORDERS for sign in ("", "-"))


def order_columns(ordering: str) -> list[str]:
    """What `order_by` takes for an ordering of the API."""
    sign = "-" if ordering.startswith("-") else ""
    return [f"{sign}{column}" for column in ORDERS[ordering.removeprefix("-")]]


def order_by(ordering: str) -> list[str | OrderBy]:
    """The same, with unknown years before all others upwards and behind them downwards, whatever the database does."""
    nulls: dict[str, OrderBy] = {"year": F("year").asc(nulls_first=True), "-year": F("year").desc(nulls_last=True)}
    return [nulls.get(column, column) for column in order_columns(ordering)]


def reject_unknown_parameters(query: QueryDict, *, known: frozenset[str]) -> None:
    """Refuse a parameter that is not known, stands twice or is empty: silence would answer another question."""
    for name, values in query.lists():
        if name not in known:
            raise ValidationError(
                {"detail": f"Unknown parameter {quote_value(name)}. Known: {', '.join(sorted(known))}."}
            )
        if len(values) > 1:
            raise ValidationError({name: ["Write it once."]})
        if not values[0] and name not in EMPTY_ALLOWED:
            raise ValidationError({name: ["It is empty: write a value or leave it out."]})


def parse_datetime_or_date(text: str) -> datetime:
    """An ISO 8601 moment or day; without a zone it is UTC. ValueError when it is neither."""
    # A plus sign that was not escaped arrives as a blank.
    spelled = text.strip().replace(" ", "+") if "T" in text else text.strip()
    if len(spelled) > 40:
        raise ValueError("too long")
    day = parse_date(spelled)
    moment = datetime(day.year, day.month, day.day) if day else parse_datetime(spelled)  # noqa: DTZ001 - zone follows
    if moment is None:
        raise ValueError("neither a day nor a moment")
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("out of the calendar") from None


def validate_language(query: QueryDict) -> None:
    """Refuse a `language` that is no tag."""
    try:
        LanguageField(required=False).clean(query.get("language", ""))
    except FormError as error:
        raise ValidationError({"language": error.messages}) from None


class YearField(forms.IntegerField):
    def __init__(self, **options: Any) -> None:
        sentence = f"Write a year from {MIN_YEAR} to {MAX_YEAR}."
        super().__init__(min_value=MIN_YEAR, max_value=MAX_YEAR, **options)
        self.error_messages["invalid"] = sentence
        for validator in self.validators:
            validator.message = sentence  # type: ignore[attr-defined]  # the two limits above


class DateTimeOrDateField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return parse_datetime_or_date(text) if text else None
        except ValueError:
            raise FormError("Write a moment such as 2026-01-31T08:00:00Z, or a day such as 2026-01-31.") from None


class LanguageField(forms.CharField):
    def validate(self, value: str) -> None:
        if value and not is_language_tag(value):
            raise FormError("Write a BCP 47 tag such as en or pt-BR.")


class SourceField(forms.CharField):
    def validate(self, value: str) -> None:
        if not value or value in sources.KNOWN_SOURCES:
            return
        if "\x00" in value or not StreamingLink.objects.published().filter(source=value[:51]).exists():
            raise FormError(f"{quote_value(value)} is not known. Allowed: {', '.join(sources.KNOWN_SOURCES)}.")


class YearFilter(django_filters.NumberFilter):  # type: ignore[misc]
    field_class = YearField

    def get_max_validator(self) -> None:
        """The field's own limits are enough."""


class DateTimeOrDateFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    field_class = DateTimeOrDateField


class LanguageFilter(django_filters.CharFilter):  # type: ignore[misc]
    field_class = LanguageField


class SourceFilter(django_filters.CharFilter):  # type: ignore[misc]
    field_class = SourceField


def _choice_filter(values: Mapping[str, str], says: str) -> django_filters.ChoiceFilter:
    sentence = f"%(value)s is not allowed. Allowed: {', '.join(values)}."
    return django_filters.ChoiceFilter(
        choices=list(values.items()), error_messages={"invalid_choice": sentence}, help_text=says
    )


class MovieFilters(django_filters.FilterSet):  # type: ignore[misc]
    """`source`, `quality`, `language` and `licence` together ask for one active link that has all of them."""

    type = _choice_filter(dict(Movie.Type.choices), "movie or show")
    year = YearFilter(lookup_expr="exact", help_text="Exactly this year")
    year_min = YearFilter(field_name="year", lookup_expr="gte", help_text="This year or later")
    year_max = YearFilter(field_name="year", lookup_expr="lte", help_text="This year or earlier")
    source = SourceFilter(help_text="With an active link of this source")
    quality = _choice_filter(dict(StreamingLink.Quality.choices), "With an active link of this quality")
    language = LanguageFilter(help_text="With an active link in this language (en finds en-GB too); listed first")
    licence = _choice_filter(sources.LICENCES, "With an active link under this licence")
    has_links = _choice_filter({"true": "", "false": ""}, "true: with an active link; false: without one")
    search = django_filters.CharFilter(help_text="Every word stands in the title, or it is the IMDb id")
    updated_since = DateTimeOrDateFilter(field_name="updated_at", help_text="Changed at this moment or later")
    ordering = _choice_filter(dict.fromkeys(ORDERINGS, ""), "The order; title when left out")

    def filter_queryset(self, queryset: MovieQuerySet) -> MovieQuerySet:
        asked: dict[str, Any] = {name: value for name, value in self.form.cleaned_data.items() if value}
        for name in ("type", "year", "year_min", "year_max"):
            queryset = self.filters[name].filter(queryset, asked.get(name))
        if "search" in asked:
            queryset = queryset.search(asked["search"])
        if "updated_since" in asked:
            queryset = queryset.filter(updated_at__gte=asked["updated_since"])
        if "has_links" in asked:
            queryset = queryset.watchable() if asked["has_links"] == "true" else queryset.unwatchable()
        return _filter_by_link(queryset, asked).order_by(*order_by(asked.get("ordering", "title")))


def _filter_by_link(queryset: MovieQuerySet, asked: Mapping[str, Any]) -> MovieQuerySet:
    wanted = {name: asked[name] for name in LINK_FILTERS if name in asked}
    return queryset.with_active_link(**wanted) if wanted else queryset
