"""What is known of a movie, for its page: facts with the addresses of the lists that they lead to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from streaming.formatting import display_text
from streaming.localization import country_name, genre_name, language_name
from streaming.models import Movie
from streaming.web.titles import shown_title

MAX_CAST_SHOWN = 8
MAX_TITLE_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and the address of the movies that have it too."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFacts:
    """The facts of a movie as its page shows them; `original_title` only if it is another one, with its language.

    `catalogue_title`: the title of the catalogue if the page shows neither it nor the original one above.
    """

    genres: Sequence[Fact]
    countries: Sequence[Fact]
    directors: Sequence[Fact]
    cast: Sequence[Fact]
    catalogue_title: str
    original_title: str
    original_language: str
    languages: str

    @property
    def has_any(self) -> bool:
        """Whether there is anything to show besides the genres."""
        names = (self.catalogue_title, self.original_title, self.languages)
        return any((*names, self.directors, self.cast, self.countries))

    @classmethod
    def of(cls, movie: Movie) -> ShownFacts:
        original = display_text(movie.original_title, max_length=MAX_TITLE_LENGTH)
        languages = [str(tag) for tag in movie.original_languages]
        shown, title = shown_title(movie).text, display_text(movie.title)
        return cls(
            catalogue_title=title if title not in (shown, original) else "",
            genres=[Fact(genre_name(slug), reverse("genre", args=[slug])) for slug in movie.genres if slug in GENRES],
            countries=[
                Fact(country_name(code), reverse("country", args=[code]))
                for code in movie.countries
                if code in COUNTRIES
            ],
            directors=people(movie.directors),
            cast=people(movie.cast[:MAX_CAST_SHOWN]),
            original_title=original if original != display_text(shown, max_length=MAX_TITLE_LENGTH) else "",
            original_language=languages[0] if len(languages) == 1 else "",
            languages=", ".join(language_name(tag) for tag in languages),
        )


def people(stated: Iterable[dict[str, Any]]) -> list[Fact]:
    """People with the addresses of their pages."""
    return [Fact(display_text(one["name"]), reverse("person", args=[one["id"]])) for one in stated]
