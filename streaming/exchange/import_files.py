"""Reads files of each format as lines to import; films without an IMDb id are looked for in the catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from scraper.net.url_policy import PrivateHostAllowlist
from streaming.exchange import csv_import, film_lists, jsonl, playlist_import
from streaming.exchange.csv_import import DEFAULT_SOURCE
from streaming.exchange.jsonl import InvalidLine, ValidLine
from streaming.exchange.list_matching import match_films
from streaming.exchange.playlist_import import PlaylistItem
from streaming.models import Movie

FORMATS = ("jsonl", "csv", "m3u", "strm")
FORMAT_OF_SUFFIX = {".csv": "csv", ".tsv": "csv", ".m3u": "m3u", ".m3u8": "m3u", ".strm": "strm"}
MAX_STRM_BYTES, MAX_NFO_BYTES = 64 * 1024, 1024 * 1024
NO_FILM = "no IMDb id is stated, and no single title of the catalogue is this one"
NO_URL = "there is no URL in this file"


def format_of(name: str) -> str:
    """The format of a file or folder by its name."""
    return "strm" if Path(name).is_dir() else FORMAT_OF_SUFFIX.get(Path(name).suffix.lower(), "jsonl")


def read_lines(
    file: BinaryIO, form: str, *, source: str, allowed: PrivateHostAllowlist
) -> Iterator[ValidLine | InvalidLine]:
    """The lines of a file in one of `FORMATS` but strm; raise InvalidList if it is no text.

    `source` is that of links which state none. If it is empty, such links of a table or a playlist have the source
    `import`, and those of JSON lines, which name their sources, are invalid.
    """
    if form == "jsonl":
        return jsonl.parse_lines(jsonl.numbered_lines(file.readline), source=source, allowed=allowed)
    text, source = film_lists.decode(file.read()), source or DEFAULT_SOURCE
    if form == "csv":
        return csv_import.parse_csv(text, source=source, allowed=allowed)
    return _lines_of(list(playlist_import.parse_m3u(text)), source=source, allowed=allowed)


def read_library(folder: Path, *, source: str, allowed: PrivateHostAllowlist) -> Iterator[ValidLine | InvalidLine]:
    """The lines of a folder of .strm files, those in its folders too; a file that cannot be read is an invalid line."""
    items: list[PlaylistItem] = []
    for number, path in enumerate(sorted(folder.rglob("*.strm")), start=1):
        name = path.relative_to(folder)
        try:
            text = _text_of(path, MAX_STRM_BYTES)
            nfo = [_text_of(one, MAX_NFO_BYTES) for one in _nfo_files(path, folder)]
        except OSError as error:
            yield InvalidLine(number, f"{name}: {error.strerror or error}")
            continue
        item = playlist_import.parse_strm(number, name, text, nfo=nfo)
        if item is None:
            yield InvalidLine(number, f"{name}: {NO_URL}")
        else:
            items.append(item)
    yield from _lines_of(items, source=source or DEFAULT_SOURCE, allowed=allowed)


def _text_of(path: Path, max_bytes: int) -> str:
    with path.open("rb") as file:
        return file.read(max_bytes).decode("utf-8-sig", errors="replace")


def _nfo_files(path: Path, folder: Path) -> list[Path]:
    """The .nfo files that describe the film of a .strm file, or the show of an episode."""
    if playlist_import.PART.search(path.stem):
        folders = [one for one in path.parents if one.is_relative_to(folder)][:3]
        return [one / "tvshow.nfo" for one in folders if (one / "tvshow.nfo").is_file()]
    beside = [path.with_suffix(".nfo")]
    if path.parent != folder:
        beside.append(path.with_name("movie.nfo"))
    return [one for one in beside if one.is_file()]


def _lines_of(
    items: Sequence[PlaylistItem], *, source: str, allowed: PrivateHostAllowlist
) -> Iterator[ValidLine | InvalidLine]:
    """A line for each film with all of its links, and an invalid one for each entry whose film is not known."""
    known = match_films([item.film for item in items], Movie.objects.all()).rows
    by_film = defaultdict[str, list[PlaylistItem]](list)
    for item in items:
        if imdb_id := item.film.imdb_id or (known[item.row].imdb_id if item.row in known else ""):
            by_film[imdb_id].append(item)
        else:
            yield InvalidLine(item.row, f"{item.name}: {NO_FILM}")
    for imdb_id, entries in by_film.items():
        first, is_show = entries[0], any(item.episode for item in entries)
        stored = known.get(first.row)
        movie = {
            "imdb_id": imdb_id,
            "title": stored.title if stored else first.film.title,
            "year": first.film.year,
            "type": "" if stored else "show" if is_show else "movie",
        }
        links = [item.to_link(source) for item in entries]
        yield jsonl.parse_object(first.row, {**movie, "links": links}, allowed=allowed)
