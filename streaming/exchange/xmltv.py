"""A channel for each genre, with a computed order for each day, as XMLTV: nothing is broadcast. Pure.

The order depends on day, channel and films alone, so that every machine, and every request of a day, has the same.
"""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle
from xml.etree.ElementTree import Element, SubElement

from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from streaming.exchange.entries import MovieEntry
from streaming.exchange.m3u import extinf
from streaming.exchange.nfo import NOT_IN_XML
from streaming.formatting import display_text

DAY = timedelta(days=1)
MIN_MINUTES = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What is on a channel from `start` until `stop`."""

    entry: MovieEntry
    start: datetime
    stop: datetime


def channel_id(genre: str) -> str:
    """The id of a channel, in the guide and in the playlist."""
    return f"{genre}.openreel"


def day_schedule(entries: Iterable[MovieEntry], *, genre: str, day: date) -> list[Programme]:
    """Fill a day, in UTC: the films whose length is known in the order of the day, from the beginning if they are few.

    The last one is cut at midnight. Empty without such a film.
    """
    films = [entry for entry in entries if entry.playable_links and _length(entry)]
    films.sort(key=lambda entry: hashlib.sha256(f"{day.isoformat()} {genre} {entry.imdb_id}".encode()).digest())
    start = datetime.combine(day, time(), UTC)
    midnight, programmes = start + DAY, []
    for entry in cycle(films):
        stop = min(start + _length(entry), midnight)
        programmes.append(Programme(entry=entry, start=start, stop=stop))
        if stop == midnight:
            break
        start = stop
    return programmes


def write_channels(channels: Iterable[tuple[str, str]], *, guide: str) -> Iterator[str]:
    """Write the playlist of channels (genre, URL), which names the URL of the guide."""
    yield f'#EXTM3U x-tvg-url="{guide}" url-tvg="{guide}"\n'
    for genre, url in channels:
        attributes = {"tvg-id": channel_id(genre), "tvg-name": GENRES[genre], "group-title": "Genres"}
        yield f"{extinf(-1, attributes, GENRES[genre])}{url}\n"


def write_guide(
    schedules: Mapping[str, Sequence[MovieEntry]], *, days: Sequence[date], site: str, site_name: str
) -> Iterator[str]:
    """Write the guide of the channels, by genre, for these days. `site` is our base URL; empty: none is named."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tv SYSTEM "xmltv.dtd">\n'
    attributes = {"generator-info-name": site_name} | ({"generator-info-url": f"{site}/"} if site else {})
    root = ElementTree.tostring(Element("tv", attributes), encoding="unicode").removesuffix(" />")
    yield f"{root}>\n"
    for genre in schedules:
        channel = Element("channel", id=channel_id(genre))
        SubElement(channel, "display-name", lang="en").text = GENRES[genre]
        yield _to_line(channel)
    for genre, entries in schedules.items():
        for day in days:
            for programme in day_schedule(entries, genre=genre, day=day):
                yield _to_line(_programme(programme, genre, site=site))
    yield "</tv>\n"


def _programme(programme: Programme, genre: str, *, site: str) -> Element:
    """The element, with its parts in the order of the DTD."""
    entry = programme.entry
    start, stop = (f"{at:%Y%m%d%H%M%S} +0000" for at in (programme.start, programme.stop))
    element = Element("programme", start=start, stop=stop, channel=channel_id(genre))
    _add(element, "title", display_text(entry.title))
    _add(element, "desc", entry.synopsis)
    people = [("director", one) for one in entry.directors] + [("actor", one) for one in entry.cast]
    if people:
        credits_element = SubElement(element, "credits")
        for role, person in people:
            _add(credits_element, role, display_text(person.name))
    _add(element, "date", str(entry.year or ""))
    for slug in entry.genres:
        _add(element, "category", GENRES.get(slug, ""), lang="en")
    _add(element, "length", str(round(_length(entry).total_seconds() / 60)), units="minutes")
    if picture := entry.picture_url(site):
        SubElement(element, "icon", src=picture)
    if site:
        _add(element, "url", f"{site}/streaming/{entry.imdb_id}/")
    for code in entry.countries:
        _add(element, "country", COUNTRIES.get(code, ""))
    return element


def _length(entry: MovieEntry) -> timedelta:
    """The length of the film in whole minutes; 0 if it is not known."""
    seconds = entry.playable_links[0].duration_seconds or 60 * (entry.runtime_minutes or 0)
    return timedelta(minutes=max(MIN_MINUTES, round(seconds / 60))) if seconds else timedelta()


def _add(parent: Element, name: str, text: str, **attributes: str) -> None:
    if clean := NOT_IN_XML.sub("", text):
        SubElement(parent, name, attributes).text = clean


def _to_line(element: Element) -> str:
    return ElementTree.tostring(element, encoding="unicode") + "\n"
