"""The films of the example site and their links, which work or fail in known ways. Pure.

Every start gives the same: the n-th film always has the same links with the same behaviour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LICENCE_URLS = {
    "public-domain": "https://creativecommons.org/publicdomain/mark/1.0/",
    "cc-by": "https://creativecommons.org/licenses/by/3.0/",
}
SLOW_SECONDS, HANG_SECONDS = 2.0, 45.0


class LinkBehaviour(StrEnum):
    """How the site responds to requests for a link."""

    LIVE = "live"
    NOT_FOUND = "answers 404"
    NO_HEAD = "answers 405 to HEAD, the file to GET"
    FORBIDDEN = "answers 403"
    MOVED = "answers 301 to a live copy"
    GONE = "answers 410"
    SOFT_404 = "answers 200 with a page that says it is not here"
    SLOW = "answers after two seconds"
    TO_FRONT = "answers 302 to the front page"
    HANGS = "never answers"
    BROKEN = "answers 500"


FAULTY_BEHAVIOURS = tuple(behaviour for behaviour in LinkBehaviour if behaviour is not LinkBehaviour.LIVE)


@dataclass(frozen=True, slots=True)
class ExampleFilm:
    """`language` is the original one (`zxx`: no speech). An `official` film has only a watch page."""

    imdb_id: str
    title: str
    year: int
    type: str
    language: str
    licence: str

    @property
    def path(self) -> str:
        return f"/films/{self.imdb_id}/"


@dataclass(frozen=True, slots=True)
class ExampleLink:
    """One URL of the site where a film can be watched."""

    path: str
    kind: str
    language: str
    quality: str = ""
    behaviour: LinkBehaviour = LinkBehaviour.LIVE


@dataclass(frozen=True, slots=True)
class ExampleCaptions:
    """Captions of a film in one language, as WebVTT or SubRip."""

    path: str
    language: str


FILMS = (
    ExampleFilm("tt0000417", "A Trip to the Moon", 1902, "movie", "fr", "public-domain"),
    ExampleFilm("tt0000439", "The Great Train Robbery", 1903, "movie", "en", "public-domain"),
    ExampleFilm("tt0000499", "The Impossible Voyage", 1904, "movie", "fr", "public-domain"),
    ExampleFilm("tt0001223", "Frankenstein", 1910, "movie", "en", "public-domain"),
    ExampleFilm("tt0006864", "Intolerance", 1916, "movie", "en", "public-domain"),
    ExampleFilm("tt0006177", "The Tramp", 1915, "movie", "en", "public-domain"),
    ExampleFilm("tt0007264", "The Rink", 1916, "movie", "en", "public-domain"),
    ExampleFilm("tt0007613", "The Adventurer", 1917, "movie", "en", "public-domain"),
    ExampleFilm("tt0008133", "The Immigrant", 1917, "movie", "en", "public-domain"),
    ExampleFilm("tt0004707", "Tillie's Punctured Romance", 1914, "movie", "en", "public-domain"),
    ExampleFilm("tt0011541", "One Week", 1920, "movie", "en", "public-domain"),
    ExampleFilm("tt0013025", "Cops", 1922, "movie", "en", "public-domain"),
    ExampleFilm("tt0014341", "Our Hospitality", 1923, "movie", "en", "public-domain"),
    ExampleFilm("tt0015163", "The Navigator", 1924, "movie", "en", "public-domain"),
    ExampleFilm("tt0015324", "Sherlock Jr.", 1924, "movie", "en", "public-domain"),
    ExampleFilm("tt0017925", "The General", 1926, "movie", "en", "public-domain"),
    ExampleFilm("tt0019421", "Steamboat Bill, Jr.", 1928, "movie", "en", "public-domain"),
    ExampleFilm("tt0010323", "The Cabinet of Dr. Caligari", 1920, "movie", "de", "public-domain"),
    ExampleFilm("tt0011237", "The Golem: How He Came into the World", 1920, "movie", "de", "public-domain"),
    ExampleFilm("tt0013442", "Nosferatu", 1922, "movie", "de", "public-domain"),
    ExampleFilm("tt0013086", "Dr. Mabuse, the Gambler", 1922, "movie", "de", "public-domain"),
    ExampleFilm("tt0015064", "The Last Laugh", 1924, "movie", "de", "public-domain"),
    ExampleFilm("tt0017136", "Metropolis", 1927, "movie", "de", "public-domain"),
    ExampleFilm("tt0013257", "Häxan", 1922, "movie", "sv", "public-domain"),
    ExampleFilm("tt0015648", "Battleship Potemkin", 1925, "movie", "ru", "public-domain"),
    ExampleFilm("tt0019760", "Man with a Movie Camera", 1929, "movie", "ru", "public-domain"),
    ExampleFilm("tt0019254", "The Passion of Joan of Arc", 1928, "movie", "fr", "public-domain"),
    ExampleFilm("tt0016220", "The Phantom of the Opera", 1925, "movie", "en", "public-domain"),
    ExampleFilm("tt0016039", "The Lost World", 1925, "movie", "en", "public-domain"),
    ExampleFilm("tt0014142", "The Hunchback of Notre Dame", 1923, "movie", "en", "public-domain"),
    ExampleFilm("tt0015400", "The Thief of Bagdad", 1924, "movie", "en", "public-domain"),
    ExampleFilm("tt0011130", "Dr. Jekyll and Mr. Hyde", 1920, "movie", "en", "public-domain"),
    ExampleFilm("tt0011439", "The Mark of Zorro", 1920, "movie", "en", "public-domain"),
    ExampleFilm("tt0019422", "Steamboat Willie", 1928, "movie", "en", "public-domain"),
    ExampleFilm("tt0023694", "White Zombie", 1932, "movie", "en", "public-domain"),
    ExampleFilm("tt0028010", "My Man Godfrey", 1936, "movie", "en", "public-domain"),
    ExampleFilm("tt0032599", "His Girl Friday", 1940, "movie", "en", "public-domain"),
    ExampleFilm("tt0051744", "House on Haunted Hill", 1959, "movie", "en", "public-domain"),
    ExampleFilm("tt0055830", "Carnival of Souls", 1962, "movie", "en", "public-domain"),
    ExampleFilm("tt0056923", "Charade", 1963, "movie", "en", "public-domain"),
    ExampleFilm("tt0063350", "Night of the Living Dead", 1968, "movie", "en", "public-domain"),
    ExampleFilm("tt0035209", "Prelude to War", 1942, "movie", "en", "public-domain"),
    ExampleFilm("tt0807840", "Elephants Dream", 2006, "movie", "en", "cc-by"),
    ExampleFilm("tt1254207", "Big Buck Bunny", 2008, "movie", "zxx", "cc-by"),
    ExampleFilm("tt1727587", "Sintel", 2010, "movie", "en", "cc-by"),
    ExampleFilm("tt2285752", "Tears of Steel", 2012, "movie", "en", "cc-by"),
    ExampleFilm("tt0046642", "Sherlock Holmes", 1954, "show", "en", "official"),
    ExampleFilm("tt0043238", "Tales of Tomorrow", 1951, "show", "en", "official"),
    ExampleFilm("tt0052451", "Bonanza", 1959, "show", "en", "official"),
)
FILM_WITHOUT_LINKS = "tt0035209"
"""Prelude to War: all its links are dead (404 and 410), so that it is removed."""


def example_links() -> dict[str, tuple[ExampleLink, ...]]:
    """Return the links of every film, by IMDb id."""
    return {film.imdb_id: tuple(_links(film, number)) for number, film in enumerate(FILMS)}


def captions_of(film: ExampleFilm) -> tuple[ExampleCaptions, ...]:
    """Return the captions of a film: in English as WebVTT, in German as SubRip; none of an `official` one."""
    if film.licence == "official":
        return ()
    folder = f"/media/{film.imdb_id}"
    return ExampleCaptions(f"{folder}/captions.en.vtt", "en"), ExampleCaptions(f"{folder}/captions.de.srt", "de")


def _links(film: ExampleFilm, number: int) -> Iterator[ExampleLink]:
    if film.imdb_id == FILM_WITHOUT_LINKS:
        yield from _dead_links(film)
        return
    yield _page(film, film.language)
    if film.licence == "official":
        return
    if film.language not in ("en", "zxx"):
        yield _page(film, "en")
    yield _file(film, "480p")
    yield _file(film, "1080p" if number % 2 else "720p")
    if number % 3 == 0:
        yield _file(film, "360p", ending="webm")
    if number % 3 == 1:
        yield ExampleLink(f"/media/{film.imdb_id}/all.m3u8", "stream", film.language)
    if number % 4 == 0:
        yield ExampleLink(f"/embed/{film.imdb_id}/", "embed", film.language)
    yield _faulty_link(film, FAULTY_BEHAVIOURS[number % len(FAULTY_BEHAVIOURS)])


def _dead_links(film: ExampleFilm) -> Iterator[ExampleLink]:
    yield _page(film, film.language, behaviour=LinkBehaviour.NOT_FOUND)
    yield _file(film, "480p", behaviour=LinkBehaviour.GONE)
    yield _file(film, "720p", behaviour=LinkBehaviour.NOT_FOUND)


def _faulty_link(film: ExampleFilm, behaviour: LinkBehaviour) -> ExampleLink:
    if behaviour in (LinkBehaviour.SOFT_404, LinkBehaviour.TO_FRONT):
        return _page(film, "es", behaviour=behaviour)
    return _file(film, "576p", behaviour=behaviour)


def _page(film: ExampleFilm, language: str, *, behaviour: LinkBehaviour = LinkBehaviour.LIVE) -> ExampleLink:
    return ExampleLink(f"/watch/{film.imdb_id}/{language}/", "page", language, behaviour=behaviour)


def _file(
    film: ExampleFilm, quality: str, *, ending: str = "mp4", behaviour: LinkBehaviour = LinkBehaviour.LIVE
) -> ExampleLink:
    return ExampleLink(
        f"/media/{film.imdb_id}/{quality}.{film.language}.{ending}", "file", film.language, quality, behaviour
    )
