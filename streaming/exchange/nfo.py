"""What is known of a movie, a show or an episode as the .nfo files that Kodi and Jellyfin document. Pure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement

from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from scraper.extraction.languages import three_letter_code
from streaming.exchange.entries import LinkEntry, MovieEntry
from streaming.formatting import display_text

# What XML 1.0 cannot contain, in whatever spelling.
NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
HEIGHT = re.compile(r"([0-9]{3,4})p")


def movie_nfo(entry: MovieEntry, link: LinkEntry, *, site: str) -> str:
    """`movie.nfo`; `site` is the base URL of drawn covers, empty: none is named."""
    root = Element("movie")
    _describe(root, entry, site=site)
    _add_stream_details(root, link)
    return _to_text(root)


def show_nfo(entry: MovieEntry, *, site: str) -> str:
    """`tvshow.nfo`."""
    root = Element("tvshow")
    _describe(root, entry, site=site)
    return _to_text(root)


def episode_nfo(entry: MovieEntry, link: LinkEntry, *, season: int, episode: int) -> str:
    """The .nfo beside the .strm of an episode, with its name."""
    root = Element("episodedetails")
    _add(root, "title", display_text(link.label) or display_text(entry.title))
    _add(root, "showtitle", display_text(entry.title))
    _add(root, "season", str(season))
    _add(root, "episode", str(episode))
    if link.duration_seconds:
        _add(root, "runtime", str(max(1, round(link.duration_seconds / 60))))
    _add_stream_details(root, link)
    return _to_text(root)


def _describe(root: Element, entry: MovieEntry, *, site: str) -> None:
    _add(root, "title", display_text(entry.title))
    _add(root, "originaltitle", display_text(entry.original_title))
    _add(root, "year", str(entry.year or ""))
    _add(root, "plot", entry.synopsis)
    _add(root, "runtime", str(entry.runtime_minutes or ""))
    if picture := entry.picture_url(site):
        _add(root, "thumb", picture).set("aspect", "poster")
    unique_id = _add(root, "uniqueid", entry.imdb_id)
    unique_id.set("type", "imdb")
    unique_id.set("default", "true")
    _add_all(root, "genre", (GENRES[slug] for slug in entry.genres if slug in GENRES))
    _add_all(root, "country", (COUNTRIES[code] for code in entry.countries if code in COUNTRIES))
    _add_all(root, "director", (display_text(person.name) for person in entry.directors))
    for number, person in enumerate(entry.cast):
        actor = SubElement(root, "actor")
        _add(actor, "name", display_text(person.name))
        _add(actor, "order", str(number))


def _add_stream_details(root: Element, link: LinkEntry) -> None:
    """What the source says of the file: players show it before they have opened it."""
    details = SubElement(SubElement(root, "fileinfo"), "streamdetails")
    video = SubElement(details, "video")
    stated = HEIGHT.fullmatch(link.quality)
    _add(video, "width", str(link.width or ""))
    _add(video, "height", str(link.height or (stated[1] if stated else "")))
    _add(video, "durationinseconds", str(link.duration_seconds or ""))
    if link.language:
        _add(SubElement(details, "audio"), "language", three_letter_code(link.language))
    for caption in link.captions:
        _add(SubElement(details, "subtitle"), "language", three_letter_code(caption.language))


def _add(parent: Element, name: str, text: str) -> Element:
    """Add an element with this text; without a text it is left out of the file."""
    element = Element(name)
    element.text = NOT_IN_XML.sub("", text)
    if element.text:
        parent.append(element)
    return element


def _add_all(parent: Element, name: str, texts: Iterable[str]) -> None:
    for text in texts:
        _add(parent, name, text)


def _to_text(root: Element) -> str:
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{text}\n'
