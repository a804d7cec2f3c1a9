"""The catalogue as an M3U playlist of the links that players can open. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    picture = entry.poster_url or (f"{site}/posters/{entry.imdb_id}.png" if site else "")
    logo = f' tvg-logo="{_attribute_text(picture)}"' if picture else ""
    head = f'#EXTINF:-1 tvg-id="{entry.imdb_id}" tvg-name="{_attribute_text(entry.name)}"{logo} group-title="{group}"'
    details = "".join(f" [{detail}]" for detail in (link.quality, link.language) if detail)
    return f"{head},{_attribute_text(title + details)}\n{link.source_url}\n"


def _attribute_text(text: str) -> str:
    """A text on one line, whatever a reader takes for the end of one, and without quotation marks."""
    return " ".join(text.splitlines()).replace('"', "'")
