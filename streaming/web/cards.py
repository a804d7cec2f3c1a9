"""Cards of movies, as in the catalogue; those that were rendered lately are not rendered again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from streaming.localization import active_language, links_text
from streaming.models import Movie
from streaming.web.titles import shown_title

MAX_CARDS = 2048
VISIBLE, BELOW = 2, 7
"""Besides 1, the positions that differ: images from 7 on are loaded when they come into view."""


@dataclass(frozen=True, slots=True)
class MovieCard:
    """All that a card shows: equal cards look alike, and a card of a movie that has changed is another one.

    `language` is that of its texts; `title` is drawn on the poster, `shown_title` written below, in `title_language` if
    that is another one.
    """

    language: str
    imdb_id: str
    title: str
    shown_title: str
    title_language: str
    year: int | None
    type: str
    type_name: str
    links_text: str
    runtime_minutes: int | None
    poster_url: str
    active_count: int
    working_count: int
    url: str
    position: int


def render_card(movie: Movie, *, position: int) -> SafeString:
    """The card of a movie with `active_count` and `working_count`, as HTML; `position` in the list, from 1."""
    shown = shown_title(movie)
    card = MovieCard(
        language=active_language(),
        imdb_id=movie.imdb_id,
        title=movie.title,
        shown_title=shown.text,
        title_language=shown.language,
        year=movie.year,
        type=movie.type,
        type_name=gettext(movie.get_type_display()),
        links_text=links_text(movie.working_count),
        runtime_minutes=movie.runtime_minutes,
        poster_url=movie.poster_url,
        active_count=getattr(movie, "active_count", 0),
        working_count=movie.working_count,
        url=movie.get_absolute_url(),
        position=BELOW if position >= BELOW else min(position, VISIBLE),
    )
    # Whoever edits the template wants to see that.
    return _render(card) if settings.DEBUG else _render_once(card)


def _render(card: MovieCard) -> SafeString:
    return render_to_string("_card.html", {"movie": card, "position": card.position})


_render_once = lru_cache(MAX_CARDS)(_render)
