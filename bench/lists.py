"""The lists of links that the checkers are timed over, each link with the verdict that is right.

A: all answer at once. B: a web's mix. C: A over https. D: as B, but what hangs is eight whole hosts. Z: as B, with
hosts as crowded as on the web. H: every awkward behaviour in equal shares. S: soft-dead pages, media, and films whose
titles sound dead.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

HOSTS = 250
DEAD_HOSTS = range(240, 248)
SEED = 20_261_101
ALIVE, DEAD, NOT_DEAD = "alive", "dead", "notdead"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a link behaves and what is right to say of it.

    `gone`: it says so itself, so that a film with no other links goes at once. `media`: a video is due there.
    `asked`: the farm's own word for it, where that differs; `argument` is the third part of the path.
    """

    expected: str = ALIVE
    gone: bool = False
    media: bool = False
    asked: str = ""
    argument: int = 0


GONE = Behaviour(DEAD, gone=True)
FAILS = Behaviour(DEAD)
BEHAVIOURS: Mapping[str, Behaviour] = {
    "page": Behaviour(),
    "moved": Behaviour(argument=1), "moved-twice": Behaviour(asked="moved", argument=2), "found": Behaviour(argument=1),
    "moved-next": Behaviour(), "moved-dead": GONE, "loop": GONE,
    "no-head-405": Behaviour(), "no-head-501": Behaviour(), "no-head-403": Behaviour(), "no-head-404": Behaviour(),
    "no-head-hang": Behaviour(), "head-body": Behaviour(), "close": Behaviour(), "chunked": Behaviour(),
    "404": GONE, "410": GONE, "403": FAILS, "500": FAILS,
    "429": Behaviour(NOT_DEAD, argument=2), "429-once": Behaviour(NOT_DEAD, argument=1),
    "503-later": Behaviour(NOT_DEAD, asked="503", argument=2),
    "hang": FAILS, "drip": FAILS, "refused": FAILS, "reset": FAILS, "empty": FAILS, "junk": FAILS, "self-signed": FAILS,
    "endless": Behaviour(), "short": Behaviour(), "long": Behaviour(), "broken-body": Behaviour(), "gzip": Behaviour(),
    "slow": Behaviour(asked="page"),
    "video": Behaviour(media=True), "octet": Behaviour(media=True), "playlist": Behaviour(media=True),
    "manifest": Behaviour(media=True),
    "missing": GONE, "removed": GONE, "home": GONE, "members-only": FAILS, "wall": FAILS,
    "page-for-video": Behaviour(DEAD, gone=True, media=True), "nothing": Behaviour(DEAD, gone=True, media=True),
}  # fmt: skip
WEB = {
    "hang": 3.0, "404": 5.0, "403": 0.7, "410": 0.7, "429": 0.6, "no-head-405": 2.0, "moved": 4 / 3,
    "moved-twice": 2 / 3, "moved-next": 1.0, "refused": 0.4, "reset": 0.3, "500": 0.3,
}  # fmt: skip
# Those that ask us to come back later stand apart: a host that says so three times running is left alone.
HOSTILE = (
    "page", "429", "moved", "moved-twice", "moved-next", "moved-dead", "found", "loop", "no-head-405", "no-head-501",
    "no-head-403", "no-head-404", "429-once", "no-head-hang", "head-body", "close", "chunked", "404", "403", "410",
    "500", "hang", "drip", "503-later", "refused", "reset", "empty", "junk", "self-signed", "endless", "short", "long",
    "broken-body", "gzip", "slow",
)  # fmt: skip
SOFT = {
    "missing": 8.0, "removed": 5.0, "home": 6.0, "members-only": 2.0, "wall": 2.0, "page-for-video": 6.0,
    "nothing": 4.0, "404": 2.0, "video": 12.0, "octet": 4.0, "playlist": 3.0, "manifest": 2.0, "gzip": 2.0,
    "moved": 3.0,
}  # fmt: skip
SOUNDS_DEAD = ("Not Found", "404", "Gone", "Removed", "Page Not Found", "The Lost Page", "Deleted", "Video Unavailable")
PROFILES = "ABCDZHS"
SLOW_MS = 3500


class Ports(NamedTuple):
    """Where the farm stands; `refused`: nobody listens. 0: there is no such door."""

    http: int
    https: int
    self_signed: int
    refused: int


