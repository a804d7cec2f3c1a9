"""Lists of films that people keep elsewhere: exports of Letterboxd, IMDb and Trakt, other tables, and pasted ids. Pure.

The columns are those that the exports have: `Name`, `Year`, `Letterboxd URI` (Letterboxd), `Const`, `Title`,
`Title Type`, `Year` (IMDb), `type`, `title`, `year`, `imdb_id`, `season_number` (Trakt). Their order does not matter.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice

from scraper.items import MAX_YEAR, MIN_YEAR, normalize_imdb_id

MAX_FILMS = 5000
MAX_ROWS = 20_000
"""Rows that are read, with those that are blank or name a film again: reading them takes less than a second."""
MAX_HEADING_LINES = 20
"""A list of Letterboxd begins with its own name and description."""
ROW_END = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""What `str.splitlines` takes for the end of a line."""
MAX_HEADING_LENGTH = 10_000
MAX_CELL_LENGTH = 300
MAX_ADDRESS_LENGTH = 7000
"""Of a list in a URL: many proxies take no more than 8 KiB."""
SEPARATORS = (",", ";", "\t")
COLUMNS = {
    "imdb_id": ("const", "imdbid", "imdb", "tconst"),
    "title": ("title", "name"),
    "year": ("year",),
    "type": ("titletype", "type"),
    "url": ("url", "imdburl", "imdbcomurl"),
}
NEEDED_COLUMNS = ({"imdb_id"}, {"title", "year"}, {"title", "url"})
"""What makes a line the headings of a table, the surest first."""
SHOW_TYPES = {"tvseries", "tvminiseries", "series", "miniseries", "show", "shows", "tvshow"}
PART_TYPES = {"tvepisode": "episode", "episode": "episode", "season": "season", "tvseason": "season"}
OTHER_TYPES = {"person": "person", "people": "person", "videogame": "game", "game": "game", "list": "list"}
ID = re.compile(r"\b(tt|nm|co|ch|ls|ur|ev)0*[0-9]{4,}\b", re.IGNORECASE | re.ASCII)
TITLE_WITH_YEAR = re.compile(r"(.+?)\s*[(\[]((?:18|19|20|21)[0-9]{2})[)\]]\s*")
YEAR = re.compile(r"(?:18|19|20|21)[0-9]{2}", re.ASCII)
WORD_SIGNS = re.compile(r"[^a-z0-9]")


class Unusable(StrEnum):
    """Why a row of a list names no film."""

    PERSON = "person"
    EPISODE = "episode"
    SEASON = "season"
    GAME = "game"
    LIST = "list"
    OTHER_ID = "other_id"
    BAD_ID = "bad_id"
    NO_TITLE = "no_title"


ID_KINDS = {"nm": Unusable.PERSON, "ls": Unusable.LIST}


