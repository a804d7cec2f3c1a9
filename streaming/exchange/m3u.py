"""The catalogue as an M3U playlist of the links that players can open. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from scraper.extraction.genres import GENRES
from streaming.exchange.entries import LinkEntry, MovieEntry


def write_m3u(entries: Iterable[MovieEntry], *, site: str = "") -> Iterator[str]:
    """Write the best link of each movie, and the best link for each label of a show.

    `site` is the base URL of covers for movies without a poster; without it they have no logo.
    """
    yield "#EXTM3U\n"
    for entry in entries:
        if entry.type == "show":
            yield from _best_by_label(entry, site=site)
        elif entry.playable_links:
            yield _item(entry, entry.playable_links[0], site=site, title=entry.name, group="Movies")


def _best_by_label(show: MovieEntry, *, site: str) -> Iterator[str]:
    best: dict[str, LinkEntry] = {}
    for link in show.playable_links:
        best.setdefault(link.label, link)
    for label, link in best.items():
        title = f"{show.name} – {label}" if label else show.name
        yield _item(show, link, site=site, title=title, group="Shows")


def _item(entry: MovieEntry, link: LinkEntry, *, site: str, title: str, group: str) -> str:
    """Two lines: a title may contain commas, for it is what follows the first one."""
    genre = next((GENRES[slug] for slug in entry.genres if slug in GENRES), group)
    attributes = {"tvg-id": entry.imdb_id, "tvg-name": entry.name, "tvg-logo": entry.picture_url(site)}
    details = "".join(f" [{detail}]" for detail in (link.quality, link.language) if detail)
    seconds = link.duration_seconds or 60 * (entry.runtime_minutes or 0) or -1
    head = extinf(seconds, {**attributes, "group-title": genre}, title + details)
    return f"{head}{link.source_url}\n"


def extinf(seconds: int, attributes: Mapping[str, str], title: str) -> str:
    """The line before a URL; empty attributes are left out. `seconds` -1: not known, or without an end."""
    stated = "".join(f' {name}="{_attribute_text(text)}"' for name, text in attributes.items() if text)
    return f"#EXTINF:{seconds}{stated},{_one_line(title)}\n"


def _attribute_text(text: str) -> str:
    """Without commas, at the first of which many players begin the title; a URL has them escaped."""
    is_url = text.startswith(("https://", "http://"))
    return _one_line(text).replace(",", "%2C" if is_url else "")


def _one_line(text: str) -> str:
    """A text on one line, whatever a reader takes for the end of one, and without quotation marks."""
    return " ".join(text.splitlines()).replace('"', "'")
