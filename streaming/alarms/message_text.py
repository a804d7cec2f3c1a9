"""The text of a message to the operator. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_LINE_LENGTH = 400
MAX_SUBJECT_LENGTH = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What began and what ended, as (code, sentence), and the films that were removed, as (IMDb id, title).

    `removed_count` counts all of these films, `films` names some.
    """

    began: tuple[tuple[str, str], ...] = ()
    ended: tuple[tuple[str, str], ...] = ()
    removed_count: int = 0
    films: tuple[tuple[str, str], ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.began or self.ended or self.removed_count)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageText:
    """A message as people read it."""

    subject: str
    body: str


def compose(news: News, *, site: str) -> MessageText:
    """Put all news of one look into one message."""
    sentences = [text for _, text in news.began] + _removal_headline(news) + [text for _, text in news.ended]
    more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
    lines = [f"- {_one_line(text)}" for text in sentences]
    return MessageText(
        subject=f"Openreel: {_one_line(sentences[0])[:MAX_SUBJECT_LENGTH]}{more}",
        body="\n".join([*lines, *_film_lines(news), "", f"From {site}"]),
    )


def _removal_headline(news: News) -> list[str]:
    if not news.removed_count:
        return []
    noun = "film was" if news.removed_count == 1 else "films were"
    return [f"{news.removed_count} {noun} removed, for no link works any more."]


def _film_lines(news: News) -> list[str]:
    if not news.films:
        return []
    hidden = news.removed_count - len(news.films)
    ids = " ".join(imdb_id for imdb_id, _ in news.films)
    return [
        "",
        *(f"  {imdb_id}  {_one_line(title)}" for imdb_id, title in news.films),
        *([f"  and {hidden} more: python manage.py restore_movies --list"] if hidden > 0 else []),
        f"To restore them: python manage.py restore_movies {ids}",
        "They return by themselves when one of their links works again.",
    ]


def _one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:MAX_LINE_LENGTH]


def as_content(news: News, *, site: str) -> dict[str, object]:
    """Return the news as the body of the webhook."""
    return {
        "site": site,
        "began": _rows(news.began),
        "ended": _rows(news.ended),
        "removed_count": news.removed_count,
        "removed": [{"imdb_id": imdb_id, "title": title} for imdb_id, title in news.films],
    }


def _rows(changes: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"condition": code, "text": _one_line(text)} for code, text in changes]
