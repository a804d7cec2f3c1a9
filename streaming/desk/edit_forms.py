"""The forms in which staff edit movies, links, takedowns and bindings: choices instead of codes, lines instead of JSON.

What they accept is validated by `streaming.ingest.edits`, as all other input is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy

from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from scraper.extraction.json_values import find_imdb_id
from scraper.extraction.languages import TAG_BY_NAME
from scraper.items import LINK_FIELDS, normalize_imdb_id
from scraper.net.url_policy import InvalidValue
from scraper.sources import KNOWN_SOURCES, LICENCES
from streaming.desk.film_lookup import LookupFailed, look_up
from streaming.formatting import language_name
from streaming.ingest import bindings, edits
from streaming.ingest.facts import to_column
from streaming.ingest.records import is_imdb_id
from streaming.ingest.takedown import parse_target
from streaming.models import Binding, BlockedAddress, Movie, StreamingLink

MOVIE_FIELDS = ("imdb_id", *edits.MOVIE_FIELDS)
EDITABLE_LINK_FIELDS = ("source", "source_url", *LINK_FIELDS, "is_active")
PLACEHOLDER_IMDB_ID = "tt0000000"
MAX_ADDRESS_LENGTH = 200
PERSON_LINE = re.compile(r"(?P<name>.*?)(?:\s+\(?(?P<wikidata>Q[1-9][0-9]{0,11})\)?)?", re.ASCII)
NOT_STATED = gettext_lazy("Not stated")
Choices = list[tuple[str, str]]


def read_imdb_id(text: str) -> str:
    """The IMDb id that staff mean by a number, an id or an address of IMDb; empty if it is none.

    >>> read_imdb_id("https://www.imdb.com/title/tt0032977/"), read_imdb_id("32977"), read_imdb_id("nm0000001")
    ('tt0032977', 'tt0032977', '')
    """
    number = text.strip()
    if number.isascii() and number.isdigit():
        return normalize_imdb_id(f"tt{number:0>7}")
    return find_imdb_id(text)


def language_choices() -> Choices:
    """The languages that sources state, by their names."""
    return sorted(((tag, language_name(tag)) for tag in set(TAG_BY_NAME.values())), key=lambda choice: choice[1])


def country_choices() -> Choices:
    """The countries by their names."""
    return sorted(COUNTRIES.items(), key=lambda country: country[1])


def genre_choices() -> Choices:
    """The genres by their names."""
    return sorted(GENRES.items(), key=lambda genre: genre[1])


def with_current(choices: Iterable[tuple[str, str]], *current: str) -> Choices:
    """The choices and what the row has now, which may be a value that no list names."""
    known = list(choices)
    return known + [(value, value) for value in current if value and value not in dict(known)]


class LinesField(forms.CharField):
    """Base class: a list of JSON as lines of text."""

    widget = forms.Textarea(attrs={"rows": 4})

    def line_of(self, entry: Any) -> str:
        """The line for an entry of the list."""
        raise TypeError(type(self))

    def entry_of(self, line: str) -> Any:
        """The entry that a line means. Raises ValidationError."""
        raise TypeError(type(self))

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(self.line_of, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [self.entry_of(line.strip()) for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial or []) != "\n".join((data or "").splitlines()))


class PeopleField(LinesField):
    """People, one in a line: the name, and the Wikidata id if it is known."""

    def line_of(self, entry: Any) -> str:
        return f"{entry['name']} {entry['id']}" if entry["id"].startswith("Q") else str(entry["name"])

    def entry_of(self, line: str) -> dict[str, str]:
        found = PERSON_LINE.fullmatch(line)
        return {"name": found["name"], "wikidata": found["wikidata"] or ""} if found else {"name": line}


class TextsByLanguageField(LinesField):
    """Texts by language, one in a line: language, colon, text."""

    def line_of(self, entry: Any) -> str:
        return f"{entry[0]}: {entry[1]}"

    def entry_of(self, line: str) -> list[str]:
        language, colon, text = line.partition(":")
        if not colon:
            raise ValidationError(gettext("Write a language, a colon and the text, such as de: Die Fahrt"))
        return [language.strip(), text.strip()]


class MovieForm(forms.ModelForm):  # type: ignore[type-arg]
    """A movie. One that is added without a title is looked up by its IMDb id."""

    imdb_id = forms.CharField(
        label=gettext_lazy("IMDb number or address"),
        max_length=MAX_ADDRESS_LENGTH,
        help_text=gettext_lazy("For example 0032977, tt0032977 or https://www.imdb.com/title/tt0032977/"),
    )
    title = forms.CharField(
        max_length=200,
        required=False,
        help_text=gettext_lazy("Leave it empty for a new movie to have title, year and synopsis looked up."),
    )
    genres = forms.MultipleChoiceField(choices=genre_choices, required=False)
    countries = forms.MultipleChoiceField(choices=country_choices, required=False)
    original_languages = forms.MultipleChoiceField(choices=language_choices, required=False)
    directors = PeopleField(required=False, help_text=gettext_lazy("One in a line; a Wikidata id may follow the name."))
    cast = PeopleField(required=False, help_text=gettext_lazy("One in a line; a Wikidata id may follow the name."))
    other_titles = TextsByLanguageField(required=False, help_text=gettext_lazy("One in a line, such as de: Die Fahrt"))
    synopses = TextsByLanguageField(
        label=gettext_lazy("Synopses by language"),
        required=False,
        help_text=gettext_lazy("One in a line, such as de: Ein Schatten auf der Treppe."),
    )

    class Meta:
        model = Movie
        fields = MOVIE_FIELDS
        labels = {
            "poster_url": gettext_lazy("Address of the poster"),
            "runtime_minutes": gettext_lazy("Runtime in minutes"),
        }
        widgets = {"poster_url": forms.TextInput(attrs={"size": 60})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, choices in (
            ("genres", genre_choices()),
            ("countries", country_choices()),
            ("original_languages", language_choices()),
        ):
            if isinstance(field := self.fields.get(name), forms.MultipleChoiceField):
                field.choices = with_current(choices, *getattr(self.instance, name))

    def clean_imdb_id(self) -> str:
        text = str(self.cleaned_data["imdb_id"])
        if not (imdb_id := read_imdb_id(text)):
            raise ValidationError(gettext("This is not tt and 7 to 9 digits, nor an address of IMDb."))
        if known := Movie.objects.filter(imdb_id=imdb_id).first():
            url = reverse("admin:streaming_movie_change", args=[known.pk])
            raise ValidationError(format_html('{} already exists: <a href="{}">{}</a>', imdb_id, url, known))
        return imdb_id

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("title") and not self.instance.pk:
            self._fill_in(cleaned)
        if not self.errors:
            values = {"imdb_id": self.instance.imdb_id, **cleaned}
            try:
                record = edits.validate_movie(values)
            except InvalidValue as refusal:
                field = edits.field_for_error(refusal, url_field="poster_url")
                self.add_error(field if field in self.fields else None, str(refusal))
            else:
                cleaned.update({name: to_column(getattr(record, name)) for name in cleaned})
        return cleaned

    def _fill_in(self, cleaned: dict[str, Any]) -> None:
        """Fill the fields that staff left empty with what is known of the film."""
        try:
            found = look_up(cleaned["imdb_id"])
        except LookupFailed as failure:
            self.add_error("title", str(failure))
        else:
            cleaned.update({name: value for name, value in found.items() if name in cleaned and not cleaned[name]})
            cleaned["type"] = found["type"]


class LinkForm(forms.ModelForm):  # type: ignore[type-arg]
    """A link. On the page of its movie it has some of the fields; the others stay as they are."""

    source = forms.ChoiceField()
    licence = forms.ChoiceField(required=False)
    language = forms.ChoiceField(required=False)

    class Meta:
        model = StreamingLink
        fields = EDITABLE_LINK_FIELDS
        labels = {
            "source_url": gettext_lazy("Address"),
            "licence_url": gettext_lazy("Address of the licence"),
            "duration_seconds": gettext_lazy("Length in seconds"),
            "size_bytes": gettext_lazy("Size in bytes"),
            "is_active": gettext_lazy("Works"),
        }
        widgets = {
            "source_url": forms.TextInput(attrs={"size": 70}),
            "licence_url": forms.TextInput(attrs={"size": 70}),
            "captions": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {
            "captions": gettext_lazy('JSON, such as [{"url": "https://…/en.vtt", "language": "en", "format": "vtt"}]')
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        empty = [("", str(NOT_STATED))]
        for name, choices in (
            ("source", [(slug, source.name) for slug, source in KNOWN_SOURCES.items()]),
            ("licence", empty + list(LICENCES.items())),
            ("language", empty + language_choices()),
        ):
            if isinstance(field := self.fields.get(name), forms.ChoiceField):
                field.choices = with_current(choices, getattr(self.instance, name))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # A row of a movie that nobody touches may have been taken down; the movie can be edited all the same.
        if not self.errors and self.has_changed():
            movie = cleaned.get("movie") or self.instance.movie
            # The form of a new movie may still be wrong; it validates the id itself.
            imdb_id = movie.imdb_id if is_imdb_id(movie.imdb_id) else PLACEHOLDER_IMDB_ID
            try:
                raw = {name: cleaned.get(name, getattr(self.instance, name)) for name in EDITABLE_LINK_FIELDS}
                record = edits.validate_link({**raw, "imdb_id": imdb_id})
            except InvalidValue as refusal:
                field = edits.field_for_error(refusal, url_field="source_url")
                self.add_error(field if field in self.fields else None, str(refusal))
            else:
                names = [name for name in EDITABLE_LINK_FIELDS if name in cleaned]
                cleaned.update({name: to_column(getattr(record, name)) for name in names})
        return cleaned


class BlockForm(forms.ModelForm):  # type: ignore[type-arg]
    """A takedown."""

    class Meta:
        model = BlockedAddress
        fields = ("address", "reason")
        widgets = {"address": forms.TextInput(attrs={"size": 70}), "reason": forms.TextInput(attrs={"size": 70})}
        help_texts = {
            "address": gettext_lazy(
                "A host (films.example.org, with all below it), the beginning of an address "
                "(https://example.org/films/) or an IMDb id (tt0032977). Links are hidden, and a movie is removed, "
                "until you delete this row."
            ),
            "reason": gettext_lazy("For staff only: visitors never see it."),
        }

    def clean_address(self) -> str:
        try:
            return parse_target(self.cleaned_data["address"])[1]
        except InvalidValue as refusal:
            raise ValidationError(str(refusal)) from None


class BindingForm(forms.ModelForm):  # type: ignore[type-arg]
    """A URL that a source reads for a movie."""

    source = forms.ChoiceField(required=False)

    class Meta:
        model = Binding
        fields = ("url", "source")
        widgets = {"url": forms.TextInput(attrs={"size": 60})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        bound = [(slug, source.name) for slug, source in KNOWN_SOURCES.items() if source.supports_bindings]
        if isinstance(field := self.fields.get("source"), forms.ChoiceField):
            field.choices = with_current([("", gettext("By the address")), *bound], self.instance.source)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                bindings.validate_binding(self.instance.movie, url=cleaned["url"], source=cleaned.get("source", ""))
            except InvalidValue as refusal:
                self.add_error("source" if refusal.code == "bad_source" else "url", str(refusal))
        return cleaned
