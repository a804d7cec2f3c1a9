"""The title by which viewers of a language know a movie."""

from __future__ import annotations

from dataclasses import dataclass

from streaming.formatting import display_text
from streaming.localization import DEFAULT_LANGUAGE, active_language
from streaming.models import Movie


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTitle:
    """A title; `language` is its own if that is known and another than the page's, else empty."""

    text: str
    language: str = ""


def shown_title(movie: Movie) -> ShownTitle:
    """The title in the language of the page: as stated for it, or the original one, else that of the catalogue.

    Pages in English show the title of the catalogue, which staff may have edited, and do not read `other_titles`.
    """
    page = active_language()
    if page != DEFAULT_LANGUAGE and (translated := _title_in(movie, page)):
        return ShownTitle(text=display_text(translated))
    original = str(movie.original_languages[0]) if len(movie.original_languages) == 1 else ""
    is_foreign = movie.title == movie.original_title and _primary(original) != page
    return ShownTitle(text=display_text(movie.title), language=original if is_foreign else "")


def _title_in(movie: Movie, language: str) -> str:
    """The title stated for a language, also for one of its regions; empty if there is none."""
    if movie.original_title and language in {_primary(str(tag)) for tag in movie.original_languages}:
        return movie.original_title
    stated = {str(tag): str(title) for tag, title in reversed(movie.other_titles)}
    regional = (title for tag, title in stated.items() if _primary(tag) == language)
    return stated.get(language) or next(regional, "")


def _primary(tag: str) -> str:
    return tag.partition("-")[0]
