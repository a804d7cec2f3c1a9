"""Strict parsing of the API's query parameters: unknown names and values are errors that say what is allowed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import django_filters
from django import forms
from django.core.exceptions import ValidationError as FormError
from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from django_filters.utils import translate_validation
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError

from scraper import sources
from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from scraper.items import MAX_YEAR, MIN_YEAR, QUALITIES
from streaming.catalogue_query import ORDERINGS, READING_ORDERS, CatalogueQuery
from streaming.formatting import quote_value
from streaming.ingest.facts import (
    LANGUAGE_TAG,
    MAX_LANGUAGE_LENGTH,
    MAX_RUNTIME_MINUTES,
    is_language_tag,
    is_person_key,
)
from streaming.models import LinkCount, Movie

LANGUAGE_PATTERN = f"^{LANGUAGE_TAG.pattern}$"
EMPTY_ALLOWED = frozenset({"search", "cursor", "since"})


def reject_unknown_parameters(query: QueryDict, *, known: frozenset[str]) -> None:
    """Raise an error for a parameter that is unknown, repeated or empty, instead of ignoring it."""
    for name, values in query.lists():
        if name not in known:
            raise ValidationError(
                {"detail": f"Unknown parameter {quote_value(name)}. Known: {', '.join(sorted(known))}."}
            )
        if len(values) > 1:
            raise ValidationError({name: ["Give it only once."]})
        if not values[0] and name not in EMPTY_ALLOWED:
            raise ValidationError({name: ["It is empty. Give a value or leave it out."]})


def parse_datetime_or_date(text: str) -> datetime:
    """Read an ISO 8601 time or date; without a time zone it is UTC. ValueError if it is neither."""
    # An unescaped plus sign arrives as a space.
    spelled = text.strip().replace(" ", "+") if "T" in text else text.strip()
    if len(spelled) > 40:
        raise ValueError("too long")
    day = parse_date(spelled)
    time = datetime(day.year, day.month, day.day) if day else parse_datetime(spelled)  # noqa: DTZ001 - zone follows
    if time is None:
        raise ValueError("neither a date nor a time")
    try:
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("out of range") from None


def validate_language(query: QueryDict) -> None:
    """Raise an error if `language` is not a language tag."""
    try:
        LanguageField(required=False).clean(query.get("language", ""))
    except FormError as error:
        raise ValidationError({"language": error.messages}) from None


class BoundedField(forms.IntegerField):
    """A number with one message for all that it may not be."""

    lowest, highest, unit = 0, 0, ""

    def __init__(self, **options: Any) -> None:
        message = f"Write {self.unit} from {self.lowest} to {self.highest}."
        super().__init__(min_value=self.lowest, max_value=self.highest, **options)
        self.error_messages["invalid"] = message
        for validator in self.validators:
            validator.message = message  # type: ignore[attr-defined]  # the two limits above


class YearField(BoundedField):
    lowest, highest, unit = MIN_YEAR, MAX_YEAR, "a year"


class RuntimeField(BoundedField):
    lowest, highest, unit = 1, MAX_RUNTIME_MINUTES, "minutes"


class PersonField(forms.CharField):
    def validate(self, value: str) -> None:
        if value and not is_person_key(value):
            raise FormError("Write the id of a person as the cast of a movie has it, such as Q25191 or max-schreck.")


class DateTimeOrDateField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return parse_datetime_or_date(text) if text else None
        except ValueError:
            raise FormError("Write a time such as 2026-01-31T08:00:00Z, or a date such as 2026-01-31.") from None


class LanguageField(forms.CharField):
    def validate(self, value: str) -> None:
        if value and not is_language_tag(value):
            raise FormError("Write a BCP 47 tag such as en or pt-BR.")


class SourceField(forms.CharField):
    def validate(self, value: str) -> None:
        if not value or value in sources.KNOWN_SOURCES:
            return
        if "\x00" in value or value not in LinkCount.objects.by_source():
            # As a parameter: django-filter formats the message, so a percent sign in it would be an error.
            message = f"%(value)s is not known. Allowed: {', '.join(sources.KNOWN_SOURCES)}."
            raise FormError(message, params={"value": quote_value(value)})


class BoundedFilter(django_filters.NumberFilter):  # type: ignore[misc]
    def get_max_validator(self) -> None:
        """None: the field has its own limits."""


@extend_schema_field({"type": "integer", "minimum": MIN_YEAR, "maximum": MAX_YEAR})
class YearFilter(BoundedFilter):
    field_class = YearField


class DateTimeOrDateFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    field_class = DateTimeOrDateField


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": MAX_RUNTIME_MINUTES})
class RuntimeFilter(BoundedFilter):
    field_class = RuntimeField


@extend_schema_field({"type": "string", "minLength": 1})
class PersonFilter(django_filters.CharFilter):  # type: ignore[misc]
    field_class = PersonField


@extend_schema_field({"type": "string", "pattern": LANGUAGE_PATTERN, "maxLength": MAX_LANGUAGE_LENGTH})
class LanguageFilter(django_filters.CharFilter):  # type: ignore[misc]
    field_class = LanguageField


@extend_schema_field({"type": "string", "minLength": 1})
class SourceFilter(django_filters.CharFilter):  # type: ignore[misc]
    field_class = SourceField


def _choice_filter(values: Mapping[str, str], help_text: str) -> django_filters.ChoiceFilter:
    message = f"%(value)s is not allowed. Allowed: {', '.join(values)}."
    return django_filters.ChoiceFilter(
        choices=list(values.items()), error_messages={"invalid_choice": message}, help_text=help_text
    )


class MovieFilters(django_filters.FilterSet):  # type: ignore[misc]
    """The filters of the list of movies.

    `source`, `quality`, `language` and `licence` together require one active link that has all of them.
    """

    type = _choice_filter(dict(Movie.Type.choices), "movie or show")
    year = YearFilter(lookup_expr="exact", help_text="Exactly this year")
    year_min = YearFilter(field_name="year", lookup_expr="gte", help_text="This year or later")
    year_max = YearFilter(field_name="year", lookup_expr="lte", help_text="This year or earlier")
    source = SourceFilter(help_text="With an active link of this source")
    quality = _choice_filter(dict.fromkeys(QUALITIES, ""), "With an active link of this quality")
    language = LanguageFilter(help_text="With an active link in this language (en finds en-GB too); listed first")
    licence = _choice_filter(sources.LICENCES, "With an active link under this licence")
    genre = _choice_filter(GENRES, "Of this genre")
    country = _choice_filter(COUNTRIES, "Made in this country (ISO 3166 code)")
    person = PersonFilter(help_text="With this person as director or in the cast: the id of either")
    captions = LanguageFilter(help_text="With captions in this language in an active link (en finds en-GB too)")
    runtime_min = RuntimeFilter(help_text="At least this many minutes")
    runtime_max = RuntimeFilter(help_text="At most this many minutes")
    has_links = _choice_filter({"true": "", "false": ""}, "true: with an active link; false: without one")
    search = django_filters.CharFilter(
        help_text="Words of titles and names of people, in any order, or an IMDb id; the last one may be unfinished"
    )
    updated_since = DateTimeOrDateFilter(field_name="updated_at", help_text="Changed at this time or later")
    ordering = _choice_filter(
        dict.fromkeys(ORDERINGS, ""), "The order; by default title, or with search the best match first"
    )

    def catalogue_query(self) -> CatalogueQuery:
        """The valid parameters as a query."""
        values = {name: value for name, value in self.form.cleaned_data.items() if value not in ("", None)}
        has_links = {"true": True, "false": False}.get(values.pop("has_links", ""))
        return CatalogueQuery(order=values.pop("ordering", ""), has_links=has_links, **values)


EXPORT_ORDERINGS = (*ORDERINGS, *READING_ORDERS)


class ListParameters:
    """The parameters of a list outside the API, such as a feed: the same filters, and the same errors.

    `filters`: those that are allowed; `orderings`: the allowed values of `ordering`, none: there is no such parameter.
    """

    def __init__(
        self, query: QueryDict, *, filters: Iterable[str] = tuple(MovieFilters.base_filters), orderings: Iterable[str]
    ) -> None:
        allowed, orders = frozenset(filters) - {"ordering"}, tuple(orderings)
        self.errors: Any = {}
        self.query, self.key = CatalogueQuery(), ""
        try:
            reject_unknown_parameters(query, known=allowed | ({"ordering"} if orders else set()))
            order = _check_ordering(query.get("ordering", ""), orders)
        except ValidationError as error:
            self.errors = error.detail
            return
        others = QueryDict(mutable=True)
        others.update({name: str(value) for name, value in query.items() if name != "ordering"})
        parsed = MovieFilters(others, Movie.objects.none())
        if not parsed.is_valid():
            self.errors = translate_validation(parsed.errors).detail
            return
        self.query = replace(parsed.catalogue_query(), order=order)
        if stated := sorted((name, value) for name, value in query.items() if value):
            self.key = hashlib.sha256(urlencode(stated).encode()).hexdigest()[:24]

    def is_valid(self) -> bool:
        """Whether there is no error; only then `query` and `key` are what was asked.

        `key` is the same for the same parameters, and empty without any.
        """
        return not self.errors


def _check_ordering(order: str, allowed: tuple[str, ...]) -> str:
    if order and order not in allowed:
        raise ValidationError({"ordering": [f"{quote_value(order)} is not allowed. Allowed: {', '.join(allowed)}."]})
    return order
