"""What TMDB, OMDb, TVmaze and IMDb's files say of a film: metadata only, never a watch link. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scraper.reading import IMDB_ID, Unreadable, mapping, mappings, plain, text, whole, year_of

TMDB_PICTURES = "https://image.tmdb.org/t/p/w500"
OMDB_TYPES = {"movie": "movie", "series": "show", "episode": "show"}
IMDB_TYPES = {
    **dict.fromkeys(("movie", "short", "tvMovie", "video", "tvShort"), "movie"),
    **dict.fromkeys(("tvSeries", "tvMiniSeries", "tvEpisode", "tvSpecial"), "show"),
}
IMDB_COLUMNS = [
    "tconst",
    "titleType",
    "primaryTitle",
    "originalTitle",
    "isAdult",
    "startYear",
    "endYear",
    "runtimeMinutes",
    "genres",
]
NOTHING, NOT_STATED = "N/A", r"\N"
NOT_THERE = ("not found", "incorrect imdb id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One film as a catalogue describes it. `problem` is `not_found` or empty."""

    imdb_id: str = ""
    title: str = ""
    year: int | None = None
    type: str = "movie"
    synopsis: str = ""
    poster_url: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TmdbMatches:
    """The answer of TMDB's `/find/`: its own numbers, and a description of the first match."""

    movies: tuple[int, ...]
    shows: tuple[int, ...]
    first: Description


def tmdb_matches_of(answer: object) -> TmdbMatches:
    """The answer to `/3/find/{imdb_id}?external_source=imdb_id`."""
    found = mapping(answer)
    if not isinstance(found.get("movie_results"), list):
        raise Unreadable("the answer has no results")
    movies, shows = list(mappings(found["movie_results"])), list(mappings(found.get("tv_results")))
    described = [*(_tmdb(one, kind="movie") for one in movies), *(_tmdb(one, kind="show") for one in shows)]
    first = described[0] if described else Description(problem="not_found")
    return TmdbMatches(_ids(movies), _ids(shows), first)


def tmdb_details_of(answer: object) -> Description:
    """The answer to `/3/movie/{id}` or `/3/tv/{id}` (there the IMDb id stands among the `external_ids`)."""
    details = mapping(answer)
    if not text(details.get("title")) and not text(details.get("name")):
        raise Unreadable("the answer describes nothing")
    return _tmdb(details, kind="movie" if "title" in details else "show")


def omdb_of(answer: object) -> Description:
    """An answer of OMDb: all texts, `N/A` for nothing, and errors with status 200."""
    told = {name: value for name, value in mapping(answer).items() if value != NOTHING}
    if text(told.get("Response")) != "True":
        said = text(told.get("Error"))
        if any(words in said.lower() for words in NOT_THERE):
            return Description(problem="not_found")
        raise Unreadable(said or "the answer describes nothing")
    return Description(
        imdb_id=_imdb_id(told.get("imdbID")),
        title=text(told.get("Title")),
        year=year_of(told.get("Year")),
        type=OMDB_TYPES.get(text(told.get("Type")), "movie"),
        synopsis=text(told.get("Plot"), longest=4000),
        poster_url=_https(told.get("Poster")),
    )


def tvmaze_of(answer: object) -> Description:
    """A show of TVmaze; its `officialSite` is a page about the show, not one to watch it."""
    show = mapping(answer)
    if not text(show.get("name")):
        raise Unreadable("the answer describes nothing")
    return Description(
        imdb_id=_imdb_id(mapping(show.get("externals")).get("imdb")),
        title=text(show.get("name")),
        year=year_of(show.get("premiered")),
        type="show",
        synopsis=plain(show.get("summary")),
        poster_url=_https(mapping(show.get("image")).get("original")),
    )


def imdb_titles(lines: Iterable[str]) -> Iterator[Description]:
    """The rows of `title.basics.tsv`, one at a time: the file is a gigabyte. Nothing in it is quoted; `\\N` is nothing.

    Games and rows that are none are left out. Unreadable when the first line is not the file's header.
    """
    rows = iter(lines)
    if next(rows, "").rstrip("\r\n").split("\t") != IMDB_COLUMNS:
        raise Unreadable("the first line is not that of title.basics.tsv")
    for line in rows:
        cells = line.rstrip("\r\n").split("\t")
        if len(cells) != len(IMDB_COLUMNS) or not IMDB_ID.fullmatch(cells[0]) or cells[1] not in IMDB_TYPES:
            continue
        told = dict(zip(IMDB_COLUMNS, ("" if cell == NOT_STATED else cell for cell in cells), strict=True))
        yield Description(
            imdb_id=told["tconst"],
            title=told["primaryTitle"],
            year=year_of(told["startYear"]),
            type=IMDB_TYPES[told["titleType"]],
        )


def _tmdb(told: Mapping[str, Any], *, kind: str) -> Description:
    picture = text(told.get("poster_path"))
    return Description(
        imdb_id=_imdb_id(told.get("imdb_id")) or _imdb_id(mapping(told.get("external_ids")).get("imdb_id")),
        title=text(told.get("title")) or text(told.get("name")),
        year=year_of(told.get("release_date") or told.get("first_air_date")),
        type=kind,
        synopsis=text(told.get("overview"), longest=4000),
        poster_url=f"{TMDB_PICTURES}{picture}" if picture.startswith("/") else "",
    )


def _ids(found: Iterable[Mapping[str, Any]]) -> tuple[int, ...]:
    return tuple(number for one in found if (number := whole(one.get("id"))) is not None)


def _imdb_id(value: object) -> str:
    return value if isinstance(value, str) and IMDB_ID.fullmatch(value) else ""


def _https(value: object) -> str:
    url = text(value, longest=2000)
    return url if url.startswith("https://") else ""
