"""The title by which viewers of a language know a movie, and its synopsis for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streaming.formatting import display_text
from streaming.localization import DEFAULT_LANGUAGE, active_language
from streaming.models import Movie


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownText:
    """A title or a synopsis; `language` is its own if that is known and another than the page's, else empty."""

    text: str
    language: str = ""


def shown_title(movie: Movie) -> ShownText:
    """The title in the language of the page: as stated for it, or the original one, else that of the catalogue.

    Pages in English show the title of the catalogue, which staff may have edited, and do not read `other_titles`.
    """
    page = active_language()
    if page != DEFAULT_LANGUAGE and (translated := _title_in(movie, page)):
        return ShownText(text=display_text(translated))
    original = str(movie.original_languages[0]) if len(movie.original_languages) == 1 else ""
    is_foreign = movie.title == movie.original_title and _primary(original) != page
    return ShownText(text=display_text(movie.title), language=original if is_foreign else "")


def shown_synopsis(movie: Movie) -> ShownText:
    """The synopsis in the language of the page, else that of the catalogue; cleaned when it is displayed.

    The language of the catalogue's is known if `synopses` has it too; where it is not, it counts as English: staff may
    have written it.
    """
    page, own = active_language(), " ".join(movie.synopsis.split())
    known = [str(tag) for tag, text in movie.synopses if text == own]
    is_for_page = page in map(_primary, known) or (page == DEFAULT_LANGUAGE and not known)
    if own and is_for_page:
        return ShownText(text=own)
    if translated := _text_in(movie.synopses, page):
        return ShownText(text=translated)
    return ShownText(text=own, language=next(iter(known), ""))


def _title_in(movie: Movie, language: str) -> str:
    """The title stated for a language, also for one of its regions; empty if there is none."""
    if movie.original_title and language in {_primary(str(tag)) for tag in movie.original_languages}:
        return movie.original_title
    return _text_in(movie.other_titles, language)


def _text_in(texts: Iterable[Sequence[str]], language: str) -> str:
    """The first text stated for a language, or else for one of its regions; empty if there is none."""
    stated = {str(tag): str(text) for tag, text in reversed(list(texts))}
    regional = (text for tag, text in stated.items() if _primary(tag) == language)
    return stated.get(language) or next(regional, "")


def _primary(tag: str) -> str:
    return tag.partition("-")[0]
