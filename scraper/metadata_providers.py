"""Parse film metadata of TMDB, OMDb, TVmaze and IMDb's files; none of them has watch links. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scraper.extraction.countries import parse_countries
from scraper.extraction.durations import parse_minutes
from scraper.extraction.genres import parse_genres
from scraper.extraction.json_values import (
    UnreadableResponse,
    as_int,
    as_mapping,
    as_mappings,
    as_objects,
    as_text,
    html_to_text,
    parse_year,
)
from scraper.extraction.languages import normalize_language_tag, parse_language
from scraper.items import Person, normalize_imdb_id

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
MAX_PEOPLE = 20
OMDB_NULL, NOT_STATED = "N/A", r"\N"
NOT_FOUND_MESSAGES = ("not found", "incorrect imdb id")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmMetadata:
    """One film as a provider describes it. `problem` is `not_found`, `not_a_film` or empty."""

    imdb_id: str = ""
    title: str = ""
    year: int | None = None
    type: str = "movie"
    synopsis: str = ""
    poster_url: str = ""
    problem: str = ""
    runtime_minutes: int | None = None
    original_title: str = ""
    original_languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    directors: tuple[Person, ...] = ()
    cast: tuple[Person, ...] = ()
    synopses: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TmdbMatch:
    """The result of TMDB's `/find/`: TMDB's ids, and the metadata of the first match."""

    movies: tuple[int, ...]
    shows: tuple[int, ...]
    first: FilmMetadata


def parse_tmdb_find(answer: object) -> TmdbMatch:
    """Parse the response of `/3/find/{imdb_id}?external_source=imdb_id`."""
    found = as_mapping(answer)
    if not isinstance(found.get("movie_results"), list):
        raise UnreadableResponse("the answer has no results")
    movies, shows = list(as_mappings(found["movie_results"])), list(as_mappings(found.get("tv_results")))
    described = [*(_tmdb(one, kind="movie") for one in movies), *(_tmdb(one, kind="show") for one in shows)]
    first = described[0] if described else FilmMetadata(problem="not_found")
    return TmdbMatch(_ids(movies), _ids(shows), first)


def parse_tmdb_details(answer: object, *, languages: Collection[str] = ()) -> FilmMetadata:
    """Parse the response of `/3/movie/{id}`, or of `/3/tv/{id}`, which has the IMDb id among the `external_ids`.

    Of its `translations`, synopses in these languages are kept, of each the first.
    """
    details = as_mapping(answer)
    if not as_text(details.get("title")) and not as_text(details.get("name")):
        raise UnreadableResponse("the answer describes nothing")
    synopses = dict[str, str]()
    for one in as_objects(as_mapping(details.get("translations")).get("translations")):
        language = as_text(one.get("iso_639_1"))
        text = as_text(as_mapping(one.get("data")).get("overview"), max_length=4000)
        if text and language in languages:
            synopses.setdefault(language, text)
    return replace(_tmdb(details, kind="movie" if "title" in details else "show"), synopses=tuple(synopses.items()))


def parse_omdb(answer: object) -> FilmMetadata:
    """Parse a response of OMDb: all values are texts, `N/A` is none, and errors have status 200."""
    stated = {name: value for name, value in as_mapping(answer).items() if value != OMDB_NULL}
    if as_text(stated.get("Response")) != "True":
        error = as_text(stated.get("Error"))
        if any(message in error.lower() for message in NOT_FOUND_MESSAGES):
            return FilmMetadata(problem="not_found")
        raise UnreadableResponse(error or "the answer describes nothing")
    if (kind := as_text(stated.get("Type")).lower()) == "game":
        return FilmMetadata(problem="not_a_film")
    return FilmMetadata(
        imdb_id=_imdb_id(stated.get("imdbID")),
        title=as_text(stated.get("Title")),
        year=parse_year(stated.get("Year")),
        type=OMDB_TYPES.get(kind, "movie"),
        synopsis=as_text(stated.get("Plot"), max_length=4000),
        poster_url=_https(stated.get("Poster")),
        runtime_minutes=parse_minutes(stated.get("Runtime")),
        countries=parse_countries(stated.get("Country")),
        genres=parse_genres(stated.get("Genre")),
        directors=_people(stated.get("Director")),
        cast=_people(stated.get("Actors")),
    )


def parse_tvmaze(answer: object) -> FilmMetadata:
    """Parse a show of TVmaze; its `officialSite` is about the show, so it is no watch link."""
    show = as_mapping(answer)
    if not as_text(show.get("name")):
        raise UnreadableResponse("the answer describes nothing")
    return FilmMetadata(
        imdb_id=_imdb_id(as_mapping(show.get("externals")).get("imdb")),
        title=as_text(show.get("name")),
        year=parse_year(show.get("premiered")),
        type="show",
        synopsis=html_to_text(show.get("summary")),
        poster_url=_https(as_mapping(show.get("image")).get("original")),
        runtime_minutes=parse_minutes(show.get("averageRuntime") or show.get("runtime")),
        original_languages=_languages(parse_language(show.get("language"))),
        genres=parse_genres(show.get("genres")),
    )


def parse_imdb_titles(lines: Iterable[str]) -> Iterator[FilmMetadata]:
    """Parse the rows of `title.basics.tsv` one at a time: the file has a gigabyte. Nothing is quoted; `\\N` is none.

    Skips games and malformed rows. Raises UnreadableResponse if the first line is not the header.
    """
    rows = iter(lines)
    if next(rows, "").rstrip("\r\n").split("\t") != IMDB_COLUMNS:
        raise UnreadableResponse("the first line is not that of title.basics.tsv")
    for line in rows:
        cells = line.rstrip("\r\n").split("\t")
        if len(cells) != len(IMDB_COLUMNS) or not normalize_imdb_id(cells[0]) or cells[1] not in IMDB_TYPES:
            continue
        row = dict(zip(IMDB_COLUMNS, ("" if cell == NOT_STATED else cell for cell in cells), strict=True))
        yield FilmMetadata(
            imdb_id=normalize_imdb_id(row["tconst"]),
            title=row["primaryTitle"],
            year=parse_year(row["startYear"]),
            type=IMDB_TYPES[row["titleType"]],
            runtime_minutes=parse_minutes(row["runtimeMinutes"]),
            original_title=row["originalTitle"],
            genres=parse_genres(row["genres"]),
        )


def _tmdb(stated: Mapping[str, Any], *, kind: str) -> FilmMetadata:
    picture = as_text(stated.get("poster_path"))
    return FilmMetadata(
        imdb_id=_imdb_id(stated.get("imdb_id")) or _imdb_id(as_mapping(stated.get("external_ids")).get("imdb_id")),
        title=as_text(stated.get("title")) or as_text(stated.get("name")),
        year=parse_year(stated.get("release_date") or stated.get("first_air_date")),
        type=kind,
        synopsis=as_text(stated.get("overview"), max_length=4000),
        poster_url=f"{TMDB_PICTURES}{picture}" if picture.startswith("/") else "",
        runtime_minutes=parse_minutes(stated.get("runtime")),
        original_title=as_text(stated.get("original_title")) or as_text(stated.get("original_name")),
        original_languages=_languages(normalize_language_tag(stated.get("original_language"))),
        countries=parse_countries(_values(stated.get("production_countries"), "iso_3166_1")),
        genres=parse_genres(_values(stated.get("genres"), "name")),
    )


def _values(stated: object, key: str) -> list[str]:
    """The texts under a key of each object of a list."""
    return [as_text(one.get(key)) for one in as_objects(stated)]


def _people(stated: object) -> tuple[Person, ...]:
    """The people of a text with commas; what is in brackets says what somebody did."""
    names = (name.partition("(")[0].strip() for name in as_text(stated, max_length=2000).split(","))
    return tuple(dict.fromkeys(Person(name) for name in names if name))[:MAX_PEOPLE]


def _languages(tag: str) -> tuple[str, ...]:
    return (tag,) if tag else ()


def _ids(found: Iterable[Mapping[str, Any]]) -> tuple[int, ...]:
    return tuple(number for one in found if (number := as_int(one.get("id"))) is not None)


def _imdb_id(value: object) -> str:
    return normalize_imdb_id(value)


def _https(value: object) -> str:
    url = as_text(value, max_length=2000)
    return url if url.startswith("https://") else ""