class InvalidList(ValueError):
    """A file that is no list; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFilm:
    """A film of a list: by its IMDb id, or by a title and maybe a year. `type` is empty if the list does not say."""

    row: int
    imdb_id: str = ""
    title: str = ""
    year: int | None = None
    type: str = ""

    @property
    def name(self) -> str:
        title = self.title or self.imdb_id
        return f"{title} ({self.year})" if self.year else title


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusableRow:
    """A row that names no film."""

    row: int
    text: str
    reason: Unusable


@dataclass(slots=True)
class FilmList:
    """The films of a list, each once; `is_cut`: there are more than `MAX_FILMS`, or more rows than `MAX_ROWS`."""

    films: list[ListedFilm] = field(default_factory=list)
    unusable: list[UnusableRow] = field(default_factory=list)
    is_cut: bool = False


def read_list(data: bytes) -> FilmList:
    """Read a file or a pasted text; raise InvalidList if it is none."""
    text, is_cut = _first_rows(decode(data))
    rows = _rows_of_table(text) or _rows_of_text(text)
    found, seen = FilmList(is_cut=is_cut), set[tuple[str, str, int | None]]()
    try:
        for one in rows:
            if len(found.films) + len(found.unusable) >= MAX_FILMS:
                found.is_cut = True
                break
            if isinstance(one, UnusableRow):
                found.unusable.append(one)
            elif (key := _identity(one)) not in seen:
                seen.add(key)
                found.films.append(one)
    except csv.Error:
        raise InvalidList("bad_csv") from None
    return found


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 or the code page of Western Windows; raise InvalidList for other files."""
    if data[:2] == b"PK":
        raise InvalidList("archive")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _decode_utf_16(data, "utf-16")
    if b"\0" in data[:200]:
        return _decode_utf_16(data, "utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _decode_utf_16(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise InvalidList("not_text") from None
    if "\0" in text:
        raise InvalidList("not_text")
    return text


def _first_rows(text: str) -> tuple[str, bool]:
    """The first `MAX_ROWS` rows of a text, and whether there are more."""
    last = next(islice(ROW_END.finditer(text), MAX_ROWS - 1, None), None)
    return (text, False) if last is None else (text[: last.end()], bool(text[last.end() :].strip()))


def _identity(film: ListedFilm) -> tuple[str, str, int | None]:
    return (film.imdb_id, "", None) if film.imdb_id else ("", film.title.casefold(), film.year)


def _rows_of_table(text: str) -> Iterator[ListedFilm | UnusableRow] | None:
    """The rows below the first line that names columns we know; None if no line near the start does."""
    lines = text.splitlines(keepends=True)
    candidates = [
        (number, separator, columns)
        for number, line in enumerate(lines[:MAX_HEADING_LINES])
        for separator in SEPARATORS
        if (columns := _columns(line, separator))
    ]
    for needed in NEEDED_COLUMNS:
        for number, separator, columns in candidates:
            if needed <= columns.keys():
                body = io.StringIO("".join(lines[number + 1 :]), newline="")
                return _read_table(csv.reader(body, delimiter=separator), columns, above=number + 1)
    return None


def _columns(line: str, separator: str) -> dict[str, int]:
    """The place of each column that the cells of a line name."""
    headings = [WORD_SIGNS.sub("", cell.lower()) for cell in line[:MAX_HEADING_LENGTH].split(separator)]
    return {
        column: headings.index(heading)
        for column, spellings in COLUMNS.items()
        for heading in spellings[::-1]
        if heading in headings
    }


def _read_table(
    table: Iterator[list[str]], columns: dict[str, int], *, above: int
) -> Iterator[ListedFilm | UnusableRow]:
    for number, cells in enumerate(table, start=above + 1):
        values = {
            column: cells[place].strip()[:MAX_CELL_LENGTH] for column, place in columns.items() if place < len(cells)
        }
        if any(values.values()):
            yield _film_of_row(number, values)


def _film_of_row(row: int, values: dict[str, str]) -> ListedFilm | UnusableRow:
    title, stated = values.get("title", ""), WORD_SIGNS.sub("", values.get("type", "").lower())
    text = " ".join(filter(None, (title, values.get("imdb_id", ""))))
    if reason := PART_TYPES.get(stated) or OTHER_TYPES.get(stated):
        return UnusableRow(row=row, text=text, reason=Unusable(reason))
    named = values.get("imdb_id") or _id_in(values.get("url", ""))
    film = _film_by_id(row, named) if named else ListedFilm(row=row)
    if isinstance(film, UnusableRow):
        return replace(film, text=text)
    if not (named or title):
        return UnusableRow(row=row, text=" ".join(values.values()), reason=Unusable.NO_TITLE)
    kind = "show" if stated in SHOW_TYPES else "movie" if stated else ""
    return replace(film, title=title, year=_year(values.get("year", "")), type=kind)


def _id_in(url: str) -> str:
    """The IMDb id in a URL of imdb.com; empty for any other."""
    found = ID.search(url) if "imdb.com/" in url.lower() else None
    return found[0] if found else ""


def _film_by_id(row: int, text: str) -> ListedFilm | UnusableRow:
    if imdb_id := normalize_imdb_id(text):
        return ListedFilm(row=row, imdb_id=imdb_id)
    found = ID.fullmatch(text.strip())
    prefix = found[1].lower() if found else ""
    reason = Unusable.BAD_ID if prefix in ("", "tt") else ID_KINDS.get(prefix, Unusable.OTHER_ID)
    return UnusableRow(row=row, text=text, reason=reason)


def _year(text: str) -> int | None:
    found = YEAR.match(text)
    return int(found[0]) if found and MIN_YEAR <= int(found[0]) <= MAX_YEAR else None


def _rows_of_text(text: str) -> Iterator[ListedFilm | UnusableRow]:
    """Each id of a text; a line without one is a title, maybe with a year in brackets."""
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip().strip(",;")[: 20 * MAX_CELL_LENGTH]
        if ids := [found[0] for found in ID.finditer(line)]:
            yield from (_film_by_id(number, one) for one in ids)
        elif line:
            named = TITLE_WITH_YEAR.fullmatch(line[:MAX_CELL_LENGTH])
            title, year = (named[1], int(named[2])) if named else (line[:MAX_CELL_LENGTH], None)
            yield ListedFilm(row=number, title=title, year=year)


def encode_ids(imdb_ids: Iterable[str]) -> str:
    """IMDb ids as a short text for a URL: sorted, each as its distance from the one before.

    >>> encode_ids(["tt0063350", "tt0013442"]), decode_ids("gmn0hQM")
    ('gmn0hQM', ['tt0013442', 'tt0063350'])
    """
    numbers, coded, last = sorted({int(one[2:]) for one in imdb_ids}), bytearray(), 0
    for number in numbers:
        distance, last = number - last, number
        while distance > 127:
            coded.append(distance & 127 | 128)
            distance >>= 7
        coded.append(distance)
    return base64.urlsafe_b64encode(bytes(coded)).decode().rstrip("=")


def decode_ids(text: str) -> list[str]:
    """The IMDb ids that `encode_ids` has written; raise InvalidList for any other text."""
    if len(text) > MAX_ADDRESS_LENGTH or not text.isascii():
        raise InvalidList("bad_address")
    try:
        coded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise InvalidList("bad_address") from None
    ids, last, value, bits = list[str](), 0, 0, 0
    for byte in coded:
        value |= (byte & 127) << bits
        bits += 7
        if byte < 128:
            if not value:
                raise InvalidList("bad_address")
            last += value
            ids.append(f"tt{last:07d}")
            value = bits = 0
        elif bits > 28:
            raise InvalidList("bad_address")
    if bits or not all(normalize_imdb_id(one) for one in ids):
        raise InvalidList("bad_address")
    return ids