class Listed(NamedTuple):
    """One link of a list; `movie` counts from 1."""

    url: str
    behaviour: str
    movie: int
    title: str

    @property
    def right(self) -> Behaviour:
        return BEHAVIOURS[self.behaviour]


def made(profile: str, count: int, ports: Ports, *, hosts: int = HOSTS, seed: int = SEED) -> Iterator[Listed]:
    """The links of a list, in an order in which hosts come by chance; the same each time."""
    chance = random.Random(seed)
    crowd = _crowd(profile, count, hosts, chance)
    chance.shuffle(crowd)
    known = [name for name in HOSTILE if ports.self_signed or name != "self-signed"]
    turns = [chance.randrange(len(known)) for _ in range(hosts + 1)]
    movies = _movies(profile)
    for number, host in enumerate(crowd):
        movie, title = next(movies)
        if profile == "H":  # Each host shows all of them, so that none is as good as dead.
            behaviour = known[turns[host] % len(known)]
            turns[host] += 1
        else:
            behaviour = _behaviour(profile, host, hosts, chance)
        latency = 0 if profile in "AC" else chance.randint(50, 150)
        yield Listed(_url(behaviour, host, latency, number, title, ports, tls=profile == "C"), behaviour, movie, title)


def _crowd(profile: str, count: int, hosts: int, chance: random.Random) -> list[int]:
    """A host for each link: equally many each, or by Zipf's law."""
    if profile == "Z":
        return chance.choices(range(1, hosts + 1), [1 / rank for rank in range(1, hosts + 1)], k=count)
    return [number % hosts + 1 for number in range(count)]


def _movies(profile: str) -> Iterator[tuple[int, str]]:
    """The movie of each next link: one to five links each; in S every fourth has a title that sounds dead."""
    movie = 0
    while True:
        movie += 1
        sounding = profile == "S" and movie % 4 == 0
        title = SOUNDS_DEAD[movie // 4 % len(SOUNDS_DEAD)] if sounding else f"The tale of number {movie}"
        for _ in range(1 + movie % 5):
            yield movie, title


def _behaviour(profile: str, host: int, hosts: int, chance: random.Random) -> str:
    if profile in "AC":
        return "page"
    if profile == "D" and host in DEAD_HOSTS:
        return "hang"
    mix = SOFT if profile == "S" else WEB
    found = _drawn(mix, chance.random() * 100)
    if profile == "D" and (found == "hang" or (found == "moved-next" and host % hosts + 1 in DEAD_HOSTS)):
        return "page"
    return found


def _drawn(mix: Mapping[str, float], place: float) -> str:
    for name, ratio in mix.items():
        if place < ratio:
            return name
        place -= ratio
    return "page"


def _url(behaviour: str, host: int, latency: int, number: int, title: str, ports: Ports, *, tls: bool) -> str:
    right = BEHAVIOURS[behaviour]
    argument = right.argument or (title.replace(" ", "-") if behaviour == "page" else 0)
    name = right.asked or ("page" if behaviour in ("refused", "self-signed") else behaviour)
    latency = SLOW_MS if behaviour == "slow" else latency
    path = f"/{name}/{latency}/{argument}/{number}"
    places = {
        "refused": f"http://127.0.0.{host}:{ports.refused}",
        "self-signed": f"https://127.0.0.{host}:{ports.self_signed}",
    }
    usual = f"https://127.0.0.{host}:{ports.https}" if tls else f"http://127.0.0.{host}:{ports.http}"
    return places.get(behaviour, usual) + path


def imdb_id(movie: int) -> str:
    return f"tt{movie:07d}"


def written(links: Iterable[Listed], file: Path) -> Path:
    """A line a link: URL, behaviour, movie, title."""
    with file.open("w", encoding="utf-8") as out:
        out.writelines(f"{link.url}\t{link.behaviour}\t{link.movie}\t{link.title}\n" for link in links)
    return file


def read(file: Path) -> Iterator[Listed]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            url, behaviour, movie, title = line.rstrip("\n").split("\t")
            yield Listed(url, behaviour, int(movie), title)


def urls(file: Path) -> Sequence[str]:
    """The addresses alone, for a program that is told no more."""
    with file.open(encoding="utf-8") as lines:
        return [line.split("\t", 1)[0] for line in lines]
